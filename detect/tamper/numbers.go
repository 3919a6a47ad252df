package tamper

import (
	"fmt"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

const (
	maxRows     = 1000    // rows of numbers: a machine begins a new one when its journal was damaged
	maxPieces   = 300_000 // of all rows
	fileEntries = 50      // a journal that was removed had at least so many entries
	fileSeconds = 600     // and told of so long a time
)

// row is one row of numbers that journald gave to the entries of all its files.
type row struct {
	pieces []piece
	files  []journal
	many   bool // too many pieces to tell
}

// journal is one file of a row.
type journal struct {
	path  string
	lost  int64 // entries that its header counts and damage took
	quote evidence.Quote
}

// piece is entries numbered one after the other, of one boot, in one file. Times are in seconds since 1970.
type piece struct {
	first, last uint64
	from, to    int64
	boot        uint32
	file        int32
}

// row takes the numbers of a part of one file: "FIRST-LAST FROM-TO BOOT;" for each run.
func (f *fold) row(e *event.Event) {
	id := e.Text(event.SettingName)
	x := f.rows[id]
	if x == nil {
		if len(f.rows) >= maxRows || id == "" {
			return
		}
		if f.rows == nil {
			f.rows = map[string]*row{}
		}
		x = &row{}
		f.rows[id] = x
	}
	p := detect.HostPath(e.Ref.Path)
	if k := len(x.files); k == 0 || x.files[k-1].path != p {
		lost, _ := e.Int(event.ErrorCode)
		x.files = append(x.files, journal{p, lost, e.Quote()})
	}
	runs := e.Text(event.SettingValue)
	x.many = x.many || runs == "?"
	for runs != "" && !x.many {
		var one string
		one, runs, _ = strings.Cut(runs, ";")
		k, ok := parsePiece(one)
		if !ok || f.pieces >= maxPieces {
			x.many = true
			break
		}
		k.file = int32(len(x.files) - 1)
		x.pieces = append(x.pieces, k)
		f.pieces++
	}
}

func parsePiece(s string) (p piece, ok bool) {
	numbers, rest, _ := strings.Cut(s, " ")
	times, boot, ok := strings.Cut(rest, " ")
	a, b, ok2 := strings.Cut(numbers, "-")
	c, d, ok3 := strings.Cut(times, "-")
	var err [5]error
	p.first, err[0] = strconv.ParseUint(a, 10, 62)
	p.last, err[1] = strconv.ParseUint(b, 10, 62)
	p.from, err[2] = strconv.ParseInt(c, 10, 64)
	p.to, err[3] = strconv.ParseInt(d, 10, 64)
	n, e := strconv.ParseUint(boot, 16, 32)
	p.boot, err[4] = uint32(n), e
	return p, ok && ok2 && ok3 && err == [5]error{} && p.last >= p.first
}

// numbers looks for numbers that no journal has. Only a whole file that is gone from the middle is held against anybody: journald removes the
// oldest files first, so what is left after it has no hole between one journal of the system and the next. Numbers go missing otherwise where
// journals of users were removed, which have some of the row, so that the oldest journal of the system proves nothing; where the machine started, for the journal kept in memory until then counts on
// its own; where a disk was full and journald wrote to memory, which leaves no time without an entry; and where a file is damaged.
func (f *fold) numbers() (out []detect.Finding) {
	ids := make([]string, 0, len(f.rows))
	for id := range f.rows {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		if x := f.rows[id]; x.many {
			out = append(out, x.finding(x.files[0], detect.RecordsLost, detect.Info, 0, "the journal's numbers are in too many pieces to tell whether one is missing", "too many to tell"))
		} else if oldest, ok := x.oldest(); ok {
			f.adopt(x)
			out = append(out, x.holes(oldest, f.unread)...)
		}
	}
	return out
}

// oldest gives the journal of the system with the smallest number; ok is false for a row that only users' journals have.
func (x *row) oldest() (file int32, ok bool) {
	least := uint64(0)
	for _, p := range x.pieces {
		if ofSystem(x.files[p.file].path) && (!ok || p.first < least) {
			file, least, ok = p.file, p.first, true
		}
	}
	return file, ok
}

// adopt adds the numbers of users' journals beside those of the system: before systemd 254 they count on with them in the same
// boot, though each says that its row is its own.
func (f *fold) adopt(x *row) {
	dir, boots := path.Dir(x.files[0].path), map[uint32]bool{}
	for _, p := range x.pieces {
		boots[p.boot] = true
	}
	for _, y := range f.rows {
		if y == x {
			continue
		}
		for i, j := range y.files {
			if path.Dir(j.path) != dir || ofSystem(j.path) {
				continue
			}
			x.files = append(x.files, j)
			for _, p := range y.pieces {
				if p.file == int32(i) && boots[p.boot] {
					p.file = int32(len(x.files) - 1)
					x.pieces = append(x.pieces, p)
				}
			}
		}
	}
}

// unread tells whether a directory has a journal of the system whose numbers nobody told: it could not be read.
func (f *fold) unread(dir string) bool {
	told := map[string]bool{}
	for _, x := range f.rows {
		for i := range x.files {
			told[x.files[i].path] = true
		}
	}
	for _, x := range f.files {
		if path.Dir(x.path) == dir && ofSystem(x.path) && strings.Contains(path.Base(x.path), ".journal") && !told[x.path] {
			return true
		}
	}
	return false
}

func (x *row) holes(oldest int32, unread func(dir string) bool) (out []detect.Finding) {
	sort.Slice(x.pieces, func(i, j int) bool {
		return x.pieces[i].first < x.pieces[j].first || x.pieces[i].first == x.pieces[j].first && x.pieces[i].last < x.pieces[j].last
	})
	var boots, inside, damaged int64
	for i := 1; i < len(x.pieces); i++ {
		a, b := &x.pieces[i-1], &x.pieces[i]
		if a.last > b.last { // the one that reaches furthest is what the next is held against
			*b = *a
			continue
		}
		if b.first <= a.last+1 {
			continue
		}
		n := int64(min(b.first-a.last-1, 1<<40))
		switch {
		case x.files[a.file].lost > 0 || x.files[b.file].lost > 0:
			damaged += n
		case a.boot != b.boot:
			boots += n
		case a.file == b.file || !ofSystem(x.files[a.file].path) || !ofSystem(x.files[b.file].path) || n < fileEntries || b.from-a.to < fileSeconds || a.file == oldest:
			inside += n // beside the oldest, a user's journal may have been the first one to be removed
		case unread(path.Dir(x.files[b.file].path)):
			damaged += n
		case len(out) < maxHoles:
			out = append(out, x.gone(a, b, n))
		}
	}
	if boots+inside+damaged > 0 {
		r := x.finding(x.files[0], detect.RecordsLost, detect.Info, boots+inside+damaged, fmt.Sprintf("%d numbers of the journal are in none of its files", boots+inside+damaged), "")
		r.Detail = fmt.Sprintf("%d between one start of the machine and the next, where journald's count in memory may skip some; %d where files are damaged; %d elsewhere, as when users' journals were removed to make room", boots, damaged, inside)
		r.Explained = "where the machine started, where files are damaged, and where a user's journal was removed, numbers go missing without anybody's doing"
		out = append(out, r)
	}
	return out
}

// gone tells of a journal that must have been between two others.
func (x *row) gone(a, b *piece, n int64) detect.Finding {
	first, last := evidence.Unix(a.to, 0, time.Second), evidence.Unix(b.from, 0, time.Second)
	r := x.finding(x.files[b.file], detect.LogEdited, detect.Medium, n, fmt.Sprintf("%d entries of the journal, from %s to %s, are gone", n, first, last), "")
	r.Path, r.First, r.Last = path.Dir(x.files[b.file].path), first, last
	r.For = append(r.For, x.files[a.file].quote)
	r.Detail = fmt.Sprintf("the numbers %d to %d are in no file: %s ends before them and %s begins behind them, in the same run of the machine; journald itself removes its oldest files, and older ones are there; an administrator, or whoever collected the evidence, may have left the file out",
		a.last+1, b.first-1, path.Base(x.files[a.file].path), path.Base(x.files[b.file].path))
	return r
}

func (x *row) finding(j journal, w detect.What, l detect.Level, n int64, title, explained string) detect.Finding {
	return detect.Finding{Detection: "D58", What: w, Level: l, Rung: evidence.Effect, Path: j.path, Count: n, Title: title, Detail: explained, Explained: explained, Attack: []string{"T1070.002"}, For: []evidence.Quote{j.quote}}
}

// ofSystem tells a journal of the system from one of a user.
func ofSystem(p string) bool { return strings.HasPrefix(path.Base(p), "system") }
