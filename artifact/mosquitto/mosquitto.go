// Package mosquitto reads what the MQTT broker Mosquitto says of clients that it refused. Until 2.0 one line tells the address and the next that the client was not let in, without
// saying which: it is told where only one address can be meant. Who was let in is not told: the broker names an account whether it asked for a password or not.
package mosquitto

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const spec = "Mosquitto 1.4 to 2.1 src/{net,handle_connect,context,loop}.c; mosquitto.conf(5), log_timestamp_format"

var kinds = []event.Kind{event.AuthFailed}

// New gives the artefact of its own log.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "mosquitto", Doc: "clients that the MQTT broker Mosquitto refused, and from where", Spec: spec, Files: []string{"/var/log/mosquitto/*.log*", "/mosquitto/log/*.log*"}, Log: true,
		Sniff: artifact.MostLines(sniff), Parse: parse, Kinds: kinds}
}

// Syslog gives the artefact of what it sends to syslog.
func Syslog() *artifact.Artifact {
	return &artifact.Artifact{Name: "mosquitto-syslog", Doc: New().Doc, Spec: spec, Programs: []string{"mosquitto"}, Decode: newReader().decode, Fresh: func() func(*artifact.Message, func(*event.Event)) bool { return newReader().decode }, Kinds: kinds}
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return artifact.Stamped("mosquitto", stamp, newReader().decode)(ctx, in)
}

func sniff(line []byte) bool {
	_, t, ok := stamp(&logclock.Clock{Year: 2000}, line)
	return ok && said.BeginsAny(t, []string{"New connection from ", "New client connected from ", "Client ", "mosquitto version ", "Sending CONNACK ", "Opening ipv", "Config loaded from ", "Saving in-memory database to ", "Socket error on client "})
}

// stamp takes "1685821252: " or "2023-06-04T15:42:39: " off a line.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	digits := said.Number(t)
	if rest, ok := said.Rest(t[len(digits):], ": "); ok && len(digits) == 10 {
		sec, err := strconv.ParseInt(string(digits), 10, 64)
		return evidence.Time{Sec: sec, Step: time.Second}, rest, err == nil
	}
	at, n := c.ISO(t)
	text, ok = said.Rest(t[n:], ": ")
	return at, text, ok && n > 0
}

// Clients that have said nothing yet: how many are kept, and for how long, in seconds.
const (
	maxWaiting  = 1000
	waitSeconds = 30
)

// waiting is a client that connected and has not said who it is.
type waiting struct {
	at   string // address and port
	ip   string
	time evidence.Time
}

type reader struct{ waits []waiting }

func newReader() *reader { return &reader{} }

var service, reason = []byte("mosquitto"), []byte("not authorised")

// decode reads
//
//	New connection from 192.0.2.1:58137 on port 1883.
//	New client connected from 192.0.2.1:58137 as NAME (p2, c1, k60, u'bob').
//	Client <unknown> disconnected, not authorised.
//	Client NAME [192.0.2.1:58137] disconnected: not authorised.
//
// The client's name is its own, and may hold anything.
func (r *reader) decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if rest, ok := said.Rest(t, "New connection from "); ok {
		r.came(rest, m.At)
		return true
	}
	if rest, ok := said.Rest(t, "New client connected from "); ok {
		at, _ := said.FirstWord(rest)
		r.gone(string(at))
		return true
	}
	if !bytes.HasPrefix(t, []byte("Client ")) {
		return true
	}
	low := bytes.TrimSuffix(bytes.ToLower(t), []byte("."))
	if before, ok := bytes.CutSuffix(low, []byte("] disconnected: not authorised")); ok {
		_, at, _ := said.CutLast(before, " [")
		if ip, _ := said.AddressPort(at); ip != nil {
			refused(m, string(ip), yield)
			r.gone(string(at))
		}
		return true
	}
	if bytes.HasSuffix(low, []byte(" disconnected, not authorised")) {
		if ip := r.only(m.At); ip != "" {
			refused(m, ip, yield)
			r.waits = r.waits[:0]
		}
	}
	return true
}

func (r *reader) came(rest []byte, at evidence.Time) {
	where, _ := said.FirstWord(rest)
	if ip, _ := said.AddressPort(where); ip != nil && len(r.waits) < maxWaiting {
		r.waits = append(r.waits, waiting{string(where), string(ip), at})
	}
}

// gone takes a client off those that wait.
func (r *reader) gone(at string) {
	for i := range r.waits {
		if r.waits[i].at == at {
			r.waits = append(r.waits[:i], r.waits[i+1:]...)
			return
		}
	}
}

// only gives the address of all that wait, "" where they came from several. Those that have waited for too long left without a word.
func (r *reader) only(now evidence.Time) (ip string) {
	kept := r.waits[:0]
	for _, w := range r.waits {
		if !now.Known() || !w.time.Known() || now.Sec-w.time.Sec <= waitSeconds {
			kept = append(kept, w)
		}
	}
	r.waits = kept
	for _, w := range r.waits {
		if ip != "" && ip != w.ip {
			return ""
		}
		ip = w.ip
	}
	return ip
}

func refused(m *artifact.Message, ip string, yield func(*event.Event)) {
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, service)
	e.AddText(event.SourceIP, ip)
	e.Add(event.AuthReason, reason)
	yield(e)
}
