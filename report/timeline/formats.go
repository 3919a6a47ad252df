package timeline

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"telltale/evidence"
	"telltale/report/internal/text"
)

// bodyfile is version 3 of The Sleuth Kit's: MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime, times in seconds, here with
// nanoseconds behind a point.
type bodyfile struct {
	w   *bufio.Writer
	err error
}

func newBodyfile(w io.Writer, _ string) Writer { return &bodyfile{w: bufio.NewWriterSize(w, 1<<20)} }

func (b *bodyfile) File(f *File) error {
	name := strings.ReplaceAll(f.name(), "|", `\x7c`)
	_, err := fmt.Fprintf(b.w, "0|%s|%d|%s|%d|%d|%d|%s|%s|%s|%s\n", name, f.Inode, f.modeText(), f.UID, f.GID, f.Size,
		seconds(f.Accessed), seconds(f.Modified), seconds(f.Changed), seconds(f.Born))
	return err
}

func (b *bodyfile) Event(*Event) error { return nil }
func (b *bodyfile) Close() error       { return b.w.Flush() }

func seconds(t evidence.Time) string {
	if !t.Known() {
		return "0"
	}
	if t.Nsec == 0 {
		return strconv.FormatInt(t.Sec, 10)
	}
	if t.Sec < 0 { // the fraction counts forward: -0.5 is -1 + 500,000,000 ns
		return fmt.Sprintf("%.9f", float64(t.Sec)+float64(t.Nsec)/1e9)
	}
	return fmt.Sprintf("%d.%09d", t.Sec, t.Nsec)
}

// csvWriter has mactime's columns.
type csvWriter struct {
	s *sorter
	m []moment
}

func newCSV(w io.Writer, spool string) Writer {
	io.WriteString(w, "Date,Size,Type,Mode,UID,GID,Meta,File Name\n")
	return &csvWriter{s: newSorter(w, spool)}
}

