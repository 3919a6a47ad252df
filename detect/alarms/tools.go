package alarms

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// said gives, for each tool, the addresses that it shut out, and its warnings.
func (f *fold) said() (out []detect.Finding) {
	for _, name := range slices.Sorted(maps.Keys(f.tools)) {
		t := f.tools[name]
		if len(t.quotes) > 0 {
			out = append(out, t.shutOut())
		}
		if t.graveSaid != "" {
			out = append(out, detect.Finding{Detection: "D52", What: detect.Alarm, Level: detect.Medium, Rung: evidence.Effect, Service: t.name, First: t.graveAt, Last: t.warnLast, Count: int64(len(t.grave)), Attack: []string{"T1014"}, For: t.grave,
				Title: t.name + " warned: " + what(t.graveSaid), Detail: "such tools go by names and habits, and err often"})
		} else if len(t.warned) > 0 {
			out = append(out, detect.Finding{Detection: "D52", What: detect.Alarm, Level: detect.Info, Service: t.name, First: t.warnFirst, Last: t.warnLast, Count: t.warnings, For: t.warned,
				Title: fmt.Sprintf("%s warned %s", t.name, detect.Plural(t.warnings, "time", "times"))})
		}
	}
	return out
}

func (t *tool) shutOut() detect.Finding {
	who := slices.SortedFunc(maps.Keys(t.addresses), func(a, b string) int { return cmp.Or(cmp.Compare(t.addresses[b], t.addresses[a]), cmp.Compare(a, b)) })
	who = slices.DeleteFunc(who, func(s string) bool { return s == "" })
	r := detect.Finding{Detection: "D05", What: detect.Alarm, Level: detect.Low, Rung: evidence.Attempt, Service: t.name, First: t.first, Last: t.last, Count: t.bans + t.finds, Sources: who[:min(len(who), maxTold)], For: t.quotes, Attack: []string{"T1110"}}
	if t.name == "modsecurity" || t.name == "suhosin" || t.name == "wordpress" {
		r.Detection, r.Attack = "D09", []string{"T1190"}
	}
	r.Title = fmt.Sprintf("%s raised %s about %s", t.name, detect.Plural(r.Count, "alarm", "alarms"), detect.Plural(int64(len(who)), "address", "addresses"))
	if t.bans > 0 {
		r.Title = fmt.Sprintf("%s shut out %s, %s", t.name, detect.Plural(int64(len(who)), "address", "addresses"), detect.Plural(t.bans, "time", "times"))
	}
	if len(who) > 0 {
		r.Source = who[0]
		r.Detail = "the most often " + who[0]
	}
	return r
}

// life is when a tool was last stopped and started.
type life struct {
	name             string
	stopped, started evidence.Time
	quote            evidence.Quote
}

// guards are the services whose silence helps an intruder. Those that log are for package tamper.
func guard(name string) bool {
	switch strings.TrimSuffix(name, ".service") {
	case "fail2ban", "crowdsec", "denyhosts", "sshguard", "lfd", "clamav", "clamav-daemon", "clamd", "clamav-freshclam", "ossec", "wazuh-agent", "wazuh", "falcon-sensor", "osqueryd", "samhain", "apparmor", "aide", "rkhunter", "snort", "suricata", "auditbeat", "filebeat", "maldet", "csf", "portsentry", "tripwire", "ufw", "firewalld":
		return true
	}
	return false
}

func (f *fold) lived(e *event.Event) {
	name := e.Text(event.ServiceName)
	if !guard(name) || !e.At.Known() {
		return
	}
	f.end = evidence.Max(f.end, e.At)
	x := f.lives[name]
	if x == nil {
		x = &life{name: name}
		f.lives[name] = x
	}
	if e.Kind == event.ServiceStarted {
		x.started = evidence.Max(x.started, e.At)
	} else if x.stopped = evidence.Max(x.stopped, e.At); x.stopped == e.At {
		x.quote = e.Quote()
	}
}

// removal is a tool's package that was taken away.
type removal struct {
	at        evidence.Time
	quote     evidence.Quote
	installed bool // again, or another in its stead
}

func (f *fold) packaged(e *event.Event) {
	if !e.At.Known() {
		return
	}
	f.end = evidence.Max(f.end, e.At)
	if len(f.changes) < maxDays {
		f.changes[e.At.Sec/day] = true
	}
	name := e.Get(event.PackageName)
	if !guard(string(name)) && string(name) != "auditd" && string(name) != "audit" && string(name) != "rsyslog" {
		return
	}
	switch change := string(e.Get(event.Change)); change {
	case "remove", "purge":
		if f.removed[string(name)] == nil {
			f.removed[string(name)] = &removal{at: e.At, quote: e.Quote()}
		}
	default:
		for _, r := range f.removed { // in the same change: one for another, or a newer one
			if d := e.At.Sub(r.at); d > -3600e9 && d < 3600e9 {
				r.installed = true
			}
		}
		if r := f.removed[string(name)]; r != nil {
			r.installed = true
		}
	}
}

// silent is how much longer than a tool's last word others must have spoken for its stop to be told.
const silent = 3600e9

// silenced gives the tools that were stopped and not started again, and those that were taken away with nothing in their stead.
func (f *fold) silenced() (out []detect.Finding) {
	for _, name := range slices.Sorted(maps.Keys(f.lives)) {
		x := f.lives[name]
		if !x.stopped.Known() || !x.started.Before(x.stopped) || f.end.Sub(x.stopped) < silent {
			continue
		}
		out = append(out, detect.Finding{Detection: "D63", What: detect.Alarm, Level: detect.Low, Rung: evidence.Effect, Service: name, First: x.stopped, Last: x.stopped, Count: 1, Attack: []string{"T1562.001"}, For: []evidence.Quote{x.quote},
			Title: name + " was stopped and not started again", Detail: "an administrator may have; ask who was logged in then"})
	}
	for _, name := range slices.Sorted(maps.Keys(f.removed)) {
		if r := f.removed[name]; !r.installed {
			out = append(out, detect.Finding{Detection: "D63", What: detect.Alarm, Level: detect.Medium, Rung: evidence.Effect, Service: name, Package: name, First: r.at, Last: r.at, Count: 1, Attack: []string{"T1562.001"}, For: []evidence.Quote{r.quote},
				Title: "the package " + name + ", which guards the server, was removed", Detail: "nothing was installed in its stead within the hour"})
		}
	}
	return out
}
