// Package jupyter reads what Jupyter's servers say of requests: "[I 2024-01-02 03:04:05.678 ServerApp] 200 POST /api/terminals (203.0.113.7) 7.21ms". Where they said before
// that they ask nobody for a password, a terminal or kernel that was opened is a login without one. Of older servers' lines, which bear no date, the time is not known.
package jupyter

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "jupyter", Doc: "requests to Jupyter, and who opened a terminal where it asks nobody for a password", Spec: "notebook 5 and 6, jupyter_server 1 and 2: log.py, serverapp.py; tornado's LogFormatter",
		Files: []string{"{home}/{jupyter,notebook,jupyterlab,nohup}*.{log,out}", "{home}/.jupyter/*.log", "/var/log/jupyter*{,/*}"}, Log: true, Sniff: artifact.MostLines(sniff), Parse: parse, Kinds: []event.Kind{event.HTTPRequest, event.AuthAccepted}}
}

// sniff tells "[I 03:04:05.678 NotebookApp] ...".
func sniff(line []byte) bool {
	_, _, text := head(line)
	return text != nil
}

// head cuts a line: the stamp, the application's name, what it says; nil where it is none of theirs.
func head(line []byte) (stamp, app, text []byte) {
	if len(line) < 12 || line[0] != '[' || line[2] != ' ' || bytes.IndexByte([]byte("DIWEC"), line[1]) < 0 {
		return nil, nil, nil
	}
	inner, text, ok := said.Cut(line[3:], "] ")
	if !ok || !bytes.HasSuffix(inner, []byte("App")) {
		return nil, nil, nil
	}
	i := bytes.LastIndexByte(inner, ' ')
	if i < 0 {
		return nil, nil, nil
	}
	return inner[:i], inner[i+1:], text
}

var unread, service = []byte("line of no server of Jupyter's"), []byte("jupyter")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		open := false
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			stamp, _, text := head(t)
			if text == nil {
				in.Seen.Unknown(unread)
				continue
			}
			at := evidence.Time{}
			if x, n := in.Clock.ISO(stamp); n > 0 {
				at = x
			}
			in.Seen.Record(at)
			if bytes.Contains(text, []byte("All authentication is disabled")) {
				open = true
			}
			if !request(&e, text, at) {
				continue
			}
			e.Ref, e.Raw = ref, t
			if !open || !opened(&e) {
				if !yield(e, nil) {
					return
				}
				continue
			}
			ip := bytes.Clone(e.Get(event.SourceIP))
			if !yield(e, nil) || !yield(entered(in, ref, t, at, ip), nil) {
				return
			}
		}
	}
}

// request reads "200 POST /api/terminals (user@203.0.113.7) 7.21ms"; a referer may stand behind.
func request(e *event.Event, t []byte, at evidence.Time) bool {
	status, rest := said.FirstWord(t)
	if len(status) != 3 || len(said.Number(status)) != 3 {
		return false
	}
	method, rest := said.FirstWord(rest)
	path, rest := said.FirstWord(rest)
	who, _, ok := said.Cut(rest, ")")
	if !ok || len(who) == 0 || who[0] != '(' || len(path) == 0 || path[0] != '/' {
		return false
	}
	who = who[1:]
	user := []byte(nil)
	if i := bytes.LastIndexByte(who, '@'); i >= 0 {
		user, who = who[:i], who[i+1:]
	}
	ip := said.Address(who)
	if ip == nil {
		return false
	}
	e.Reset(event.HTTPRequest)
	e.At = at
	e.Add(event.SourceIP, ip)
	e.Add(event.UserName, user)
	e.Add(event.HTTPMethod, method)
	e.Add(event.URL, path)
	e.Add(event.HTTPStatus, status)
	return true
}

// opened tells a request that was given a terminal or a kernel, in which anything can be run.
func opened(e *event.Event) bool {
	p, _, _ := bytes.Cut(e.Get(event.URL), []byte("?"))
	if s := e.Get(event.HTTPStatus); string(e.Get(event.HTTPMethod)) != "POST" || len(s) != 3 || s[0] != '2' || len(e.Get(event.UserName)) > 0 {
		return false
	}
	for _, end := range []string{"/api/terminals", "/api/kernels", "/api/sessions"} {
		if bytes.HasSuffix(p, []byte(end)) {
			return true
		}
	}
	return false
}

// entered makes the login that such a request is: as whom the server runs, who owns the home that its log lies in.
func entered(in *artifact.Input, ref evidence.Ref, raw []byte, at evidence.Time, ip []byte) event.Event {
	e := event.Event{Kind: event.AuthAccepted, At: at, Ref: ref, Raw: raw}
	e.Add(event.ServiceName, service)
	e.AddText(event.UserName, in.Host.UserByHome(in.Path))
	e.Add(event.SourceIP, ip)
	e.AddText(event.AuthMethod, "none")
	return e
}
