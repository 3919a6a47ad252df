package journald

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"

	"telltale/artifact"
	"telltale/event"
)

// Exported gives the artefact of a journal that journalctl wrote as text, which is how it is mostly handed over.
func Exported() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "journal-export", Doc: "the systemd journal as journalctl writes it: -o export, -o json",
		Spec:  "systemd JOURNAL_EXPORT_FORMATS",
		Files: []string{"/var/log/journal/**/*.{export,json}", "/var/log/*.export"},
		Log:   true, Sniff: exported, Parse: parseExported,
	}
}

var realtime, object = []byte("__REALTIME_TIMESTAMP"), []byte("{")

// exported tells one by its first entry, which names its time among its first fields.
func exported(head []byte) bool {
	head = head[:min(len(head), 4096)]
	at := bytes.Index(head, realtime)
	return at >= 0 && (bytes.HasPrefix(head, []byte("__")) || bytes.HasPrefix(head, object))
}

// exportLine bounds a line that is used, and a value with newlines; what is longer is cut.
const exportLine = 256 << 10 // bytes

// export reads entries one by one.
type export struct {
	*reader
	r          *bufio.Reader
	off        int64 // of the next byte
	from       int64 // of the entry
	kept       []byte
	at         int64 // microseconds since 1970
	comm, pid  []byte
	begun      bool
	hasMessage bool
}

func parseExported(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		x := &export{reader: &reader{ctx: ctx, in: in, yield: yield, going: true}, r: bufio.NewReaderSize(in.R, exportLine)}
		x.reset()
		for x.going && ctx.Err() == nil {
			at := x.off
			b, err := x.line()
			switch {
			case len(b) == 0 && err == nil:
				x.end(at)
			case len(b) > 0 && !x.begun && b[0] == '{':
				x.from = at
				x.object(b)
				x.end(x.off)
			case len(b) > 0:
				if !x.begun {
					x.begun, x.from = true, at
				}
				err = errors.Join(err, x.field(b))
			}
			if err != nil {
				x.end(x.off)
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					x.tell(x.damage(at, x.off-at, "exported journal: %v", err))
				}
				return
			}
		}
	}
}

// line gives the next line without its end, cut at exportLine. It is good until the next read.
func (x *export) line() ([]byte, error) {
	b, err := x.r.ReadSlice('\n')
	x.off += int64(len(b))
	if errors.Is(err, bufio.ErrBufferFull) {
		b = bytes.Clone(b)
		for errors.Is(err, bufio.ErrBufferFull) && x.ctx.Err() == nil {
			var more []byte
			more, err = x.r.ReadSlice('\n')
			x.off += int64(len(more))
		}
	}
	return bytes.TrimRight(b, "\r\n"), err
}

// field reads "NAME=value", or a name alone, behind which lie the value's length as eight bytes and the value, which may hold anything.
func (x *export) field(b []byte) error {
	if i := bytes.IndexByte(b, '='); i >= 0 {
		x.set(b[:i], b[i+1:])
		return nil
	}
	name := bytes.Clone(b[:min(len(b), 64)])
	var size [8]byte
	if _, err := io.ReadFull(x.r, size[:]); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(size[:])
	if n > 1<<40 {
		return errors.New("a value without end")
	}
	value := make([]byte, min(n, exportLine))
	if _, err := io.ReadFull(x.r, value); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, x.r, int64(n)-int64(len(value))+1); err != nil { // and the newline behind it
		return err
	}
	x.off += 8 + int64(n) + 1
	x.set(name, value)
	return nil
}

// object reads an entry of -o json: values are strings, or lists of bytes where they are no text.
func (x *export) object(b []byte) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		x.in.Seen.Unknown([]byte("(journal entry that is no object)"))
		return
	}
	x.begun = true
	for k, raw := range fields {
		var s string
		var list []uint16
		if err := json.Unmarshal(raw, &s); err == nil {
			x.set([]byte(k), []byte(s))
		} else if err := json.Unmarshal(raw, &list); err == nil {
			v := make([]byte, len(list))
			for i, c := range list {
				v[i] = byte(c)
			}
			x.set([]byte(k), v)
		}
	}
}

func (x *export) set(name, value []byte) {
	if bytes.Equal(name, realtime) {
		x.at, _ = strconv.ParseInt(string(value), 10, 64)
		return
	}
	for _, n := range names {
		if len(n.prefix) != len(name)+1 || n.prefix[:len(name)] != string(name) {
			continue
		}
		value = value[:min(len(value), maxValue)]
		if n := len(x.kept); n+len(value) > cap(x.kept) {
			x.kept = make([]byte, 0, 2*len(value)+4096) // what was given out keeps its own
		}
		x.kept = append(x.kept, value...)
		x.take(n.name, x.kept[len(x.kept)-len(value):])
		return
	}
}

func (x *export) take(n name, v []byte) {
	m := &x.m
	switch n {
	case message:
		m.Text, x.hasMessage = v, true
	case identifier:
		m.Program = v
	case command:
		x.comm = v
	case syslogPID:
		m.PID = v
	case senderPID:
		x.pid = v
	case senderUID:
		m.UID = v
	case auditSession:
		m.Session = v
	case hostname:
		m.Host = v
	case executable:
		x.exe = v
	}
}

func (x *export) reset() {
	x.m = artifact.Message{Transport: "journal", Repeat: 1, Ref: x.in.Ref}
	x.kept, x.at, x.comm, x.pid, x.exe, x.begun, x.hasMessage = x.kept[:0], 0, nil, nil, nil, false, false
}

// end hands the entry on, which ends at to.
func (x *export) end(to int64) {
	defer x.reset()
	if !x.begun {
		return
	}
	if x.at <= 0 || x.at > 1<<53 || !x.hasMessage {
		x.in.Seen.Unknown([]byte("(journal entry without a time or message)"))
		return
	}
	m := &x.m
	m.At = micro(x.at)
	m.Ref.Off, m.Ref.Len = x.from, to-x.from
	x.in.Seen.Record(m.At)
	x.finish(x.comm, x.pid)
	x.hand()
}
