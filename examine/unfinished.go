package examine

import (
	"context"
	"slices"
	"time"

	"telltale/evidence"
	"telltale/story"
)

// goOn gives the run so much time more, though the caller's context is done.
func (r *run) goOn(ctx context.Context) {
	r.cancel()
	r.ctx, r.cancel = context.WithTimeout(context.WithoutCancel(ctx), r.o.Partial)
}

// cutShort tells whether an interrupted run shall answer with what it has.
func (r *run) cutShort(ctx context.Context) bool {
	return r.o.Partial > 0 && ctx.Err() != nil && r.failed == nil
}

// rescue lets the detections see the state of the running machine, if they have not seen it yet: it was taken whole or in part before, lies in memory, and
// tells most for its time. What of files and logs was read until now they know already.
func (r *run) rescue() {
	if r.folds == nil {
		r.prepare()
	}
	r.pump = newPump(&r.wants)
	for _, h := range r.hosts {
		if h.State == nil {
			continue
		}
		ofState := func(j *job) bool { return j.entry.Mount == &h.State.Mount }
		if !slices.ContainsFunc(h.jobs, ofState) {
			r.state(h, func(string, error) {})
		}
		for _, j := range h.jobs {
			if ofState(j) && !j.begun && r.ctx.Err() == nil {
				j.begun = true
				r.parse(h, j)
			}
		}
	}
	for _, f := range r.pump.close() {
		r.damage(evidence.Damage{Reason: f.Error()})
	}
}

// Unfinished begins the summary of an answer that was cut short.
const Unfinished = "UNFINISHED, for it was interrupted: what follows rests on what was seen until then. "

// unfinished marks an answer. That nothing was found says nothing then.
func (r *run) unfinished() {
	v := &r.res.Story.Verdict
	if v.Status == story.Clean || v.Status == story.Attacked {
		v.Status, v.Confidence = string(story.CannotTell), story.Possible
	}
	v.Summary = Unfinished + v.Summary
	for i := range r.res.Sources {
		r.res.Sources[i].Notes = append(r.res.Sources[i].Notes, "the examination was interrupted at "+time.Now().UTC().Format(time.RFC3339)+": not all of this was read")
	}
	r.damage(evidence.Damage{Reason: "the examination was interrupted, and what was not read by then is not in the answer"})
}
