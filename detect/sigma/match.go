package sigma

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf16"
)

// matcher judges one value of a field.
type matcher interface {
	match(v []byte) bool
	literal() string // a word that stands in every value that it matches, "" for none
}

// glob matches Sigma's strings: '*' for anything, '?' for one byte, '\' before them for themselves; letters in either case.
type glob struct {
	parts []string // between the stars, folded; '?' is 0x00, which no written value has
	cased bool
}

func newGlob(pattern string, cased bool) glob {
	var parts []string
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern) && strings.IndexByte(`*?\`, pattern[i+1]) >= 0:
			i++
			b.WriteByte(pattern[i])
		case c == '*':
			parts = append(parts, b.String())
			b.Reset()
		case c == '?':
			b.WriteByte(0)
		default:
			b.WriteByte(c)
		}
	}
	g := glob{append(parts, b.String()), cased}
	if !cased {
		for i, p := range g.parts {
			g.parts[i] = string(bytes.Map(lower, []byte(p)))
		}
	}
	return g
}

func lower(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func (g glob) match(v []byte) bool {
	first, last := g.parts[0], g.parts[len(g.parts)-1]
	if len(g.parts) == 1 {
		return len(v) == len(first) && g.at(v, first)
	}
	if len(v) < len(first)+len(last) || !g.at(v, first) || !g.at(v[len(v)-len(last):], last) {
		return false
	}
	v = v[len(first) : len(v)-len(last)]
	for _, p := range g.parts[1 : len(g.parts)-1] {
		i := g.index(v, p)
		if i < 0 {
			return false
		}
		v = v[i+len(p):]
	}
	return true
}

// at tells whether v begins with p.
func (g glob) at(v []byte, p string) bool {
	if len(v) < len(p) {
		return false
	}
	for i := range len(p) {
		c := v[i]
		if !g.cased && c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != p[i] && p[i] != 0 {
			return false
		}
	}
	return true
}

func (g glob) index(v []byte, p string) int {
	for i := 0; i+len(p) <= len(v); i++ {
		if g.at(v[i:], p) {
			return i
		}
	}
	return -1
}

func (g glob) literal() (best string) {
	for _, p := range g.parts {
		for _, piece := range strings.Split(p, "\x00") {
			if len(piece) > len(best) {
				best = piece
			}
		}
	}
	return best
}

// expression is a regular expression. Go's take time in proportion to the text, whatever is written in them.
type expression struct {
	re   *regexp.Regexp
	word string
}

func (m expression) match(v []byte) bool { return m.re.Match(v) }
func (m expression) literal() string     { return m.word }

// surely gives the longest word that stands in every text that a regular expression matches; its letters' case may differ.
func surely(re *syntax.Regexp) (best string) {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return surely(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return surely(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, s := range re.Sub {
			if w := surely(s); len(w) > len(best) {
				best = w
			}
		}
	}
	return best
}

// network is a range of addresses.
type network struct{ of netip.Prefix }

func (m network) match(v []byte) bool {
	a, err := netip.ParseAddr(string(v))
	return err == nil && m.of.Contains(a.Unmap())
}
func (m network) literal() string { return "" }

// number compares with a number.
type number struct {
	op string
	n  float64
}

func (m number) match(v []byte) bool {
	x, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return false
	}
	switch m.op {
	case "lt":
		return x < m.n
	case "lte":
		return x <= m.n
	case "gt":
		return x > m.n
	}
	return x >= m.n
}
func (m number) literal() string { return "" }

// modifiers are what stands behind a field's name: "CommandLine|contains|all".
type modifiers struct {
	contains, startswith, endswith bool
	all, cased, exists, neq        bool
	re, ignoreCase, multi, dotAll  bool
	cidr, fieldref                 bool
	base64, base64offset, windash  bool
	wide                           string // "utf16le", "utf16be", "utf16"
	compare                        string
}

func readModifiers(names []string) (m modifiers, err error) {
	for _, n := range names {
		switch n {
		case "contains":
			m.contains = true
		case "startswith":
			m.startswith = true
		case "endswith":
			m.endswith = true
		case "all":
			m.all = true
		case "cased":
			m.cased = true
		case "exists":
			m.exists = true
		case "neq":
			m.neq = true
		case "re":
			m.re = true
		case "i":
			m.ignoreCase = true
		case "m":
			m.multi = true
		case "s":
			m.dotAll = true
		case "cidr":
			m.cidr = true
		case "fieldref":
			m.fieldref = true
		case "base64":
			m.base64 = true
		case "base64offset":
			m.base64offset = true
		case "windash":
			m.windash = true
		case "wide", "utf16le":
			m.wide = "utf16le"
		case "utf16be", "utf16":
			m.wide = n
		case "lt", "lte", "gt", "gte":
			m.compare = n
		default:
			return m, refuse("the modifier %q is not known", n)
		}
	}
	if (m.re || m.cidr || m.compare != "") && (m.contains || m.startswith || m.endswith) {
		return m, refuse("modifiers that contradict each other: %s", strings.Join(names, "|"))
	}
	return m, nil
}

// compile makes matchers of one written value: more than one where an encoding has several forms.
func (m modifiers) compile(v any) ([]matcher, error) {
	s := fmt.Sprint(v)
	switch {
	case m.re:
		flags := ""
		for _, f := range []struct {
			on   bool
			name string
		}{{m.ignoreCase, "i"}, {m.multi, "m"}, {m.dotAll, "s"}} {
			if f.on {
				flags += f.name
			}
		}
		if flags != "" {
			s = "(?" + flags + ")" + s
		}
		re, err := regexp.Compile(s)
		if err != nil {
			return nil, refuse("its expression: %v", err)
		}
		tree, err := syntax.Parse(s, syntax.Perl)
		if err != nil {
			return nil, refuse("its expression: %v", err)
		}
		return []matcher{expression{re, surely(tree)}}, nil
	case m.cidr:
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, refuse("%q is no network", s)
		}
		return []matcher{network{p}}, nil
	case m.compare != "":
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, refuse("%q is no number", s)
		}
		return []matcher{number{m.compare, n}}, nil
	}
	var out []matcher
	for _, s := range m.forms(s) {
		if m.contains || m.base64offset {
			s = "*" + s + "*"
		} else if m.startswith {
			s += "*"
		} else if m.endswith {
			s = "*" + s
		}
		out = append(out, newGlob(s, m.cased || m.base64 || m.base64offset))
	}
	return out, nil
}

// forms gives the texts that stand for s under the encoding modifiers.
func (m modifiers) forms(s string) []string {
	if m.wide != "" {
		s = widen(s, m.wide)
	}
	switch {
	case m.windash:
		out := []string{s}
		if i := strings.IndexAny(s, "-/"); i == 0 || i > 0 && s[i-1] == ' ' {
			for _, dash := range []string{"-", "/", "\u2013", "\u2014", "\u2015"} {
				if other := s[:i] + dash + s[i+1:]; other != s {
					out = append(out, other)
				}
			}
		}
		return out
	case m.base64:
		return []string{base64.StdEncoding.EncodeToString([]byte(s))}
	case m.base64offset:
		var out []string
		for shift := range 3 { // the text may begin at any of three places within base64's groups
			e := base64.StdEncoding.EncodeToString(append(make([]byte, shift), s...))
			e = e[[3]int{0, 2, 3}[shift] : len(e)-[3]int{0, 3, 2}[(len(s)+shift)%3]]
			out = append(out, e)
		}
		return out
	}
	return []string{s}
}

func widen(s, how string) string {
	var b strings.Builder
	if how == "utf16" {
		b.WriteString("\xff\xfe")
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if how == "utf16be" {
			b.WriteByte(byte(u >> 8))
		}
		b.WriteByte(byte(u))
		if how != "utf16be" {
			b.WriteByte(byte(u >> 8))
		}
	}
	return b.String()
}
