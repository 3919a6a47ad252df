package lvm

import (
	"errors"
	"fmt"
	"strconv"
)

// Limits of a metadata text.
const (
	maxText  = 16 << 20 // bytes; ten thousand volumes take some eight
	maxNest  = 8        // sections in sections; a volume's segments are in the fourth
	maxItems = 1 << 20  // sections and values
)

var errText = errors.New("the metadata text is broken")

// section is what stands between braces. The order of its parts is kept: areas count by it.
type section struct {
	names  []string // of subs, in order
	subs   map[string]*section
	values map[string]value
}

// value is a number, a string or a list of them.
type value struct {
	text   string
	number int64
	isText bool
	list   []value
}

func (s *section) number(key string) int64   { return s.values[key].number }
func (s *section) text(key string) string    { return s.values[key].text }
func (s *section) sub(name string) *section  { return s.subs[name] }
func (s *section) list(key string) []value   { return s.values[key].list }
func (s *section) has(key, word string) bool { return contains(s.values[key].list, word) }

func contains(list []value, word string) bool {
	for _, v := range list {
		if v.isText && v.text == word {
			return true
		}
	}
	return false
}

// parser reads the text form of LVM's configuration: sections, keys with values, comments.
type parser struct {
	b     []byte
	off   int
	items int
}

// parseText reads a whole text.
func parseText(b []byte) (*section, error) {
	if len(b) > maxText {
		return nil, fmt.Errorf("%w: it has %d bytes", errText, len(b))
	}
	p := &parser{b: b}
	s, err := p.section(0)
	if err != nil {
		return nil, fmt.Errorf("at byte %d: %w", p.off, err)
	}
	return s, nil
}

// section reads up to the closing brace, or the end at the top.
func (p *parser) section(depth int) (*section, error) {
	if depth > maxNest {
		return nil, fmt.Errorf("%w: sections are nested too deeply", errText)
	}
	s := &section{subs: map[string]*section{}, values: map[string]value{}}
	for {
		switch c := p.next(); {
		case c == 0 && depth == 0:
			return s, nil
		case c == '}' && depth > 0:
			p.off++
			return s, nil
		case !word(c):
			return nil, fmt.Errorf("%w: %q where a name should be", errText, c)
		}
		if p.items++; p.items > maxItems {
			return nil, fmt.Errorf("%w: it has too many parts", errText)
		}
		name := p.word()
		switch c := p.next(); c {
		case '{':
			p.off++
			sub, err := p.section(depth + 1)
			if err != nil {
				return nil, err
			}
			if s.subs[name] == nil {
				s.names = append(s.names, name)
			}
			s.subs[name] = sub
		case '=':
			p.off++
			v, err := p.value()
			if err != nil {
				return nil, err
			}
			s.values[name] = v
		default:
			return nil, fmt.Errorf("%w: %q behind the name %q", errText, c, name)
		}
	}
}

// next skips blanks and comments, and gives the byte behind them, 0 at the end.
func (p *parser) next() byte {
	for ; p.off < len(p.b); p.off++ {
		switch c := p.b[p.off]; c {
		case ' ', '\t', '\n', '\r':
		case '#':
			for p.off < len(p.b) && p.b[p.off] != '\n' {
				p.off++
			}
			p.off-- // the line's end, or the last byte, is passed over above
		default:
			return c
		}
	}
	return 0
}

func word(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '+' || c == '/'
}

func (p *parser) word() string {
	start := p.off
	for p.off < len(p.b) && word(p.b[p.off]) {
		p.off++
	}
	return string(p.b[start:p.off])
}

func (p *parser) value() (value, error) {
	if p.next() != '[' {
		return p.scalar()
	}
	p.off++
	v := value{list: []value{}}
	for {
		switch p.next() {
		case ']':
			p.off++
			return v, nil
		case ',':
			p.off++
			continue
		}
		if p.items++; p.items > maxItems {
			return v, fmt.Errorf("%w: it has too many parts", errText)
		}
		x, err := p.scalar()
		if err != nil {
			return v, err
		}
		v.list = append(v.list, x)
	}
}

func (p *parser) scalar() (value, error) {
	switch c := p.next(); {
	case c == '"':
		return p.quoted()
	case word(c):
		s := p.word()
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return value{text: s}, nil // a fraction or a bare word: nothing of ours
		}
		return value{number: n}, nil
	default:
		return value{}, fmt.Errorf("%w: %q where a value should be", errText, c)
	}
}

func (p *parser) quoted() (value, error) {
	p.off++
	v := value{isText: true}
	var b []byte
	for ; p.off < len(p.b); p.off++ {
		switch c := p.b[p.off]; {
		case c == '"':
			p.off++
			v.text = string(b)
			return v, nil
		case c == '\\' && p.off+1 < len(p.b):
			p.off++
			b = append(b, p.b[p.off])
		default:
			b = append(b, c)
		}
	}
	return v, fmt.Errorf("%w: a string does not end", errText)
}
