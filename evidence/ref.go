// Package evidence holds the few shapes that everything else is built on:
// where a byte came from (Ref), what was quoted from there (Quote), when
// something happened (Time), what could not be read (Damage), how far an
// observation carries (Rung), and the digest of a source. It imports nothing
// of ours and knows nothing of files, logs or verdicts.
package evidence

import (
	"fmt"
	"strconv"
)

// Ref says where bytes lie: Off and Len are in bytes, counted in the innermost
// thing that Path names (a decompressed log, for a rotated .gz). Path joins the
// layers with '!', as in "gpt:1!ext4:/var/log/auth.log". Line is the one-based
// line number, 0 where the source has no lines. A Ref is comparable.
type Ref struct {
	Source string // id of the source within the case: "s1"
	Path   string
	Off    int64
	Len    int64
	Line   int64
}

// String gives the Ref in a form for people: source, path, then line or offset.
func (r Ref) String() string {
	s := r.Source
	if r.Path != "" {
		s += ":" + strconv.QuoteToGraphic(r.Path)
	}
	switch {
	case r.Line > 0:
		s += " line " + strconv.FormatInt(r.Line, 10)
	case r.Off > 0 || r.Len > 0:
		s += " offset " + strconv.FormatInt(r.Off, 10)
	}
	return s
}

// MaxQuote is the most bytes of evidence that a Quote carries.
const MaxQuote = 512 // bytes

// Quote is a Ref with the words that stand there, cut at MaxQuote bytes. The
// text is as found: whoever prints it must escape it.
type Quote struct {
	Ref  Ref
	Text string
}

// NewQuote copies text, cut to MaxQuote.
func NewQuote(r Ref, text []byte) Quote {
	if len(text) > MaxQuote {
		text = text[:MaxQuote]
	}
	return Quote{Ref: r, Text: string(text)}
}

// Damage is an error that does not stop the reading. It is yielded as data and
// ends in the report, so that "could not read" never looks like "nothing found".
type Damage struct {
	Ref    Ref
	Reason string
}

// Error makes *Damage an error.
func (d *Damage) Error() string { return fmt.Sprintf("%s: %s", d.Ref, d.Reason) }

// Rung is a step of the evidence ladder.
type Rung uint8

// The rungs, weakest first. A claim of compromise needs Effect or Witnessed, or
// a confirmed session that nobody was entitled to.
const (
	None      Rung = iota
	Attempt        // a: an attempt was seen
	Accepted       // b: the server accepted or ran it
	Effect         // c: an effect on this host
	Witnessed      // d: the effect seen by another clock or machine
)

// String gives the rung's letter, "" for None.
func (r Rung) String() string {
	if r == None || r > Witnessed {
		return ""
	}
	return string("abcd"[r-1])
}
