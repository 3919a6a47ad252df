package secrets

import (
	"bytes"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/cmdline"
)

// asked are parts of names of secrets that queries to intruders' scripts, and attempts to include files, are full of: the quick look before a query is taken apart.
var asked = [][]byte{[]byte("wp-config"), []byte("shadow"), []byte(".my.cnf"), []byte(".env"), []byte("id_rsa"), []byte("id_ed25519"), []byte("configuration.php"), []byte("settings.php"), []byte("config.php"), []byte("env.php"), []byte("config.inc.php"), []byte(".htpasswd"), []byte(".pgpass"), []byte("credentials"), []byte("parameters.yml")}

// maxQuery bounds how much of a query is looked at, bytes.
const maxQuery = 4 << 10

// query notes a request that names a secret behind its '?' and was answered. It proves nothing by itself: only of a script that does what it is asked
// may story take it for a reading.
func (f *fold) query(e *event.Event) {
	url := e.Get(event.URL)
	i := bytes.IndexByte(url, '?')
	if i < 0 || len(f.all) == 0 {
		return
	}
	q := url[i+1 : min(len(url), i+1+maxQuery)]
	if !slices.ContainsFunc(asked, func(w []byte) bool { return bytes.Contains(q, w) }) {
		return
	}
	if st := e.Get(event.HTTPStatus); len(st) != 3 || st[0] != '2' {
		return
	}
	text := string(detect.Unescape(nil, bytes.ReplaceAll(q, []byte("+"), []byte(" "))))
	var paths []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n=&;|'\"<>(),", r) }) {
		for strings.HasPrefix(w, "../") || strings.HasPrefix(w, "./") {
			w = w[strings.IndexByte(w, '/')+1:]
		}
		if !strings.ContainsAny(w, "./") { // a word
			continue
		}
		for _, x := range f.named(w, "", "", false) {
			if len(paths) < maxPaths && !slices.Contains(paths, x.path) {
				paths = append(paths, x.path)
			}
		}
	}
	if len(paths) > 0 {
		f.byQuery(e, string(url[:i]), text, paths)
	}
}

func (f *fold) byQuery(e *event.Event, script, text string, paths []string) {
	source := e.Text(event.SourceIP)
	k := "web\x00" + source + "\x00" + script + "\x00" + text
	r := f.reads[k]
	if r == nil {
		if len(f.order) >= maxReads {
			return
		}
		r = &detect.Finding{Detection: "D68", What: detect.SecretRead, Level: detect.Info, Rung: evidence.Accepted, Service: "web", Source: source, Path: script, Runs: cmdline.Mask(text), Views: paths, Mechanism: "web", Attack: []string{"T1552.001"}, Title: source + " asked " + script + " for secrets"}
		f.reads[k] = r
		f.order = append(f.order, r)
	}
	r.SeenAgain(e, maxQuotes)
}
