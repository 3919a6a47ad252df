package tree

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// lacks are the kinds of sources that a case can be made to lack, as they lack in practice: rotated away, never written, not collected. What is taken
// out was never there for whoever looks: it leaves no deleted inode.
var lacks = map[string][]string{
	"auth":      {"/var/log/auth.log*"},
	"syslog":    {"/var/log/syslog*", "/var/log/messages*", "/var/log/kern.log*"},
	"records":   {"/var/log/wtmp*", "/var/log/btmp*", "/var/log/lastlog"},
	"access":    {"/var/log/apache2/*access.log*"},
	"errors":    {"/var/log/apache2/*error.log*"},
	"mail":      {"/var/log/mail.*", "/var/log/exim4/*"},
	"ftp":       {"/var/log/vsftpd.log*", "/var/log/xferlog*", "/var/log/proftpd/*"},
	"histories": {"/root/.bash_history", "/home/*/.bash_history"},
	"packages":  {"/var/lib/dpkg", "/var/log/dpkg.log*", "/var/log/apt/*"},
	"rotated":   {"/var/log/*.[0-9]*", "/var/log/*/*.[0-9]*"},
	"logs":      {"/var/log"},
	"files":     nil, // all but the logs
	"server":    nil, // all of it: only what a log server kept
	"disk":      nil, // all of it: the state of the machine while it runs, and what a log server kept
	"remote":    nil, // what a log server kept
}

// Lacks gives the names of what a case can be made to lack.
func Lacks() []string { return slices.Sorted(maps.Keys(lacks)) }

// Without makes the cases lack kinds of sources.
func (m *Maker) Without(kinds ...string) error {
	for _, k := range kinds {
		if _, ok := lacks[k]; !ok {
			return fmt.Errorf("no source %q; there are %s", k, strings.Join(Lacks(), ", "))
		}
		m.without = append(m.without, k)
	}
	return nil
}

// lack takes the sources out. The folders keep their times.
func (s *server) lack(kinds []string) {
	for _, k := range kinds {
		if k == "files" {
			s.only("/var/log")
		}
		for _, pattern := range lacks[k] {
			drop(s.root, "", pattern)
		}
	}
}

func drop(n *inode, p, pattern string) {
	for name, x := range n.entries {
		q := p + "/" + name
		if ok, _ := path.Match(pattern, q); ok { // the patterns are our own
			delete(n.entries, name)
		} else if x.dir() {
			drop(x, q, pattern)
		}
	}
}

// only leaves nothing but one folder.
func (s *server) only(dir string) {
	n := s.root
	for _, name := range strings.Split(dir, "/")[1:] {
		for other := range n.entries {
			if other != name {
				delete(n.entries, other)
			}
		}
		n = n.entries[name]
	}
}
