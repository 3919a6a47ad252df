// Package transfer lists what clients wrote to the server through ftp and its like: the
// exact path, account and address, the strongest join of a file and its sender that there is.
package transfer

import (
	"cmp"
	"context"
	"iter"
	"path"
	"sort"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "transfer", Title: "Files written by clients", IDs: []string{"D28"},
		Doc:    "lists uploads with path, account and address; scripts and programs get a level",
		Attack: []string{"T1105"},
		Wants:  []event.Kind{event.FileUploaded, event.FileDownloaded},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, by: map[string]*detect.Finding{}, taken: map[string]evidence.Time{}}
		},
	}
}

const maxUploads = 50_000

type fold struct {
	scene detect.Scene
	by    map[string]*detect.Finding
	taken map[string]evidence.Time // pages that a client fetched, by the key of by, and when
}

func (f *fold) Observe(e *event.Event) {
	p, user, ip := e.Text(event.FilePath), e.Text(event.UserName), e.Text(event.SourceIP)
	k := p + "\x00" + user + "\x00" + ip
	if e.Kind == event.FileDownloaded {
		if _, known := f.taken[k]; isPage(p) && (known || len(f.taken) < maxUploads) {
			f.taken[k] = e.At
		}
		return
	}
	r := f.by[k]
	if r == nil {
		if len(f.by) >= maxUploads {
			return
		}
		r = &detect.Finding{Detection: "D28", What: detect.Upload, Level: detect.Info, Rung: evidence.Accepted, Path: p, Account: user, Source: ip, Service: e.Text(event.ServiceName), Method: e.Text(event.AuthMethod),
			Title: user + " wrote " + p + " from " + ip, Attack: []string{"T1105"}}
		if len(e.Get(event.AuthAnonymous)) > 0 {
			r.Method = "anonymous" // asked for no password
		}
		switch ext := strings.ToLower(path.Ext(p)); {
		case ext == ".php" || ext == ".phtml" || ext == ".cgi" || ext == ".pl" || ext == ".jsp" || ext == ".asp" || ext == ".aspx" || path.Base(p) == ".htaccess":
			r.Level = detect.Low
			if hides(p) {
				r.Level = detect.High
			}
		}
		f.by[k] = r
	}
	if at, ok := f.taken[k]; ok && e.At.Known() && at.Known() && e.At.Sub(at) >= 0 && e.At.Sub(at) < rewriting {
		r.Mechanism = "rewritten" // fetched and put back: a person edits longer than a program
	}
	r.Count++
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
	if len(r.For) < 3 {
		r.For = append(r.For, e.Quote())
	}
}

// hides tells a script with a dot before its name in a folder for pictures, uploads or what is kept for a while: no site has its programs so.
func hides(p string) bool {
	base := path.Base(p)
	if !strings.HasPrefix(base, ".") || strings.HasPrefix(base, ".ht") {
		return false
	}
	for _, dir := range strings.Split(strings.ToLower(path.Dir(p)), "/") {
		switch dir {
		case "images", "image", "img", "uploads", "upload", "pictures", "photos", "media", "avatars", "attachments", "cache", "tmp":
			return true
		}
	}
	return false
}

// rewriting is the time between fetching a page and putting it back within which a program did so, not a person.
const rewriting = 30 * time.Second

// isPage tells what web servers show or run, and visitors' browsers load.
func isPage(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".php", ".phtml", ".html", ".htm", ".shtml", ".tpl", ".asp", ".aspx", ".jsp", ".js":
		return true
	}
	return path.Base(p) == ".htaccess"
}

// Findings gives what was found, in the order of time.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		all := make([]*detect.Finding, 0, len(f.by))
		for _, r := range f.by {
			all = append(all, r)
		}
		sort.Slice(all, func(i, j int) bool {
			x, y := all[i], all[j]
			if x.First != y.First {
				return x.First.Before(y.First)
			}
			return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Account, y.Account), cmp.Compare(x.Source, y.Source)) < 0
		})
		for _, r := range all {
			if ctx.Err() != nil || !yield(*r) {
				return
			}
		}
	}
}
