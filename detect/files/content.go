package files

import (
	"strings"

	"telltale/detect"
	"telltale/event"
)

// disguised tells code under a name that promises something harmless: a picture that is a script. Where developers' tools keep their tests and
// fixtures such files are ordinary.
func (f *fold) disguised(e *event.Event, p, facts string, owned bool) bool {
	i := strings.Index(facts, " disguised(")
	if i < 0 || owned {
		return false
	}
	for _, dir := range []string{"/node_modules/", "/vendor/", "/testdata/", "/tests/", "/test/", "/.git/", "/site-packages/", "/go/pkg/mod/"} {
		if strings.Contains(p, dir) {
			return false
		}
	}
	l := detect.Medium
	if f.belowRoot(p) || detect.InVolatileDir(p) || detect.HiddenPath(p) != "" {
		l = detect.High
	}
	promised := strings.TrimSuffix(facts[i+len(" disguised("):], ")")
	f.add(e, "D42", "T1036.008", l, "is code under the name of "+an(promised)+" ("+facts[:i]+")")
	return true
}

func an(word string) string {
	if strings.IndexByte("aeiou", word[0]) >= 0 {
		return "an " + word
	}
	return "a " + word
}

// moduleHomes are where modules of the kernel lie, and where they are built.
var moduleHomes = []string{"/lib/modules/", "/usr/lib/modules/", "/usr/src/", "/var/lib/dkms/", "/boot/", "/usr/lib/debug/", "/opt/", "/build/"}

// module tells a module of the kernel that lies where none belongs.
func (f *fold) module(e *event.Event, p, facts string, owned bool) bool {
	if !strings.Contains(facts, " module(") || owned {
		return false
	}
	for _, h := range moduleHomes {
		if strings.Contains(p, h) {
			return false
		}
	}
	l := detect.Medium
	if detect.InVolatileDir(p) || detect.HiddenPath(p) != "" {
		l = detect.High
	}
	f.add(e, "D64", "T1547.006", l, "is a module of the kernel where none belongs ("+facts+")")
	return true
}

// lockable are files that intruders make immutable, so that nobody takes their way back away.
var lockable = []string{"/etc/ld.so.preload", "/etc/passwd", "/etc/shadow", "/etc/crontab", "/etc/rc.local", "/etc/cron.d/", "/etc/cron.hourly/", "/var/spool/cron/", "/etc/systemd/system/", "/.ssh/authorized_keys", "/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/lib/", "/lib/"}

// locked tells files that bear the attribute i (chattr) where nobody but an intruder, or a hardening guide, sets it.
func (f *fold) locked(e *event.Event, p string, owned bool) bool {
	if !strings.Contains(e.Text(event.FileFlags), "immutable") || e.Text(event.FileType) != "file" {
		return false
	}
	volatile := detect.InVolatileDir(p) || detect.HiddenPath(p) != ""
	for _, l := range lockable {
		if !volatile && !strings.HasPrefix(p, l) && !(strings.HasPrefix(l, "/.") && strings.HasSuffix(p, l)) {
			continue
		}
		level := detect.Low // hardening guides lock accounts and tables
		if volatile || !owned && !strings.HasPrefix(p, "/etc/passwd") && !strings.HasPrefix(p, "/etc/shadow") {
			level = detect.High
		}
		f.add(e, "D64", "T1222.002", level, "cannot be changed or removed, not even by root, until its attribute i is taken off")
		return level == detect.High
	}
	return false
}
