package story

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"telltale/casefile"
	"telltale/detect"
	"telltale/evidence"
)

// sources names, for what a log tells of, the usual files.
var sources = map[string]string{"logins": "auth.log, secure or the journal", "ftp": "vsftpd.log, xferlog or proftpd's log", "web": "a web server's access log", "mail": "mail.log, maillog or exim's mainlog",
	"database": "the database's own log", "packages": "the package manager's log"}

// tells tells whether a log is one that would tell of something: it was heard to, or its name says so.
func tells(c *casefile.Coverage, of string) bool {
	if slices.Contains(c.Tells, of) || journal(c.Artifact) && (of == "logins" || of == "mail") {
		return true
	}
	name := path.Base(c.Path)
	text := c.Artifact == "syslogfile"
	switch of {
	case "logins":
		return text && (strings.Contains(name, "auth") || strings.Contains(name, "secure"))
	case "ftp":
		return c.Artifact == "vsftpd" || c.Artifact == "xferlog" || c.Artifact == "proftpd" || c.Artifact == "pureftpd"
	case "web":
		return c.Artifact == "accesslog"
	case "mail":
		return c.Artifact == "exim" || text && strings.Contains(name, "mail")
	case "packages":
		return c.Artifact == "dpkg-log" || c.Artifact == "apt-history" || c.Artifact == "yum" || c.Artifact == "zypper" || c.Artifact == "rpm-packages"
	case "database":
		return c.Artifact == "redis" || c.Artifact == "mysql" || c.Artifact == "postgresql" || c.Artifact == "mongodb"
	}
	return false
}

// covered tells from when to when the logs of a kind tell.
func (b *builder) covered(of string) (read bool, first, last string) {
	for i := range b.set.Coverage {
		c := &b.set.Coverage[i]
		if c.Records == 0 || !tells(c, of) {
			continue
		}
		read = true
		if c.First != "" && (first == "" || c.First < first) {
			first = c.First
		}
		if c.Last > last {
			last = c.Last
		}
	}
	return read, first, last
}

func (b *builder) journal() bool {
	for _, c := range b.set.Coverage {
		if journal(c.Artifact) && c.Records > 0 {
			return true
		}
	}
	return b.set.Remote
}

// enough is how far back a log has to go to say that nobody came in: an intruder is often found out only after days.
const enough = 7 * 24 * time.Hour

// complete says what is missing for a verdict of "clean" or "attacked", "" for nothing.
func (b *builder) complete() string {
	var missing []string
	missing = append(missing, b.lacks("logins", "a log of logins")...)
	if !b.set.Tree {
		missing = append(missing, "the files of the server")
	}
	if b.set.Services["web"] {
		missing = append(missing, b.lacks("web", "the web server's access log")...)
	}
	if b.set.Services["ftp"] {
		if ok, _, _ := b.covered("ftp"); !ok {
			missing = append(missing, "the ftp server's log")
		}
	}
	if b.set.Damaged > 0 {
		missing = append(missing, "what could not be read")
	}
	if len(b.by[detect.LogEdited])+len(b.by[detect.LogSilent]) > 0 {
		missing = append(missing, "the lines that are missing from its logs")
	}
	missing = append(missing, b.unwritten()...)
	missing = append(missing, b.authors()...)
	return strings.Join(missing, ", ")
}

// lacks says that a kind of log is not there, or goes back but a few days while others go further.
func (b *builder) lacks(of, words string) []string {
	ok, from, _ := b.covered(of)
	if !ok {
		return []string{words}
	}
	first, err1 := time.Parse(time.RFC3339Nano, from)
	last, err2 := time.Parse(time.RFC3339Nano, b.latest())
	if err1 != nil || err2 != nil || last.Sub(first) >= enough || !b.older(first) {
		return nil
	}
	return []string{fmt.Sprintf("%s from before %s", words, first.UTC().Format(time.DateOnly))}
}

// latest gives the last time that any log tells of.
func (b *builder) latest() (t string) {
	for _, c := range b.set.Coverage {
		t = max(t, c.Last)
	}
	return t
}

// older tells whether some log, of any kind, goes back well before a time: then the server stood already.
func (b *builder) older(t time.Time) bool {
	for _, c := range b.set.Coverage {
		if x, err := time.Parse(time.RFC3339Nano, c.First); err == nil && c.Records > 0 && c.First != c.Last && t.Sub(x) > 24*time.Hour {
			return true
		}
	}
	return false
}

// maxUnwritten bounds the accounts of which it is told that their shells left no history.
const maxUnwritten = 5

// unwritten gives accounts that somebody used from a new address, outside, and of whose commands nothing is left to be read.
func (b *builder) unwritten() (out []string) {
	if !b.set.Tree {
		return nil
	}
	told := map[string]bool{}
	for _, l := range b.by[detect.Login] {
		if l.Access == nil || !l.Access.NewAddress || !shellService(l.Service) || b.suspects[l.Source] != nil || b.origin(l.Source) != "external" || l.Access.Longest >= 0 && l.Access.Longest <= 2*time.Second || told[l.Account] || b.historyOf(l.Account, l.First) || b.bound(l) {
			continue
		}
		if told[l.Account] = true; len(out) < maxUnwritten {
			out = append(out, fmt.Sprintf("what %s typed, who came from the new address %s (no shell history)", l.Account, l.Source))
		}
	}
	return out
}

// historyOf tells whether a shell history of an account was read that does not end, by its stamps, before a login.
func (b *builder) historyOf(account string, login evidence.Time) bool {
	for _, u := range b.set.Users {
		if u.Name != account || u.Home == "" {
			continue
		}
		for _, c := range b.set.Coverage {
			if c.Artifact == "shell-history" && c.Records > 0 && strings.HasPrefix(c.Path, u.Home+"/") && !(c.Last != "" && c.Last < login.String()) {
				return true
			}
		}
	}
	return false
}

// journal tells the artefacts that read systemd's journal.
func journal(artifact string) bool { return artifact == "journald" || artifact == "journal-export" }
