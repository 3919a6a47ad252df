// Package shellhistory reads what was typed: bash's history with and without stamps, zsh's extended history, fish's,
// and the histories of clients that take commands.
package shellhistory

import (
	"bytes"
	"context"
	"iter"
	"path"
	"strconv"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/listing"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "shell-history", Doc: "commands typed at a shell", Spec: "bash(1) HISTORY and HISTTIMEFORMAT; zshoptions(1) EXTENDED_HISTORY; fish 2.1 to 3.7 src/history.cpp",
		Files: []string{"{home}/.{bash_history,zsh_history,ash_history,sh_history,history,ksh_history,mysql_history,psql_history,python_history,rediscli_history,lesshst}", "{home}/.local/share/fish/fish_history"},
		Kinds: []event.Kind{event.ShellCommand}, Parse: parse, Sniff: sniff, Loose: func(name string) bool { _, ok := loose(name); return ok },
	}
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		h := history{user: owner(in)}
		var e event.Event
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok && ctx.Err() == nil; l, ok = lr.Next() {
			if !h.line(l) {
				continue
			}
			in.Seen.Record(h.at)
			e.Reset(event.ShellCommand)
			e.At, e.Ref, e.Raw = h.at, in.Ref, h.raw
			e.Ref.Off, e.Ref.Len, e.Ref.Line = h.first.Off, l.Off+l.Len-h.first.Off, h.first.Num
			e.AddText(event.UserName, h.user)
			e.Add(event.CommandLine, h.command)
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

// history is what is known while a history is read.
type history struct {
	user         string
	at           evidence.Time
	first        lines.Line // the line that the command begins in; its text is not kept
	raw, command []byte
	fish         []byte // the line "- cmd: command" that "  when:" is still to follow
}

// fishCommand begins a command in fish's history: "- cmd: command", "  when: 1700000000", "  paths:", "    - name".
var fishCommand = []byte("- cmd: ")

// line takes a line, and tells whether a command is whole with it.
func (h *history) line(l lines.Line) bool {
	t := l.Text
	if len(t) == 0 {
		return false
	}
	if bytes.HasPrefix(t, fishCommand) {
		h.fish, h.first = append(h.fish[:0], t...), l
		return false
	}
	if len(h.fish) > 0 {
		when, ok := bytes.CutPrefix(t, []byte("  when: "))
		n, err := strconv.ParseInt(string(when), 10, 64)
		command, raw := h.fish[len(fishCommand):], append(append(bytes.Clone(h.fish), '\n'), t...)
		h.fish = h.fish[:0]
		if !ok || err != nil {
			return false
		}
		h.at, h.command, h.raw = evidence.Unix(n, 0, time.Second), unescape(command), raw
		return true
	}
	h.first = l
	if bytes.HasPrefix(t, []byte("  when: ")) || bytes.HasPrefix(t, []byte("  paths:")) || bytes.HasPrefix(t, []byte("    - ")) {
		return false
	}
	if s, ok := stamp(t); ok {
		h.at = s
		return false
	}
	h.raw, h.command = t, t
	if at, c, ok := extended(t); ok {
		h.at, h.command = at, c
	} else if at, c, ok := listing.Numbered(string(t)); ok { // the shell's own list, saved
		h.at, h.command = at, []byte(c)
	}
	return true
}

// extended reads zsh's ": 1700000000:0;command".
func extended(t []byte) (at evidence.Time, command []byte, ok bool) {
	rest, ok := bytes.CutPrefix(t, []byte(": "))
	when, command, ok2 := bytes.Cut(rest, []byte(";"))
	sec, _, _ := bytes.Cut(when, []byte(":"))
	n, err := strconv.ParseInt(string(sec), 10, 64)
	return evidence.Unix(n, 0, time.Second), command, ok && ok2 && err == nil
}

// unescape undoes how fish writes a command of several lines: "\\n" for a newline, "\\\\" for a backslash.
func unescape(t []byte) []byte {
	if bytes.IndexByte(t, '\\') < 0 {
		return bytes.Clone(t)
	}
	out := make([]byte, 0, len(t))
	for i := 0; i < len(t); i++ {
		c := t[i]
		if c == '\\' && i+1 < len(t) {
			i++
			if c = t[i]; c == 'n' {
				c = '\n'
			}
		}
		out = append(out, c)
	}
	return out
}

// names are how histories are called, without the dot.
var names = []string{"bash_history", "zsh_history", "ash_history", "sh_history", "ksh_history", "fish_history", "mysql_history", "psql_history", "rediscli_history"}

// loose tells a history by the name that somebody gave to a copy: "bash_history", "root_bash_history", "bash_history-alice.txt". user is what stands
// beside it, "" for nothing.
func loose(name string) (user string, ok bool) {
	if name == "history.txt" { // what the shell's "history" printed
		return "", true
	}
	for _, n := range names {
		before, after, ok := strings.Cut(name, n)
		if !ok {
			continue
		}
		after = strings.TrimSuffix(strings.TrimSuffix(after, ".txt"), ".log")
		if before = strings.Trim(before, "._-"); before == "" {
			before = strings.Trim(after, "._-")
		} else if after != "" {
			return "", false
		}
		return before, true
	}
	return "", false
}

// owner gives the account whose history a file is: by the home directory that it lies in, or by its name.
func owner(in *artifact.Input) string {
	if user := in.Host.UserByHome(in.Path); user != "" {
		return user
	}
	if user, ok := loose(path.Base(in.Path)); ok && user != "" {
		return user
	}
	if dir := path.Base(path.Dir(in.Path)); dir != "/" && dir != "." {
		return dir
	}
	return ""
}

// sniffed is how many lines of a file are looked at.
const sniffed = 40

// sniff tells a history that has times: nothing else looks like one.
func sniff(head []byte) bool {
	n, good := 0, 0
	for t := range bytes.Lines(head) {
		if t = bytes.TrimRight(t, "\r\n"); len(t) == 0 {
			continue
		}
		if n++; n > sniffed {
			break
		}
		_, stamped := stamp(t)
		_, _, zsh := extended(t)
		if stamped || zsh || bytes.HasPrefix(t, []byte("  when: ")) {
			good++
		}
	}
	return good > 0 && good*3 >= n
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
