package story

import (
	"net/netip"
	"slices"
	"strings"

	"telltale/detect"
)

// Here is what administrators type for years into one history that looks, put together, like an intruder's evening.

// loginLogs are what tells who was there; those that fill disks are others, and what strangers who were refused fill (btmp) is one of them.
var loginLogs = []string{"wtmp", "utmp", "lastlog", "auth.log", "/secure", "/messages", "syslog", "/audit", "/journal"}

// whoOnly are those that tell hardly anything else.
var whoOnly = []string{"wtmp", "utmp", "lastlog", "auth.log", "/secure", "/audit"}

// removesLogins tells whether the history of a command removes, too, what tells who was logged in. What logrotate has put aside goes when disks are full.
func (b *builder) removesLogins(f *detect.Finding, logs []string) bool {
	return slices.ContainsFunc(b.by[detect.Command], func(o *detect.Finding) bool {
		if o.Path != f.Path || o.Account != f.Account || o.Detection != "D58" || o.Level < detect.High {
			return false
		}
		return slices.ContainsFunc(strings.Fields(o.Runs), func(w string) bool {
			old := strings.HasSuffix(w, ".gz") || strings.HasSuffix(w, ".1") || strings.HasSuffix(w, ".old") || strings.HasSuffix(w, ".xz") || strings.HasSuffix(w, ".bz2")
			return !old && (slices.ContainsFunc(logs, func(l string) bool { return strings.Contains(w, l) }) || strings.TrimRight(w, "/*") == "/var/log")
		})
	})
}

// destroysAll tells commands that remove a folder or a disk as a whole, as who sets a replica up anew or gives a disk away types, too.
func destroysAll(f *detect.Finding) bool { return f.Attack != nil && f.Attack[0] == "T1485" }

// ownInstall tells a command that runs what a host with a name, or one of the own networks, gives by http: a bad habit of many.
func ownInstall(f *detect.Finding) bool {
	if f.Detection != "D36" || !strings.HasPrefix(f.Detail, "runs code that it fetches") {
		return false
	}
	from, _ := detect.FetchedFrom(f.Runs)
	_, host, ok := strings.Cut(from, "://")
	if !ok || detect.Pasted(from) {
		return false
	}
	if i := strings.IndexAny(host, "/:?"); i >= 0 {
		host = host[:i]
	}
	a, err := netip.ParseAddr(host)
	return err != nil && strings.Contains(host, ".") || err == nil && a.IsPrivate()
}

// asksPort tells a connection that bash opens and that no shell is given: it shows whether somebody answers there.
func asksPort(f *detect.Finding) bool {
	return strings.HasPrefix(f.Detail, "opens a network connection") && !strings.Contains(f.Runs, "sh -i") && !strings.Contains(f.Runs, "sh <") && !strings.Contains(f.Runs, ">&") && !strings.Contains(f.Runs, "<&") && !strings.ContainsAny(f.Runs, "|;") && !strings.Contains(f.Runs, "/dev/udp/")
}
