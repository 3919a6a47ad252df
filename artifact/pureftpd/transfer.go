package pureftpd

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
)

var unread = []byte("transfer line")

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	var e event.Event
	return transfer(&e, bytes.TrimRight(line, "\r"))
}

// parse reads the transfer log ("AltLog clf:file").
func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok; l, ok = lr.Next() {
			if l.Num%4096 == 0 && ctx.Err() != nil {
				return
			}
			ref, t := in.Ref, l.Text
			ref.Off, ref.Len, ref.Line = l.Off, l.Len, l.Num
			if why := damaged(&l); why != "" {
				if !yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: why}) {
					return
				}
				t = bytes.TrimRight(t, "\x00")
				if i := bytes.LastIndexByte(t, 0); i >= 0 { // what was written after the loss is a whole line
					t = t[i+1:]
					ref.Off, ref.Len = ref.Off+int64(i+1), ref.Len-int64(i+1)
				}
			}
			if len(t) == 0 {
				continue
			}
			if !transfer(&e, t) {
				in.Seen.Unknown(unread)
				continue
			}
			in.Seen.Record(e.At)
			e.Ref, e.Raw = ref, t
			if !yield(e, nil) {
				return
			}
		}
		if err := lr.Err(); err != nil && ctx.Err() == nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
	}
}

// transfer reads `host - user [time] "PUT path" 200 size`. It looks like an access log's, without "HTTP/". Nobody but an
// account or an anonymous visitor moves files: the path is all that he chooses, and ends at the last quote.
func transfer(e *event.Event, t []byte) bool {
	host, rest := said.FirstWord(t)
	_, rest = said.FirstWord(rest)
	user, rest, ok := said.Cut(rest, " [")
	at, n := logclock.CLF(rest)
	rest, ok2 := said.Rest(rest[n:], `] "`)
	words, numbers, ok3 := said.CutLast(rest, `" 200 `)
	if !ok || n == 0 || !ok2 || !ok3 || len(numbers) == 0 || len(said.Number(numbers)) != len(numbers) {
		return false
	}
	verb, path := said.FirstWord(words)
	k := event.FileUploaded
	switch string(verb) {
	case "PUT":
	case "GET":
		k = event.FileDownloaded
	case "DEL":
		k = event.FileRemoved
	default:
		return false
	}
	if bytes.HasSuffix(path, []byte(" HTTP/1.0")) || bytes.HasSuffix(path, []byte(" HTTP/1.1")) {
		return false
	}
	e.Reset(k)
	e.At = at
	subject(e, user, host)
	e.Add(event.FilePath, path)
	e.Add(event.FileSize, numbers)
	return true
}

// damaged says what is wrong with the bytes of a line, "" for nothing.
func damaged(l *lines.Line) string {
	switch {
	case l.Cut:
		return "a line longer than is kept: its end was passed over"
	case bytes.IndexByte(l.Text, 0) >= 0:
		return "NUL bytes in a log: a write was lost there, or somebody wrote over it"
	}
	return ""
}
