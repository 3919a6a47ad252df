package examine

import (
	"math"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"telltale/artifact"
	"telltale/host"
)

// matcher finds which artefacts want a file. Patterns are kept by the directory that their literal
// beginning names, so that a file is held against a few of them only.
type matcher struct {
	byDir map[string][]pattern // by the first two components
	any   []pattern            // those that begin with a wildcard
	bases map[string][]pattern // by last component, for flat folders
	nots  []pattern            // what an artefact's other patterns do not mean
}

type pattern struct {
	parts []string // the path's components
	art   *artifact.Artifact
}

func newMatcher(arts []*artifact.Artifact, h *host.Host) *matcher {
	m := &matcher{byDir: map[string][]pattern{}, bases: map[string][]pattern{}}
	for _, a := range arts {
		for _, f := range a.Files {
			f, not := strings.CutPrefix(f, "!")
			for _, p := range braces(f) {
				if not {
					m.nots = append(m.nots, pattern{strings.Split(strings.TrimPrefix(p, "/"), "/"), a})
					continue
				}
				for _, p := range places(p, h) {
					m.add(p, a)
				}
			}
		}
	}
	return m
}

func (m *matcher) add(p string, a *artifact.Artifact) {
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	x := pattern{parts, a}
	key := topDir(parts)
	if strings.ContainsAny(key, "*") {
		m.any = append(m.any, x)
	} else {
		m.byDir[key] = append(m.byDir[key], x)
	}
	last := parts[len(parts)-1]
	m.bases[last] = append(m.bases[last], x)
}

func topDir(parts []string) string {
	if len(parts) == 1 {
		return ""
	}
	if len(parts) == 2 {
		return parts[0]
	}
	return parts[0] + "/" + parts[1]
}

// find gives the artefacts whose patterns fit a path.
func (m *matcher) find(p string) (out []*artifact.Artifact) {
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	seen := func(a *artifact.Artifact) bool {
		for _, x := range out {
			if x == a {
				return true
			}
		}
		return false
	}
	try := func(list []pattern) {
		for _, x := range list {
			if !seen(x.art) && fits(x.parts, parts) && !m.not(x.art, parts) {
				out = append(out, x.art)
			}
		}
	}
	try(m.byDir[topDir(parts)])
	if len(parts) > 2 {
		try(m.byDir[parts[0]])
	}
	try(m.any)
	return out
}

// not tells whether an artefact takes a path out again, and with a log's path its rotations, which "*" means too.
func (m *matcher) not(a *artifact.Artifact, parts []string) bool {
	for _, x := range m.nots {
		if x.art == a && (fits(x.parts, parts) || fits(x.parts, unrotated(parts))) {
			return true
		}
	}
	return false
}

// unrotated gives the path of the log that a rotation is of.
func unrotated(parts []string) []string {
	if len(parts) == 0 {
		return parts
	}
	n := len(parts) - 1
	base, _, _ := rotation(parts[n])
	return append(slices.Clip(parts[:n]), base)
}

// findBase gives the artefacts that have a pattern whose last component is exactly a file's name, for
// logs that lie in a folder without their directories.
func (m *matcher) findBase(name string) (out []*artifact.Artifact) {
	for _, x := range m.bases[name] {
		if len(out) == 0 || out[len(out)-1] != x.art {
			out = append(out, x.art)
		}
	}
	return out
}

// Fits holds a path against a pattern: '*' is anything but a slash, '**' any number of folders.
func Fits(pattern, path string) bool {
	return fits(strings.Split(strings.Trim(pattern, "/"), "/"), strings.Split(strings.Trim(path, "/"), "/"))
}

// fits holds a path's components against a pattern's. "**" stands for any number of components; the
// work is bounded by the product of the lengths.
func fits(pat, parts []string) bool {
	for len(pat) > 0 {
		if pat[0] == "**" {
			if len(pat) == 1 {
				return len(parts) > 0
			}
			for i := range parts {
				if fits(pat[1:], parts[i:]) {
					return true
				}
			}
			return false
		}
		if len(parts) == 0 || !wild(pat[0], parts[0]) {
			return false
		}
		pat, parts = pat[1:], parts[1:]
	}
	return len(parts) == 0
}

// wild holds a name against a pattern in which '*' stands for anything.
func wild(p, s string) bool {
	i := strings.IndexByte(p, '*')
	if i < 0 {
		return p == s
	}
	if !strings.HasPrefix(s, p[:i]) {
		return false
	}
	s, p = s[i:], p[i+1:]
	for {
		i = strings.IndexByte(p, '*')
		if i < 0 {
			return strings.HasSuffix(s, p)
		}
		j := strings.Index(s, p[:i])
		if j < 0 {
			return false
		}
		s, p = s[j+i:], p[i+1:]
	}
}

// braces expands "{a,b}"; the names of places have no comma and stay.
func braces(p string) []string {
	for from := 0; ; {
		i := strings.IndexByte(p[from:], '{')
		if i < 0 {
			return []string{p}
		}
		i += from
		j := strings.IndexByte(p[i:], '}')
		if j < 0 {
			return []string{p}
		}
		if !strings.Contains(p[i:i+j], ",") {
			from = i + j
			continue
		}
		var out []string
		for _, alt := range strings.Split(p[i+1:i+j], ",") {
			out = append(out, braces(p[:i]+alt+p[i+j+1:])...)
		}
		return out
	}
}

