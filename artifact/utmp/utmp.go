// Package utmp reads the login records: wtmp, btmp, utmp and lastlog. Records have 384 bytes where time_t is
// kept in 32 bits for both word sizes (x86), 400 bytes where it is not (aarch64, s390x), in either
// byte order; which one a file has is voted on by its first records.
package utmp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"path"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/bin"
)

// Sizes of struct utmp (glibc 2.36 sysdeps/gnu/bits/utmp.h) and struct lastlog.
const (
	size384     = 384
	size400     = 400
	lastlogSize = 292 // x86: 32-bit time
	lastlog296  = 296 // 64-bit time
)

// Types of a record (utmp.h).
const (
	runLevel    = 1
	bootTime    = 2
	newTime     = 3
	oldTime     = 4
	initProcess = 5
	loginProc   = 6
	userProcess = 7
	deadProcess = 8
)

// Logins gives the artefact of wtmp, btmp and utmp.
func Logins() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "utmp", Doc: "logins, logouts, boots and refused logins", Spec: "utmp(5); glibc 2.36 sysdeps/gnu/bits/utmp.h",
		Files: []string{"/var/log/{wtmp,btmp}", "/var/run/utmp", "/run/utmp", "/var/adm/{wtmp,btmp}", "/etc/utmp"}, Log: true, Random: true,
		Kinds: []event.Kind{event.LoginRecord, event.LogoutRecord, event.BadLoginRecord, event.Boot, event.Shutdown, event.ClockChanged}, Parse: parse, Sniff: sniff,
	}
}

// Lastlog gives the artefact of lastlog.
func Lastlog() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "lastlog", Doc: "the last login of each account", Spec: "lastlog(5); glibc 2.36 struct lastlog",
		Files: []string{"/var/log/lastlog", "/var/adm/lastlog"}, Random: true, Kinds: []event.Kind{event.LoginRecord}, Parse: lastlog,
	}
}

type layout struct {
	size  int
	order binary.ByteOrder
}

var layouts = []layout{{size384, binary.LittleEndian}, {size400, binary.LittleEndian}, {size384, binary.BigEndian}, {size400, binary.BigEndian}}

type record struct {
	kind                 int16
	pid                  int32
	line, id, user, host []byte
	session              int32
	sec, usec            int64
	addr                 [16]byte
}

func (l layout) read(b []byte) (r record) {
	c := bin.Little(b)
	if l.order == binary.BigEndian {
		c = bin.Big(b)
	}
	r.kind = int16(c.U16())
	c.Skip(2)
	r.pid = int32(c.U32())
	r.line, r.id, r.user, r.host = c.CString(32), c.CString(4), c.CString(32), c.CString(256)
	c.Skip(4) // exit status
	if l.size == size400 {
		c.Skip(4) // ut_session is a long, aligned to eight bytes
		r.session = int32(c.U64())
		r.sec, r.usec = int64(c.U64()), int64(c.U64())
	} else {
		r.session = int32(c.U32())
		r.sec, r.usec = int64(c.U32()), int64(c.U32())
	}
	copy(r.addr[:], c.Bytes(16))
	return r
}

func (r *record) plausible() bool {
	if r.kind < 0 || r.kind > 9 || r.usec < 0 || r.usec > 999_999 || r.kind != 0 && (r.sec < 1e8 || r.sec > 1<<33) {
		return false
	}
	for _, s := range [][]byte{r.line, r.user} {
		for _, x := range s {
			if x < ' ' || x == 0x7f {
				return false
			}
		}
	}
	return true
}

// ofFTP tells a record of an ftp daemon that leaves the type empty, as ProFTPD does: "ftpd507" is its line, and a logout has no name.
func (r *record) ofFTP() bool {
	return r.kind == 0 && bytes.HasPrefix(r.line, []byte("ftp")) && r.sec >= 1e8 && r.sec <= 1<<33
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// vote gives the layout that reads the most of the first records well.
func vote(head []byte) (best layout, votes int) {
	for _, l := range layouts {
		n := 0
		for i := 0; i < 32 && (i+1)*l.size <= len(head); i++ {
			b := head[i*l.size : (i+1)*l.size]
			if r := l.read(b); !zero(b) && r.plausible() && (r.kind > 0 || r.ofFTP()) {
				n++
			}
		}
		if n > votes {
			best, votes = l, n
		}
	}
	return best, votes
}

func sniff(head []byte) bool {
	l, n := vote(head)
	return n > 0 && n >= min(len(head)/l.size, 16)*3/4 && len(head) >= l.size
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		head := make([]byte, 32*size400)
		n, err := in.At.ReadAt(head, 0)
		if err != nil && !errors.Is(err, io.EOF) {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
			return
		}
		l, votes := vote(head[:n])
		if votes == 0 {
			if in.Size > 0 {
				yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: fmt.Sprintf("no record of %d bytes is a login record", in.Size)})
			}
			return
		}
		f := file{in: in, l: l, bad: strings.Contains(path.Base(in.Path), "btmp")}
		f.records(ctx, yield)
	}
}

type file struct {
	in  *artifact.Input
	l   layout
	bad bool
	e   event.Event
}

