// Package alarms folds what security tools said: whom they shut out, which files they found infected or changed, and that they were silenced. A tool's
// word is an alarm and no verdict: guards ban all day, virus scanners find what came by mail, and every update changes files.
package alarms

import (
	"context"
	"iter"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "alarms", Title: "What security tools said", IDs: []string{"D05", "D09", "D52", "D54", "D63"},
		Doc:    "folds bans by tool, judges infected files by where they lie and changed files by what was installed, and tells tools that were stopped or removed",
		Attack: []string{"T1110", "T1505.003", "T1554", "T1562.001"},
		Wants:  []event.Kind{event.AlarmRaised, event.ServiceStarted, event.ServiceStopped, event.PackageChanged},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, tools: map[string]*tool{}, files: map[string]*file{}, changes: map[int64]bool{}, lives: map[string]*life{}, removed: map[string]*removal{}}
		},
	}
}

// Bounds of what is kept.
const (
	maxTools     = 32
	maxAddresses = 20_000 // of one tool
	maxFiles     = 20_000
	maxSayings   = 200
	maxDays      = 20_000
	maxQuotes    = 3
	maxTold      = 200
)

// tool is all that one said of addresses and in general.
type tool struct {
	name                  string
	bans, finds, warnings int64
	addresses             map[string]int64
	first, last           evidence.Time
	quotes                []evidence.Quote
	warned                []evidence.Quote
	sayings               map[string]bool
	warnFirst, warnLast   evidence.Time
	grave                 []evidence.Quote // warnings of a rootkit by name
	graveSaid             string
	graveAt               evidence.Time
}

// file is one that a tool took offence at.
type file struct {
	service, path, change, message string
	first, last                    evidence.Time
	count                          int64
	quote                          evidence.Quote
}

type fold struct {
	scene   detect.Scene
	tools   map[string]*tool
	files   map[string]*file
	changes map[int64]bool // days on which packages changed
	lives   map[string]*life
	removed map[string]*removal
	end     evidence.Time // of all that was seen of tools
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.PackageChanged:
		f.packaged(e)
	case event.ServiceStarted, event.ServiceStopped:
		f.lived(e)
	case event.AlarmRaised:
		f.alarm(e)
	}
}

func (f *fold) alarm(e *event.Event) {
	name := e.Get(event.ServiceName)
	t := f.tools[string(name)]
	if t == nil {
		if len(f.tools) >= maxTools {
			return
		}
		t = &tool{name: string(name), addresses: map[string]int64{}, sayings: map[string]bool{}}
		f.tools[t.name] = t
	}
	f.end = evidence.Max(f.end, e.At)
	change, ip, path := e.Get(event.Change), e.Get(event.SourceIP), e.Get(event.FilePath)
	switch string(change) {
	case "unbanned":
	case "infected", "quarantined", "file changed", "file added", "file removed":
		if len(path) > 0 {
			f.file(e, t.name, string(path), string(change))
		} else {
			t.warn(e)
		}
	case "banned":
		t.bans++
		t.met(ip, e)
	default:
		switch {
		case len(ip) > 0:
			t.finds++
			t.met(ip, e)
		case len(path) > 0 && string(change) == "found":
			f.file(e, t.name, string(path), string(change))
		default:
			t.warn(e)
		}
	}
}

// met counts an alarm about an address.
func (t *tool) met(ip []byte, e *event.Event) {
	if n, ok := t.addresses[string(ip)]; ok || len(t.addresses) < maxAddresses {
		t.addresses[string(ip)] = n + 1
	}
	t.first, t.last = evidence.Min(t.first, e.At), evidence.Max(t.last, e.At)
	if len(t.quotes) < maxQuotes {
		t.quotes = append(t.quotes, e.Quote())
	}
}

// warn counts a warning about neither an address nor a file. The same words come with every run.
func (t *tool) warn(e *event.Event) {
	t.warnings++
	t.warnFirst, t.warnLast = evidence.Min(t.warnFirst, e.At), evidence.Max(t.warnLast, e.At)
	said := e.Get(event.Message)
	if t.sayings[string(said)] || len(t.sayings) >= maxSayings {
		return
	}
	t.sayings[string(said)] = true
	if len(t.warned) < maxQuotes {
		t.warned = append(t.warned, e.Quote())
	}
	if rootkit(string(said)) && len(t.grave) < maxQuotes {
		t.grave = append(t.grave, e.Quote())
		if t.graveSaid == "" {
			t.graveSaid, t.graveAt = string(said), e.At
		}
	}
}

// rootkit tells a warning that names a thing and not a custom.
func rootkit(s string) bool {
	low := strings.ToLower(s)
	if strings.Contains(low, "not infected") || strings.Contains(low, "packet sniffer") {
		return false
	}
	return strings.Contains(s, "INFECTED") || strings.Contains(low, "possible linux/") || strings.Contains(low, "rootkit") && (strings.Contains(low, "found") || strings.Contains(low, "installed") || strings.Contains(low, "possible"))
}

func (f *fold) file(e *event.Event, service, path, change string) {
	k := service + "\x00" + path + "\x00" + change
	x := f.files[k]
	if x == nil {
		if len(f.files) >= maxFiles {
			return
		}
		x = &file{service: service, path: path, change: change, message: e.Text(event.Message), quote: e.Quote()}
		f.files[k] = x
	}
	x.count++
	x.first, x.last = evidence.Min(x.first, e.At), evidence.Max(x.last, e.At)
}

// Findings gives the files, then what the tools said beside, then those that were silenced.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, part := range [](func() []detect.Finding){f.infected, f.changed, f.said, f.silenced} {
			for _, r := range part() {
				if ctx.Err() != nil || !yield(r) {
					return
				}
			}
		}
	}
}
