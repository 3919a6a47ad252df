package host

import (
	"bytes"
	"path"
	"strings"
)

// Share is a module of the rsync daemon: a folder that it gives to clients under a name.
type Share struct {
	Path     string
	Writable bool // "read only = no"; by default nobody may write
}

// maxShares bounds the modules that are kept.
const maxShares = 1000

// shares reads rsyncd.conf: what stands before the first module is the default of all. Names of settings are compared without blanks, as rsync does.
func (h *Host) shares() map[string]Share {
	out := map[string]Share{}
	for _, f := range []string{"/etc/rsyncd.conf", "/etc/rsync/rsyncd.conf", "/usr/local/etc/rsyncd.conf"} {
		b, err := h.ReadFile(f)
		if err != nil {
			continue
		}
		name, all := "", Share{}
		for line := range bytes.Lines(b) {
			t := strings.TrimSpace(string(line))
			if rest, ok := strings.CutPrefix(t, "["); ok {
				name, _, _ = strings.Cut(rest, "]")
				name = strings.TrimSpace(name)
				if len(out) < maxShares {
					out[name] = all
				}
				continue
			}
			key, value, _ := strings.Cut(t, "=")
			s, module := out[name]
			if !module {
				s = all
			}
			s.set(strings.ReplaceAll(strings.ToLower(key), " ", ""), strings.TrimSpace(value))
			if module {
				out[name] = s
			} else if name == "" || name == "global" {
				all = s
			}
		}
	}
	delete(out, "global")
	return out
}

func (s *Share) set(key, value string) {
	switch key {
	case "path":
		s.Path = path.Clean("/" + value)
	case "readonly":
		switch strings.ToLower(value) {
		case "no", "false", "0", "off":
			s.Writable = true
		default:
			s.Writable = false
		}
	}
}
