package sigma

import (
	"bytes"
	"slices"
	"strings"

	"telltale/event"
)

// The leaves.
type (
	fieldExpr struct {
		f     field
		forms []matcher
	}
	keywordExpr  struct{ forms []matcher }
	presentExpr  struct{ f field }
	sameExpr     struct{ a, b field }
	unknownField struct{ name string }
	serviceExpr  struct {
		word string
		in   glob
	}
)

func (e fieldExpr) holds(r *record) bool {
	for _, v := range e.f.get(r) {
		for _, m := range e.forms {
			if m.match(v) {
				return true
			}
		}
	}
	return false
}

func (e keywordExpr) holds(r *record) bool {
	for _, m := range e.forms {
		if m.match(r.e.Raw) || r.url != nil && m.match(r.url) {
			return true
		}
		if r.e.Kind == event.LogLine || r.e.Kind == event.ProgramSaid || r.e.Kind == event.AuditRecord {
			if m.match(r.e.Get(event.Message)) {
				return true
			}
		}
	}
	return false
}

func (e presentExpr) holds(r *record) bool { return len(e.f.get(r)) > 0 }

func (e sameExpr) holds(r *record) bool {
	a := slices.Clone(e.a.get(r))
	for _, y := range e.b.get(r) {
		for _, x := range a {
			if bytes.EqualFold(x, y) {
				return true
			}
		}
	}
	return false
}

func (e unknownField) holds(*record) bool { return false }

func (e serviceExpr) holds(r *record) bool {
	return e.in.match(r.e.Raw) || strings.EqualFold(string(r.e.Get(event.ServiceName)), e.word)
}

func (e fieldExpr) literals() (out []string, ok bool) {
	if e.f.hidden {
		return nil, false
	}
	for _, m := range e.forms {
		w := m.literal()
		if e.f.end {
			w = w[strings.LastIndexByte(w, '/')+1:]
		}
		if len(w) < 2 {
			return nil, false
		}
		out = append(out, w)
	}
	return out, len(out) > 0
}

func (e keywordExpr) literals() (out []string, ok bool) {
	return fieldExpr{forms: e.forms}.literals()
}

func (e presentExpr) literals() ([]string, bool)  { return nil, false }
func (e sameExpr) literals() ([]string, bool)     { return nil, false }
func (e unknownField) literals() ([]string, bool) { return nil, true } // nothing: it never holds
func (e serviceExpr) literals() ([]string, bool)  { return nil, false }

// parts gives the expressions that one is made of; none of a leaf.
func parts(e expr) []expr {
	switch x := e.(type) {
	case notExpr:
		return []expr{x.of}
	case andExpr:
		return x
	case orExpr:
		return x
	case atLeast:
		return x.list
	}
	return nil
}

// keyed tells whether an expression looks for words in the whole line.
func keyed(e expr) bool {
	switch e.(type) {
	case keywordExpr, serviceExpr:
		return true
	}
	return slices.ContainsFunc(parts(e), keyed)
}

// unknowns tells whether a rule can be used although it names fields that are not known here: not, if it holds only with them, nor if they
// make an exception, for without its exceptions a rule cries wolf.
func unknowns(e expr, negated bool) (never bool, err error) {
	switch x := e.(type) {
	case unknownField:
		if negated {
			return true, refuse("an exception of it rests on the field %q, which no trace here has", x.name)
		}
		return true, nil
	case notExpr:
		_, err := unknowns(x.of, !negated)
		return false, err
	case andExpr:
		for _, y := range x {
			n, err := unknowns(y, negated)
			if err != nil {
				return true, err
			}
			never = never || n
		}
		return never, nil
	case orExpr:
		return unknownsOf(x, negated)
	case atLeast:
		return unknownsOf(x.list, negated)
	}
	return false, nil
}

func unknownsOf(list []expr, negated bool) (never bool, err error) {
	never = true
	for _, y := range list {
		n, err := unknowns(y, negated)
		if err != nil {
			return true, err
		}
		never = never && n
	}
	return never, nil
}
