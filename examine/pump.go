package examine

import (
	"sync"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/guard"
)

// pump hands events from the reading to the detections, which run beside it. An event is valid only until the next, so batches of copies go over; they
// are used again and again. All events of a run go one way, in their order: a detection needs no locks.
type pump struct {
	wants  *[256][]detect.Fold
	full   chan *batch
	free   chan *batch
	now    *batch
	done   sync.WaitGroup
	failed []error // of detections that panicked
}

// batch is some events with all that they point to.
type batch struct {
	events []event.Event
	attrs  []event.Attr
	bytes  []byte
}

// The size of a batch, and how many there are.
const (
	batchEvents = 512
	batchBytes  = 128 << 10
	batches     = 6
)

func newPump(wants *[256][]detect.Fold) *pump {
	p := &pump{wants: wants, full: make(chan *batch, batches), free: make(chan *batch, batches)}
	for range batches - 1 {
		p.free <- &batch{}
	}
	p.now = &batch{}
	p.done.Go(p.run)
	return p
}

// push copies an event.
func (p *pump) push(e *event.Event) {
	b := p.now
	if len(b.events) >= batchEvents || len(b.bytes) >= batchBytes {
		p.full <- b
		b = <-p.free
		b.events, b.attrs, b.bytes = b.events[:0], b.attrs[:0], b.bytes[:0]
		p.now = b
	}
	from := len(b.attrs)
	raw := b.keep(e.Raw[:min(len(e.Raw), evidence.MaxQuote)])
	for _, a := range e.Attrs {
		b.attrs = append(b.attrs, event.Attr{Key: a.Key, Value: b.keepOf(raw, e.Raw, a.Value)})
	}
	x := *e
	x.Attrs = b.attrs[from:len(b.attrs):len(b.attrs)]
	x.Raw = raw
	b.events = append(b.events, x)
}

// keep copies bytes. Where the buffer grows, what was copied before stays where it was.
func (b *batch) keep(v []byte) []byte {
	if v == nil {
		return nil
	}
	from := len(b.bytes)
	b.bytes = append(b.bytes, v...)
	return b.bytes[from:len(b.bytes):len(b.bytes)]
}

// keepOf copies bytes that may be cut out of a record that is copied already.
func (b *batch) keepOf(copied, record, v []byte) []byte {
	if from := cap(record) - cap(v); len(v) > 0 && from >= 0 && from+len(v) <= len(copied) && &record[from] == &v[0] {
		return copied[from : from+len(v) : from+len(v)]
	}
	return b.keep(v)
}

// run shows the events to the detections.
func (p *pump) run() {
	for b := range p.full {
		for i := 0; i < len(b.events); {
			err := guard.Run("a detection", func() error {
				for ; i < len(b.events); i++ {
					e := &b.events[i]
					for _, f := range p.wants[e.Kind] {
						f.Observe(e)
					}
				}
				return nil
			})
			if err != nil { // the rest of that event's detections miss it
				i++
				if len(p.failed) < 20 {
					p.failed = append(p.failed, err)
				}
			}
		}
		p.free <- b
	}
}

// close waits until all is shown.
func (p *pump) close() []error {
	p.full <- p.now
	close(p.full)
	p.done.Wait()
	return p.failed
}
