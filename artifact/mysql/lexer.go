package mysql

import "bytes"

// token is what a piece of a statement is.
type token uint8

const (
	tokenEnd    token = iota
	tokenWord         // a keyword, a number, a name, with or without `quotes`
	tokenString       // its text as it stands, without the quotes
	tokenPunct
)

// lexer cuts a statement into tokens, by the rules of MySQL's lexical structure. Comments are left out, but for those that
// the server executes ("/*!50000 ... */").
type lexer struct {
	b    []byte
	open byte // the quote of a literal that the end of b leaves open, '*' for a comment, 0 for none
}

// drain reads on in the literal that is open, to the end of b, and gives what is open there.
func (l *lexer) drain() byte {
	if q := l.open; q == '*' {
		l.comment()
	} else if q != 0 {
		l.literal(q)
	}
	for l.open == 0 {
		if _, k := l.next(); k == tokenEnd {
			break
		}
	}
	return l.open
}

func (l *lexer) next() ([]byte, token) {
	for len(l.b) > 0 {
		c := l.b[0]
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			l.b = l.b[1:]
		case c == '#', c == '-' && len(l.b) > 2 && l.b[1] == '-' && l.b[2] <= ' ':
			if i := bytes.IndexByte(l.b, '\n'); i >= 0 {
				l.b = l.b[i:]
			} else {
				l.b = nil
			}
		case c == '/' && len(l.b) > 1 && l.b[1] == '*':
			l.b = l.b[2:]
			if len(l.b) > 0 && l.b[0] == '!' || len(l.b) > 1 && l.b[0] == 'M' && l.b[1] == '!' {
				l.b = bytes.TrimLeft(l.b, "M!0123456789")
			} else {
				l.comment()
			}
		case c == '\'' || c == '"':
			l.b = l.b[1:]
			return l.literal(c), tokenString
		case c == '`':
			l.b = l.b[1:]
			return l.literal(c), tokenWord
		case wordByte(c):
			n := 1
			for n < len(l.b) && wordByte(l.b[n]) {
				n++
			}
			w := l.b[:n]
			l.b = l.b[n:]
			return w, tokenWord
		default:
			p := l.b[:1]
			l.b = l.b[1:]
			return p, tokenPunct
		}
	}
	return nil, tokenEnd
}

// literal reads to the end of a text in quotes q, of which the first is read. A quote within is doubled or, but in names,
// stands behind a backslash.
func (l *lexer) literal(q byte) []byte {
	l.open = q
	b := l.b
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && q != '`':
			i++
		case b[i] != q:
		case i+1 < len(b) && b[i+1] == q:
			i++
		default:
			l.open, l.b = 0, b[i+1:]
			return b[:i]
		}
	}
	l.b = nil
	return b
}

// comment reads to the end of a comment whose beginning is read.
func (l *lexer) comment() {
	i := bytes.Index(l.b, []byte("*/"))
	if i < 0 {
		l.open, l.b = '*', nil
		return
	}
	l.open, l.b = 0, l.b[i+2:]
}

func wordByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}