func (f *file) records(ctx context.Context, yield func(event.Event, error) bool) {
	buf := make([]byte, 1024*f.l.size)
	zeros := int64(0)
	for off := int64(0); off < f.in.Size; off += int64(len(buf)) {
		n, err := f.in.At.ReadAt(buf, off)
		for i := 0; i+f.l.size <= n; i += f.l.size {
			if ctx.Err() != nil {
				return
			}
			b := buf[i : i+f.l.size]
			ref := f.in.Ref
			ref.Off, ref.Len = off+int64(i), int64(f.l.size)
			if zero(b) {
				if zeros++; zeros == 1 && !yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: "a record of zeros: tools that wipe a login leave this"}) {
					return
				}
				continue
			}
			r := f.l.read(b)
			if !r.plausible() {
				f.in.Seen.Unknown([]byte("(no login record)"))
				continue
			}
			f.fill(&r, ref)
			f.in.Seen.Record(f.e.At)
			if f.e.Kind != event.Unknown && !yield(f.e, nil) {
				return
			}
		}
		if rest := n % f.l.size; off+int64(n) >= f.in.Size && rest != 0 {
			ref := f.in.Ref
			ref.Off, ref.Len = off+int64(n-rest), int64(rest)
			yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: fmt.Sprintf("%d bytes at the end are no whole record", rest)})
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				yield(event.Event{}, &evidence.Damage{Ref: f.in.Ref, Reason: err.Error()})
			}
			return
		}
	}
}

func (f *file) fill(r *record, ref evidence.Ref) {
	e := &f.e
	e.Reset(event.Unknown)
	e.At, e.Ref = evidence.Unix(r.sec, r.usec*1000, time.Microsecond), ref
	if r.ofFTP() {
		if r.kind = userProcess; len(r.user) == 0 {
			r.kind = deadProcess
		}
	}
	switch r.kind {
	case bootTime:
		e.Kind = event.Boot
		e.Add(event.OSKernel, r.host)
	case runLevel:
		if bytes.HasPrefix(r.user, []byte("shutdown")) {
			e.Kind = event.Shutdown
		}
	case newTime:
		e.Kind = event.ClockChanged
	case userProcess:
		e.Kind = event.LoginRecord
	case deadProcess:
		e.Kind = event.LogoutRecord
	case loginProc:
		if f.bad {
			e.Kind = event.BadLoginRecord
		}
	}
	if f.bad && r.kind == userProcess {
		e.Kind = event.BadLoginRecord
	}
	e.Add(event.Terminal, r.line)
	if e.Kind != event.LogoutRecord && e.Kind != event.Boot {
		e.Add(event.UserName, r.user)
	}
	e.AddInt(event.ProcessPID, int64(r.pid))
	e.AddText(event.RecordType, strings.TrimRight(path.Base(f.in.Path), ".0123456789"))
	address(e, r.host, r.addr)
	e.Raw = fmt.Appendf(nil, "type %d pid %d line %q user %q host %q time %s", r.kind, r.pid, r.line, r.user, r.host, e.At)
}

// address gives where a login came from: the address that the record keeps in binary, else what is written in its host.
func address(e *event.Event, host []byte, raw [16]byte) {
	if !zero(raw[:]) {
		a := netip.AddrFrom16(raw)
		if zero(raw[4:]) {
			a = netip.AddrFrom4([4]byte(raw[:4]))
		}
		e.AddText(event.SourceIP, a.Unmap().String())
	} else if a, err := netip.ParseAddr(string(host)); err == nil {
		e.AddText(event.SourceIP, a.Unmap().String())
	}
	e.Add(event.SourceHost, host)
}

// maxUID bounds how far into a lastlog, which is sparse and indexed by uid, is read one by one.
const maxUID = 200_000

// lastlog reads the records of the accounts that the host has: the file is sparse, and a large uid makes it gigabytes.
func lastlog(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		size := int64(lastlogSize)
		if in.Size%lastlogSize != 0 && in.Size%lastlog296 == 0 {
			size = lastlog296
		}
		b := make([]byte, size)
		var e event.Event
		for i, u := range in.Host.Users {
			if i > maxUID || ctx.Err() != nil {
				return
			}
			off := int64(u.UID) * size
			if off+size > in.Size {
				continue
			}
			if n, err := in.At.ReadAt(b, off); int64(n) < size {
				if err != nil && !errors.Is(err, io.EOF) {
					yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
					return
				}
				continue
			}
			c := bin.Little(b)
			sec := int64(c.U32())
			if size == lastlog296 {
				sec |= int64(c.U32()) << 32
			}
			line, host := c.CString(32), c.CString(256)
			if sec <= 0 || sec > 1<<33 {
				continue
			}
			e.Reset(event.LoginRecord)
			e.At, e.Ref = evidence.Unix(sec, 0, time.Second), in.Ref
			e.Ref.Off, e.Ref.Len = off, size
			in.Seen.Record(e.At)
			e.AddText(event.UserName, u.Name)
			e.Add(event.Terminal, line)
			e.AddText(event.RecordType, "lastlog")
			address(&e, host, [16]byte{})
			e.Raw = fmt.Appendf(nil, "uid %d line %q host %q time %s", u.UID, line, host, e.At)
			if !yield(e, nil) {
				return
			}
		}
	}
}
