// Package tomcat reads what Apache Tomcat and the applications in it log: applications that were taken up, accounts that were guessed at, and exceptions
// that show that a request ran commands, looked up names or read objects. It does not read the access log, which is a web server's.
package tomcat

import (
	"context"
	"iter"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "tomcat", Doc: "applications that Tomcat took up, accounts that were guessed at, and exceptions that show an attack",
		Spec: "Tomcat 5.5 to 11: org.apache.juli.OneLineFormatter, LocalStrings.properties of startup, realm, valves and core, manager/ManagerServlet.java; java.util.logging.SimpleFormatter; Debian's tomcat9 rsyslog template",
		Files: []string{
			"/opt/{tomcat*,apache-tomcat*}/logs/{catalina,localhost,manager,host-manager}.*", "/opt/{tomcat*,apache-tomcat*}/*/logs/{catalina,localhost,manager,host-manager}.*",
			"/usr/share/tomcat*/logs/{catalina,localhost,manager,host-manager}.*", "/usr/local/{tomcat*,apache-tomcat*}/logs/{catalina,localhost,manager,host-manager}.*",
			"/var/lib/tomcat*/logs/{catalina,localhost,manager,host-manager}.*", "/srv/{tomcat*,apache-tomcat*}/logs/{catalina,localhost,manager,host-manager}.*",
			"/home/*/{tomcat*,apache-tomcat*}/logs/{catalina,localhost,manager,host-manager}.*", "/var/log/tomcat*/{catalina,localhost,manager,host-manager}.*",
		},
		Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"tomcat*", "catalina"}, Decode: decode,
		Kinds: []event.Kind{event.Deployed, event.AuthFailed, event.AuthAccepted, event.ServiceStarted, event.ServiceStopped, event.HTTPError, event.ProgramSaid},
	}
}

// record is a message with the lines below its first.
type record struct {
	head head
	ref  evidence.Ref
	raw  []byte // all lines, bounded by maxRecord
	text int    // where the message begins in raw
	mark []byte // the first line that shows an attack, bounded by maxMessage
}

const (
	maxRecord  = 16 << 10 // bytes: a stack trace says in its first lines what happened
	maxMessage = 1000     // bytes of a message that an event tells
)

// childStep is how wrong the time of a bare line may be: it has none of its own, and lies behind the stamped line before it.
const childStep = time.Hour

type reader struct {
	in     *artifact.Input
	rec    record
	active bool
	last   evidence.Time
	ours   bool // the file is a handler's of Tomcat's: what has no head is part of the record above, for no stdout gets there
	web    bool // the log of a host or of an application, in which the server's own classes do not speak
	own    bool // relayed lines of the server have heads of their own: what has none is an application's
	m      artifact.Message
	going  bool
	out    func(*event.Event)
}

// bare is what lines without a stamp that are no part of a trace count as: an application writes to its stdout as it likes.
var bare, service = []byte("tomcat bare line"), []byte("tomcat")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		r := reader{in: in, going: true, m: artifact.Message{Repeat: 1, Program: service}}
		r.ours, r.web = handlers(in.Path)
		r.out = func(e *event.Event) { r.going = r.going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			r.line(ref, t)
			if !r.going {
				return
			}
		}
		r.finish()
	}
}

// handlers tells by a file's name whether a handler of the default logging.properties writes it, and whether it is for web applications.
func handlers(path string) (ours, web bool) {
	name := path[strings.LastIndexByte(path, '/')+1:]
	first, rest, _ := strings.Cut(name, ".")
	if strings.HasPrefix(rest, "out") || len(rest) < 10 || rest[4] != '-' || rest[7] != '-' {
		return false, false
	}
	return true, first != "catalina"
}

func (r *reader) line(ref evidence.Ref, t []byte) {
	if h, ok := headed(r.in.Clock, t); ok && !(r.web && r.active && ofServer(h.from)) {
		r.in.Seen.Record(h.at)
		if h.within && r.active {
			r.more(ref, t)
			return
		}
		r.finish()
		if r.own = r.own || h.own; r.own && h.from == anyClass {
			h.from = otherClass
		}
		r.last = h.at
		r.begin(ref, t, h)
		return
	}
	if r.active && (r.ours || r.rec.head.second || ofTrace(t)) {
		r.more(ref, t)
		return
	}
	r.in.Seen.Unknown(bare)
	if attack(t) {
		r.finish()
		at := r.last
		if at.Known() {
			at.Step = childStep
		}
		r.begin(ref, t, head{at: at, text: t})
	} else if r.active {
		r.more(ref, t)
	}
}

// begin keeps a record's first line.
func (r *reader) begin(ref evidence.Ref, t []byte, h head) {
	n := min(len(t), maxRecord)
	at := min(len(t)-len(h.text), n)
	r.rec = record{head: h, ref: ref, raw: append(r.rec.raw[:0], t[:n]...), text: at, mark: r.rec.mark[:0]}
	r.active = true
	r.look(h.text)
}

// more adds a line to the record.
func (r *reader) more(ref evidence.Ref, t []byte) {
	rec := &r.rec
	rec.ref.Len = ref.Off + ref.Len - rec.ref.Off
	if rec.head.second { // the line below a head of two lines: "INFO: text"
		rec.head.second = false
		level, text := levelLine(t)
		rec.head.level = levelOf(level)
		rec.text = min(len(rec.raw)+1+len(t)-len(text), maxRecord)
	}
	if room := maxRecord - len(rec.raw) - 1; room > 0 {
		rec.raw = append(append(rec.raw, '\n'), t[:min(len(t), room)]...)
	}
	r.look(t)
}

// look keeps the first line that shows an attack, however far down the trace it stands.
func (r *reader) look(t []byte) {
	if len(r.rec.mark) == 0 && attack(t) {
		r.rec.mark = append(r.rec.mark, t[:min(len(t), maxMessage)]...)
	}
}

func (r *reader) finish() {
	if !r.active {
		return
	}
	r.active = false
	rec := &r.rec
	r.m.At, r.m.Ref, r.m.Raw = rec.head.at, rec.ref, rec.raw
	r.m.Text = rec.raw[min(rec.text, len(rec.raw)):]
	tell(&r.m, rec, r.out)
}

// decode reads what goes to syslog or the journal: Debian's tomcat9 writes there, without class and thread.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	rec := record{head: head{from: anyClass}}
	if h, ok := headed(&logclock.Clock{}, m.Text); ok && !h.second {
		rec.head, m.Text = h, h.text
	}
	if attack(m.Text) {
		rec.mark = m.Text[:min(len(m.Text), maxMessage)]
	}
	tell(m, &rec, yield)
	return len(m.Text) > 0
}
