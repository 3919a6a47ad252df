package journald

import (
	"bytes"

	"telltale/event"
	"telltale/evidence"
)

const (
	maxChanged = 200 // fields told one by one
	maxRepair  = 512 // bytes of a field in which a bit that fell over is searched
	tornZeros  = 16  // zeros in a row that no text has
)

// changed is what the hashes of contents say.
type changed struct {
	seen     map[int64]bool // offsets of those that are told, bounded
	rewrites int64          // of them, that read like a field
	fit      int64          // fields whose hashes fit
	from, to evidence.Time
	at, size int64 // of the first rewritten one
	first    []byte
}

// verify holds a field's content against its hash. A field is decoded when the first entry names it, so each is verified then.
func (r *reader) verify(off, size int64, b []byte, hash uint64) {
	if h := &r.header; h.hash(b) == hash {
		r.changed.fit++
		return
	}
	x := &r.changed
	if x.seen[off] || len(x.seen) >= maxChanged {
		return
	}
	if x.seen == nil {
		x.seen = map[int64]bool{}
	}
	x.seen[off] = true
	why := r.diagnose(b, hash)
	if why == "" {
		if why = "it was changed after it was written"; x.rewrites == 0 {
			x.at, x.size, x.first = off, size, bytes.Clone(b[:min(len(b), 200)])
		}
		x.rewrites++
		x.from, x.to = evidence.Min(x.from, r.m.At), evidence.Max(x.to, r.m.At)
	}
	r.tell(r.damage(off, size, "the hash of the field's content does not fit: %s", why))
}

// diagnose looks for what leaves a wrong hash though nobody edited: a bit that fell over on the disk or in memory, and blocks that were
// not written before the machine stopped. "" for neither.
func (r *reader) diagnose(b []byte, hash uint64) string {
	if hash == 0 || bytes.Contains(b, make([]byte, tornZeros)) {
		return "it was not written completely, or wiped"
	}
	if i := bytes.IndexByte(b, '='); i < 1 || i > 64 || !fieldName(b[:i]) {
		return "it is no field at all"
	}
	if len(b) > maxRepair {
		return ""
	}
	c := bytes.Clone(b)
	for i := range len(c) * 8 {
		c[i/8] ^= 1 << (i % 8)
		if r.header.hash(c) == hash {
			return "one bit of it fell over"
		}
		c[i/8] ^= 1 << (i % 8)
	}
	return ""
}

// fieldName tells a name as journald allows it: capital letters, digits and underscores.
func fieldName(b []byte) bool {
	for _, x := range b {
		if (x < 'A' || x > 'Z') && (x < '0' || x > '9') && x != '_' {
			return false
		}
	}
	return true
}

// tellChanged tells of fields that read well and that their hashes contradict.
func (r *reader) tellChanged() {
	x := &r.changed
	if x.rewrites == 0 || !r.going {
		return
	}
	state := r.header.words(r.in.Path)
	if x.fit < x.rewrites {
		state = "hardly any field fits" // the file's id, with which they are hashed, is what was changed or damaged
	}
	e := r.missing("journal-hash", x.rewrites, state)
	e.At = x.to
	e.Ref.Off, e.Ref.Len = x.at, x.size
	e.AddText(event.EventStart, x.from.String())
	r.say(e, "%s: %d fields were changed in place, in entries from %s to %s; the first one at offset %d now reads %q", r.in.Path, x.rewrites, x.from, x.to, x.at, x.first)
}
