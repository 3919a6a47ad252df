// Package carve finds lines of logs, records of logins, and entries of systemd's journals, in raw space: what lies in blocks that belong to no file
// any more, in the room behind a file's end, in swap. It tells what has a log's form; whether a line is missing from
// the logs that live, and what that means, is not its concern. Offsets and lengths are in bytes of the source.
package carve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"telltale/internal/holes"
	"telltale/internal/logclock"
)

// Form is a kind of line.
type Form uint8

// The forms.
const (
	None   Form = iota
	Syslog      // "Jan  2 15:04:05 host program: ..", an ISO 8601 stamp, or RFC 5424
	Access      // `address - user [02/Jan/2006:15:04:05 -0700] "..`
	Audit       // "type=X msg=audit(seconds.millis:serial): .."
	Error       // "[Mon Jan 02 15:04:05.. 2006] [..", "2006/01/02 15:04:05 [error] .."
	Login       // a record of utmp, wtmp or btmp, 384 bytes

	JournalFile  // the header of a journal of systemd, its first 208 bytes
	JournalEntry // the head of an entry in one, 64 bytes; what it says lies elsewhere
)

var formNames = [...]string{"", "syslog", "access", "audit", "error", "login", "journal", "journal entry"}

// String gives the form's name.
func (f Form) String() string { return formNames[f] }

// Piece is a line or record that was found. Text is valid until the next one is yielded; it has no newline.
type Piece struct {
	Off      int64
	Text     []byte
	Form     Form
	Adjacent bool   // it begins where the piece before it ended
	In       Extent // of JournalFile and JournalEntry: the extent that it lies in
}

// Extent is a run of raw space.
type Extent struct{ Off, Len int64 }

const (
	window    = 4 << 20 // bytes read at once
	minLine   = 20      // bytes of a stamp and something behind it
	maxLine   = 16 << 10
	loginSize = 384 // bytes, sizeof(struct utmp) on all machines but aarch64 and s390x
	loginStep = 128 // what both a record and a block are multiples of
)

// Scan gives every piece in the extents of r, in their order. Errors are of reading: what lies behind is
// still scanned.
func Scan(ctx context.Context, r io.ReaderAt, extents iter.Seq[Extent]) iter.Seq2[Piece, error] {
	return func(yield func(Piece, error) bool) {
		s := scanner{r: r, yield: yield, buf: make([]byte, maxLine+window)}
		for e := range extents {
			if err := ctx.Err(); err != nil {
				yield(Piece{}, err)
				return
			}
			if s.extent(ctx, e); s.stopped {
				return
			}
		}
	}
}

type scanner struct {
	r       io.ReaderAt
	yield   func(Piece, error) bool
	buf     []byte
	end     int64  // behind the last line and its newline
	login   int64  // behind the last record
	edge    []byte // the end of the window before, which a record may begin in
	stopped bool
}

func (s *scanner) give(p Piece, err error) {
	if !s.stopped && !s.yield(p, err) {
		s.stopped = true
	}
}

// extent goes through one run in windows; the beginning of a line that a window cuts goes to the next.
func (s *scanner) extent(ctx context.Context, e Extent) {
	kept := 0
	s.edge = s.edge[:0]
	for done := int64(0); done < e.Len && !s.stopped && ctx.Err() == nil; {
		if next := holes.Next(s.r, e.Off+done) - e.Off; next >= done+window { // nothing was ever written there
			done, kept, s.edge = min(next/loginStep*loginStep, e.Len), 0, s.edge[:0]
			continue
		}
		n := int(min(window, e.Len-done))
		got, err := s.r.ReadAt(s.buf[kept:kept+n], e.Off+done)
		if err != nil && (!errors.Is(err, io.EOF) || got < n) {
			s.give(Piece{}, err)
			if got == 0 {
				done, kept = done+int64(n), 0
				continue
			}
		}
		b := s.buf[:kept+got]
		at := e.Off + done - int64(kept)
		s.edgeLogins(b[kept:], e.Off+done)
		s.journals(b[kept:], e.Off+done, e)
		done += int64(n)
		used := s.lines(b, at, done >= e.Len || got < n)
		if kept = len(b) - used; kept > maxLine || got < n {
			kept = 0
		}
		copy(s.buf, b[len(b)-kept:])
	}
}

// lines gives the whole lines in b and tells how many bytes they took. last says that nothing follows.
func (s *scanner) lines(b []byte, at int64, last bool) int {
	off := 0
	for off < len(b) && !s.stopped {
		n := bytes.IndexByte(b[off:], '\n')
		if n < 0 {
			break
		}
		if line := b[off : off+n]; n >= minLine && n <= maxLine && begins[line[0]] {
			s.line(line, at+int64(off))
		}
		off += n + 1
	}
	if last {
		return len(b)
	}
	return off
}

func (s *scanner) line(b []byte, at int64) {
	f := FormOf(b)
	if f == None || !text(b) {
		return
	}
	s.give(Piece{Off: at, Text: b, Form: f, Adjacent: s.end == at}, nil)
	s.end = at + int64(len(b)) + 1
}

