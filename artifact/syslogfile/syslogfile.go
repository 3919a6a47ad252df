// Package syslogfile reads the files that a syslog daemon writes and hands each message,
// its frame taken off, to the members that know its program. It knows no program itself;
// its events are theirs.
package syslogfile

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
	"telltale/internal/logclock"
	"telltale/internal/syslog"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "syslogfile",
		Doc:  "the syslog daemon's files: what sshd, sudo, cron, the mail server and the kernel said",
		Spec: "RFC 3164; RFC 5424; rsyslog 8 RSYSLOG_TraditionalFileFormat and RSYSLOG_FileFormat; busybox 1.36 sysklogd/syslogd.c",
		Files: []string{
			"/var/log/{auth.log,secure,syslog,messages,mail.log,maillog,mail.info,mail.warn,mail.err,mail,cron,cron.log,daemon.log,user.log,kern.log,debug,authlog,warn,localmessages}",
			"/var/log/haproxy{,/haproxy*}.log", // by the rules that Debian's package brings
			"/var/log/remote/**", "/var/log/rsyslog/**", "/var/log/hosts/**",
			"/var/log/{lfd,dnsmasq,pihole}.log", "/var/log/pihole/pihole.log", "/usr/local/maldetect/logs/event_log", "/var/log/proftpd{,/proftpd}.log", "/var/log/postfix.log", // written by the programs themselves, in the daemon's form
		},
		Log: true, Sniff: sniff, Parse: parse,
	}
}

// sniffLines is how many lines of a file decide what it is.
const sniffLines = 20

// sniff tells a syslog file by its first lines. Many logs begin with a stamp, so that a
// host and a program must follow, or a program with its process id; few syslog daemons write ISO stamps with a blank inside.
func sniff(head []byte) bool {
	c := &logclock.Clock{Year: 2000}
	n, good := 0, 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		l, ok := syslog.Parse(c, line)
		if ok && len(l.Program) > 0 && (len(l.PID) > 0 || len(l.Host) == 0 && metalog(line) || line[0] == '@' || len(l.Host) > 0 && !(len(line) > 10 && line[4] == '-' && line[10] == ' ')) {
			good++
		}
		if n++; n == sniffLines {
			break
		}
	}
	return good*2 > n
}

// metalog tells "Mon dd hh:mm:ss [program] text".
func metalog(line []byte) bool {
	i := bytes.IndexByte(line, '[')
	return i == 15 || i == 16
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		r := reader{in: in, yield: yield, frames: syslog.Frames{Clock: in.Clock}}
		r.m.Transport = "syslog"
		r.emit = func(e *event.Event) {
			if !r.stopped {
				r.stopped = !yield(*e, nil)
			}
		}
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok && !r.stopped; l, ok = lr.Next() {
			if l.Num%4096 == 0 && ctx.Err() != nil {
				return
			}
			r.line(l)
		}
		if err := lr.Err(); err != nil && !r.stopped {
			r.damage(in.Ref, "reading ended early: "+err.Error())
		}
	}
}

// reader is one run over one file.
type reader struct {
	in      *artifact.Input
	yield   func(event.Event, error) bool
	emit    func(*event.Event)
	stopped bool // the consumer wants no more
	m       artifact.Message
	last    []byte // the message before, as it stands in the file, for "last message repeated N times"; empty where none
	frames  syslog.Frames
}

func (r *reader) damage(ref evidence.Ref, why string) {
	if !r.stopped {
		r.stopped = !r.yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: why})
	}
}

func (r *reader) line(l lines.Line) {
	ref := r.in.Ref
	ref.Off, ref.Len, ref.Line = l.Off, l.Len, l.Num
	if l.Open {
		r.in.Seen.Open = ref
	}
	if l.Cut {
		r.damage(ref, "the line is longer than is kept: its end was passed over")
	}
	if i := bytes.IndexByte(l.Text, 0); i >= 0 {
		r.holed(ref, l.Text)
		return
	}
	r.message(ref, l.Text)
}

// holed reads what is left of a line with NUL bytes in it. A file system that went down
// leaves them where blocks were not written yet, and in their place whole lines are
// missing, with the end of the line before: each piece is looked at for itself.
func (r *reader) holed(ref evidence.Ref, text []byte) {
	r.damage(ref, "NUL bytes in a log: what was written here is lost, or was wiped")
	r.last = r.last[:0]
	for at := 0; at < len(text) && !r.stopped; {
		if text[at] == 0 {
			at++
			continue
		}
		n := bytes.IndexByte(text[at:], 0)
		if n < 0 {
			n = len(text) - at
		}
		piece := ref
		piece.Off, piece.Len = ref.Off+int64(at), int64(n)
		r.message(piece, text[at:at+n])
		at += n
	}
}

func (r *reader) message(ref evidence.Ref, text []byte) {
	if r.stopped || len(text) == 0 {
		return
	}
	s, ok := r.frames.Parse(text)
	if !ok {
		r.in.Seen.Unknown([]byte("(no frame)"))
		return
	}
	r.in.Seen.Record(s.At)
	if s.Program == nil && s.Text == nil && bytes.Contains(text, []byte("last message repeated ")) {
		last, ok := syslog.Parse(&logclock.Clock{Year: 2000}, r.last)
		if !ok || last.Program == nil || !bytes.Equal(s.Host, last.Host) {
			return // of what, the file does not say
		}
		s.Program, s.PID, s.Text = last.Program, last.PID, last.Text
	} else {
		r.last = append(r.last[:0], text...)
	}
	if len(s.Program) == 0 && said.BeginsAny(s.Text, ownWords) {
		s.Program = syslogd
	}
	m := &r.m
	m.At, m.Host, m.Program, m.PID, m.Text, m.Repeat = s.At, s.Host, s.Program, s.PID, s.Text, s.Repeat
	m.Ref, m.Raw = ref, text
	r.in.Seen.Program(s.Program, s.At)
	if known, understood := r.in.Messages.Decode(m, r.emit); known && !understood {
		r.in.Seen.Unknown(m.Program)
	}
}

// ownWords begin what old syslog daemons (sysklogd to 1.5) write about themselves, with no
// program's name before it.
var (
	ownWords = []string{"syslogd ", "exiting on signal "}
	syslogd  = []byte("syslogd")
)
