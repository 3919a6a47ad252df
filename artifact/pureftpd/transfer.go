package pureftpd

import (
	"bytes"
	"context"
	"encoding/hex"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
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
		for ref, t := range artifact.EachLine(ctx, in, yield) {
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
	e.Add(event.FilePath, decoded(path))
	e.Add(event.FileSize, numbers)
	return true
}

// decoded takes "%20" and the like out of a path: the server writes so whatever is no letter, digit or one of "-_./".
func decoded(b []byte) []byte {
	if bytes.IndexByte(b, '%') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) {
			var c [1]byte
			if _, err := hex.Decode(c[:], b[i+1:i+3]); err == nil {
				out = append(out, c[0])
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}
