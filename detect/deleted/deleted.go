// Package deleted looks at what was deleted and found again: lines that were taken out of logs, programs and scripts that are gone,
// shell histories, logs. It knows only what the disk gave back: what was overwritten since is nobody's finding.
package deleted

import (
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "deleted", Title: "Files and lines of logs that were deleted and found again", IDs: []string{"D60", "D61", "D63", "D42"},
		Doc:    "tells lines that stood in a log and stand in none any more, and deleted files that an intruder would want gone",
		Attack: []string{"T1070.002", "T1070.003", "T1070.004"},
		Wants:  []event.Kind{event.LineRemoved, event.DeletedFile},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, lines: map[key]*removed{}}
		},
	}
}

// Bounds of what is kept.
const (
	maxKeys   = 10_000 // logs with addresses
	maxQuotes = 5
	maxFiles  = 500
)

// key is a log and the address that a line taken out of it is about, "" for none.
type key struct{ path, source string }

type removed struct {
	count       int64
	first, last evidence.Time
	quotes      []evidence.Quote
	found       string
	when        evidence.Time // the log was written anew
}

type fold struct {
	scene detect.Scene
	lines map[key]*removed
	files []detect.Finding
}

// Observe takes an event.
func (f *fold) Observe(e *event.Event) {
	if e.Kind == event.LineRemoved {
		f.line(e)
		return
	}
	if len(f.files) < maxFiles {
		f.file(e)
	}
}

func (f *fold) line(e *event.Event) {
	k := key{e.Text(event.FilePath), detect.AddressIn(string(e.Get(event.Message)))}
	if e.Text(event.RecordType) == "mixed" {
		k.source = "" // a span of time was cut out: whoever happened to be in it is not to be held for it
	}
	x := f.lines[k]
	if x == nil {
		if len(f.lines) >= maxKeys {
			if k.source = ""; f.lines[k] == nil {
				return
			}
		} else {
			f.lines[k] = &removed{}
		}
		x = f.lines[k]
	}
	x.count++
	x.first, x.last = evidence.Min(x.first, e.At), evidence.Max(x.last, e.At)
	x.found = e.Text(event.Change)
	x.when = evidence.Min(x.when, detect.ParseTime(e.Text(event.FileCtime)))
	if len(x.quotes) < maxQuotes {
		x.quotes = append(x.quotes, e.Quote())
	}
}

// file looks whether somebody would want the file gone.
func (f *fold) file(e *event.Event) {
	p, content, change := e.Text(event.FilePath), e.Text(event.FileContent), e.Text(event.Change)
	mode, _ := strconv.ParseUint(e.Text(event.FileMode), 8, 16)
	open := strings.HasPrefix(change, "deleted while")
	owned := len(e.Get(event.FilePackage)) > 0
	program := content != "" || mode&0o111 != 0
	// What is held against somebody is that the program was put there. That it is gone may be a cleaner's work, a reboot's, a service's that ended.
	made := detect.ParseTime(e.Text(event.FileCrtime))
	if !made.Known() {
		made = detect.ParseTime(e.Text(event.FileMtime))
	}
	r := detect.Finding{Path: p, First: made, Last: made, Count: 1, Detail: change, Account: f.scene.UserByUID(e.Text(event.FileUID)), For: []evidence.Quote{e.Quote()}, Rung: evidence.Effect}
	base := path.Base(p)
	switch {
	case open && content == "elf" && !owned && (detect.InVolatileDir(p) || strings.HasPrefix(p, "/home/") || p == ""):
		r.Detection, r.What, r.Level, r.Attack = "D42", detect.OddFile, detect.High, []string{"T1070.004"}
		r.Title = named(p) + " is a program that was deleted while it ran: it may still run"
		if p == "" && e.Text(event.FileUID) == "0" && !odd(e.Text(event.FileFacts)) {
			r.Level = detect.Low
			r.Detail = change + ", as an update leaves programs and libraries that run on"
		}
	case strings.HasSuffix(base, "_history") && strings.HasPrefix(base, "."):
		r.First, r.Last = e.At, e.At
		r.Detection, r.What, r.Level, r.Attack = "D61", detect.HistoryGone, detect.Medium, []string{"T1070.003"}
		r.Title = "the shell history " + p + " was deleted"
		r.Detail = "was " + change
		if a := f.owner(p); a != "" {
			r.Account = a
		}
	case program && (detect.InVolatileDir(p) || detect.HiddenPath(p) != "") && !owned:
		r.Detection, r.What, r.Level, r.Attack = "D42", detect.OddFile, detect.Medium, []string{"T1070.004"}
		if detect.HiddenPath(p) != "" {
			r.Level = detect.High
		}
		r.Title = named(p) + " is a program that was deleted from a place where none belongs"
		r.Detail = "was " + change
	default:
		return
	}
	f.files = append(f.files, r)
}

// odd tells whether facts of a program are such that hardly any distribution's program has.
func odd(facts string) bool {
	for _, w := range strings.Fields(facts) {
		if w == "static" || w == "no-sections" || w == "cut" || strings.HasPrefix(w, "packed(") || strings.HasPrefix(w, "behind=") || strings.HasPrefix(w, "module(") {
			return true
		}
	}
	return false
}

func named(p string) string {
	if p == "" {
		return "a file whose name is lost"
	}
	return p
}

// owner gives the account in whose home directory a path lies.
func (f *fold) owner(p string) string {
	for _, u := range f.scene.Users {
		if len(u.Home) > 1 && strings.HasPrefix(p, u.Home+"/") {
			return u.Name
		}
	}
	return ""
}

// Findings gives what was found.
func (f *fold) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		keys := make([]key, 0, len(f.lines))
		for k := range f.lines {
			keys = append(keys, k)
		}
		sort.Slice(keys, func(i, j int) bool {
			a, b := f.lines[keys[i]], f.lines[keys[j]]
			return a.count > b.count || a.count == b.count && (keys[i].path < keys[j].path || keys[i].path == keys[j].path && keys[i].source < keys[j].source)
		})
		for _, k := range keys {
			if !yield(f.edited(k)) {
				return
			}
		}
		for _, r := range slices.Clone(f.files) {
			if !yield(r) {
				return
			}
		}
	}
}

// edited tells of the lines that were taken out of one log.
func (f *fold) edited(k key) detect.Finding {
	x := f.lines[k]
	of := ""
	if k.source != "" {
		of = " about " + k.source
	}
	var when []evidence.Time
	if x.when.Known() {
		when = []evidence.Time{x.when}
	}
	return detect.Finding{Detection: "D60", What: detect.LogEdited, When: when, Level: detect.Critical, Rung: evidence.Effect, Attack: []string{"T1070.002"}, Source: k.source, Path: k.path,
		Count: x.count, First: x.first, Last: x.last, For: x.quotes,
		Title:  fmt.Sprintf("%d lines%s were removed from %s", x.count, of, k.path),
		Detail: x.found + ", between lines that still stand in the log; no log has them any more"}
}
