// Package modsecurity reads the audit log of the web application firewall ModSecurity in its native, serial form. A transaction stands there in sections: who asked,
// the request with its headers, its body, the answer, and which rules took offence. The body of a POST is in no other log. Sections are bounded by lines with a word
// that the server chose anew for each transaction: no body can end its own section.
package modsecurity

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "modsecurity", Doc: "requests that the web application firewall took offence at, with what they posted", Spec: "ModSecurity 2.x apache2/msc_logging.c, 3.0 src/transaction.cc (SecAuditLogType Serial, SecAuditLogFormat Native); Reference Manual, Audit Log",
		Files: []string{"/var/log/{apache2,httpd,nginx}/*modsec*audit*", "/var/log/modsec*audit*", "/var/log/modsec*/*audit*", "/usr/local/apache*/logs/modsec_audit*", "/etc/apache2/logs/modsec_audit*", "/opt/modsecurity/var/log/*audit*"},
		Log:   true, Sniff: sniff, Parse: parse, Kinds: []event.Kind{event.AlarmRaised, event.ProgramSaid}}
}

const (
	maxBody   = 4 << 10 // bytes that are kept of a request's body
	maxField  = 2 << 10 // bytes that are kept of a request's line and of its agent
	maxPosted = 1 << 20 // bytes that a body may go on for: SecRequestBodyNoFilesLimit is an eighth of it unless set otherwise
)

var service, refused, found, posted, unread = []byte("modsecurity"), []byte("refused"), []byte("found"), []byte("request body"), []byte("modsecurity line")

// transaction is what is known so far of the one being read. Its slices are its own.
type transaction struct {
	id      []byte // of its boundary lines
	section byte
	at      evidence.Time
	ip      []byte
	port    []byte
	request []byte
	agent   []byte
	body    []byte
	bodyRef evidence.Ref
	posted  int64 // bytes of the body so far
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var x transaction
		var e event.Event
		going := true
		out := func() { going = going && yield(e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			id, section, ok := boundary(t)
			switch {
			case ok && section == 'A' && x.section == 'C' && !bytes.Equal(id, x.id) && x.posted < maxPosted:
				x.add(ref, t) // a body that quotes such a log
			case ok && section == 'A':
				if x.section == 'C' && !yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: "a transaction without an end before this one"}) {
					return
				}
				x.reset(id)
			case ok && bytes.Equal(id, x.id):
				if x.section == 'C' && len(x.body) > 0 {
					x.told(&e)
					out()
				}
				x.section = section
			case x.section == 0:
				in.Seen.Unknown(unread)
			default:
				x.line(in, &e, ref, t, out)
			}
			if !going {
				return
			}
		}
	}
}

// boundary reads "--ID-A--" (2.x) and "---ID---A--" (3.0).
func boundary(t []byte) (id []byte, section byte, ok bool) {
	n := len(t)
	if n < 8 || n > 64 || t[0] != '-' || t[1] != '-' || t[n-1] != '-' || t[n-2] != '-' || t[n-4] != '-' || t[n-3] < 'A' || t[n-3] > 'Z' {
		return nil, 0, false
	}
	id = bytes.Trim(t[:n-4], "-")
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return nil, 0, false
		}
	}
	return id, t[n-3], len(id) >= 4
}

func (x *transaction) reset(id []byte) {
	*x = transaction{id: append(x.id[:0], id...), section: 'A', ip: x.ip[:0], port: x.port[:0], request: x.request[:0], agent: x.agent[:0], body: x.body[:0]}
}

// line reads a line within a section.
func (x *transaction) line(in *artifact.Input, e *event.Event, ref evidence.Ref, t []byte, out func()) {
	switch x.section {
	case 'A':
		if !x.asked(t) {
			in.Seen.Unknown(unread)
			return
		}
		in.Seen.Record(x.at)
	case 'B':
		if len(x.request) == 0 {
			x.request = append(x.request, t[:min(len(t), maxField)]...)
		} else if agent, ok := header(t, "user-agent: "); ok && len(x.agent) == 0 {
			x.agent = append(x.agent, agent[:min(len(agent), maxField)]...)
		}
	case 'C':
		x.add(ref, t)
	case 'H':
		if rest, ok := said.Rest(t, "Message: "); ok {
			x.alarm(e, ref, t, rest, out)
		} else if rest, ok := said.Rest(t, "ModSecurity: "); ok {
			x.alarm(e, ref, t, rest, out)
		}
	}
}

