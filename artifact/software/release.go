package software

import (
	"bytes"
	"context"
	"iter"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
)

// release gives the artefact of what the system says of itself, for advisories are given by distribution and release.
func release() *artifact.Artifact {
	return &artifact.Artifact{Name: "os-release", Doc: "which distribution and release it is", Spec: "os-release(5)", Files: []string{"/etc/os-release", "/usr/lib/os-release"}, Kinds: []event.Kind{event.Machine}, Parse: system}
}

// system reads lines of NAME=value, or NAME="value".
func system(_ context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		head, err := headOf(in.R, maxHead)
		if err != nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
		e := event.Event{Kind: event.Machine, Ref: in.Ref}
		off := 0
		for line := range bytes.Lines(head) {
			k, v, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
			v = strings.Trim(v, `"'`)
			switch k {
			case "ID":
				e.AddText(event.OSName, v)
				e.Ref.Off, e.Ref.Len, e.Raw = int64(off), int64(len(line)), bytes.TrimSpace(line)
			case "VERSION_ID":
				e.AddText(event.OSVersion, v)
			}
			off += len(line)
		}
		if e.Get(event.OSName) != nil {
			in.Seen.Record(evidence.Time{})
			yield(e, nil)
		}
	}
}
