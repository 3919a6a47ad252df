// Package artifact is the contract of the traces: what a member reads (files of
// its own, or messages of programs that travel in logs) and the events it makes of
// them. A member is sequential and pure: the same bytes give the same events. It
// finds no files, opens nothing, decompresses nothing, knows no store and no
// verdict: the runner in package examine does the rest.
package artifact

import (
	"bytes"
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/logclock"
)

// Artifact is a member of the family.
type Artifact struct {
	Name string // "sshd"
	Doc  string // one sentence for people: what it tells an investigator
	Spec string // where its format is written down: man page, source path and version, RFC

	// Files are the paths of its files: absolute, '*' for anything but '/', '**' for
	// anything, '{a,b}' for either. "{home}" at the beginning stands for every account's home directory,
	// "{webroot}" for every directory that a web server serves, "{accesslog}" and "{errorlog}" for
	// the logs that its configuration names, and "!" before a pattern takes out again what fits it. A log's rotations are found by the runner.
	Files []string
	// State are the files of a machine's volatile state that it reads, as "KIND:PATTERN": "telltale:state/*/processes.jsonl". They are
	// no files of the machine's tree, in which an intruder could put such ones.
	State  []string
	Log    bool                   // a log with times: rotations belong to it, coverage is kept of it
	Random bool                   // Parse needs Input.At
	Sniff  func(head []byte) bool // whether a file of any name is one, by its first 64 KiB; nil if that cannot be told
	Loose  func(name string) bool // whether a file of this name is one where it lies without its directories, as somebody copied it; nil: only by Files
	Parse  func(context.Context, *Input) iter.Seq2[event.Event, error]

	// Programs are the names under which Decode's messages are logged; "pam" stands for
	// the messages of PAM modules, whatever program they are in, "nobody's" for those of programs that no member knows, and "drupal" also for messages in the form of Drupal's
	// from programs that nobody knows, for each site has a name of its own there. A name ending in "/"
	// stands for all names whose first part is this one, a name ending in "*" for all that begin so.
	Programs []string
	Decode   func(m *Message, yield func(*event.Event)) (understood bool)
	// Fresh gives a Decode of its own for each file, where what a message says hangs on those before it; nil where none does.
	Fresh func() func(m *Message, yield func(*event.Event)) (understood bool)

	Kinds []event.Kind // all that it may yield; the runner refuses others
}

// Input is one file to parse.
type Input struct {
	Ref      evidence.Ref // Source and Path; Off, Len and Line are the member's to fill
	R        io.Reader    // the content from its beginning, decompressed
	At       io.ReaderAt  // the content again for members with Random, Size bytes; else it may be nil
	Size     int64        // -1 where it is not known before the end
	Meta     filesystem.Meta
	Path     string // of the file within its host, "/var/log/auth.log"
	Clock    *logclock.Clock
	Host     *HostFacts
	Messages *Decoders // where members that carry messages of programs send them
	Wanted   [256]bool // by kind: what detections look at; no member yields an AuditRecord unasked
	Seen     *Seen     // what the member has read: it reports every record here
	// Inner gives the artefact that knows a log which another one carries, by its first lines; nil where none does. Members do not know each other.
	Inner func(head []byte) *Artifact
}

// HostFacts is what the host says of itself and the members need.
type HostFacts struct {
	Name  string
	Users []User
	// AccessFormats gives the LogFormat (Apache's or nginx's words) that the server's configuration sets for a log file.
	AccessFormats map[string]AccessFormat
	// Stands tells whether the host has a regular file at a path, as far as the evidence goes; nil where nobody can tell.
	Stands func(path string) bool
	// Shares are the modules of the rsync daemon, by name.
	Shares map[string]Share
}

// Share is a folder that a daemon gives to clients under a name.
type Share struct {
	Path     string
	Writable bool
}

// Share gives the share of a name.
func (h *HostFacts) Share(name string) (s Share, known bool) {
	if h == nil {
		return s, false
	}
	s, known = h.Shares[name]
	return s, known
}

// AccessFormat is the format of one access log as configured.
type AccessFormat struct {
	Server string // "apache" or "nginx"
	Format string // `%h %l %u %t "%r" %>s %b`
}

// User is one line of passwd.
type User struct {
	Name, Home, Shell string
	UID, GID          uint32
}

// UserByHome gives the name of the user whose home directory path lies in, "" for nobody's.
func (h *HostFacts) UserByHome(path string) string {
	best, name := 1, ""
	if h == nil {
		return ""
	}
	for _, u := range h.Users {
		if n := len(u.Home); n > best && len(path) > n && path[n] == '/' && path[:n] == u.Home {
			best, name = n, u.Name
		}
	}
	return name
}

