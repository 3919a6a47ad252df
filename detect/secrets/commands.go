package secrets

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/cmdline"
)

// readers are the programs that show, copy, pack or send what they are given; deep tells those that take whole folders.
var readers = map[string]struct{ deep, packs bool }{
	"cat": {}, "less": {}, "more": {}, "head": {}, "tail": {}, "tac": {}, "nl": {}, "vi": {}, "vim": {}, "view": {}, "nano": {}, "pico": {}, "emacs": {}, "mcview": {}, "strings": {}, "xxd": {}, "od": {}, "hexdump": {}, "base64": {}, "awk": {}, "sed": {}, "cut": {}, "sort": {}, "dd": {}, "openssl": {}, "unshadow": {}, "john": {}, "hashcat": {}, "ssh2john": {}, "ssh2john.py": {},
	"grep": {deep: true}, "egrep": {deep: true}, "fgrep": {deep: true}, "rg": {deep: true}, "zgrep": {deep: true},
	"cp": {deep: true, packs: true}, "scp": {deep: true, packs: true}, "rsync": {deep: true, packs: true}, "tar": {deep: true, packs: true}, "zip": {deep: true, packs: true}, "7z": {deep: true, packs: true}, "7za": {deep: true, packs: true}, "rar": {deep: true, packs: true}, "gzip": {packs: true}, "curl": {packs: true}, "wget": {packs: true},
}

// maxNamed bounds the words of one command that are looked up.
const maxNamed = 64

// command notes a command that reads files with secrets.
func (f *fold) command(e *event.Event) {
	line := e.Get(event.CommandLine)
	if len(f.all) == 0 || bytes.IndexByte(line, '/') < 0 && bytes.IndexByte(line, '.') < 0 && bytes.IndexByte(line, '_') < 0 {
		return
	}
	user, as := f.scene.Actor(e)
	home := f.home(user)
	dir := e.Text(event.WorkingDirectory)
	var paths []string
	packed := false
	for _, c := range cmdline.Parse(string(line)) {
		r, ok := readers[c.Name()]
		if !ok || len(c.Words) == 0 {
			continue
		}
		for _, w := range append(c.Words[1:min(len(c.Words), maxNamed)], c.In...) {
			for _, x := range f.named(w, home, dir, r.deep) {
				if len(paths) < maxPaths && !slices.Contains(paths, x.path) {
					paths, packed = append(paths, x.path), packed || r.packs
				}
			}
		}
	}
	if len(paths) > 0 {
		f.read(e, user, as, paths, packed)
	}
}

func (f *fold) home(user string) string {
	if u, ok := f.scene.User(user); ok {
		return u.Home
	}
	return ""
}

// named gives the secrets that a word of a command line names: by a path, or, where nobody knows in which folder it was typed, by the end of one if
// only one secret ends so.
func (f *fold) named(w, home, dir string, deep bool) (out []*secret) {
	w = strings.TrimPrefix(strings.TrimPrefix(w, "if="), "@")
	for _, p := range []string{"~/", "$HOME/", "${HOME}/"} {
		if rest, ok := strings.CutPrefix(w, p); ok && home != "" {
			w = home + "/" + rest
		}
	}
	if w == "" || w[0] == '-' || len(w) > 4096 || strings.Contains(w, "://") {
		return nil
	}
	if w[0] != '/' && dir != "" {
		w = dir + "/" + w
	}
	if strings.ContainsAny(w, "*?[") {
		return f.matching(w)
	}
	whole := w[0] == '/'
	w = path.Clean(w)
	for _, x := range f.byName[path.Base(w)] {
		if whole && x.path == w || !whole && (home != "" && x.path == path.Join(home, w) || strings.HasSuffix(x.path, "/"+w)) {
			out = append(out, x)
		}
	}
	if !whole && len(out) > 1 {
		out = nil // which of them cannot be told
	}
	if deep && whole && len(out) == 0 && w != "/" {
		for _, x := range f.all {
			if strings.HasPrefix(x.path, w+"/") && len(out) < maxPaths {
				out = append(out, x)
			}
		}
	}
	return out
}

func (f *fold) matching(pattern string) (out []*secret) {
	for _, x := range f.all {
		if ok, err := path.Match(pattern, x.path); ok && err == nil && pattern[0] == '/' && len(out) < maxPaths {
			out = append(out, x)
		}
	}
	return out
}

// sweep is from how many secrets on, of more than one owner, a command goes for secrets as such.
const sweep = 3

func (f *fold) read(e *event.Event, user, as string, paths []string, packed bool) {
	c := cmdline.Mask(e.Text(event.CommandLine))
	k := user + "\x00" + as + "\x00" + c
	if e.At.Known() {
		k += "\x00" + e.At.String()
	}
	if r := f.reads[k]; r != nil {
		r.SeenAgain(e, maxQuotes)
		return
	}
	if len(f.order) >= maxReads {
		return
	}
	r := &detect.Finding{Detection: "D68", What: detect.SecretRead, Level: detect.Info, Rung: evidence.Effect, Account: user, As: as, Runs: c, Views: paths, Path: e.Text(event.ShellHistory), Mechanism: detect.Witness(e.Kind), Attack: []string{"T1552.001"}, Title: user + " read secrets: " + c}
	if slices.Contains(paths, "/etc/shadow") {
		r.Detection, r.Attack = "D65", []string{"T1003.008"}
	}
	if packed {
		r.Method, r.Title = "packed", user+" copied or packed secrets: "+c
	}
	owners := map[string]bool{}
	for _, p := range paths {
		for _, x := range f.byName[path.Base(p)] {
			if x.path == p {
				owners[x.owner] = true
			}
		}
	}
	if !packed && len(paths) >= sweep && len(owners) > 1 { // backups take whole folders, too
		r.Level = detect.Medium
	}
	f.reads[k] = r
	f.order = append(f.order, r)
	r.SeenAgain(e, maxQuotes)
}

func sorted(m map[string]*detect.Finding) []string { return slices.Sorted(maps.Keys(m)) }