func (c *csvWriter) File(f *File) error {
	c.m = f.moments(c.m)
	name, mode := f.name(), f.modeText()
	for _, m := range c.m {
		b := c.s.begin()
		b = appendStamp(b, m.at)
		b = append(b, ',')
		b = strconv.AppendInt(b, f.Size, 10)
		b = append(b, ',')
		if m.gone {
			b = append(b, "gone"...)
		} else {
			b = append(b, m.macb[:]...)
		}
		b = append(b, ',')
		b = append(b, mode...)
		b = append(b, ',')
		b = strconv.AppendUint(b, uint64(f.UID), 10)
		b = append(b, ',')
		b = strconv.AppendUint(b, uint64(f.GID), 10)
		b = append(b, ',')
		b = strconv.AppendUint(b, f.Inode, 10)
		b = append(b, ',')
		if err := c.s.add(m.at, cell(b, name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvWriter) Event(e *Event) error {
	if !e.At.Known() {
		return nil
	}
	b := append(appendStamp(c.s.begin(), e.At), ",0,"...)
	b = append(cell(b, e.Kind), ",,,,"...)
	b = append(cell(b, e.place()), ',')
	return c.s.add(e.At, cell(b, e.message()))
}

func (c *csvWriter) Close() error { return c.s.finish() }

// appendStamp writes RFC 3339 with nanoseconds, without the detour of time.Format.
func appendStamp(b []byte, t evidence.Time) []byte {
	return t.Std().AppendFormat(b, "2006-01-02T15:04:05.000000000Z")
}

// cell writes a field of CSV.
func cell(b []byte, s string) []byte { return text.AppendCell(b, s) }

// l2t has the columns of log2timeline.
type l2t struct {
	s *sorter
	m []moment
}

func newL2T(w io.Writer, spool string) Writer {
	io.WriteString(w, "date,time,timezone,MACB,source,sourcetype,type,user,host,short,desc,version,filename,inode,notes,format,extra\n")
	return &l2t{s: newSorter(w, spool)}
}

var macbWords = map[byte]string{'m': "modified", 'a': "accessed", 'c': "changed", 'b': "born"}

func (l *l2t) File(f *File) error {
	l.m = f.moments(l.m)
	name := f.name()
	for _, m := range l.m {
		macb, words := strings.ToUpper(string(m.macb[:])), momentWords(m)
		if err := l.row(m.at, macb, "FILE", "file times", words, strconv.FormatUint(uint64(f.UID), 10), f.Host, name, name, text.Escape(f.Path), strconv.FormatUint(f.Inode, 10),
			f.Source, fmt.Sprintf("size: %d; mode: %s; gid: %d", f.Size, f.modeText(), f.GID)); err != nil {
			return err
		}
	}
	return nil
}

func momentWords(m moment) string {
	if m.gone {
		return "deleted"
	}
	var words []string
	for _, c := range m.macb {
		if w := macbWords[c]; w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, "; ")
}

func (l *l2t) Event(e *Event) error {
	if !e.At.Known() {
		return nil
	}
	user := ""
	extra := make([]string, 0, len(e.Attrs))
	for _, a := range e.Attrs {
		if a.Name == "user.name" {
			user = text.Escape(a.Value)
		}
		extra = append(extra, a.Name+": "+text.Escape(a.Value))
	}
	return l.row(e.At, "....", "LOG", e.Kind, "written", user, e.Host, e.message(), e.message(), text.Escape(e.Path), "-", e.place(), strings.Join(extra, "; "))
}

func (l *l2t) row(at evidence.Time, macb, source, sourceType, kind, user, host, short, desc, file, inode, notes, extra string) error {
	date, hour := clock(at)
	b := l.s.begin()
	for _, s := range [...]string{date, hour, "UTC", macb, source, sourceType, kind, user, host, short, desc, "2", file, inode, notes, "telltale", extra} {
		b = append(cell(b, s), ',')
	}
	return l.s.add(at, b[:len(b)-1])
}

func (l *l2t) Close() error { return l.s.finish() }

// jsonl is what Timesketch takes: message, datetime, timestamp_desc, and any other field.
type jsonl struct {
	s *sorter
	m []moment
}

func newJSONL(w io.Writer, spool string) Writer { return &jsonl{s: newSorter(w, spool)} }

func (j *jsonl) File(f *File) error {
	j.m = f.moments(j.m)
	for _, m := range j.m {
		row := map[string]any{"message": f.name(), "datetime": stamp(m.at), "timestamp": micros(m.at), "timestamp_desc": momentWords(m), "data_type": "telltale:file",
			"source_id": f.Source, "file.path": text.Escape(f.Path), "file.inode": f.Inode, "file.size": f.Size, "file.mode": fmt.Sprintf("%04o", f.Mode), "file.uid": f.UID, "file.gid": f.GID, "file.type": f.Type}
		if f.State != "" {
			row["file.state"] = f.State
		}
		if f.Host != "" {
			row["host.name"] = text.Escape(f.Host)
		}
		if err := j.row(m.at, row); err != nil {
			return err
		}
	}
	return nil
}

func (j *jsonl) Event(e *Event) error {
	if !e.At.Known() {
		return nil
	}
	row := map[string]any{"message": e.message(), "datetime": stamp(e.At), "timestamp": micros(e.At), "timestamp_desc": e.Kind, "data_type": "telltale:event", "source_id": e.Source, "log.file.path": text.Escape(e.Path)}
	if e.Line > 0 {
		row["log.file.line"] = e.Line
	} else {
		row["log.offset"] = e.Offset
	}
	if e.Host != "" {
		row["host.name"] = text.Escape(e.Host)
	}
	for _, a := range e.Attrs {
		row[a.Name] = text.Escape(a.Value)
	}
	return j.row(e.At, row)
}

func (j *jsonl) row(at evidence.Time, row map[string]any) error {
	b, err := json.Marshal(row)
	if err != nil {
		return err
	}
	return j.s.add(at, append(j.s.begin(), b...))
}

func (j *jsonl) Close() error { return j.s.finish() }

// micros gives microseconds since 1970, held within what fits.
func micros(t evidence.Time) int64 {
	const most = 1<<63/1_000_000 - 1
	return min(max(t.Sec, -most), most)*1_000_000 + int64(t.Nsec)/1000
}