// Seen counts what was read of one file.
type Seen struct {
	Records     int64            // lines or records with a known form
	Unparsed    int64            // with an unknown one
	ByProgram   map[string]int64 // of them, by program or form; bounded
	First, Last evidence.Time
	Hours       map[int64]int32 // records per hour since 1970, for the log's rhythm; bounded
	BackSteps   int64           // how often time ran back by more than a minute
	WorstBack   evidence.Time   // where it ran back furthest
	Beats       map[int64]bool  // hours since 1970 in which cron tells something; bounded
	Silences    []Silence       // the longest, of half an hour and more; bounded
	Open        evidence.Ref    // the last line, if it has no end
	steps       [40]int64       // by the bits of seconds between a record and the next
	beat        int64
	worst       time.Duration
	hour        int64
	inHour      int32
	prev        int64
}

// maxHours bounds Seen.Hours: twenty years.
const maxHours = 20 * 366 * 24

// maxPrograms bounds Seen.ByProgram.
const maxPrograms = 200

// Record counts a record of a known form at t (unknown if it has no time).
func (s *Seen) Record(t evidence.Time) {
	s.Records++
	if t.Sec == 0 {
		return
	}
	if !s.First.Known() || t.Sec < s.First.Sec {
		s.First = t
	}
	if t.Sec >= s.Last.Sec {
		s.Last = t
	}
	if back := s.prev - t.Sec; back > 60 && s.prev != 0 {
		s.BackSteps++
		if d := time.Duration(back) * time.Second; d > s.worst {
			s.worst, s.WorstBack = d, t
		}
	}
	if s.prev != 0 && t.Sec >= s.prev {
		s.step(s.prev, t.Sec)
	}
	s.prev = t.Sec
	if h := t.Sec / 3600; h != s.hour {
		s.Flush()
		s.hour = h
	}
	s.inHour++
}

// Flush brings Hours up to date; the runner calls it at the file's end.
func (s *Seen) Flush() {
	if s.inHour == 0 {
		return
	}
	if s.Hours == nil {
		s.Hours = map[int64]int32{}
	}
	if _, ok := s.Hours[s.hour]; ok || len(s.Hours) < maxHours {
		s.Hours[s.hour] += s.inHour
	}
	s.inHour = 0
}

// Unknown counts a record that was not understood, under the name of its program or form.
func (s *Seen) Unknown(name []byte) {
	s.Unparsed++
	if s.ByProgram == nil {
		s.ByProgram = map[string]int64{}
	}
	if _, ok := s.ByProgram[string(name)]; !ok && len(s.ByProgram) >= maxPrograms {
		name = []byte("(others)")
	}
	s.ByProgram[string(name)]++
}

// Message is what a program said through syslog or the journal. Its slices are valid
// until the next message.
type Message struct {
	At        evidence.Time
	Host      []byte
	Program   []byte
	PID       []byte
	Text      []byte
	Repeat    int64  // how many messages it stands for
	UID       []byte // of the sender, where a trusted witness says it (journald's _UID)
	Session   []byte // audit session (journald)
	Transport string // "syslog", "journal"
	Ref       evidence.Ref
	Raw       []byte
	Facts     *HostFacts // nil where nobody tells
	wanted    *[256]bool // by kind; nil for all
	unheard   bool       // nobody looks at what its program said
	ev        event.Event
}

// Wanted tells whether anybody looks at events of a kind: what is dear to make and often unasked for need not be made.
func (m *Message) Wanted(k event.Kind) bool {
	return m.wanted == nil || m.wanted[k] && !(k == event.ProgramSaid && m.unheard)
}

// Event gives the message's own event, emptied, with kind, time, evidence and pid set;
// the decoder adds the rest and yields it.
func (m *Message) Event(k event.Kind) *event.Event {
	e := &m.ev
	e.Reset(k)
	e.At, e.Ref, e.Raw = m.At, m.Ref, m.Raw
	e.Add(event.ProcessPID, m.PID)
	if m.Repeat > 1 {
		e.AddInt(event.EventCount, m.Repeat)
	}
	if m.Transport != "" && m.Transport != "syslog" {
		e.AddText(event.Transport, m.Transport)
	}
	return e
}

// Line gives the message as an event for rules that look at words.
func (m *Message) Line() *event.Event {
	e := m.Event(event.LogLine)
	e.Add(event.ServiceName, m.Program)
	e.Add(event.Message, m.Text)
	return e
}

// Decoders sends messages to the members that know their program.
type Decoders struct {
	Lines  []string   // of programs whose names begin so, a LogLine is yielded for each message that no member makes an event of; "" stands for all
	Said   []string   // likewise, whose ProgramSaid events are wanted at all
	Wanted *[256]bool // by kind, what detections look at; nil for all
	Facts  *HostFacts // what a member is told of the host; may be nil
	said   bool
	out    func(*event.Event)
	tell   func(*event.Event) // marks that something was said, and passes it on
	exact  map[string][]*Artifact
	prefix map[string][]*Artifact // names ending in "/"
	begins []beginning            // names ending in "*"
	pam    []*Artifact
	routes map[string]*route // by program; bounded
	last   *route            // of the message before: logs are mostly one program's
}

