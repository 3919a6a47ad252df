package detect

import (
	"path"
	"strings"
)

// loadsVolatile tells a command line that has a library loaded from where everybody may write: by a variable of the dynamic linker, or by the linker itself, which runs
// what it is given.
func loadsVolatile(c string) bool {
	linker := false
	for _, w := range strings.Fields(c) {
		w = strings.Trim(w, `'"`)
		base := path.Base(w)
		switch {
		case linker && strings.HasPrefix(w, "-"):
		case linker && InVolatileDir(w):
			return true
		case strings.HasPrefix(w, "/") && (strings.HasPrefix(base, "ld-linux") || strings.HasPrefix(base, "ld-musl") || strings.HasPrefix(base, "ld.so")):
			linker = true
			continue
		}
		linker = linker && strings.HasPrefix(w, "-")
		name, value, ok := strings.Cut(w, "=")
		if !ok || name != "LD_PRELOAD" && name != "LD_AUDIT" {
			continue
		}
		for _, p := range strings.FieldsFunc(strings.Trim(value, `'"`), func(r rune) bool { return r == ':' }) {
			if InVolatileDir(p) {
				return true
			}
		}
	}
	return false
}