// begins are the bytes that a log's line can begin with.
var begins = func() (t [256]bool) {
	for _, c := range []byte("JFMASOND0123456789<[t@abcdefABCDEF:") {
		t[c] = true
	}
	return t
}()

// text tells whether a line holds nothing but what a log's line can.
func text(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// FormOf tells the form of a line by its stamp.
func FormOf(b []byte) Form {
	if len(b) < minLine {
		return None
	}
	var c logclock.Clock
	switch first := b[0]; {
	case first == 't':
		if bytes.HasPrefix(b, []byte("type=")) && bytes.Contains(b[:min(len(b), 80)], []byte(" msg=audit(")) {
			return Audit
		}
	case first == '[':
		if _, n := c.Asctime(b[1:]); n > 0 && n+1 < len(b) && b[n+1] == ']' {
			return Error
		}
		return None
	case first == '<':
		if i := bytes.IndexByte(b[:6], '>'); i > 1 && logclock.Digits(b[1:i]) >= 0 {
			if b = b[i+1:]; bytes.HasPrefix(b, []byte("1 ")) {
				b = b[2:]
			}
			return FormOf(b)
		}
		return None
	case first >= 'A' && first <= 'S' && b[3] == ' ':
		if _, n := c.BSD(b); n > 0 && n < len(b) && b[n] == ' ' {
			return Syslog
		}
	case first >= '0' && first <= '9' && b[4] == '-':
		if _, n := c.ISO(b); n > 0 && n < len(b) && b[n] == ' ' {
			return Syslog
		}
	case first >= '0' && first <= '9' && b[4] == '/':
		if nginx(b) {
			return Error
		}
	}
	return access(b)
}

// nginx tells "2006/01/02 15:04:05 [error] ".
func nginx(b []byte) bool {
	const form = "dddd/dd/dd dd:dd:dd ["
	if len(b) < len(form) {
		return false
	}
	for i := range len(form) {
		if c := form[i]; c == 'd' && (b[i] < '0' || b[i] > '9') || c != 'd' && b[i] != c {
			return false
		}
	}
	return true
}

// access tells a line of the common log format: an address, two words, a stamp in brackets, a request.
func access(b []byte) Form {
	i := bytes.IndexByte(b[:min(len(b), 256)], '[')
	if i < 6 || i+28 >= len(b) || b[i-1] != ' ' {
		return None
	}
	if _, n := logclock.CLF(b[i+1:]); n == 0 || !bytes.HasPrefix(b[i+1+n:], []byte("] \"")) {
		return None
	}
	host, rest, _ := bytes.Cut(b[:i], []byte(" "))
	if len(host) < 2 || bytes.Count(rest, []byte(" ")) < 2 {
		return None
	}
	return Access
}

// edgeLogins gives the records of a window, and those that begin in the one before it.
func (s *scanner) edgeLogins(b []byte, at int64) {
	const lap = loginSize - loginStep
	if k := len(s.edge); k > 0 && len(b) >= lap {
		s.logins(append(s.edge, b[:lap]...), at-int64(k))
	}
	s.logins(b, at)
	s.edge = append(s.edge[:0], b[max(0, len(b)-lap):]...)
}

// logins gives the records of utmp in b, which begins at a multiple of loginStep of its file.
func (s *scanner) logins(b []byte, at int64) {
	for off := 0; off+loginSize <= len(b) && !s.stopped; {
		if b[off] == 0 || b[off] > 9 || b[off+1]|b[off+2]|b[off+3] != 0 || !login(b[off:off+loginSize]) {
			off += loginStep
			continue
		}
		if p := at + int64(off); p >= s.login {
			s.give(Piece{Off: p, Text: b[off : off+loginSize], Form: Login, Adjacent: s.login == p}, nil)
			s.login = p + loginSize
		}
		off += loginSize
	}
}

// login tells a record by all its fields: struct utmp of utmp(5).
func login(b []byte) bool {
	const (
		bootTime, initProcess, deadProcess = 2, 5, 8
		earliest, latest                   = 631152000, 4102444800 // 1990, 2100
	)
	le := func(at int) int64 {
		return int64(b[at]) | int64(b[at+1])<<8 | int64(b[at+2])<<16 | int64(b[at+3])<<24
	}
	kind := b[0]
	if kind != bootTime && kind != 1 && (kind < initProcess || kind > deadProcess) || le(4) > 1<<22 {
		return false
	}
	if t := le(340); t < earliest || t > latest || le(344) >= 1_000_000 {
		return false
	}
	for _, f := range [...][2]int{{8, 40}, {44, 76}, {76, 332}} {
		if !padded(b[f[0]:f[1]]) {
			return false
		}
	}
	for _, c := range b[364:loginSize] {
		if c != 0 {
			return false
		}
	}
	return b[8] != 0 || b[44] != 0
}

// padded tells whether a field is text and then nothing but zeros.
func padded(b []byte) bool {
	i := bytes.IndexByte(b, 0)
	if i < 0 {
		i = len(b)
	}
	for _, c := range b[i:] {
		if c != 0 {
			return false
		}
	}
	return text(b[:i])
}