// asked reads "[dd/Mon/yyyy:hh:mm:ss[.uuuuuu] +zzzz] ID IP PORT SERVER PORT".
func (x *transaction) asked(t []byte) bool {
	i := bytes.IndexByte(t[:min(len(t), 48)], ']')
	if i < 27 || t[0] != '[' {
		return false
	}
	stamp := [26]byte(append(append(make([]byte, 0, 32), t[1:21]...), t[i-6:i]...))
	at, n := logclock.CLF(stamp[:])
	_, rest := said.FirstWord(bytes.TrimLeft(t[i+1:], " "))
	address, rest := said.FirstWord(rest)
	ip := said.Address(address)
	if n == 0 || ip == nil {
		return false
	}
	port, _ := said.FirstWord(rest)
	x.at, x.ip, x.port = at, append(x.ip[:0], ip...), append(x.port[:0], said.Number(port[:min(len(port), 5)])...)
	return true
}

// header tells a header by its name in small letters.
func header(t []byte, name string) ([]byte, bool) {
	if len(t) < len(name) || !bytes.EqualFold(t[:len(name)], []byte(name)) {
		return nil, false
	}
	return t[len(name):], true
}

// told makes the event of a body.
func (x *transaction) told(e *event.Event) {
	x.fill(e, event.ProgramSaid)
	e.Add(event.Change, posted)
	e.Add(event.Message, x.body)
	e.Ref, e.Raw = x.bodyRef, x.body[:min(int64(len(x.body)), x.bodyRef.Len)]
}

// add keeps a line of the body, as far as there is room.
func (x *transaction) add(ref evidence.Ref, t []byte) {
	x.posted += ref.Len + 1
	if len(x.body) == 0 {
		x.bodyRef = ref
	} else if len(x.body) < maxBody {
		x.body = append(x.body, '\n')
	}
	x.body = append(x.body, t[:max(0, min(len(t), maxBody-len(x.body)))]...)
}

// alarm yields what one rule says of the transaction.
func (x *transaction) alarm(e *event.Event, ref evidence.Ref, t, text []byte, out func()) {
	if len(x.ip) == 0 {
		return
	}
	x.fill(e, event.AlarmRaised)
	e.Add(event.ErrorCode, tag(text, "id"))
	if message := tag(text, "msg"); message != nil {
		text = message
	}
	e.Add(event.Message, text)
	if bytes.HasPrefix(t, []byte("Message: Access denied")) || bytes.HasPrefix(t, []byte("ModSecurity: Access denied")) {
		e.Add(event.Change, refused)
	} else {
		e.Add(event.Change, found)
	}
	e.Ref, e.Raw = ref, t
	out()
}

func (x *transaction) fill(e *event.Event, k event.Kind) {
	e.Reset(k)
	e.At = x.at
	e.Add(event.ServiceName, service)
	e.Add(event.SourceIP, x.ip)
	e.Add(event.SourcePort, x.port)
	method, rest, ok := said.Cut(x.request, " ")
	url, version, _ := said.CutLast(rest, " HTTP/")
	if ok {
		e.Add(event.HTTPMethod, method)
		e.Add(event.URL, url)
		e.Add(event.HTTPVersion, version)
	}
	e.Add(event.UserAgent, x.agent)
}

// tag gives the value of the last `[name "value"]`: what a client chose stands before it, or has its quotes escaped.
func tag(t []byte, name string) []byte {
	_, v, ok := said.CutLast(t, "["+name+` "`)
	if !ok {
		return nil
	}
	v, _, _ = said.Cut(v, `"]`)
	return v
}

func sniff(head []byte) bool {
	line, rest, _ := bytes.Cut(head, []byte("\n"))
	_, section, ok := boundary(bytes.TrimRight(line, "\r"))
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	return ok && section == 'A' && new(transaction).asked(bytes.TrimRight(second, "\r"))
}
