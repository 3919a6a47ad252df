package version

import (
	"cmp"
	"strings"
)

// apk compares "1.2.3a_rc1_p2-r4": numbers, a letter, suffixes, the release (apk-tools 2.14 src/version.c).
func apk(a, b string) int {
	va, ra := release(a)
	vb, rb := release(b)
	na, sa, _ := strings.Cut(va, "_")
	nb, sb, _ := strings.Cut(vb, "_")
	return cmp.Or(apkNumbers(na, nb), apkSuffixes(sa, sb), number(ra, rb))
}

func release(s string) (version, number string) {
	if i := strings.LastIndex(s, "-r"); i >= 0 && digits(s[i+2:]) == len(s)-i-2 {
		return s[:i], s[i+2:]
	}
	return s, ""
}

// apkNumbers compares the numbers between dots. One behind the first that begins with nought counts as a fraction does.
func apkNumbers(a, b string) int {
	for first := true; a != "" || b != ""; first = false {
		x, y := "", ""
		moreA, moreB := a != "", b != ""
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if moreA != moreB {
			return side(moreA)
		}
		n, m := digits(x), digits(y)
		c := number(x[:n], y[:m])
		if !first && (strings.HasPrefix(x, "0") || strings.HasPrefix(y, "0")) {
			c = strings.Compare(x[:n], y[:m])
		}
		if c = cmp.Or(c, strings.Compare(x[n:], y[m:])); c != 0 {
			return c
		}
	}
	return 0
}

func side(first bool) int {
	if first {
		return 1
	}
	return -1
}

// apkRank: those below nought are before the version itself.
func apkRank(s string) (rank int, number string) {
	n := letters(s)
	switch s[:n] {
	case "alpha":
		rank = -4
	case "beta":
		rank = -3
	case "pre":
		rank = -2
	case "rc":
		rank = -1
	case "cvs":
		rank = 1
	case "svn":
		rank = 2
	case "git":
		rank = 3
	case "hg":
		rank = 4
	case "p":
		rank = 5
	}
	return rank, s[n : n+digits(s[n:])]
}

func apkSuffixes(a, b string) int {
	for a != "" || b != "" {
		x, y := "", ""
		x, a, _ = strings.Cut(a, "_")
		y, b, _ = strings.Cut(b, "_")
		ra, na := apkRank(x)
		rb, nb := apkRank(y)
		if c := cmp.Or(cmp.Compare(ra, rb), number(na, nb)); c != 0 {
			return c
		}
	}
	return 0
}

// plain compares part by part, parts being stretches of digits or letters; words for what comes before a release order as PHP's version_compare
// has them, and what follows "+" (a build, in semver) counts for nothing.
func plain(a, b string) int {
	a, _, _ = strings.Cut(strings.TrimPrefix(strings.ToLower(a), "v"), "+")
	b, _, _ = strings.Cut(strings.TrimPrefix(strings.ToLower(b), "v"), "+")
	for {
		x, y := "", ""
		x, a = part(a)
		y, b = part(b)
		if x == "" && y == "" {
			return 0
		}
		if number(x, "0") == 0 && y == "" || number(y, "0") == 0 && x == "" { // 1.2 is 1.2.0
			if (x == "" || digit(x[0])) && (y == "" || digit(y[0])) {
				continue
			}
		}
		if c := plainPart(x, y); c != 0 {
			return c
		}
	}
}

// part takes the next stretch of digits or letters.
func part(s string) (p, rest string) {
	for s != "" && !digit(s[0]) && !letter(s[0]) {
		s = s[1:]
	}
	n := digits(s)
	if n == 0 {
		n = letters(s)
	}
	return s[:n], s[n:]
}

func plainPart(x, y string) int {
	rx, ry := plainRank(x), plainRank(y)
	if rx != ry || rx == 0 {
		return cmp.Compare(rx, ry)
	}
	if digit(x[0]) {
		return number(x, y)
	}
	return strings.Compare(x, y)
}

// plainRank: words before a release, the end, numbers and letters behind it. A single letter is a patch: OpenSSH 9.8p1, OpenSSL 1.0.1g.
func plainRank(s string) int {
	switch {
	case s == "":
		return 0
	case digit(s[0]):
		return 2
	}
	switch s {
	case "dev", "snapshot":
		return -6
	case "alpha":
		return -5
	case "beta":
		return -4
	case "m", "milestone", "pre", "preview":
		return -3
	case "rc", "cr":
		return -2
	}
	return 1
}
