package deploys

import (
	"fmt"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// What makes an application that came while the server ran more than a developer's: the manager was tried before, or it was gone again within the hour.
const (
	minRefused = 10 // a browser is refused once before it asks its user
	within     = 24 * time.Hour
	soonGone   = time.Hour
)

func (f *fold) judge(d *deployment) (detect.Finding, bool) {
	n, same := f.triesBefore(d)
	gone := d.gone.Known() && d.gone.Sub(d.at) < soonGone
	if n < minRefused && !(gone && d.manager && n > 0) {
		return detect.Finding{}, false
	}
	r := detect.Finding{Detection: "D23", What: detect.Deployed, Level: detect.Medium, Rung: evidence.Accepted, Service: "tomcat", Path: d.path, Source: d.source, First: d.at, Last: evidence.Max(d.at, d.gone), Count: 1, Attack: []string{"T1505.003"},
		For: append(append([]evidence.Quote{}, d.refused...), d.quotes...), Title: fmt.Sprintf("the application %s was put on tomcat while it ran", d.name)}
	if d.path != "" {
		r.Title = fmt.Sprintf("the application %s was put on tomcat while it ran", d.path)
	}
	marks := []string{fmt.Sprintf("the manager had refused %s within a day before", detect.Plural(n, "try", "tries"))}
	if same {
		marks = append(marks, "from the very address")
	}
	if d.manager {
		marks = append(marks, "it came by the manager")
	}
	if gone {
		marks = append(marks, fmt.Sprintf("it was removed again after %s", d.gone.Sub(d.at).Round(time.Second)))
	}
	if n >= minRefused && d.manager && (gone || same && detect.Outside(d.source)) {
		r.Level = detect.High
	}
	r.Detail = strings.Join(marks, "; ")
	return r, true
}

// triesBefore counts the refusals within a day before a deployment: those of its own address, where that is known and was refused.
func (f *fold) triesBefore(d *deployment) (n int64, same bool) {
	if d.source != "" {
		if r := f.refused[d.source]; r != nil {
			if n = r.before(d.at); n >= minRefused {
				d.refused = r.quotes
				return n, true
			}
		}
		return 0, false // somebody else was refused
	}
	for _, r := range f.refused {
		if k := r.before(d.at); k > 0 {
			n += k
			if len(d.refused) < maxQuotes {
				d.refused = append(d.refused, r.quotes...)
			}
		}
	}
	return n, false
}

// before counts the refusals within a day before a time; at least so many, if there were very many.
func (r *refusals) before(at evidence.Time) (n int64) {
	for _, t := range r.times {
		if gap := at.Sub(t); gap >= 0 && gap < within {
			n++
		}
	}
	if gap := at.Sub(r.last); gap >= 0 && gap < within {
		n = max(n, r.count-maxTimes)
	}
	return n
}

// exceptions are what attacks leave in the log of an application server.
var exceptions = []struct{ words, class string }{
	{"${jndi:", "the log4j bug (CVE-2021-44228)"},
	{"memberAccess", "the expressions of Struts (OGNL)"},
	{"ognl.OgnlContext", "the expressions of Struts (OGNL)"},
	{"class.module.classLoader", "the class loader of Spring (CVE-2022-22965)"},
	{"JdbcRowSetImpl", "objects that somebody made up"},
	{"commons.collections.functors.", "objects that somebody made up"},
	{"TemplatesImpl", "objects that somebody made up"},
	{"freemarker.template.utility.Execute", "templates that run programs"},
}

// tools are programs that no application asks for by a request, and that only a shell or an intruder calls by their short name.
var tools = []string{"wget", "curl", "whoami", "id", "uname", "nc", "ncat", "bash", "/bin/bash", "sh -i", "chmod", "cmd", "cmd.exe", "powershell", "tftp"}

// marked folds the exceptions by class. A program that could not be run shows that a request came as far as running one.
func (f *fold) marked(e *event.Event) {
	if string(e.Get(event.ServiceName)) != "tomcat" {
		return
	}
	m := e.Text(event.Message)
	for _, t := range tools {
		if strings.Contains(m, `Cannot run program "`+t+`"`) {
			f.mark(e, detect.Finding{Detection: "D21", What: detect.WebExecution, Level: detect.Medium, Rung: evidence.Accepted, Service: "tomcat", Attack: []string{"T1059.004"}, Mechanism: "cannot run " + t, Detail: m[:min(len(m), 200)],
				Title: "an application of tomcat was made to run " + t + ", which is not there"})
			return
		}
	}
	for _, x := range exceptions {
		if strings.Contains(m, x.words) {
			f.mark(e, detect.Finding{Detection: "D09", What: detect.WebAttack, Level: detect.Low, Rung: evidence.Attempt, Service: "tomcat", Mechanism: x.class, Attack: []string{"T1190"}, Title: "requests to tomcat tried " + x.class})
			return
		}
	}
}

func (f *fold) mark(e *event.Event, r detect.Finding) {
	for _, o := range f.marks {
		if o.Mechanism == r.Mechanism {
			o.Count++
			o.First, o.Last = evidence.Min(o.First, e.At), evidence.Max(o.Last, e.At)
			if len(o.For) < 2*maxQuotes {
				o.For = append(o.For, e.Quote())
			}
			if len(o.Tries) < maxTimes {
				o.Tries = append(o.Tries, detect.TryOf(e))
			}
			return
		}
	}
	if len(f.marks) >= maxMarks {
		return
	}
	r.Count, r.First, r.Last, r.For = 1, e.At, e.At, []evidence.Quote{e.Quote()}
	r.Tries = []detect.Try{detect.TryOf(e)}
	f.marks = append(f.marks, &r)
}
