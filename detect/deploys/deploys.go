// Package deploys looks at application servers: applications that were put there while the server ran, after its manager was tried, and exceptions that
// only attacks leave. Developers deploy every day; what counts is who was refused before, and how soon the application was gone again.
package deploys

import (
	"bytes"
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
		ID: "deploys", Title: "Applications put on application servers", IDs: []string{"D09", "D11", "D23"},
		Doc:    "joins refusals of the manager with applications that appear while the server runs, and reads exceptions that attacks leave",
		Attack: []string{"T1190", "T1505.003"},
		Wants:  []event.Kind{event.Deployed, event.ServiceStarted, event.AuthFailed, event.AuthAccepted, event.HTTPError, event.HTTPRequest},
		New:    func(detect.Scene) detect.Fold { return &fold{refused: map[string]*refusals{}, seen: map[string]bool{}} },
	}
}

// Bounds of what is kept.
const (
	maxAddresses = 10_000
	maxDeployed  = 2000
	maxQuotes    = 3
	maxMarks     = 20
	maxTimes     = 256
)

// refusals are of one address, or of nobody's where the log names none.
type refusals struct {
	count  int64
	times  []evidence.Time // the first maxTimes
	last   evidence.Time
	quotes []evidence.Quote
}

// deployment is an application that came while the server ran, or as it started.
type deployment struct {
	name, path, source string
	at, gone           evidence.Time
	manager            bool
	refused            []evidence.Quote
	quotes             []evidence.Quote
}

type fold struct {
	refused  map[string]*refusals
	deployed []*deployment
	asked    []*deployment   // as the access log tells them, which is another file
	seen     map[string]bool // applications that were there when the server started
	startup  int             // deployments before it belong to a start
	marks    []*detect.Finding
}

var tomcat = []byte("tomcat")

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.HTTPRequest:
		if url := e.Get(event.URL); len(url) > 9 && url[1] == 'm' && bytes.HasPrefix(url, []byte("/manager/")) {
			f.managed(e, url)
		}
		return
	case event.HTTPError:
		f.marked(e)
		return
	}
	if !bytes.Equal(e.Get(event.ServiceName), tomcat) {
		return
	}
	switch e.Kind {
	case event.AuthFailed:
		f.refuse(e)
	case event.ServiceStarted:
		f.started(e)
	case event.Deployed:
		f.deploy(e)
	}
}

func (f *fold) refuse(e *event.Event) {
	r := f.refused[string(e.Get(event.SourceIP))]
	if r == nil {
		if len(f.refused) >= maxAddresses {
			return
		}
		r = &refusals{}
		f.refused[e.Text(event.SourceIP)] = r
	}
	r.count++
	r.last = evidence.Max(r.last, e.At)
	if len(r.times) < maxTimes {
		r.times = append(r.times, e.At)
	}
	if len(r.quotes) < maxQuotes {
		r.quotes = append(r.quotes, e.Quote())
	}
}

// managed reads requests to Tomcat's manager: a refusal, or an application that came by it.
func (f *fold) managed(e *event.Event, url []byte) {
	status, _ := e.Int(event.HTTPStatus)
	switch {
	case status == 401 || status == 403:
		f.refuse(e)
	case status == 200 && (bytes.HasPrefix(url, []byte("/manager/html/upload")) || bytes.HasPrefix(url, []byte("/manager/text/deploy")) || bytes.HasPrefix(url, []byte("/manager/deploy")) || bytes.HasPrefix(url, []byte("/manager/html/deploy"))):
		if m := string(e.Get(event.HTTPMethod)); m != "PUT" && m != "POST" && !bytes.Contains(url, []byte("war=")) {
			return
		}
		if len(f.asked) < maxDeployed {
			f.asked = append(f.asked, &deployment{name: "by " + string(url[:min(len(url), 200)]), source: e.Text(event.SourceIP), at: e.At, manager: true, quotes: []evidence.Quote{e.Quote()}})
		}
	}
}

// started makes what was deployed just before a part of the server's start.
func (f *fold) started(e *event.Event) {
	for i := f.startup; i < len(f.deployed); i++ {
		d := f.deployed[i]
		if d.path != "" && !d.manager && e.At.Sub(d.at) < 600e9 {
			f.seen[d.name] = true
			f.deployed = append(f.deployed[:i], f.deployed[i+1:]...)
			i--
		}
	}
	f.startup = len(f.deployed)
}

func (f *fold) deploy(e *event.Event) {
	text := e.Text(event.Message)
	path := e.Text(event.FilePath)
	name := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".war")
	switch {
	case strings.HasPrefix(text, "Undeploying context ") || strings.Contains(text, ": undeploy: ") || strings.Contains(text, ": remove: "):
		f.remove(strings.Trim(text[strings.LastIndexByte(text, '/')+1:], "]'\""), e.At)
	case strings.Contains(text, ": deploy: ") || strings.Contains(text, ": upload: ") || strings.Contains(text, ": install: "):
		f.take(&deployment{name: strings.Trim(text[strings.LastIndexByte(text, '/')+1:], "]'\""), at: e.At, manager: true}, e)
	case path != "" && strings.HasPrefix(text, "Deploying "):
		f.take(&deployment{name: name, path: path, at: e.At}, e)
	}
}

// take keeps an application that came; what the manager says and what the server says of it are one.
func (f *fold) take(d *deployment, e *event.Event) {
	if n := len(f.deployed); n > 0 {
		if o := f.deployed[n-1]; o.gone == (evidence.Time{}) && d.at.Sub(o.at).Abs() < 30e9 && (o.name == d.name || o.path == "" && d.path != "") {
			o.manager = o.manager || d.manager
			if d.path != "" {
				o.path, o.name = d.path, d.name
			}
			if len(o.quotes) < maxQuotes {
				o.quotes = append(o.quotes, e.Quote())
			}
			return
		}
	}
	if len(f.deployed) >= maxDeployed || d.path != "" && f.seen[d.name] {
		return
	}
	d.quotes = append(d.quotes, e.Quote())
	f.deployed = append(f.deployed, d)
}

func (f *fold) remove(name string, at evidence.Time) {
	for i := len(f.deployed) - 1; i >= 0; i-- {
		if d := f.deployed[i]; d.name == name && !d.gone.Known() {
			d.gone = at
			return
		}
	}
}

// joined gives the deployments, each with the request that brought it.
func (f *fold) joined() []*deployment {
	out := f.deployed
	for _, a := range f.asked {
		told := false
		for _, d := range f.deployed {
			if gap := d.at.Sub(a.at); gap > -5e9 && gap < 60e9 {
				d.source, d.manager, told = a.source, true, true
				d.quotes = append(d.quotes, a.quotes...)
				break
			}
		}
		if !told {
			out = append(out, a)
		}
	}
	return out
}

// Findings gives the applications that came behind refusals or were soon gone, then the marks of attacks.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, d := range f.joined() {
			if r, ok := f.judge(d); ok && (ctx.Err() != nil || !yield(r)) {
				return
			}
		}
		for _, r := range f.marks {
			if ctx.Err() != nil || !yield(*r) {
				return
			}
		}
	}
}
