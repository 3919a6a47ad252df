package tamper

import (
	"fmt"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

const (
	maxHoles = 200
	fullDisk = 3 // entries that a disk that was full leaves out of the index
)

// missing takes what a log says of records that it lacks.
func (f *fold) missing(e *event.Event) {
	switch string(e.Get(event.RecordType)) {
	case "journal-numbers":
		f.row(e)
		return
	case "audit-serials":
		f.reaches(e)
		return
	}
	if len(f.holes)+len(f.silent)+len(f.scattered)+len(f.beats) >= maxHoles {
		return
	}
	n, _ := e.Int(event.EventCount)
	r := detect.Finding{Detection: "D58", What: detect.RecordsLost, Level: detect.Info, Rung: evidence.Effect, Path: e.Text(event.FilePath), Count: n, First: detect.ParseTime(e.Text(event.EventStart)), Last: e.At,
		Attack: []string{"T1070.002"}, For: []evidence.Quote{e.Quote()}}
	switch string(e.Get(event.RecordType)) {
	case "journal-unlinked":
		unlinked(&r, e.Text(event.Change), closed(e.Text(event.SettingValue)))
	case "journal-hash":
		contradicted(&r, e.Text(event.Change))
	case "heartbeat":
		r.Detail, r.Mechanism = e.Text(event.Message), e.Text(event.Change)
		f.beats = append(f.beats, r)
		return
	case "audit":
		r.Detail, r.Mechanism = e.Text(event.Message), e.Text(event.SettingName)
		f.silent = append(f.silent, r)
		return
	case "audit-holes":
		r.Detail = e.Text(event.Message)
		f.scattered = append(f.scattered, r)
		return
	default:
		return
	}
	f.holes = append(f.holes, r)
}

// until lets the time of an edit of the journal end where its file, or its folder, was written last: it came some time behind the entries.
func (f *fold) until(all []detect.Finding) []detect.Finding {
	written := map[string]evidence.Time{}
	for _, x := range f.files {
		if strings.HasPrefix(x.path, "/var/log/journal") {
			written[x.path] = x.mtime
		}
	}
	for i := range all {
		if r := &all[i]; r.What == detect.LogEdited {
			r.Last = evidence.Max(r.Last, written[r.Path])
		}
	}
	return all
}

// closed tells whether journald had closed the file: then nothing in it was on its way to the disk when the machine stopped.
func closed(state string) bool { return state == "archived" || state == "offline" }

// unlinked judges entries that lie in a journal and that its index leaves out, so that journalctl does not show them.
func unlinked(r *detect.Finding, where string, closed bool) {
	r.Title = fmt.Sprintf("%d entries of %s are not in its index", r.Count, r.Path)
	switch {
	case where == "at the end":
		r.Explained = "they are its last ones: the index is written after the entry, so a file that is open, was not closed, or was full ends so"
	case where == "index broken":
		r.Explained = "the index is damaged where it should name them"
	case !closed:
		r.Explained = "the file was not closed: blocks of its index may not have been written"
	case r.Count <= fullDisk:
		r.Explained = "a disk that was full leaves single entries out of the index"
	default:
		r.What, r.Level = detect.LogEdited, detect.High
		r.Detail = fmt.Sprintf("journalctl does not show %d entries from %s to %s that lie in the file before others that it shows; the file was closed and its index is whole, so neither a stop of the machine nor damage explains it",
			r.Count, r.First, r.Last)
	}
	if r.Detail == "" {
		r.Detail = r.Explained
	}
}

// contradicted judges fields that their own hashes contradict. Fallen bits and blocks that were not written are not among them.
func contradicted(r *detect.Finding, state string) {
	r.Title = fmt.Sprintf("%d fields of %s do not fit the hashes that journald wrote with them", r.Count, r.Path)
	switch {
	case closed(state):
		r.What, r.Level = detect.LogEdited, detect.High
		r.Detail = "each reads like a field, no single fallen bit explains it, it has no block of zeros, and the file was closed: its content was changed in place, unless a disk or a copy of it is at fault in a way that leaves text"
	case state == "hardly any field fits":
		r.Explained = "hardly any other fits either: the file's id, which goes into each hash, is damaged"
	default:
		r.Explained = "the file was not closed: blocks of it may be older than others"
	}
	if r.Detail == "" {
		r.Detail = r.Explained
	}
}
