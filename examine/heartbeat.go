package examine

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"telltale/artifact"
	"telltale/casefile"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const (
	maxRhythms  = 500
	beatsEnough = 48   // hours with cron's lines before a file has a heartbeat
	beatsOften  = 0.8  // of all hours between the first and the last
	beatsMissed = 2    // whole hours without them that are told
	longestBeat = 1000 // hours
)

// rhythm is when one file of a log tells anything, and when it tells of cron, by hours since 1970.
type rhythm struct {
	host   int
	family string
	art    string
	ref    evidence.Ref
	path   string
	hours  map[int64]int32
	beats  map[int64]bool
}

// keepRhythm keeps the rhythm of a file that carries what programs say. One whose times are set right afterwards has none, for its hours are not.
func (r *run) keepRhythm(h *seenHost, j *job, ref evidence.Ref, clock *logclock.Clock, s *artifact.Seen) {
	if !carrier(j.art) {
		return
	}
	if len(s.Beats) == 0 || len(r.rhythms) >= maxRhythms || r.witness.concerns(clockOf(h, j), clock.Zoneless) {
		return
	}
	r.rhythms = append(r.rhythms, rhythm{h.number, j.family, j.art.Name, ref, j.entry.Path, s.Hours, s.Beats})
}

// cutOff tells of a file whose last line has no end, though a newer file of the same log follows. It is no damage: a log that is copied and emptied while its
// program goes on writing ends so, too, and the rest of it is read.
func (r *run) cutOff(h *seenHost, j *job, s *artifact.Seen) []casefile.Gap {
	if s.Open.Len == 0 || !carrier(j.art) || !r.succeeded(h, j) {
		return nil
	}
	return []casefile.Gap{{From: s.Last.String(), To: s.Last.String(), Why: fmt.Sprintf("the last line, at offset %d, has no end, though a newer file of this log follows: the file was cut off, or copied while it was written", s.Open.Off)}}
}

// succeeded tells whether a newer file of the same log follows, so that nobody writes to this one.
func (r *run) succeeded(h *seenHost, j *job) bool {
	i := slices.Index(h.jobs, j)
	for _, k := range h.jobs[i+1:] { // oldest first
		if k.family == j.family && k.art == j.art {
			return true
		}
	}
	return false
}

// heartbeats tells of hours in which a file has none of cron's lines, in the middle of others in which it has, while another log of the same host
// has them: cron ran, and what it said is not in the file.
func (r *run) heartbeats() {
	for i := range r.rhythms {
		x := &r.rhythms[i]
		hours := slices.Sorted(maps.Keys(x.beats))
		if len(hours) < beatsEnough || float64(len(hours)) < beatsOften*float64(hours[len(hours)-1]-hours[0]+1) {
			continue
		}
		for k := 1; k < len(hours); k++ {
			if from, to := hours[k-1]+1, hours[k]; to-from >= beatsMissed && to-from < longestBeat {
				r.missedBeat(x, from, to)
			}
		}
	}
}

// missedBeat looks for who else tells of cron in the hours from, until to.
func (r *run) missedBeat(x *rhythm, from, to int64) {
	var teller *rhythm
	told, on := int64(0), false
	for h := from; h < to; h++ {
		here := false
		for i := range r.rhythms {
			y := &r.rhythms[i]
			if y.host != x.host || y.family == x.family {
				continue
			}
			on = on || y.art == "syslogfile" && y.hours[h] > 0
			if y.beats[h] {
				here, teller = true, y
			}
		}
		if here {
			told++
		}
	}
	if told < beatsMissed || told*2 < to-from {
		return
	}
	change := "another file goes on"
	if !on && x.art == "syslogfile" {
		change = "no file goes on"
	}
	e := &r.event
	e.Reset(event.RecordsMissing)
	e.At, e.Ref = evidence.Unix(to*secondsHour, 0, time.Second), x.ref
	e.AddText(event.EventStart, time.Unix(from*secondsHour, 0).UTC().Format(time.RFC3339))
	e.AddText(event.RecordType, "heartbeat")
	e.AddText(event.FilePath, x.path)
	e.AddInt(event.EventCount, told)
	e.AddText(event.Change, change)
	e.Raw = fmt.Appendf(nil, "%s has lines of cron in %d hours, and none for %d hours in a row, in %d of which %s has them; it has %d other lines in those", x.path, len(x.beats), to-from, told, teller.path, x.between(from, to))
	e.Add(event.Message, e.Raw)
	if r.within(e.At) {
		r.emit(e)
	}
}

// between counts the records of some hours.
func (x *rhythm) between(from, to int64) (n int64) {
	for h := from; h < to; h++ {
		n += int64(x.hours[h])
	}
	return n
}
