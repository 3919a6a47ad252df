package postgresql

import "bytes"

// token is what a piece of a statement is.
type token uint8

const (
	tokenEnd    token = iota
	tokenWord         // a keyword, a number, a name, with or without "quotes"
	tokenString       // its text as it stands, without the quotes
	tokenBody         // a text in $dollars$
	tokenPunct
)

// lexer cuts a statement into tokens, by the rules of chapter 4.1 of the manual. Comments are left out.
type lexer struct{ b []byte }

func (l *lexer) next() ([]byte, token) {
	for len(l.b) > 0 {
		c := l.b[0]
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			l.b = l.b[1:]
		case bytes.HasPrefix(l.b, []byte("--")):
			if i := bytes.IndexByte(l.b, '\n'); i >= 0 {
				l.b = l.b[i:]
			} else {
				l.b = nil
			}
		case bytes.HasPrefix(l.b, []byte("/*")):
			l.comment()
		case c == '\'':
			l.b = l.b[1:]
			return l.literal('\'', false), tokenString
		case (c == 'E' || c == 'e') && len(l.b) > 1 && l.b[1] == '\'':
			l.b = l.b[2:]
			return l.literal('\'', true), tokenString
		case c == '"':
			l.b = l.b[1:]
			return l.literal('"', false), tokenWord
		case c == '$':
			if body, ok := l.dollars(); ok {
				return body, tokenBody
			}
			p := l.b[:1]
			l.b = l.b[1:]
			return p, tokenPunct
		case wordByte(c):
			n := 1
			for n < len(l.b) && (wordByte(l.b[n]) || l.b[n] == '$') {
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

// literal reads to the end of a text in quotes q, of which the first is read; a quote within is doubled.
func (l *lexer) literal(q byte, backslashes bool) []byte {
	b := l.b
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && backslashes:
			i++
		case b[i] != q:
		case i+1 < len(b) && b[i+1] == q:
			i++
		default:
			l.b = b[i+1:]
			return b[:i]
		}
	}
	l.b = nil
	return b
}

// dollars reads "$tag$text$tag$"; the tag may be empty.
func (l *lexer) dollars() ([]byte, bool) {
	n := 1
	for n < len(l.b) && n < 64 && wordByte(l.b[n]) {
		n++
	}
	if n >= len(l.b) || l.b[n] != '$' || n > 1 && l.b[1] >= '0' && l.b[1] <= '9' {
		return nil, false
	}
	tag, rest := l.b[:n+1], l.b[n+1:]
	body, after, _ := bytes.Cut(rest, tag)
	l.b = after
	return body, true
}

// comment reads a comment; they nest.
func (l *lexer) comment() {
	depth, i := 0, 0
	for i+1 < len(l.b) {
		switch {
		case l.b[i] == '/' && l.b[i+1] == '*':
			depth++
			i += 2
		case l.b[i] == '*' && l.b[i+1] == '/':
			i += 2
			if depth--; depth == 0 {
				l.b = l.b[i:]
				return
			}
		default:
			i++
		}
	}
	l.b = nil
}

func wordByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c >= 0x80
}
