package persistence

import (
	"strings"

	"telltale/detect"
)

// Jobs that put a key back: "my authorized_keys keeps coming back". A job that only sees to it that a key is there is what tools for many servers write; one
// that makes the file unchangeable as well means the owner.

// keyWatch judges the lines of each file together, for a script's lines come one by one.
func (f *fold) keyWatch() {
	locks := map[string]bool{}
	for i := range f.items {
		if r := &f.items[i]; r.Package == "" && locksKeys(r.Runs) {
			locks[r.Path] = true
		}
	}
	for i := range f.items {
		r := &f.items[i]
		if r.Package != "" || !addsKey(r.Runs) {
			continue
		}
		switch {
		case locks[r.Path] && r.Level < detect.Critical:
			r.Level, r.Detail = detect.Critical, "puts a key back whenever it runs, and its file makes the keys unchangeable"
		case r.Level < detect.Medium:
			r.Level, r.Detail = detect.Medium, "puts a key in place whenever it runs"
		}
	}
}

// addsKey tells a line that writes a key into a file of keys.
func addsKey(c string) bool {
	if !strings.Contains(c, "authorized_keys") || !strings.Contains(c, ">") {
		return false
	}
	return strings.Contains(c, "ssh-rsa ") || strings.Contains(c, "ssh-ed25519 ") || strings.Contains(c, "ecdsa-sha2-") || strings.Contains(c, "ssh-dss ")
}

// locksKeys tells a line by which a file of keys can neither be changed nor removed.
func locksKeys(c string) bool {
	_, rest, ok := strings.Cut(c, "chattr ")
	if !ok || !strings.Contains(rest, "authorized_keys") {
		return false
	}
	for _, w := range strings.Fields(rest) {
		if strings.HasPrefix(w, "+") && strings.ContainsAny(w, "ia") {
			return true
		}
	}
	return false
}
