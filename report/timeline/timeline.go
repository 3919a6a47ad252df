// Package timeline writes what happened, moment by moment, for other tools: files by their times, deleted ones too, and events.
// Times are UTC. Text from evidence is escaped for each format: no name and no line of a log can end a row, begin another one, or
// become a formula in a spreadsheet.
package timeline

import (
	"fmt"
	"io"
	"time"

	"telltale/evidence"
	"telltale/report/internal/text"
)

// File is one file with its times.
type File struct {
	Source   string // id of the source
	Host     string
	Path     string // bytes as on disk
	Target   string // of a symlink
	Type     string // "file", "dir" ..
	State    string // "deleted", "open" (deleted while open), "cut" (what a living file held before); "" for a file that is there
	Inode    uint64
	Mode     uint16 // permissions
	UID, GID uint32
	Size     int64
	Modified evidence.Time
	Accessed evidence.Time
	Changed  evidence.Time
	Born     evidence.Time
	Deleted  evidence.Time
}

// Event is one thing that a trace tells.
type Event struct {
	At      evidence.Time
	Kind    string
	Source  string
	Host    string
	Path    string // of the trace
	Offset  int64
	Line    int64
	Message string // as it stands there
	Attrs   []Attr
}

// Attr is one attribute, named as the Elastic Common Schema does.
type Attr struct{ Name, Value string }

// Writer takes what the timeline is made of, in any order.
type Writer interface {
	File(*File) error
	Event(*Event) error
	// Close writes what is left; nothing may be written after.
	Close() error
}

// Format is one that a timeline can be written in.
type Format struct {
	Name string
	Doc  string
	New  func(w io.Writer, spool string) Writer // spool is a folder for what does not fit into memory
}

// Formats gives them all.
func Formats() []Format {
	return []Format{
		{"csv", "Date,Size,Type,Mode,UID,GID,Meta,File Name, in the order of time, as mactime -d writes it", newCSV},
		{"bodyfile", "one line a file, version 3 of The Sleuth Kit, times with nanoseconds; no events", newBodyfile},
		{"l2tcsv", "the 17 columns of log2timeline, in the order of time", newL2T},
		{"jsonl", "one JSON object a line, in the order of time, as Timesketch takes it", newJSONL},
	}
}

// moment is a time of a file with the letters of mactime: modified, accessed, changed, born.
type moment struct {
	at   evidence.Time
	macb [4]byte
	gone bool // it is the time of deletion
}

// moments gives a file's times, those that are the same joined.
func (f *File) moments(out []moment) []moment {
	out = out[:0]
	for i, t := range [...]evidence.Time{f.Modified, f.Accessed, f.Changed, f.Born} {
		if !t.Known() {
			continue
		}
		found := false
		for k := range out {
			if same(out[k].at, t) {
				out[k].macb[i], found = "macb"[i], true
			}
		}
		if !found {
			m := moment{at: t, macb: [4]byte{'.', '.', '.', '.'}}
			m.macb[i] = "macb"[i]
			out = append(out, m)
		}
	}
	if f.Deleted.Known() {
		out = append(out, moment{at: f.Deleted, macb: [4]byte{'.', '.', '.', '.'}, gone: true})
	}
	return out
}

func same(a, b evidence.Time) bool { return a.Sec == b.Sec && a.Nsec == b.Nsec }

// name gives a file's name as the formats show it.
func (f *File) name() string {
	s := text.Escape(f.Path)
	if f.Target != "" {
		s += " -> " + text.Escape(f.Target)
	}
	switch f.State {
	case "deleted":
		s += " (deleted)"
	case "open":
		s += " (deleted while open)"
	case "cut":
		s += " (as it was before it was cut)"
	}
	return s
}

// modeText writes a mode as ls -l does, with the letter of The Sleuth Kit before it.
func (f *File) modeText() string {
	letter, ok := map[string]string{"file": "r", "dir": "d", "symlink": "l", "char": "c", "block": "b", "fifo": "p", "socket": "h"}[f.Type]
	if !ok {
		letter = "-"
	}
	b := []byte("rwxrwxrwx")
	for i := range b {
		if f.Mode&(1<<(8-i)) == 0 {
			b[i] = '-'
		}
	}
	for _, x := range [...]struct {
		bit     uint16
		at      int
		on, off byte
	}{{0o4000, 2, 's', 'S'}, {0o2000, 5, 's', 'S'}, {0o1000, 8, 't', 'T'}} {
		if f.Mode&x.bit != 0 {
			if b[x.at] == '-' {
				b[x.at] = x.off
			} else {
				b[x.at] = x.on
			}
		}
	}
	return letter + "/" + letter + string(b)
}

// stamp is RFC 3339 with nanoseconds, UTC.
func stamp(t evidence.Time) string { return t.Std().Format("2006-01-02T15:04:05.000000000Z") }

func clock(t evidence.Time) (date, hour string) {
	s := t.Std()
	return s.Format("01/02/2006"), s.Format(time.TimeOnly)
}

// message gives an event in one line.
func (e *Event) message() string {
	if m := text.Escape(e.Message); m != "" {
		return m
	}
	return e.Kind
}

// place says where an event stands.
func (e *Event) place() string {
	s := e.Source + " " + text.Escape(e.Path)
	switch {
	case e.Line > 0:
		return fmt.Sprintf("%s line %d", s, e.Line)
	case e.Offset > 0:
		return fmt.Sprintf("%s offset %d", s, e.Offset)
	}
	return s
}
