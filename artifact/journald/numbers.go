package journald

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"telltale/event"
)

// Bounds of what is told of one file's numbers.
const (
	maxRuns     = 32_768
	runsAtATime = 256
	maxBoots    = 1000
	maxJumps    = 200
	aJump       = 60e6 // microseconds
)

// run is entries numbered one after the other, of one boot. Times are in seconds since 1970.
type run struct {
	first, last uint64
	from, to    int64
	boot        [16]byte
}

// numbers is what entries say beside their fields: number, boot and the time since it.
type numbers struct {
	runs   []run
	more   bool // more runs than are kept
	top    uint64
	latest int64              // microseconds since 1970
	boots  map[[16]byte]int64 // by boot: how much the clock was ahead of the time since the boot when last seen, microseconds
	last   [16]byte
	ahead  int64 // of last
	jumps  int
}

// number takes down an entry's number, and tells of a boot and of a clock that was set.
func (r *reader) number(n uint64, real int64, mono uint64, boot [16]byte) {
	x := &r.numbers
	x.top, x.latest = max(x.top, n), max(x.latest, real)
	if n > 0 && n < 1<<62 {
		k := len(x.runs) - 1
		switch {
		case k >= 0 && x.runs[k].last+1 == n && x.runs[k].boot == boot:
			x.runs[k].last, x.runs[k].to = n, real/1e6
		case k+1 < maxRuns:
			x.runs = append(x.runs, run{n, n, real / 1e6, real / 1e6, boot})
		default:
			x.more = true
		}
	}
	if boot == [16]byte{} || mono == 0 || mono > uint64(real) {
		return
	}
	ahead := real - int64(mono)
	if boot != x.last {
		before, known := x.boots[boot]
		if x.last != [16]byte{} {
			x.boots[x.last] = x.ahead
		}
		if x.last, x.ahead = boot, ahead; known {
			x.ahead = before
		} else if len(x.boots) < maxBoots {
			r.booted(boot, ahead)
		}
	}
	if d := ahead - x.ahead; (d > aJump || d < -aJump) && x.jumps < maxJumps {
		x.jumps++
		r.jumped(d)
	}
	x.ahead = ahead
}

// booted tells of a boot that the file had not told of. It began when the time since the boot was zero; a user's journal has its first
// entry of it much later.
func (r *reader) booted(boot [16]byte, ahead int64) {
	if r.numbers.boots == nil {
		r.numbers.boots = map[[16]byte]int64{}
	}
	r.numbers.boots[boot] = ahead
	e := r.m.Event(event.Boot)
	e.At = micro(ahead)
	e.Attrs = e.Attrs[:0] // the process is the entry's, not the boot's
	e.AddText(event.Transport, "journal")
	e.AddText(event.Message, "the journal tells of boot "+hex.EncodeToString(boot[:]))
	r.emit(e)
}

// jumped tells of a clock that moved against the time since the boot, which no one can set but which stands still while the machine sleeps.
func (r *reader) jumped(d int64) {
	e := r.m.Event(event.ClockChanged)
	e.Attrs = e.Attrs[:0]
	e.AddText(event.Transport, "journal")
	if by := time.Duration(d) * time.Microsecond; by > 0 {
		e.AddText(event.Change, "the clock was set ahead by "+by.Round(time.Second).String()+", or the machine slept or was paused")
	} else {
		e.AddText(event.Change, "the clock was set back by "+(-by).Round(time.Second).String())
	}
	r.emit(e)
}

// missing begins an event on the file's completeness. Its evidence is the header unless something closer is set.
func (r *reader) missing(kind string, n int64, change string) *event.Event {
	e := &r.ev
	e.Reset(event.RecordsMissing)
	e.Ref = r.in.Ref
	e.Ref.Off, e.Ref.Len = 0, headerMinimum
	e.AddText(event.ServiceName, "systemd-journald")
	e.AddText(event.RecordType, kind)
	e.AddText(event.FilePath, r.in.Path)
	e.AddText(event.Transport, "journal")
	e.AddInt(event.EventCount, n)
	e.AddText(event.Change, change)
	return e
}

// say yields an event with its message.
func (r *reader) say(e *event.Event, format string, a ...any) {
	r.raw = fmt.Appendf(r.raw[:0], format, a...)
	e.Raw = r.raw
	e.Add(event.Message, r.raw)
	r.emit(e)
}

// tellNumbers tells which numbers the file has: setting.name is the id of their row, setting.value "FIRST-LAST FROM-TO BOOT;" for
// each run, times in seconds, or "?" where there are too many. event.count is how many are missing between them: a user's journal has
// some of the row, so no file alone can say that one is gone; error.code is how many entries are lost to damage. These events have no
// time: whoever joins them needs all of them.
func (r *reader) tellNumbers(lost int64) {
	x := &r.numbers
	state := r.header.words(r.in.Path)
	if x.more {
		e := r.missing("journal-numbers", 0, state)
		e.AddText(event.SettingName, r.header.seqnumID)
		e.AddText(event.SettingValue, "?")
		r.say(e, "%s: its entries are numbered in more than %d pieces", r.in.Path, maxRuns)
		return
	}
	var value []byte
	for i := 0; i < len(x.runs) && r.going; i += runsAtATime {
		part := x.runs[i:min(i+runsAtATime, len(x.runs))]
		holes := int64(0)
		value = value[:0]
		for k := range part {
			p := &part[k]
			if k > 0 && p.first > part[k-1].last+1 {
				holes += int64(p.first - part[k-1].last - 1)
			}
			value = strconv.AppendUint(value, p.first, 10)
			value = strconv.AppendUint(append(value, '-'), p.last, 10)
			value = strconv.AppendInt(append(value, ' '), p.from, 10)
			value = strconv.AppendInt(append(value, '-'), p.to, 10)
			value = append(hex.AppendEncode(append(value, ' '), p.boot[:4]), ';')
		}
		e := r.missing("journal-numbers", holes, state)
		e.AddText(event.SettingName, r.header.seqnumID)
		e.Add(event.SettingValue, value)
		if lost > 0 {
			e.AddInt(event.ErrorCode, lost)
		}
		r.say(e, "%s: entries %d to %d of row %s in %d pieces, from %s to %s", r.in.Path, part[0].first, part[len(part)-1].last, r.header.seqnumID[:8], len(part),
			micro(part[0].from*1e6), micro(part[len(part)-1].to*1e6))
	}
}
