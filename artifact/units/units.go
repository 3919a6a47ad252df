// Package units reads systemd's unit files: what a service runs and as whom, when a timer fires. Lines that
// are not understood are passed over and never stop the reading: systemd itself goes on, and an intruder knows.
package units

import (
	"bytes"
	"context"
	"iter"
	"path"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/internal/lines"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "systemd-unit", Doc: "what systemd starts", Spec: "systemd.unit(5), systemd.service(5), systemd.timer(5)",
		Files: []string{
			"/{etc,run,usr/lib,lib,usr/local/lib}/systemd/{system,user}/*.{service,timer,path,socket}", "/{etc,run,usr/lib,lib,usr/local/lib}/systemd/{system,user}/*.d/*.conf",
			"/etc/systemd/{system.control,system.attached}/*.service", "{home}/.config/systemd/user/*.{service,timer}", "{home}/.local/share/systemd/user/*.{service,timer}",
		},
		Kinds: []event.Kind{event.ServiceUnit}, Parse: parse,
	}
}

type unit struct {
	user, schedule string
	runs           []event.Event
}

// maxRuns bounds the commands of one unit.
const maxRuns = 200

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var u unit
		lr := lines.NewReader(in.R)
		var joined []byte
		for l, ok := lr.Next(); ok && ctx.Err() == nil; l, ok = lr.Next() {
			t := bytes.TrimSpace(l.Text)
			if len(t) == 0 || t[0] == '#' || t[0] == ';' || t[0] == '[' {
				continue
			}
			if t[len(t)-1] == '\\' && len(joined) < 1<<16 {
				joined = append(append(joined, t[:len(t)-1]...), ' ')
				continue
			}
			if len(joined) > 0 {
				t = append(joined, t...)
				joined = nil
			}
			k, v, ok := bytes.Cut(t, []byte("="))
			if !ok {
				continue
			}
			u.setting(in, string(bytes.TrimSpace(k)), bytes.TrimSpace(v), l)
		}
		name := path.Base(in.Path)
		if strings.HasSuffix(path.Dir(in.Path), ".d") {
			name = strings.TrimSuffix(path.Base(path.Dir(in.Path)), ".d")
		}
		for i := range u.runs {
			e := &u.runs[i]
			e.AddText(event.UnitName, name)
			e.AddText(event.UserName, u.user)
			e.AddText(event.Schedule, u.schedule)
			if !yield(*e, nil) {
				return
			}
		}
	}
}

func (u *unit) setting(in *artifact.Input, k string, v []byte, l lines.Line) {
	switch k {
	case "User":
		u.user = string(v)
	case "OnCalendar", "OnBootSec", "OnUnitActiveSec", "OnActiveSec", "OnStartupSec":
		u.schedule = strings.TrimSpace(u.schedule + " " + k + "=" + string(v))
		if !strings.HasSuffix(in.Path, ".timer") {
			return
		}
		fallthrough
	case "ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "ExecReload", "ExecCondition":
		if len(u.runs) >= maxRuns || len(v) == 0 {
			return
		}
		e := event.Event{Kind: event.ServiceUnit, Ref: in.Ref, Raw: bytes.Clone(l.Text)}
		e.Ref.Off, e.Ref.Len, e.Ref.Line = l.Off, l.Len, l.Num
		cmd := string(v)
		if strings.HasSuffix(in.Path, ".timer") {
			cmd = "the unit " + strings.TrimSuffix(path.Base(in.Path), ".timer") + ".service at " + u.schedule
		}
		e.AddText(event.CommandLine, strings.TrimLeft(cmd, "-@:+!|"))
		u.runs = append(u.runs, e)
	}
}
