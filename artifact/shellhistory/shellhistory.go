// Package shellhistory reads what was typed: bash's history with and without stamps, zsh's extended history,
// and the histories of clients that take commands.
package shellhistory

import (
	"bytes"
	"context"
	"iter"
	"path"
	"strconv"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "shell-history", Doc: "commands typed at a shell", Spec: "bash(1) HISTORY and HISTTIMEFORMAT; zshoptions(1) EXTENDED_HISTORY",
		Files: []string{"{home}/.{bash_history,zsh_history,ash_history,sh_history,history,ksh_history,mysql_history,psql_history,python_history,rediscli_history,lesshst}", "{home}/.local/share/fish/fish_history"},
		Kinds: []event.Kind{event.ShellCommand}, Parse: parse,
	}
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		user := in.Host.UserByHome(in.Path)
		if user == "" {
			user = path.Base(path.Dir(in.Path))
		}
		var at evidence.Time
		var e event.Event
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok && ctx.Err() == nil; l, ok = lr.Next() {
			t := l.Text
			if len(t) == 0 {
				continue
			}
			if s, ok := stamp(t); ok {
				at = s
				continue
			}
			cmd := t
			if rest, ok := bytes.CutPrefix(t, []byte(": ")); ok { // zsh: ": 1700000000:0;command"
				if when, c, ok := bytes.Cut(rest, []byte(";")); ok {
					sec, _, _ := bytes.Cut(when, []byte(":"))
					if n, err := strconv.ParseInt(string(sec), 10, 64); err == nil {
						at, cmd = evidence.Unix(n, 0, time.Second), c
					}
				}
			}
			in.Seen.Record(at)
			e.Reset(event.ShellCommand)
			e.At, e.Ref, e.Raw = at, in.Ref, t
			e.Ref.Off, e.Ref.Len, e.Ref.Line = l.Off, l.Len, l.Num
			e.AddText(event.UserName, user)
			e.Add(event.CommandLine, cmd)
			e.AddText(event.ShellHistory, in.Path)
			if !yield(e, nil) {
				return
			}
		}
		if err := lr.Err(); err != nil && ctx.Err() == nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
	}
}

// stamp reads bash's "#1700000000" before a command.
func stamp(t []byte) (evidence.Time, bool) {
	if t[0] != '#' || len(t) < 9 || len(t) > 12 {
		return evidence.Time{}, false
	}
	n, err := strconv.ParseInt(string(t[1:]), 10, 64)
	if err != nil || n < 1e8 {
		return evidence.Time{}, false
	}
	return evidence.Unix(n, 0, time.Second), true
}
