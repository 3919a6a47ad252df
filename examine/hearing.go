package examine

import (
	"telltale/event"
	"telltale/host"
	"telltale/internal/logclock"
)

// hearing is what one file's events are held against before they are passed on.
type hearing struct {
	run   *run
	h     *seenHost
	job   *job
	clock *logclock.Clock
	may   *[256]bool
	of    clock
	state bool // the file is the host's state, no log
}

// take rights an event's time, adds what is known of its file, and tells whether it is to be passed on.
func (x *hearing) take(e *event.Event) bool {
	r, j := x.run, x.job
	if j.places != nil {
		if ofItself(j.art, e.Kind) {
			return false
		}
		var became string
		e.Ref, became = j.really(e.Ref)
		e.AddText(event.LogRecovered, became)
	}
	if !x.may[e.Kind] {
		r.refused[j.art.Name]++
		return false
	}
	if !x.state && j.places == nil && j.inside == nil {
		x.witness(e)
	}
	if !x.state && !r.within(e.At) {
		return false
	}
	if j.inside == nil {
		j.tells |= tellsOf(e)
		r.note(x.h, e)
	} else {
		tag(e, j.inside)
	}
	if x.state {
		r.fileTimes(x.h, &j.entry, e)
		e.AddText(event.FilePackage, x.h.owners.Of(j.entry.Path))
		if e.Get(event.FilePath) == nil {
			e.AddText(event.FilePath, j.entry.Path)
		}
	}
	if x.h.Kind == host.KindRemote && e.Get(event.Transport) == nil {
		e.AddText(event.Transport, "remote")
	}
	return true
}

// witness lets a log's own event tell of its clock, or puts its time right by what the clocks were found to be.
func (x *hearing) witness(e *event.Event) {
	r := x.run
	if w := r.witness; w != nil && w.lines == nil {
		w.note(x.of, e)
	} else if w != nil && w.concerns(x.of, x.clock.Zoneless) {
		e.At = w.right(x.of, e.At)
	}
	if r.daemons != nil {
		r.daemons.note(x.h, x.job, x.clock, e)
	}
}
