package running

import (
	"fmt"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// contradiction tells what one view hides from another. One that has an ordinary cause is told as explained, one that was not seen three times as a lead.
func (f *fold) contradiction(e *event.Event) {
	if len(f.contra) >= maxTold {
		return
	}
	what, subject, detail := e.Text(event.RecordType), e.Text(event.FilePath), e.Text(event.Message)
	shown, missing := e.All(event.ViewShown), e.All(event.ViewMissing)
	r := detect.Finding{Detection: "D53", What: detect.HiddenThing, Level: detect.Low, Rung: evidence.Effect, Mechanism: what, Path: subject, Detail: detail, Views: shown, Pid: e.Text(event.ProcessPID), Attack: []string{"T1014"}, For: []evidence.Quote{e.Quote()},
		Explained: e.Text(event.Change)}
	r.Count, _ = e.Int(event.EventCount)
	r.Title = fmt.Sprintf("the %s %s is shown by %s and not by %s", what, subject, strings.Join(shown, ", "), strings.Join(missing, ", "))
	if len(missing) == 0 {
		r.Title = fmt.Sprintf("the %s %s: %s", what, subject, detail)
	}
	switch {
	case r.Explained != "":
		r.Level = detect.Info
	case e.Has(event.LogLevel, "finding"):
		r.Level = detect.Critical
	}
	if tested := e.All(event.CauseTested); len(tested) > 0 {
		r.Runs = "ordinary causes that were looked for and are not there: " + strings.Join(tested, "; ")
	}
	f.contra = append(f.contra, r)
}

// deceivers are helpers of the BPF machine by which a program changes what others read or do.
var deceivers = map[string]bool{"probe_write_user": true, "override_return": true, "send_signal": true}

// hook judges what listens in within the kernel.
func (f *fold) hook(e *event.Event) {
	var used []string
	for _, h := range e.All(event.Change) {
		if deceivers[h] {
			used = append(used, h)
		}
	}
	if len(used) == 0 || len(f.hooks) >= maxTold {
		return
	}
	r := detect.Finding{Detection: "D53", What: detect.HiddenThing, Level: detect.Medium, Rung: evidence.Effect, First: e.At, Mechanism: "bpf", Path: e.Text(event.Message), Attack: []string{"T1014"}, Views: e.All(event.ViewShown), For: []evidence.Quote{e.Quote()}, Count: 1}
	r.Detail = "a program of the BPF machine that can change what other programs read or do (" + strings.Join(used, ", ") + ")"
	if len(e.All(event.ProcessPID)) == 0 {
		r.Level, r.Detail = detect.High, r.Detail+", and no process holds it: who loaded it is gone"
	}
	r.Title = e.Text(event.RecordType) + " " + r.Path + ": " + r.Detail
	f.hooks = append(f.hooks, r)
}