// route is where the messages of one program go.
type route struct {
	program []byte
	members []*Artifact
	asked   bool // for lines
	unheard bool // whatever else it says
	pam     bool // by its name: "sshd(pam_unix)"
}

// maxRoutes bounds the programs that routes are kept of.
const maxRoutes = 1000

type beginning struct {
	name string
	art  *Artifact
}

// NewDecoders gives the decoders of all members that have one.
func NewDecoders(all []*Artifact) *Decoders {
	d := &Decoders{exact: map[string][]*Artifact{}, prefix: map[string][]*Artifact{}}
	d.tell = func(e *event.Event) {
		d.said = true
		d.out(e)
	}
	for _, a := range all {
		if a.Fresh != nil {
			own := *a
			own.Decode = a.Fresh()
			a = &own
		}
		for _, p := range a.Programs {
			switch {
			case p == "pam":
				d.pam = append(d.pam, a)
			case p[len(p)-1] == '/':
				d.prefix[p] = append(d.prefix[p], a)
			case p[len(p)-1] == '*':
				d.begins = append(d.begins, beginning{p[:len(p)-1], a})
			default:
				d.exact[p] = append(d.exact[p], a)
			}
		}
	}
	return d
}

// Decode gives the message to its members. known is false where no member has its program;
// understood is false where none of them knows what it says.
func (d *Decoders) Decode(m *Message, yield func(*event.Event)) (known, understood bool) {
	if d == nil {
		return false, false
	}
	to := d.route(m.Program)
	m.wanted, m.unheard, m.Facts = d.Wanted, to.unheard, d.Facts
	if !to.asked {
		return d.decode(to, m, yield)
	}
	d.said, d.out = false, yield
	known, understood = d.decode(to, m, d.tell)
	if !d.said {
		yield(m.Line())
	}
	return known, understood
}

// asked tells whether lines of a program are wanted.
func (d *Decoders) asked(program []byte) bool { return d != nil && among(d.Lines, program) }

// among tells whether a program's name begins with one of those of a list.
func among(list []string, program []byte) bool {
	for _, p := range list {
		if len(program) >= len(p) && (p == "" || program[0]|0x20 == p[0] && strings.EqualFold(string(program[:len(p)]), p)) {
			return true
		}
	}
	return false
}

// route finds where the messages of a program go.
func (d *Decoders) route(program []byte) *route {
	if d.last != nil && bytes.Equal(d.last.program, program) {
		return d.last
	}
	if to := d.routes[string(program)]; to != nil {
		d.last = to
		return to
	}
	to := &route{program: bytes.Clone(program), asked: d.asked(program), unheard: !among(d.Said, program), members: d.exact[string(program)]}
	to.pam = bytes.HasSuffix(program, []byte(")")) && bytes.Contains(program, []byte("(pam_"))
	if i := bytes.IndexByte(program, '/'); to.members == nil && i > 0 {
		to.members = d.prefix[string(program[:i+1])]
	}
	to.members = slices.Clip(to.members)
	for _, b := range d.begins {
		if bytes.HasPrefix(program, []byte(b.name)) {
			to.members = append(to.members, b.art)
		}
	}
	if d.routes == nil {
		d.routes = map[string]*route{}
	}
	if len(d.routes) < maxRoutes {
		d.routes[string(program)] = to
	}
	d.last = to
	return to
}

func (d *Decoders) decode(to *route, m *Message, yield func(*event.Event)) (known, understood bool) {
	if to.pam || ofPAM(m.Text) {
		for _, a := range d.pam {
			known = true
			if a.Decode(m, yield) {
				return true, true
			}
		}
	}
	for _, a := range to.members {
		known = true
		if a.Decode(m, yield) {
			return true, true
		}
	}
	if !known && ofDrupal(m.Text) {
		for _, a := range d.exact["drupal"] {
			known = true
			if a.Decode(m, yield) {
				return true, true
			}
		}
	}
	if !known {
		for _, a := range d.exact["nobody's"] {
			if a.Decode(m, yield) {
				return true, true
			}
		}
	}
	return known, false
}

// ofDrupal tells "https://site|1704164705|...", of at least nine fields.
func ofDrupal(t []byte) bool {
	if len(t) < 30 || string(t[:4]) != "http" {
		return false
	}
	i := bytes.IndexByte(t, '|')
	return i > 0 && i+12 < len(t) && t[i+1] >= '0' && t[i+1] <= '9' && t[i+11] == '|' && bytes.Count(t, []byte("|")) >= 8
}

// ofPAM tells whether a PAM module speaks: "pam_unix(sshd:auth): ...", "PAM 2 more authentication
// failures", and, in old releases, under the program name "sshd(pam_unix)".
func ofPAM(text []byte) bool {
	if len(text) <= 4 || text[0] != 'p' && text[0] != 'P' && text[0] != '(' {
		return false
	}
	s := string(text[:4])
	return s == "pam_" || s == "PAM " || s == "(pam"
}
