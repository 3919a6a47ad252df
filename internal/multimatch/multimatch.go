// Package multimatch finds which of many words stand in a text, in one pass over it: the automaton of Aho and Corasick
// ("Efficient string matching", CACM 18, 1975), made into a table without failure links. ASCII letters match in
// either case.
package multimatch

import "errors"

// ErrTooLarge says that the words make a larger table than is allowed.
var ErrTooLarge = errors.New("too many words for one table")

// maxCells bounds the table: 64 MiB.
const maxCells = 16 << 20

// Set is a compiled set of words.
type Set struct {
	class [256]uint8
	width int
	next  []int32   // by state and class: where the next state's row begins, negated if words end there
	words [][]int32 // by state: the words that end there
	sieve *sieve    // nil where a word is too short for one
}

// New compiles words; an empty one matches nothing.
func New(words []string) (*Set, error) {
	s := &Set{width: 1}
	for _, w := range words {
		for i := range len(w) {
			if c := fold(w[i]); s.class[c] == 0 {
				if s.width > 255 {
					return nil, ErrTooLarge
				}
				s.class[c] = uint8(s.width)
				s.width++
			}
		}
	}
	for c := byte('A'); c <= 'Z'; c++ {
		s.class[c] = s.class[fold(c)]
	}
	s.grow()
	for n, w := range words {
		if err := s.add(w, int32(n)); err != nil {
			return nil, err
		}
	}
	s.link()
	s.sieve = newSieve(words)
	return s, nil
}

func fold(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func (s *Set) grow() int32 {
	s.next = append(s.next, make([]int32, s.width)...)
	s.words = append(s.words, nil)
	return int32(len(s.words) - 1)
}

func (s *Set) add(w string, n int32) error {
	if w == "" {
		return nil
	}
	at := int32(0)
	for i := range len(w) {
		cell := int(at)*s.width + int(s.class[fold(w[i])])
		if s.next[cell] == 0 {
			if len(s.next)+s.width > maxCells {
				return ErrTooLarge
			}
			to := s.grow()
			s.next[cell] = to
		}
		at = s.next[cell]
	}
	s.words[at] = append(s.words[at], n)
	return nil
}

// link turns the tree into the automaton, breadth first, and marks the states with words.
func (s *Set) link() {
	fail := make([]int32, len(s.words))
	var queue []int32
	for c := range s.width {
		if to := s.next[c]; to != 0 {
			queue = append(queue, to)
		}
	}
	for i := 0; i < len(queue); i++ {
		at := queue[i]
		s.words[at] = append(s.words[at], s.words[fail[at]]...)
		for c := range s.width {
			cell, back := int(at)*s.width+c, s.next[int(fail[at])*s.width+c]
			if to := s.next[cell]; to != 0 {
				fail[to] = back
				queue = append(queue, to)
			} else {
				s.next[cell] = back
			}
		}
	}
	for i, to := range s.next {
		s.next[i] = to * int32(s.width)
		if len(s.words[to]) > 0 {
			s.next[i] = -s.next[i]
		}
	}
}

// Find calls found with the number of each word in text, as often as it stands there.
func (s *Set) Find(text []byte, found func(word int32)) {
	if s.sieve == nil {
		s.walk(0, text, found)
		return
	}
	at, done := int32(0), 0 // the automaton's state, and how far it went
	for i := s.sieve.next(text, 0); i < len(text); i = s.sieve.next(text, i+s.sieve.step) {
		if from := i - s.sieve.before; from > done {
			at, done = 0, from
		}
		if to := min(len(text), i+s.sieve.behind); to > done {
			at = s.walk(at, text[done:to], found)
			done = to
		}
	}
}

// walk goes on from a state over text.
func (s *Set) walk(at int32, text []byte, found func(word int32)) int32 {
	next := s.next
	for _, c := range text {
		at = next[at+int32(s.class[c])]
		if at < 0 {
			at = -at
			for _, w := range s.words[at/int32(s.width)] {
				found(w)
			}
		}
	}
	return at
}
