// Package redis reads the log of redis and valkey, and tells their dumps where none belongs. A server that is open to
// strangers is taken by three commands that all leave marks in the log: CONFIG SET dir and SAVE write a file
// wherever the server may write, REPLICAOF fetches a file from a server of the intruder's, MODULE LOAD runs it.
package redis

import (
	"bytes"
	"context"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact of the log.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "redis", Doc: "what a redis server was made to save, load and fetch",
		Spec:  "redis 2.4, 2.8, 3.2, 6.2, 7.0: src/server.c (serverLogRaw), src/rdb.c, src/replication.c, src/module.c; valkey 8.1 src/server.c (log-timestamp-format)",
		Files: []string{"/var/log/redis/*.log", "/var/log/{redis,valkey}*.log", "/var/log/valkey/*.log"}, Log: true, Sniff: sniff, Parse: parse,
		Programs: []string{"redis", "redis-server", "valkey", "valkey-server"}, Decode: decode,
		Kinds: []event.Kind{event.DatabaseCommand, event.ServiceStarted, event.ServiceStopped, event.ConnectionSeen, event.ProgramSaid},
	}
}

func sniff(head []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	var m artifact.Message
	return stamp(&logclock.Clock{}, line, &m)
}

var noStamp, unread = []byte("redis line"), []byte("redis")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		m := artifact.Message{Repeat: 1, Program: service}
		going, crash := true, false
		out := func(e *event.Event) { going = going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			m.Ref, m.Raw = ref, t
			if report, ok := said.Rest(t, "=== REDIS BUG REPORT "); ok { // registers, the stack, and what INFO tells
				crash = bytes.HasPrefix(report, []byte("START"))
				continue
			}
			switch {
			case stamp(in.Clock, t, &m):
				in.Seen.Record(m.At)
				crash = crash && !bytes.Contains(m.Text, []byte(" is starting ")) // its report was cut off
				if !say(&m, out) && !crash {
					in.Seen.Unknown(unread)
				}
			case crash || t[0] == ' ' || t[0] == '\t': // the picture that it draws when it starts
			default:
				in.Seen.Unknown(noStamp)
			}
			if !going {
				return
			}
		}
	}
}

// stamp reads what stands before the text, in the forms of all releases:
//
//	[812] 23 Nov 13:01:42 * text                  2.4
//	[812] 23 Nov 13:01:42.123 * text              2.6, 2.8
//	812:M 23 Nov 13:01:42.123 * text              3.0 to 4.0
//	812:M 23 Nov 2023 13:01:42.123 * text         5.0 and later
//	812:M 2023-11-23T13:01:42.123+01:00 * text    valkey 8.1, log-timestamp-format iso8601
//	812:signal-handler (1700744502) text          written while a signal is handled
func stamp(c *logclock.Clock, t []byte, m *artifact.Message) bool {
	rest, old := said.Rest(t, "[")
	pid := said.Number(rest)
	rest = rest[len(pid):]
	if len(pid) == 0 || len(rest) < 3 {
		return false
	}
	if old {
		rest, old = said.Rest(rest, "] ")
		if !old {
			return false
		}
	} else if after, ok := said.Rest(rest, ":signal-handler ("); ok {
		return signalled(after, pid, m)
	} else if rest[0] != ':' || rest[1] < 'A' || rest[1] > 'Z' || rest[2] != ' ' {
		return false
	} else {
		rest = rest[3:]
	}
	at, n := c.ISO(rest)
	if n == 0 {
		at, n = dayFirst(c, rest)
	}
	if n == 0 || len(rest) < n+4 || rest[n] != ' ' || rest[n+2] != ' ' || bytes.IndexByte([]byte(".-*#"), rest[n+1]) < 0 {
		return false
	}
	m.At, m.PID, m.Text = at, pid, rest[n+3:]
	return true
}

// dayFirst reads "23 Nov 2023 13:01:42.123", year and fraction as they come. n is how many bytes it takes.
func dayFirst(c *logclock.Clock, b []byte) (t evidence.Time, n int) {
	if len(b) < 15 || b[2] != ' ' || b[6] != ' ' {
		return t, 0
	}
	day, month, year := logclock.Digits(b[:2]), logclock.Month(b[3:6]), 0
	n = 7
	if b[11] == ' ' {
		year = logclock.Digits(b[7:11])
		n = 12
	}
	if len(b) < n+8 || b[n+2] != ':' || b[n+5] != ':' {
		return t, 0
	}
	h, min, s := logclock.Digits(b[n:n+2]), logclock.Digits(b[n+3:n+5]), logclock.Digits(b[n+6:n+8])
	n += 8
	nsec, step := int32(0), time.Second
	if len(b) >= n+4 && b[n] == '.' {
		ms := logclock.Digits(b[n+1 : n+4])
		if ms < 0 {
			return t, 0
		}
		nsec, step = int32(ms)*int32(time.Millisecond), time.Millisecond
		n += 4
	}
	ok := false
	if year != 0 {
		t, ok = c.Local(year, month, day, h, min, s, nsec, step)
	} else {
		t, ok = c.NoYear(month, day, h, min, s, nsec, step)
	}
	if !ok {
		return t, 0
	}
	return t, n
}

// signalled reads "1700744502) text": seconds since 1970.
func signalled(t, pid []byte, m *artifact.Message) bool {
	digits := said.Number(t)
	text, ok := said.Rest(t[len(digits):], ") ")
	if !ok || len(digits) == 0 || len(digits) > 10 { // ten digits reach the year 2286
		return false
	}
	sec := int64(0)
	for _, d := range digits {
		sec = sec*10 + int64(d-'0')
	}
	m.At, m.PID, m.Text = evidence.Time{Sec: sec, Step: time.Second}, pid, text
	return true
}
