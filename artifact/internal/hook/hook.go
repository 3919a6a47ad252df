// Package hook is what the artefacts share that read what a system runs or loads by itself: each mechanism is an artefact of
// its own, whose name is that of the mechanism, and each thing that it runs an event of kind Hookup. What is read is text of a few
// pages, line by line; a line that is not understood is passed over, for the programs that these files are for do so, too.
package hook

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
)

// The bounds of one file.
const (
	maxLines = 20_000
	maxFound = 2_000
)

// Found is one thing that a line makes run.
type Found struct {
	Runs    string // the command, program, library or module
	As      string // account; "" for the one whose home the file lies in, else root
	On      string // the occasion
	Setting string // the setting's name, where there is one
}

// Reader reads one file: it is called with each line, without blanks at its ends, in their order.
type Reader func(line []byte, give func(Found))

// Settings gives the artefact of a mechanism that lines of settings name. begin is called for each file, so that a reader may keep
// in which section it is.
func Settings(name, doc, spec string, files []string, begin func(in *artifact.Input) Reader) *artifact.Artifact {
	return &artifact.Artifact{Name: name, Doc: doc, Spec: spec, Files: files, Kinds: []event.Kind{event.Hookup}, Parse: func(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) { settings(ctx, in, name, begin(in), yield) }
	}}
}

func settings(ctx context.Context, in *artifact.Input, name string, read Reader, yield func(event.Event, error) bool) {
	n, found, going := 0, 0, true
	for ref, t := range artifact.EachLine(ctx, in, yield) {
		if n++; n > maxLines || found >= maxFound {
			yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: "more lines or commands than are read of one file: the rest was passed over"})
			return
		}
		read(bytes.TrimSpace(t), func(f Found) {
			if f.Runs == "" || !going || found >= maxFound {
				return
			}
			found++
			in.Seen.Record(evidence.Time{})
			e := made(in, name, ref, t, f)
			going = yield(e, nil)
		})
		if !going {
			return
		}
	}
}

// Script gives the artefact of a mechanism whose files run whole because of where they lie. runnable tells that only files with the execute bit do.
func Script(name, doc, spec, on string, runnable bool, files ...string) *artifact.Artifact {
	return &artifact.Artifact{Name: name, Doc: doc, Spec: spec, Files: files, Kinds: []event.Kind{event.Hookup}, Parse: func(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			if runnable && in.Meta.Mode != 0 && in.Meta.Mode&0o111 == 0 {
				return
			}
			script(ctx, in, name, on, yield)
		}
	}}
}

// script gives the file, and each line of it that is no comment: who hides a command in a long script leaves its first lines as they were.
func script(ctx context.Context, in *artifact.Input, name, on string, yield func(event.Event, error) bool) {
	whole := Found{Runs: in.Path, On: on}
	in.Seen.Record(evidence.Time{})
	first := in.Ref
	if !yield(made(in, name, first, []byte(in.Path), whole), nil) {
		return
	}
	n := 0
	for ref, t := range artifact.EachLine(ctx, in, func(event.Event, error) bool { return true }) {
		if n++; n > maxLines || n == 1 && bytes.HasPrefix(t, []byte("\x7fELF")) {
			return
		}
		l := bytes.TrimSpace(t)
		if len(l) < 4 || l[0] == '#' {
			continue
		}
		e := made(in, name, ref, t, whole)
		e.Add(event.ProcessScript, l)
		if !yield(e, nil) {
			return
		}
	}
}

func made(in *artifact.Input, name string, ref evidence.Ref, raw []byte, f Found) event.Event {
	e := event.Event{Kind: event.Hookup, Ref: ref, Raw: raw}
	e.AddText(event.RecordType, name)
	e.AddText(event.CommandLine, f.Runs)
	e.AddText(event.UserName, as(in, f.As))
	e.AddText(event.Message, f.On)
	e.AddText(event.SettingName, f.Setting)
	if in.Meta.Mode != 0 {
		e.AddText(event.FileMode, strconv.FormatUint(uint64(in.Meta.Mode), 8))
	}
	return e
}

func as(in *artifact.Input, who string) string {
	if who != "" {
		return who
	}
	if u := in.Host.UserByHome(in.Path); u != "" {
		return u
	}
	if rest, ok := strings.CutPrefix(in.Path, "/home/"); ok { // the home of an account that is no more
		u, _, _ := strings.Cut(rest, "/")
		return u
	}
	return "root"
}

// Each is the begin of a reader that keeps nothing between lines.
func Each(read Reader) func(*artifact.Input) Reader {
	return func(*artifact.Input) Reader { return read }
}

// Comment tells an empty line and one that begins with any of the marks.
func Comment(t []byte, marks string) bool { return len(t) == 0 || strings.IndexByte(marks, t[0]) >= 0 }

// Assigned cuts "name = value" at the first of the signs and takes quotes off the value; ok is false where no sign stands.
func Assigned(t []byte, signs string) (name, value string, ok bool) {
	i := bytes.IndexAny(t, signs)
	if i <= 0 {
		return "", "", false
	}
	return strings.TrimSpace(string(t[:i])), Unquoted(strings.TrimSpace(string(t[i+1:]))), true
}

// Unquoted takes one pair of quotes off.
func Unquoted(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// Word cuts the first word off.
func Word(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimLeft(s[i:], " \t")
	}
	return s, ""
}

// Named is the begin of a reader of "name value" or "name=value" lines, of which the named ones run their value on an occasion. Names are compared
// without regard to case.
func Named(signs, comments string, on map[string]string) func(*artifact.Input) Reader {
	return Each(func(t []byte, give func(Found)) {
		if Comment(t, comments) {
			return
		}
		if name, v, ok := Assigned(t, signs); ok {
			if when, ok := on[strings.ToLower(name)]; ok {
				give(Found{Runs: v, On: when, Setting: name})
			}
		}
	})
}

// Section gives the name of a line "[name]".
func Section(t []byte) (string, bool) {
	if n := len(t); n > 2 && t[0] == '[' && t[n-1] == ']' {
		return string(t[1 : n-1]), true
	}
	return "", false
}
