// Package version compares versions of software, each kind by the rules of its own world: dpkg's, rpm's, apk's, and those of what counts by dots
// (semver, PHP's version_compare). It knows no ranges and no packages. Any string has a place in the order: nothing is refused, for what an intruder
// wrote into a package database must not end the reading; digits may be of any number, so dates count right where an int has 32 bits.
package version

import (
	"cmp"
	"strings"
)

// Kind is a world of versions.
type Kind uint8

// The worlds.
const (
	Plain Kind = iota // semver, PHP, and what else counts by dots
	Deb
	RPM
	Apk
)

// longest bounds what is compared of a version, bytes: the longest of Debian's have about 60.
const longest = 512

// Compare gives -1, 0 or 1 as a is older than, the same as, or newer than b.
func Compare(k Kind, a, b string) int {
	a, b = clean(a), clean(b)
	switch k {
	case Deb:
		return deb(a, b)
	case RPM:
		return rpm(a, b)
	case Apk:
		return apk(a, b)
	}
	return plain(a, b)
}

func clean(s string) string { return strings.TrimSpace(s[:min(len(s), longest)]) }

// deb: epoch, upstream version, revision (deb-version(7)).
func deb(a, b string) int {
	ea, a := epoch(a)
	eb, b := epoch(b)
	if c := number(ea, eb); c != 0 {
		return c
	}
	ua, ra := lastCut(a)
	ub, rb := lastCut(b)
	return cmp.Or(debPart(ua, ub), debPart(ra, rb))
}

// epoch cuts "1:" off; what is no number before a colon is no epoch.
func epoch(s string) (epoch, rest string) {
	i := strings.IndexByte(s, ':')
	if i <= 0 || digits(s) != i {
		return "", s
	}
	return s[:i], s[i+1:]
}

func lastCut(s string) (version, revision string) {
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// debPart compares stretches of other characters and of digits by turns.
func debPart(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !digit(a[0]) || b != "" && !digit(b[0]) {
			if c := cmp.Compare(debOrder(a), debOrder(b)); c != 0 {
				return c
			}
			a, b = rest(a, 1), rest(b, 1)
		}
		n, m := digits(a), digits(b)
		if c := number(a[:n], b[:m]); c != 0 {
			return c
		}
		a, b = a[n:], b[m:]
	}
	return 0
}

// debOrder: the tilde is before the end, letters before all else.
func debOrder(s string) int {
	switch {
	case s == "" || digit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case letter(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}

func rest(s string, n int) string { return s[min(n, len(s)):] }

// rpm: epoch, version, release (rpm 4.18 rpmio/rpmvercmp.c). A side without a release is compared without it, as rpm does.
func rpm(a, b string) int {
	ea, a := epoch(a)
	eb, b := epoch(b)
	va, ra, hasA := strings.Cut(a, "-")
	vb, rb, hasB := strings.Cut(b, "-")
	c := cmp.Or(number(ea, eb), rpmPart(va, vb))
	if c == 0 && hasA && hasB {
		c = rpmPart(ra, rb)
	}
	return c
}

func rpmPart(a, b string) int {
	if a == b {
		return 0
	}
	for {
		a, b = strings.TrimLeftFunc(a, separator), strings.TrimLeftFunc(b, separator)
		if c, marked := rpmMark(a, b); c != 0 {
			return c
		} else if marked {
			a, b = a[1:], b[1:]
			continue
		}
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b))
		}
		n, m, c := rpmSegment(a, b)
		if c != 0 {
			return c
		}
		a, b = a[n:], b[m:]
	}
}

// rpmMark compares by "~", which is before everything, and "^", which is behind the end and before all else. Marked: both have the same.
func rpmMark(a, b string) (c int, marked bool) {
	ta, tb := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~")
	ca, cb := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^")
	switch {
	case ta && tb || ca && cb:
		return 0, true
	case ta:
		return -1, false
	case tb:
		return 1, false
	case ca && b == "":
		return 1, false
	case cb && a == "":
		return -1, false
	case ca:
		return -1, false
	case cb:
		return 1, false
	}
	return 0, false
}

// rpmSegment compares a stretch of digits or letters; numbers are newer than letters.
func rpmSegment(a, b string) (n, m, c int) {
	if digit(a[0]) {
		n, m = digits(a), digits(b)
		if m == 0 {
			return n, m, 1
		}
		return n, m, number(a[:n], b[:m])
	}
	n, m = letters(a), letters(b)
	if m == 0 {
		return n, m, -1
	}
	return n, m, strings.Compare(a[:n], b[:m])
}

func separator(r rune) bool {
	return r != '~' && r != '^' && (r > 'z' || !digit(byte(r)) && !letter(byte(r)))
}

// number compares two stretches of digits of any length; none is nought.
func number(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return n
}

func letters(s string) int {
	n := 0
	for n < len(s) && letter(s[n]) {
		n++
	}
	return n
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
