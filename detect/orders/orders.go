// Package orders looks, in what services of any kind say, for what an intruder's request leaves there: commands that a shell is to run, code that starts programs, and the
// answers of such commands. That it worked is for the story to see, by what appeared then.
package orders

import (
	"cmp"
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
		ID: "orders", Title: "Orders to a shell in what services say", IDs: []string{"D30", "D79"},
		Doc:     "reads what services of any kind say for commands that fetch and run code, code that starts programs, and the answers of such commands",
		Attack:  []string{"T1190", "T1059"},
		Wants:   []event.Kind{event.ProgramSaid, event.LogLine, event.File},
		LinesOf: services,
		SaidBy:  services,
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, by: map[string]*detect.Finding{}, owners: map[string]string{}, peers: map[string]string{}}
		},
	}
}

// services are programs that run what others wrote, and write down what they are asked.
var services = []string{"node", "next", "npm", "pm2", "java", "python", "gunicorn", "uvicorn", "celery", "ruby", "puma", "php", "salt", "docker-compose", "distccd"}

const (
	maxKinds  = 1000 // of a service and what was tried
	maxTries  = 200
	maxQuotes = 4
)

type fold struct {
	scene  detect.Scene
	by     map[string]*detect.Finding
	order  []*detect.Finding
	peers  map[string]string // who was connected last, by service and process
	owners map[string]string // the owners of logs that are not root's, by source and path
}

func (f *fold) Observe(e *event.Event) {
	if e.Kind == event.File {
		f.owns(e)
		return
	}
	if f.nameless(e) {
		return
	}
	f.connected(e)
	what, service := judge(e.Text(event.Message)), e.Text(event.ServiceName)
	if what == "" || what == answer && runners[service] {
		return
	}
	if runners[service] {
		f.job(e, service, what)
	}
	r := f.by[service+"\x00"+what]
	if r == nil {
		if len(f.order) >= maxKinds {
			return
		}
		r = &detect.Finding{Detection: "D30", What: detect.Exploit, Level: detect.Medium, Rung: evidence.Attempt, Service: service, Mechanism: what + " (" + service + ")", Attack: []string{"T1190"}}
		f.by[service+"\x00"+what] = r
		f.order = append(f.order, r)
	}
	r.Count++
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
	if len(r.For) < maxQuotes {
		r.For = append(r.For, e.Quote())
	}
	t := detect.TryOf(e)
	t.Source = cmp.Or(t.Source, f.peers[peerOf(e)])
	if len(r.Tries) < maxTries && e.At.Known() {
		r.Tries = append(r.Tries, t)
	}
	if t.Source != "" && len(r.Sources) < maxTries {
		for _, s := range r.Sources {
			if s == t.Source {
				return
			}
		}
		r.Sources = append(r.Sources, t.Source)
		r.Source = r.Sources[0]
	}
}

const answer = "a request that is answered by what the command id says"

// judge tells what a message shows, "" for nothing.
func judge(s string) string {
	switch {
	case answered(s):
		return answer
	case strings.Contains(s, "java.lang.Runtime") && (strings.Contains(s, "getRuntime") || strings.Contains(s, ".exec(")) && (strings.Contains(s, "forName") || strings.Contains(s, ".class")), strings.Contains(s, "ProcessBuilder") && strings.Contains(s, "#"):
		return "code that starts programs"
	case strings.Contains(s, "${jndi:ldap") || strings.Contains(s, "${jndi:rmi") || strings.Contains(s, "${jndi:dns"):
		return "the log4j bug (CVE-2021-44228)"
	case strings.Contains(s, "dr.who") && strings.Contains(s, "OPERATION=Submit Application Request") && strings.Contains(s, "RESULT=SUCCESS"):
		return "a job that nobody has to name himself for"
	case strings.Contains(s, "_config/query_servers") && strings.Contains(s, "PUT ") && strings.HasSuffix(strings.TrimSpace(s), " 200"):
		return "a program to run as one of the settings"
	}
	s = strings.ReplaceAll(s, "${IFS}", " ")
	if !strings.Contains(s, "curl") && !strings.Contains(s, "wget") && !strings.Contains(s, "base64") && !strings.Contains(s, "/dev/tcp/") || strings.Contains(s, "https://") || ownNetwork(s) {
		return "" // what makers tell everybody to run begins with https
	}
	if why, l := detect.SuspiciousCommand(strings.NewReplacer(`'`, " ; ", `"`, " ; ", `(`, " ", `)`, " ", `+`, " ", `||`, " ; ", "`", " ; ").Replace(s)); l >= detect.Critical && (strings.Contains(why, "fetches") || strings.Contains(why, "decodes") || strings.Contains(why, "connection")) || l >= detect.High && (strings.HasPrefix(why, "fetches a file") && detect.RunsFetched(s) || why == mines) {
		return "a command that " + why
	}
	return ""
}

// answered tells the answer of id(1): "uid=0(root) gid=0(root)".
func answered(s string) bool {
	_, rest, ok := strings.Cut(s, "uid=")
	n := 0
	for ok && n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	if n == 0 || n >= len(rest) || rest[n] != '(' {
		return false
	}
	_, rest, ok = strings.Cut(rest[n:], ")")
	return ok && strings.HasPrefix(strings.TrimLeft(rest, " +"), "gid=")
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, r := range f.order {
			if r.What == detect.Exploit {
				r.As = f.runsAs(r)
				r.Title = detect.Tried(r.Count, r.Mechanism, len(r.Sources))
			}
			if ctx.Err() != nil || !yield(*r) {
				return
			}
		}
	}
}
