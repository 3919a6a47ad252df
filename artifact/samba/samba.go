// Package samba reads the logs of smbd and its kin: who was let in or refused, which shares were connected to, each
// file that vfs_full_audit saw written, made or removed, and the words that smbd says when it is made to load a library
// as a pipe (CVE-2017-7494).
package samba

import (
	"bytes"
	"context"
	"iter"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "samba", Doc: "logins to the file server, connections to its shares, and files written, made and removed",
		Spec:  "samba 3.6 and 4.20: lib/util/debug.c (dbghdrclass), source3/smbd/smb2_service.c, source3/auth/auth.c, auth/auth_log.c, source3/modules/vfs_full_audit.c, lib/util/modules.c, source3/rpc_server/srv_pipe.c (is_known_pipename); vfs_full_audit(8)",
		Files: []string{"/var/log/samba/log.*", "/var/log/samba/*.log", "/var/log/samba/*.old", "/usr/local/samba/var/log.*"}, Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"smbd", "smb", "smbd_audit", "nmbd", "winbindd", "samba"}, Decode: decode,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.SessionOpened, event.SessionClosed, event.FileUploaded, event.FileDownloaded,
			event.FileRemoved, event.DirectoryMade, event.ServiceStarted, event.ProgramSaid},
	}
}

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	h, ok := readHeader(&logclock.Clock{}, line)
	return ok && len(h.place) > 0
}

// header is "[2024/03/14 02:11:09.123456,  2, pid=812, effective(0, 0), real(0, 0)] ../../source3/smbd/service.c:853(make_connection_snum)";
// without "debug pid", and before 3.6, it is "[2008/02/21 15:42:14, 3] smbd/service.c:make_connection_snum(1033)".
type header struct {
	at    evidence.Time
	pid   []byte
	place []byte // source file, line and function; nil where the text follows at once ("debug prefix timestamp")
	text  []byte
}

func readHeader(c *logclock.Clock, b []byte) (h header, ok bool) {
	if len(b) < 24 || b[0] != '[' || b[5] != '/' || b[8] != '/' || b[11] != ' ' || b[14] != ':' || b[17] != ':' {
		return h, false
	}
	nsec, step, n := fraction(b[20:])
	if h.at, ok = c.Local(logclock.Digits(b[1:5]), time.Month(logclock.Digits(b[6:8])), logclock.Digits(b[9:11]),
		logclock.Digits(b[12:14]), logclock.Digits(b[15:17]), logclock.Digits(b[18:20]), nsec, step); !ok {
		return h, false
	}
	fields, rest, ok := said.Cut(b[20+n:], "]")
	if !ok || len(fields) == 0 || fields[0] != ',' || len(fields) > 200 {
		return h, false
	}
	if _, pid, ok := said.Cut(fields, "pid="); ok {
		h.pid = said.Number(pid)
	}
	rest = bytes.TrimSpace(rest)
	if place, after := said.FirstWord(rest); len(after) == 0 && bytes.Contains(place, []byte(".c:")) {
		h.place = place
	} else {
		h.text = rest
	}
	return h, true
}

// fraction reads ".123456".
func fraction(b []byte) (nsec int32, step time.Duration, n int) {
	if len(b) < 7 || b[0] != '.' || len(said.Number(b[1:7])) != 6 {
		return 0, time.Second, 0
	}
	return int32(logclock.Digits(b[1:7])) * 1000, time.Microsecond, 7
}

var smbd, noHeader = []byte("smbd"), []byte("samba line")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		going := true
		m := artifact.Message{Repeat: 1, Program: smbd}
		r := reader{in: in, t: teller{m: &m, file: true, peer: peerOf(in.Path), yield: func(e *event.Event) { going = going && yield(*e, nil) }}}
		for ref, line := range artifact.EachLine(ctx, in, yield) {
			r.line(ref, line)
			if !going {
				return
			}
		}
		r.t.flush()
	}
}

// reader is one run over one file.
type reader struct {
	in         *artifact.Input
	t          teller
	begun      bool // a header was seen
	pid, place []byte
	raw        []byte       // the last header, and the line behind it
	first      evidence.Ref // of that header
}

// line takes a header, or a line of the message that the last one began.
func (r *reader) line(ref evidence.Ref, line []byte) {
	m := r.t.m
	m.Ref, m.Raw = ref, line
	if h, ok := readHeader(r.in.Clock, line); ok {
		r.begun, r.first = true, ref
		r.raw, r.pid, r.place = append(r.raw[:0], line...), append(r.pid[:0], h.pid...), append(r.place[:0], h.place...)
		r.in.Seen.Record(h.at)
		m.At, m.PID = h.at, r.pid
		r.t.place, r.t.line = nil, 0
		if len(r.place) > 0 {
			r.t.place = r.place
		}
		r.t.settle()
		if h.text != nil {
			r.t.line = 1
			r.t.text(h.text)
		}
		return
	}
	if !r.begun {
		r.in.Seen.Unknown(noHeader)
		return
	}
	r.t.line++
	if r.t.line == 1 && len(r.raw) < maxHeader && ref.Off == r.first.Off+r.first.Len+1 { // its header tells when: both are the evidence
		r.raw = append(append(r.raw, '\n'), line...)
		m.Ref.Off, m.Ref.Len, m.Ref.Line, m.Raw = r.first.Off, ref.Off+ref.Len-r.first.Off, r.first.Line, r.raw
	}
	r.t.text(bytes.TrimSpace(line))
}

const maxHeader = 1 << 10 // bytes

// peerOf gives the client that a log is of, "log file = /var/log/samba/log.%m" or "%m.log"; "" for a daemon's own. Names
// of rotated logs end in numbers, as addresses do.
func peerOf(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	for _, packed := range [...]string{".gz", ".xz", ".bz2", ".zst", ".old"} {
		name = strings.TrimSuffix(name, packed)
	}
	peer, ok := strings.CutPrefix(name, "log.")
	if said.Address([]byte(peer)) == nil {
		if i := strings.LastIndexByte(peer, '.'); i > 0 && len(said.Number([]byte(peer[i+1:]))) == len(peer)-i-1 {
			peer = peer[:i]
		}
	}
	if !ok {
		if peer, ok = strings.CutSuffix(peer, ".log"); !ok {
			return ""
		}
	}
	for _, own := range [...]string{"smbd", "nmbd", "winbindd", "samba", "wb-", "rpcd", "ctdb"} {
		if strings.HasPrefix(peer, own) {
			return ""
		}
	}
	return peer
}

// decode reads what goes to syslog: there every line of the log is a message, its header too.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := teller{m: m, yield: yield, line: 1}
	// The name under which vfs_full_audit opened syslog is that of the whole process: smbd's own words come under it, too, behind a header or two blanks.
	if _, head := readHeader(&logclock.Clock{}, m.Text); string(m.Program) == "smbd_audit" && bytes.IndexByte(m.Text, '|') >= 0 && !head && !bytes.HasPrefix(m.Text, []byte("  ")) {
		return t.audited(m.Text)
	}
	if h, ok := readHeader(&logclock.Clock{}, m.Text); ok {
		if len(h.text) > 0 {
			t.text(h.text)
		}
		return true
	}
	t.text(bytes.TrimSpace(m.Text))
	return true
}
