// Package secrets tells which secrets and data lay on the host and who could read them, and who named them in a command that reads, packs or sends files, or had
// a server give them away. That a secret lies there is nobody's fault: those findings have no rung. No value of a secret is seen here.
package secrets

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"path"
	"slices"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/secrets"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "secrets", Title: "Secrets and data, and who read them", IDs: []string{"D65", "D68", "D77"},
		Doc:    "lists files with secrets and who may read them, commands that read or pack them, and transfers of them",
		Attack: []string{"T1552.001", "T1552.004", "T1003.008", "T1560.001"},
		Wants:  []event.Kind{event.SecretSeen, event.ShellCommand, event.SudoCommand, event.ProcessStarted, event.HTTPRequest, event.FileDownloaded, event.File},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, table: secrets.New(), byName: map[string][]*secret{}, reads: map[string]*detect.Finding{}, fetched: map[string]*detect.Finding{}, moved: map[string]*detect.Finding{}, written: detect.Histories{}}
		},
	}
}

// Bounds of what is kept.
const (
	maxSecrets = 4000
	maxReads   = 5000
	maxFetched = 500
	maxMoved   = 2000
	maxPaths   = 50 // that one finding names
	maxQuotes  = 4
)

// secret is one file or folder.
type secret struct {
	kind  *secrets.Kind
	path  string
	size  int64
	owner string
	found detect.Finding
}

type fold struct {
	scene   detect.Scene
	table   *secrets.Table
	all     []*secret
	byName  map[string][]*secret // by the last part of their paths
	reads   map[string]*detect.Finding
	order   []*detect.Finding
	fetched map[string]*detect.Finding
	moved   map[string]*detect.Finding
	written detect.Histories
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.File:
		f.written.Note(e)
	case event.SecretSeen:
		f.seen(e)
	case event.HTTPRequest:
		f.request(e)
		f.query(e)
	case event.FileDownloaded:
		f.download(e)
	default:
		f.command(e)
	}
}

func (f *fold) seen(e *event.Event) {
	k := f.table.ByID(e.Text(event.RecordType))
	if k == nil || len(f.all) >= maxSecrets {
		return
	}
	x := &secret{kind: k, path: e.Text(event.FilePath)}
	x.size, _ = e.Int(event.FileSize)
	if x.owner = f.scene.UserByUID(e.Text(event.FileUID)); x.owner == "" {
		x.owner = "uid " + e.Text(event.FileUID)
	}
	changed := evidence.Max(detect.ParseTime(e.Text(event.FileCtime)), detect.ParseTime(e.Text(event.FileMtime)))
	x.found = detect.Finding{Detection: "D68", What: detect.Secret, Level: detect.Info, Mechanism: k.ID, Path: x.path, Account: x.owner, Accounts: e.All(event.FileReaders), Detail: e.Text(event.Message),
		First: detect.ParseTime(e.Text(event.FileCrtime)), Last: changed, Count: x.size, Title: k.Words + " in " + x.path, Attack: []string{"T1552"}, For: []evidence.Quote{e.Quote()}}
	f.all = append(f.all, x)
	name := path.Base(x.path)
	f.byName[name] = append(f.byName[name], x)
}

// request notes an answer that gave a secret's file away as it is: it is as long as the file. A script that was run answers with something else.
func (f *fold) request(e *event.Event) {
	url := e.Get(event.URL)
	if i := bytes.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	list := f.byName[string(url[bytes.LastIndexByte(url, '/')+1:])]
	if len(list) == 0 {
		return
	}
	if st := e.Get(event.HTTPStatus); len(st) != 3 || st[0] != '2' {
		return
	}
	n, ok := e.Int(event.HTTPBytes)
	source := e.Get(event.SourceIP)
	if !ok || n <= 0 || !detect.Outside(string(source)) {
		return
	}
	for _, x := range list {
		over := n - x.size
		if x.kind.ID == "dump" || x.kind.Folder || !hasSuffix(x.path, url) || over < 0 || over > headers || over > 0 && (bytes.HasSuffix(url, []byte(".php")) || x.size < headers) {
			continue
		}
		f.gaveAway(e, x, string(source))
	}
}

// headers is how much longer than the file an answer may be, where the server counts its headers too, bytes.
const headers = 600

func hasSuffix(p string, url []byte) bool {
	return len(url) > 1 && url[0] == '/' && len(p) > len(url) && p[len(p)-len(url):] == string(url)
}

func (f *fold) gaveAway(e *event.Event, x *secret, source string) {
	r := f.fetched[x.path+"\x00"+source]
	if r == nil {
		if len(f.fetched) >= maxFetched {
			return
		}
		r = &detect.Finding{Detection: "D77", What: detect.DataFetched, Level: detect.High, Rung: evidence.Accepted, Service: "web", Mechanism: "secret", Path: x.path, Views: []string{x.path}, Source: source, Sources: []string{source}, Attack: []string{"T1552.001"},
			Title: fmt.Sprintf("the web server gave %s to %s", x.path, source), Detail: x.kind.Words + "; the answer was as long as the file", For: []evidence.Quote{}}
		f.fetched[x.path+"\x00"+source] = r
	}
	r.SeenAgain(e, maxQuotes)
}

// download counts what a file service gave to whom. It is an observation: whose it was is told by who had the account in hand.
func (f *fold) download(e *event.Event) {
	service, account, source := e.Text(event.ServiceName), e.Text(event.UserName), e.Text(event.SourceIP)
	k := service + "\x00" + account + "\x00" + source
	r := f.moved[k]
	if r == nil {
		if len(f.moved) >= maxMoved || source == "" {
			return
		}
		r = &detect.Finding{Detection: "D77", What: detect.DataFetched, Level: detect.Info, Rung: evidence.Accepted, Service: service, Mechanism: "files", Account: account, Source: source, Sources: []string{source}, Attack: []string{"T1048"},
			Title: fmt.Sprintf("%s took files by %s as %s", source, service, account)}
		f.moved[k] = r
	}
	r.SeenAgain(e, maxQuotes)
	p := e.Text(event.FilePath)
	for _, x := range f.byName[path.Base(p)] { // a service may show its account's folder as the top
		if n, ok := e.Int(event.FileSize); hasSuffix("/"+x.path, []byte(p)) && (!ok || n == x.size) && len(r.Views) < maxPaths && !slices.Contains(r.Views, x.path) {
			r.Views = append(r.Views, x.path)
		}
	}
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, x := range f.all {
			if ctx.Err() != nil || !yield(x.found) {
				return
			}
		}
		for _, r := range f.order {
			f.written.Date(r)
			if !yield(*r) {
				return
			}
		}
		for _, m := range []map[string]*detect.Finding{f.fetched, f.moved} {
			for _, k := range sorted(m) {
				if !yield(*m[k]) {
					return
				}
			}
		}
	}
}
