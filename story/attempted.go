package story

import (
	"path"
	"strings"

	"telltale/detect"
)

// onlyAsks tells attempts of whoever looks for web shells that others left: "/?cmd=id" is sent to every site, and its front page answers. Where a shell
// is there, its script is found, or the order names what it made.
func onlyAsks(f *detect.Finding) bool { return strings.HasPrefix(f.Mechanism, "orders to a shell") }

// frontPages are names that every site has: who asks for one names no file of his own.
var frontPages = map[string]bool{"index": true, "default": true, "home": true, "main": true}

// namesFile tells whether a text holds a file's name as a whole word behind a slash; of a front page's, its whole path.
func namesFile(text, p, base string) bool {
	word := "/" + base
	if frontPages[strings.ToLower(strings.TrimSuffix(base, path.Ext(base)))] {
		word = p
	}
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, word)
		if !ok {
			return false
		}
		if after == "" || !wordByte(after[0]) {
			return true
		}
		rest = after
	}
}

func wordByte(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// onlyFetches tells that nothing appeared behind attempts but that programs fetched something: sites fetch their feeds, several in the same minute.
func onlyFetches(cs []consequence) bool {
	for _, c := range cs {
		if c.of.What != detect.Command || c.of.Mechanism != "audited" || c.of.Level > detect.Medium {
			return false
		}
	}
	return true
}

// began gives what is looked at of something behind an attempt: of a program that was seen to run again and again, its first time, for a job of the site's own runs
// behind each attempt.
func began(e *detect.Finding) *detect.Finding {
	if e.What != detect.Command || e.Count < 2 {
		return e
	}
	one := *e
	one.Last = one.First
	return &one
}

// namesProgram tells whether an attempt names the program that a way back runs, which lies where no package puts one.
func namesProgram(text string, e *detect.Finding) bool {
	if e.What != detect.Persistence {
		return false
	}
	for _, w := range strings.FieldsFunc(e.Runs, func(r rune) bool { return strings.ContainsRune(" \t;|&()'\"", r) }) {
		base := path.Base(w)
		if strings.HasPrefix(w, "/") && len(base) >= 4 && !strings.Contains(w, "/bin/") && !strings.Contains(w, "/sbin/") && !strings.HasPrefix(w, "/dev/") && !strings.HasPrefix(w, "/etc/") && namesFile(text, w, base) {
			return true
		}
	}
	return false
}
