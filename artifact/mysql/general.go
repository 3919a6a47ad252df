package mysql

import (
	"bytes"
	"slices"

	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// session is one connection that the general log shows.
type session struct {
	user, host []byte
	waits      bool // its login is not told yet: the next line of its own may say that it was refused
	at         evidence.Time
	ref        evidence.Ref
	raw        []byte
}

// maxSessions bounds how many connections are kept at a time; those beyond are read without their account.
const maxSessions = 1 << 14

// maxDoubt is for how many records an open literal may put the log's own lines in doubt. A client may leave one open on
// purpose, to hide behind it.
const maxDoubt = 200

// head is what stands before the argument in a line of the general log.
type head struct {
	at      evidence.Time // unknown where the line has none: as the one before
	id      uint32
	command []byte
	arg     []byte
}

// generalHead reads "2024-03-14T02:11:09.123456Z\t    8 Query\tSELECT 1" and, before MySQL 5.7 and in MariaDB,
// "240314  2:11:09\t    8 Query\tSELECT 1" or, within the same second, "\t\t    8 Query\tSELECT 1". Where something made blanks of the tabs, there are two or more.
func generalHead(c *logclock.Clock, t []byte) (h head, ok bool) {
	rest, same := said.Rest(t, "\t\t")
	if !same {
		at, n := stamp(c, t)
		if n == 0 || len(t) <= n || t[n] != '\t' && !bytes.HasPrefix(t[n:], blanks) {
			return h, false
		}
		h.at, rest = at, t[n+1:]
	}
	rest = bytes.TrimLeft(rest, " ")
	digits := said.Number(rest)
	if len(digits) == 0 || len(digits) > 9 {
		return h, false
	}
	for _, d := range digits {
		h.id = h.id*10 + uint32(d-'0')
	}
	rest, ok = said.Rest(rest[len(digits):], " ")
	if !ok {
		return h, false
	}
	h.command, h.arg, ok = column(rest)
	return h, ok && commandWord(h.command)
}

var blanks = []byte("  ")

// column cuts at a tab, or at two blanks or more before the first one.
func column(b []byte) (before, after []byte, ok bool) {
	before, after, ok = said.Cut(b, "\t")
	if i := bytes.Index(before, blanks); i >= 0 {
		return before[:i], bytes.TrimLeft(b[i:], " "), true
	}
	return before, after, ok
}

// commandWord tells the names of the protocol's commands: words of letters ("Query", "Init DB", "Binlog Dump").
func commandWord(w []byte) bool {
	if len(w) == 0 || len(w) > 24 || w[0] < 'A' || w[0] > 'Z' {
		return false
	}
	for _, c := range w {
		if c != ' ' && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

func (r *reader) generalLine(ref evidence.Ref, t []byte) {
	if ref.Off < r.torn { // within the names of the line before, whatever it looks like
		if bytes.Contains(t, []byte(using)) {
			r.torn = 0
		}
		return
	}
	h, ok := generalHead(r.in.Clock, t)
	if !ok {
		switch {
		case banner(t):
		case r.st.active:
			r.st.more(ref, t)
		default:
			r.in.Seen.Unknown(unread)
		}
		return
	}
	r.doubts()
	skip := len(t) - len(h.arg)
	if r.doubt != 0 { // neither when it was, nor who it says it is, nor that it logged in is to be believed
		r.in.Seen.Record(r.m.At)
		r.st.begin(r.m.At, ref, t, skip)
		return
	}
	if !h.at.Known() {
		h.at = r.m.At
	}
	r.in.Seen.Record(h.at)
	switch string(h.command) {
	case "Connect":
		r.connect(h, ref, t)
	case "Quit":
		r.accept(h.id)
		delete(r.known, h.id)
	case "Query", "Execute", "Prepare":
		r.accept(h.id)
		r.st.begin(h.at, ref, t, skip)
		if s := r.known[h.id]; s != nil {
			r.st.user, r.st.host = s.user, s.host
		}
	default:
		r.accept(h.id)
	}
	r.m.At = h.at
}

// doubts ends the statement before, and keeps the account of whether it may go on in the line to come.
func (r *reader) doubts() {
	at := r.m.At
	was := r.doubt
	r.doubt = r.end(was)
	if r.m.At = at; r.doubt == 0 || was == 0 {
		r.doubted = 0
	}
	if r.doubted++; r.doubted > maxDoubt {
		r.doubt = 0
	}
}

// using stands at the end of a login since MySQL 5.7 and MariaDB 10, behind what the client chooses.
const using = " using "

// connect reads "USER@HOST on NAME using TCP/IP", and the refusal that may follow under the same number, in English or, by
// lc_messages, in another language. A line that ends before it should is torn by a newline in one of the names.
func (r *reader) connect(h head, ref evidence.Ref, t []byte) {
	user, host, ok := account(h.arg)
	english := bytes.HasPrefix(h.arg, []byte(refusal))
	if s := r.known[h.id]; english || s != nil && s.waits && !ok && !bytes.Contains(h.arg, []byte(using)) {
		delete(r.known, h.id)
		r.m.At, r.m.Ref, r.m.Raw, r.m.Text = h.at, ref, t, h.arg
		if english {
			denied(&r.m, r.out)
			return
		}
		e := r.m.Event(event.AuthFailed)
		who(e, s.user, s.host)
		r.out(e)
		return
	}
	ends := bytes.Contains(h.arg, []byte(using))
	if !bytes.Contains(h.arg, []byte(" on ")) || !ends && (r.using || t[4] == '-') {
		r.torn = ref.Off + maxName
		return
	}
	r.using = r.using || ends
	r.accept(h.id) // of the server's life before: it counts from one again
	if len(r.known) < maxSessions || r.known[h.id] != nil {
		r.known[h.id] = &session{user: bytes.Clone(user), host: bytes.Clone(host), waits: true, at: h.at, ref: ref, raw: bytes.Clone(clip(t))}
	}
}

// account reads "USER@HOST on NAME using TCP/IP". USER and NAME are the client's; where they make it doubtful which is the host,
// there is none.
func account(t []byte) (user, host []byte, ok bool) {
	for from, n := 0, 0; n < 3; n++ {
		i := bytes.Index(t[from:], []byte(" on "))
		if i < 0 {
			break
		}
		u, h, at := said.CutLast(t[:from+i], "@")
		if at && bytes.IndexByte(h, ' ') < 0 && len(h) > 0 {
			if ok {
				return nil, nil, false
			}
			user, host, ok = u, h, true
		}
		from += i + 1
	}
	return user, host, ok
}

// accept tells of a login that nothing has refused.
func (r *reader) accept(id uint32) {
	s := r.known[id]
	if s == nil || !s.waits {
		return
	}
	s.waits = false
	r.m.At, r.m.Ref, r.m.Raw = s.at, s.ref, s.raw
	e := r.m.Event(event.AuthAccepted)
	who(e, s.user, s.host)
	r.out(e)
	s.raw = nil
}

// finish tells what the end of the file leaves open.
func (r *reader) finish() {
	r.end(0)
	ids := []uint32{}
	for id, s := range r.known {
		if s.waits {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		if r.going {
			r.accept(id)
		}
	}
}
