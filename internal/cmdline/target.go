package cmdline

import (
	"net/netip"
	"slices"
	"strings"
)

// How a machine is reached for.
const (
	SSH        = "ssh"
	Download   = "download"
	Upload     = "upload"
	Connection = "connection"
	Scan       = "scan"
)

// Target is another machine that a command reaches for.
type Target struct {
	Host  string // name or address, lower case
	User  string // the account there, "" where none is named
	Port  string
	How   string
	By    string   // the program
	Files []string // of an upload: the files here
}

// maxTargets bounds what is told of one line.
const maxTargets = 64

// Targets gives the other machines that a line reaches for, each once by host and way.
func Targets(line string) (out []Target) {
	add := func(t Target) {
		for i := range out {
			if out[i].Host == t.Host && out[i].How == t.How {
				out[i].Files = append(out[i].Files, t.Files...)
				return
			}
		}
		if t.Host != "" && len(out) < maxTargets {
			out = append(out, t)
		}
	}
	for _, c := range Parse(line) {
		for _, t := range c.targets() {
			add(t)
		}
		for _, f := range append(c.In, c.Out...) { // bash's own sockets
			add(socket(f))
		}
	}
	return out
}

func (c *Command) targets() (out []Target) {
	name := c.Name()
	read, ok := readers[name]
	if !ok {
		return nil
	}
	for _, t := range read(c) {
		t.By = name
		if t.Host != "" {
			out = append(out, t)
		}
	}
	return out
}

var readers = map[string]func(*Command) []Target{
	"ssh": ssh, "autossh": ssh, "slogin": ssh, "dbclient": ssh, "mosh": mosh, "ssh-copy-id": copyID, "rsh": ssh, "rlogin": ssh, "ssh-keyscan": keyscan,
	"scp": scp, "sftp": sftp, "rsync": rsync,
	"curl": curl, "wget": wget, "wget2": wget, "aria2c": fetch, "axel": fetch, "fetch": fetch, "lynx": fetch, "git": git,
	"nc": nc, "ncat": nc, "netcat": nc, "nc.traditional": nc, "nc.openbsd": nc, "telnet": telnet, "ftp": ftp, "lftp": ftp, "tnftp": ftp, "ncftp": ftp, "tftp": ftp, "socat": socat, "openssl": openssl,
	"mysql": database, "mariadb": database, "mysqldump": database, "mariadb-dump": database, "mysqladmin": database, "psql": database, "pg_dump": database, "pg_dumpall": database, "redis-cli": database, "mongo": database, "mongosh": database, "mongodump": database,
	"smbclient": share, "mount": share, "mount.cifs": share, "nmap": scan, "masscan": scan, "zmap": scan, "fping": scan, "nikto": scan, "hydra": scan, "medusa": scan,
}

// host makes a target of "host", "user@host", "[address]" or "scheme://user:word@host:port/path". What is the machine itself, or no name, gives none.
func host(s, how string) Target {
	t := Target{How: how}
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
		if i := strings.IndexAny(s, "/?#"); i >= 0 {
			s = s[:i]
		}
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		t.User, _, _ = strings.Cut(s[:i], ":")
		s = s[i+1:]
	}
	switch {
	case strings.HasPrefix(s, "["):
		var rest string
		s, rest, _ = strings.Cut(s[1:], "]")
		t.Port = strings.TrimPrefix(rest, ":")
	case strings.Count(s, ":") == 1:
		s, t.Port, _ = strings.Cut(s, ":")
	}
	if s = strings.ToLower(strings.TrimSuffix(s, ".")); named(s) {
		t.Host = s
	}
	if t.Port != "" && strings.Trim(t.Port, "0123456789") != "" {
		t.Port = ""
	}
	return t
}

// named tells whether a word can be the name or address of another machine.
func named(s string) bool {
	if s == "" || len(s) > 253 || s == "localhost" || s[0] == '-' || s[0] == '.' || strings.HasPrefix(s, "localhost.") {
		return false
	}
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return !a.IsLoopback() && !a.IsUnspecified() && !a.IsMulticast()
	}
	letter := false
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
			letter = true
		case c >= '0' && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return letter
}

// Named tells whether a word can be the name or address of another machine.
func Named(s string) bool { return named(strings.ToLower(s)) }

// bare is a host without a scheme, as curl and wget take it: only what has a dot, for else any word would be one.
func bare(s, how string) Target {
	h, _, _ := strings.Cut(s, "/")
	if strings.Contains(h, ".") || strings.HasPrefix(h, "[") {
		return host(h, how)
	}
	return Target{}
}

// socket reads bash's /dev/tcp/HOST/PORT.
func socket(file string) Target {
	rest, ok := strings.CutPrefix(file, "/dev/tcp/")
	if !ok {
		if rest, ok = strings.CutPrefix(file, "/dev/udp/"); !ok {
			return Target{}
		}
	}
	h, port, _ := strings.Cut(rest, "/")
	t := host(h, Connection)
	t.Port, t.By = port, "bash"
	return t
}

// operands cuts options off, also those behind operands. values are the letters of short options that take a value, long the names of long ones that take the next
// word; seen is told each option with its value.
func operands(w []string, values string, long []string, seen func(name, value string)) (out []string) {
	for i := 0; i < len(w); i++ {
		x := w[i]
		switch {
		case x == "--":
			return append(out, w[i+1:]...)
		case len(x) < 2 || x[0] != '-':
			out = append(out, x)
		case x[1] == '-':
			name, v, ok := strings.Cut(x, "=")
			if !ok && slices.Contains(long, name) && i+1 < len(w) {
				i++
				v = w[i]
			}
			seen(name, v)
		default:
			i = short(w, i, values, seen)
		}
	}
	return out
}

// short reads letters behind one '-': the first that takes a value takes the word's rest, or the next word.
func short(w []string, i int, values string, seen func(name, value string)) int {
	x := w[i]
	for j := 1; j < len(x); j++ {
		if strings.IndexByte(values, x[j]) < 0 {
			seen("-"+x[j:j+1], "")
			continue
		}
		v := x[j+1:]
		if v == "" && i+1 < len(w) {
			i++
			v = w[i]
		}
		seen("-"+x[j:j+1], v)
		break
	}
	return i
}

func ignore(string, string) {}
