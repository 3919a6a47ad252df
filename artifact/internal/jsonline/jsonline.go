// Package jsonline takes apart lines that are one JSON object each (RFC 8259), as servers log them: only the members that somebody asks for are looked at,
// nothing is nested and nothing is allocated but for strings with escapes. It is no judge of JSON: what stands within a value that nobody asks for may be broken.
package jsonline

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Members gives the members of the object that b begins with, each with its key as it stands between the quotes and its value as it stands; rest is what
// stands behind the object. What is inside a value is passed over by counting its brackets. whole is false where the object does not end.
func Members(b []byte, give func(key, value []byte)) (rest []byte, whole bool) {
	if b = blanks(b); len(b) == 0 || b[0] != '{' {
		return b, false
	}
	b = blanks(b[1:])
	if len(b) > 0 && b[0] == '}' {
		return b[1:], true
	}
	for len(b) > 0 {
		n := value(b)
		if n < 2 || b[0] != '"' {
			return b, false
		}
		key := b[1 : n-1]
		if b = blanks(b[n:]); len(b) == 0 || b[0] != ':' {
			return b, false
		}
		b = blanks(b[1:])
		if n = value(b); n == 0 {
			return b, false
		}
		give(key, b[:n])
		if b = blanks(b[n:]); len(b) == 0 {
			return b, false
		}
		switch b[0] {
		case '}':
			return b[1:], true
		case ',':
			b = blanks(b[1:])
		default:
			return b, false
		}
	}
	return b, false
}

func blanks(b []byte) []byte { return bytes.TrimLeft(b, " \t") }

// value gives the length of the value that b begins with, 0 if there is no whole one.
func value(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := quoted(b[i:])
			if n == 0 {
				return 0
			}
			if i += n - 1; depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t':
			if depth == 0 {
				return i
			}
		}
	}
	return 0
}

// quoted gives the length of the string that b begins with, quotes and all, 0 if it does not end.
func quoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return 0
}

// Text gives what a string value means: a part of it where it has no escapes, else appended to room, which is given back. ok is false where value is no string
// or an escape is none of JSON's. Halves of a surrogate pair without the other become U+FFFD.
func Text(room, value []byte) (text, roomier []byte, ok bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return nil, room, false
	}
	b := value[1 : len(value)-1]
	if bytes.IndexByte(b, '\\') < 0 {
		return b, room, true
	}
	from := len(room)
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			room = append(room, b[i])
			i++
			continue
		}
		var n int
		if room, n = escape(room, b[i:]); n == 0 {
			return nil, room[:from], false
		}
		i += n
	}
	return room[from:len(room):len(room)], room, true
}

// escape appends what the escape that b begins with means; n is its length, 0 if it is none.
func escape(room, b []byte) (roomier []byte, n int) {
	if len(b) < 2 {
		return room, 0
	}
	if b[1] != 'u' {
		i := bytes.IndexByte([]byte(`"\/bfnrt`), b[1])
		if i < 0 {
			return room, 0
		}
		return append(room, "\"\\/\b\f\n\r\t"[i]), 2
	}
	v, ok := hex4(b[2:])
	if !ok {
		return room, 0
	}
	if n = 6; utf16.IsSurrogate(v) {
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			if low, ok := hex4(b[8:]); ok {
				if pair := utf16.DecodeRune(v, low); pair != utf8.RuneError {
					return utf8.AppendRune(room, pair), 12
				}
			}
		}
		v = utf8.RuneError
	}
	return utf8.AppendRune(room, v), n
}

func hex4(b []byte) (v rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}