// places puts the host's own directories and logs where a pattern names them.
func places(p string, h *host.Host) (out []string) {
	name, rest, ok := strings.Cut(strings.TrimPrefix(p, "{"), "}")
	if !strings.HasPrefix(p, "{") || !ok {
		return []string{p}
	}
	switch name {
	case "home":
		seen := map[string]bool{}
		for _, u := range h.Users {
			if len(u.Home) > 1 && u.Home[0] == '/' && u.Home != "/nonexistent" && !seen[u.Home] {
				seen[u.Home] = true
				out = append(out, path.Clean(u.Home)+rest)
			}
		}
		out = append(out, "/root"+rest, "/home/*"+rest) // also homes of accounts that are no more
	case "webroot":
		for _, r := range h.Sites.Roots {
			out = append(out, r+rest)
		}
		if len(out) == 0 {
			out = []string{"/var/www" + rest}
		}
	case "accesslog":
		for l := range h.Sites.Formats {
			out = append(out, l)
		}
		sort.Strings(out)
	case "errorlog":
		out = h.Sites.Errors
	}
	return out
}

// rotation tells a rotated log's own name from what logrotate added, and its age: 0 is the log that is
// being written, larger is older. Dates (dateext) give an age by their distance from the year 9999.
func rotation(p string) (base string, age int64, rotated bool) {
	dir, name := path.Split(p)
	n := name
	if base, age, ok := archived(name); ok {
		return dir + base, age, true
	}
	for _, c := range []string{".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"} {
		if strings.HasSuffix(n, c) && len(n) > len(c) {
			n, rotated = n[:len(n)-len(c)], true
			break
		}
	}
	if strings.HasSuffix(n, ".old") || strings.HasSuffix(n, "~") && !strings.HasSuffix(n, ".journal~") {
		n = strings.TrimSuffix(strings.TrimSuffix(n, ".old"), "~")
		return dir + n, 1, true
	}
	if i := strings.LastIndexByte(n, '.'); i > 0 {
		if v, ok := number(n[i+1:]); ok && len(n)-i-1 <= 3 {
			base := n[:i]
			if b, a, ok := dated(base); ok { // messages-20240101.1
				return dir + b, a*1000 + v, true
			}
			return dir + base, v + 1, true
		}
	}
	if b, a, ok := dated(n); ok {
		return dir + b, a * 1000, true
	}
	for _, ext := range []string{".log", ".txt"} { // Tomcat: "catalina.2024-01-31.log", "localhost_access_log.2024-01-31.txt"
		if stem, ok := strings.CutSuffix(n, ext); ok {
			if b, a, ok := dated(stem); ok {
				return dir + b + ext, a * 1000, true
			}
		}
	}
	return dir + n, 0, rotated
}

// archived tells a journal that was put aside, "system@ID-SEQNUM-REALTIME.journal" (systemd-journald.service(8)), and one
// that was found damaged, "system@REALTIME-ID.journal~". The time is hexadecimal, in microseconds.
func archived(n string) (base string, age int64, ok bool) {
	name, rest, ok := strings.Cut(n, "@")
	if !ok || !strings.HasSuffix(strings.TrimSuffix(rest, "~"), ".journal") {
		return "", 0, false
	}
	rest = strings.TrimSuffix(strings.TrimSuffix(rest, "~"), ".journal")
	stamp := rest[strings.LastIndexByte(rest, '-')+1:]
	if strings.HasSuffix(n, "~") {
		stamp, _, _ = strings.Cut(rest, "-")
	}
	us, err := strconv.ParseInt(stamp, 16, 64)
	if err != nil {
		return "", 0, false
	}
	return name + ".journal", math.MaxInt64 - us, true
}

// dated takes "-20240131", ".2024-01-31T03-04-05", ".20240131", "-20240131-1700000000", "-2024-01-31", "_20240131" off a name.
func dated(n string) (base string, age int64, ok bool) {
	if i := len(n) - len("2024-01-31T03-04-05"); i > 0 && n[i+10] == 'T' && n[i+13] == '-' && n[i+16] == '-' { // as MongoDB does
		n = n[:i] + strings.NewReplacer("-", "", "T", "").Replace(n[i:])
	}
	for i := len(n) - 8; i > 0; i-- {
		if n[i-1] != '-' && n[i-1] != '.' && n[i-1] != '_' {
			continue
		}
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			if r == '-' || r == '.' || r == '_' {
				return -1
			}
			return 'x'
		}, n[i:])
		if strings.Contains(digits, "x") {
			return "", 0, false
		}
		if len(digits) < 8 || digits[:2] != "19" && digits[:2] != "20" {
			continue
		}
		v, isNum := number(digits[:8])
		if !isNum || v%100 > 31 || v/100%100 > 12 || v%100 == 0 || v/100%100 == 0 {
			continue
		}
		age := (99991231 - v) * 1000000
		if hour, ok := number(digits[8:]); ok && len(digits) <= 14 {
			age -= hour % 1000000
		}
		return n[:i-1], age, true
	}
	return "", 0, false
}

func number(s string) (n int64, ok bool) {
	if s == "" || len(s) > 10 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
