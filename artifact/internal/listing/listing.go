// Package listing reads what the tools of a running machine printed of it - ps, ss, netstat, lsof, ls, lsmod, mount - and files of
// /proc that were copied as text, as collectors keep them. It gives the events that package volatile gives of our own view: a process of which
// several files tell becomes several events with the same process.pid, each with what its file knows. Such a text is what the
// machine said of itself, by tools that an intruder may have replaced; a line that fits no known form is counted and passed over.
//
// Forms: ps(1) of procps-ng 3.2 to 4, ss(8) of iproute2 3 to 6, netstat(8) of net-tools, lsof(8) 4.8 and later, ls(1) and sha1sum(1) of coreutils, proc(5).
package listing

import (
	"context"
	"iter"
	"net/netip"
	"strconv"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
	"telltale/internal/state"
)

// Bounds of what is read of one file.
const (
	maxLines = 2_000_000
	maxWhole = 4 << 20 // bytes of a file that is one record
	maxFiles = 4096    // open files of one process
)

// A Reader reads one file: line by line, with what it keeps in between told at the end.
type Reader struct {
	in   *artifact.Input
	ev   event.Event
	ref  evidence.Ref
	raw  []byte
	give func(event.Event, error) bool
	on   bool
}

// A Form reads the lines of one file. end may be nil.
type Form func(r *Reader) (line func(t []byte) (known bool), end func())

// Artifact makes an artefact of a form.
func Artifact(name, doc, spec string, files []string, kinds []event.Kind, f Form) *artifact.Artifact {
	return &artifact.Artifact{Name: name, Doc: doc, Spec: spec, State: files, Kinds: kinds, Parse: parse(name, f)}
}

func parse(name string, f Form) func(context.Context, *artifact.Input) iter.Seq2[event.Event, error] {
	odd := []byte(name)
	return func(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			r := &Reader{in: in, give: yield, on: true}
			line, end := f(r)
			lr := lines.NewReader(in.R)
			for l, ok := lr.Next(); ok && r.on; l, ok = lr.Next() {
				if l.Num%4096 == 0 && ctx.Err() != nil {
					return
				}
				r.ref, r.raw = in.Ref, l.Text
				r.ref.Off, r.ref.Len, r.ref.Line = l.Off, l.Len, l.Num
				switch {
				case l.Num > maxLines:
					yield(event.Event{}, &evidence.Damage{Ref: r.ref, Reason: "a listing of more than " + strconv.Itoa(maxLines) + " lines: the rest is not read"})
					return
				case len(l.Text) == 0:
				case line(l.Text):
					in.Seen.Record(evidence.Time{})
				default:
					in.Seen.Unknown(odd)
				}
			}
			if end != nil && r.on {
				end()
			}
			if err := lr.Err(); err != nil && ctx.Err() == nil && r.on {
				yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
			}
		}
	}
}

// event gives the line's own event, emptied.
func (r *Reader) event(k event.Kind) *event.Event {
	r.ev.Reset(k)
	r.ev.Ref, r.ev.Raw = r.ref, r.raw
	return &r.ev
}

// yield shows an event.
func (r *Reader) yield(e *event.Event) { r.on = r.on && r.give(*e, nil) }

// process begins an event of a process.
func (r *Reader) process(pid int) *event.Event {
	e := r.event(event.ProcessSeen)
	e.AddInt(event.ProcessPID, int64(pid))
	return e
}

// pidOf reads a process's number: proc(5), at most 4194304.
func pidOf(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil && n > 0
}

// pathPID gives the process that a file's path names: "/live_response/process/proc/812/maps.txt".
func pathPID(p string) (int, bool) {
	parts := strings.Split(p, "/")
	for i := len(parts) - 2; i > 0; i-- {
		if parts[i-1] == "proc" {
			return pidOf(parts[i])
		}
	}
	return 0, false
}

// Executable adds what the link exe of a process points to, and what is odd of it.
func Executable(in *artifact.Input, e *event.Event, target string) {
	file, gone := strings.CutSuffix(target, " (deleted)")
	e.AddText(event.Executable, state.Text([]byte(file), maxText))
	switch {
	case strings.HasPrefix(file, "/memfd:"):
		e.AddText(event.ProcessTrait, "memory")
	case gone:
		e.AddText(event.ProcessTrait, "deleted")
		if in.Host != nil && in.Host.Stands != nil && in.Host.Stands(file) {
			e.AddText(event.ProcessTrait, "replaced")
		}
	}
}

// maxText bounds a path or an argument, bytes.
const maxText = 4096

// account adds who a process belongs to, where the tool said the name or the number whole.
func account(e *event.Event, s string) {
	switch _, err := strconv.ParseUint(s, 10, 32); {
	case err == nil:
		e.AddText(event.UserID, s)
	case s != "" && !strings.HasSuffix(s, "+"): // ps cuts a long name so
		e.AddText(event.UserName, state.Text([]byte(s), 64))
	}
}

// Socket fills an event of a socket.
func Socket(s *state.Socket, e *event.Event) {
	e.AddText(event.NetworkTransport, s.Protocol)
	end(e, s.Local, event.SourceIP, event.SourcePort)
	end(e, s.Remote, event.DestinationIP, event.DestinationPort)
	e.AddText(event.SocketState, s.State)
	if s.Inode != 0 {
		e.AddInt(event.SocketInode, int64(s.Inode))
		e.AddInt(event.UserID, int64(s.UID))
	}
	for _, pid := range s.PIDs {
		e.AddInt(event.ProcessPID, int64(pid))
	}
	if s.Filter > 0 {
		e.AddInt(event.EventCount, int64(s.Filter))
	}
	for _, v := range s.Views {
		e.AddText(event.ViewShown, v)
	}
}

// end adds one end of a connection; of other sockets, its name.
func end(e *event.Event, s string, ip, port event.Key) {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		if ip == event.SourceIP {
			e.AddText(event.FilePath, s)
		}
		return
	}
	e.AddText(ip, a.Addr().String())
	e.AddInt(port, int64(a.Port()))
}
