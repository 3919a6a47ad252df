// Package units reads systemd's unit files: what a service runs and as whom, when a timer fires. Lines that
// are not understood are passed over and never stop the reading: systemd itself goes on, and an intruder knows.
package units

import (
	"bytes"
	"cmp"
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
			"/{etc,run}/systemd/{system.control,system.attached,user.control}/*.{service,timer,path,socket}", "/{etc,run}/systemd/{system.control,system.attached,user.control}/*.d/*.conf", "/usr/{share,local/share}/systemd/user/*.{service,timer,path,socket}",
			"/run/systemd/{transient,generator,generator.early,generator.late}/*.{service,timer,path,socket}", "/run/systemd/transient/*.d/*.conf", "/run/user/*/systemd/{transient,user,generator}/*.{service,timer,path,socket}",
			"{home}/.{config,local/share}/systemd/{user,user.control}/*.{service,timer,path,socket}", "{home}/.{config,local/share}/systemd/{user,user.control}/*.d/*.conf",
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
			e.AddText(event.UserName, cmp.Or(u.user, owner(in)))
			e.AddText(event.Schedule, u.schedule)
			if !yield(*e, nil) {
				return
			}
		}
	}
}

// owner gives the account whose own manager starts the unit, "" for the system's.
func owner(in *artifact.Input) string {
	switch {
	case strings.Contains(in.Path, "/.config/") || strings.Contains(in.Path, "/.local/"):
		if u := in.Host.UserByHome(in.Path); u != "" {
			return u
		}
		rest, _ := strings.CutPrefix(in.Path, "/home/") // of an account that is no more
		u, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		return u
	case strings.HasPrefix(in.Path, "/run/user/"):
		return "the user with the number " + strings.SplitN(in.Path, "/", 5)[3]
	case strings.Contains(in.Path, "/systemd/user/"):
		return "each user who logs in"
	}
	return ""
}

func (u *unit) setting(in *artifact.Input, k string, v []byte, l lines.Line) {
	switch k {
	case "User":
		u.user = string(v)
	case "PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty":
		u.run(v, "the unit "+strings.TrimSuffix(path.Base(in.Path), ".path")+".service when "+k+"="+string(v), in, l)
	case "OnCalendar", "OnBootSec", "OnUnitActiveSec", "OnActiveSec", "OnStartupSec":
		u.schedule = strings.TrimSpace(u.schedule + " " + k + "=" + string(v))
		if !strings.HasSuffix(in.Path, ".timer") {
			return
		}
		fallthrough
	case "ExecStart", "ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost", "ExecReload", "ExecCondition":
		cmd := string(v)
		if strings.HasSuffix(in.Path, ".timer") {
			cmd = "the unit " + strings.TrimSuffix(path.Base(in.Path), ".timer") + ".service at " + u.schedule
		}
		u.run(v, cmd, in, l)
	}
}

// run keeps one command of the unit. An empty one takes back those before it, which is not followed: what was there once is told, too.
func (u *unit) run(v []byte, cmd string, in *artifact.Input, l lines.Line) {
	if len(u.runs) >= maxRuns || len(v) == 0 {
		return
	}
	e := event.Event{Kind: event.ServiceUnit, Ref: in.Ref, Raw: bytes.Clone(l.Text)}
	e.Ref.Off, e.Ref.Len, e.Ref.Line = l.Off, l.Len, l.Num
	e.AddText(event.CommandLine, strings.TrimLeft(cmd, "-@:+!|"))
	u.runs = append(u.runs, e)
}
