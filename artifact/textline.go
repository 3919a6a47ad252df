package artifact

import (
	"context"
	"iter"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
)

// Lines makes the Parse of a member that reads a small text file line by line: f gets each line's text and an
// event with its evidence set, fills the event and yields it by yield, as often as it likes. It counts the lines.
func Lines(f func(in *Input, text []byte, e *event.Event, yield func(*event.Event))) func(context.Context, *Input) iter.Seq2[event.Event, error] {
	return func(ctx context.Context, in *Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			going := true
			out := func(e *event.Event) { going = going && yield(*e, nil) }
			var e event.Event
			lr := lines.NewReader(in.R)
			for l, ok := lr.Next(); ok && going; l, ok = lr.Next() {
				if l.Num%4096 == 0 && ctx.Err() != nil {
					return
				}
				e.Reset(event.Unknown)
				e.Ref = in.Ref
				e.Ref.Off, e.Ref.Len, e.Ref.Line, e.Raw = l.Off, l.Len, l.Num, l.Text
				if l.Cut && !yield(event.Event{}, &evidence.Damage{Ref: e.Ref, Reason: "a line longer than is kept: its end was passed over"}) {
					return
				}
				if len(l.Text) > 0 {
					in.Seen.Record(evidence.Time{})
					f(in, l.Text, &e, out)
				}
			}
			if err := lr.Err(); err != nil && going && ctx.Err() == nil {
				yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
			}
		}
	}
}
