// Package event is the common tongue between what reads traces and what draws
// conclusions from them: an Event is one thing that one trace says happened (or
// one thing that was observed to be there), with a Kind from a closed list and
// attributes named by the Elastic Common Schema.
package event

import (
	"strconv"

	"telltale/evidence"
)

// Event is valid only until the next one is yielded: Attrs, their values and Raw
// point into buffers that are used again. Who keeps an event, keeps Clone of it.
type Event struct {
	At    evidence.Time // unknown where the trace carries no time
	Kind  Kind
	Attrs []Attr
	Ref   evidence.Ref
	Raw   []byte // the record as it stands in the trace, for quoting; may be cut
}

// Attr is one attribute. Numbers are in decimal, as text.
type Attr struct {
	Key   Key
	Value []byte
}

// Get gives the first value of k, nil where it is absent.
func (e *Event) Get(k Key) []byte {
	for i := range e.Attrs {
		if e.Attrs[i].Key == k {
			return e.Attrs[i].Value
		}
	}
	return nil
}

// Text gives the first value of k as a string of its own, "" where absent.
func (e *Event) Text(k Key) string { return string(e.Get(k)) }

// All gives every value of k, as strings of their own.
func (e *Event) All(k Key) (out []string) {
	for i := range e.Attrs {
		if e.Attrs[i].Key == k {
			out = append(out, string(e.Attrs[i].Value))
		}
	}
	return out
}

// Has tells whether one of the values of k is v.
func (e *Event) Has(k Key, v string) bool {
	for i := range e.Attrs {
		if e.Attrs[i].Key == k && string(e.Attrs[i].Value) == v {
			return true
		}
	}
	return false
}

// Int gives the first value of k as a number, and whether it is one.
func (e *Event) Int(k Key) (int64, bool) {
	v := e.Get(k)
	if len(v) == 0 || len(v) > 20 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	return n, err == nil
}

// Add appends an attribute; empty values are left out.
func (e *Event) Add(k Key, v []byte) {
	if len(v) > 0 {
		e.Attrs = append(e.Attrs, Attr{k, v})
	}
}

// AddText is Add for a string (it allocates; hot paths use Add).
func (e *Event) AddText(k Key, v string) {
	if v != "" {
		e.Attrs = append(e.Attrs, Attr{k, []byte(v)})
	}
}

// AddInt is Add for a number (it allocates; hot paths use Add).
func (e *Event) AddInt(k Key, n int64) {
	e.Attrs = append(e.Attrs, Attr{k, strconv.AppendInt(nil, n, 10)})
}

// Reset makes e ready to be filled again, keeping its room.
func (e *Event) Reset(k Kind) {
	*e = Event{Kind: k, Attrs: e.Attrs[:0]}
}

// Quote gives the event's record as a quotation of evidence.
func (e *Event) Quote() evidence.Quote { return evidence.NewQuote(e.Ref, e.Raw) }

// Clone gives a copy that stays valid.
func (e *Event) Clone() Event {
	c := *e
	c.Raw = append([]byte(nil), e.Raw...)
	c.Attrs = make([]Attr, len(e.Attrs))
	for i, a := range e.Attrs {
		c.Attrs[i] = Attr{a.Key, append([]byte(nil), a.Value...)}
	}
	return c
}
