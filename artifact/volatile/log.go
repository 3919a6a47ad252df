package volatile

import (
	"context"
	"encoding/json"
	"iter"

	"telltale/artifact"
	"telltale/event"
	"telltale/internal/state"
)

// kernelLog gives the artefact of the kernel's ring buffer: what no log daemon can be told to leave out, and nobody can edit. It only takes the frame off.
func kernelLog() *artifact.Artifact {
	return &artifact.Artifact{Name: "kernel-log", Doc: "the kernel's own log, out of its memory", Spec: spec + "; Documentation/ABI/testing/dev-kmsg", State: []string{"telltale:state/*/" + state.LogFile}, Parse: parseLog}
}

func parseLog(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var m artifact.Message
		more := true
		emit := func(e *event.Event) { more = more && yield(*e, nil) }
		for ref, line := range artifact.EachLine(ctx, in, yield) {
			var s state.Said
			if err := json.Unmarshal(line, &s); err != nil {
				in.Seen.Unknown([]byte("kernel-log"))
				continue
			}
			m = artifact.Message{At: when(s.At), Program: []byte("kernel"), Text: []byte(s.Text), Repeat: 1, Transport: "kmsg", Ref: ref, Raw: line}
			in.Seen.Record(m.At)
			if known, understood := in.Messages.Decode(&m, emit); known && !understood {
				in.Seen.Unknown(m.Program)
			}
			if !more {
				return
			}
		}
	}
}
