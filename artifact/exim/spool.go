package exim

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
)

// Spool gives the artefact of what waits in the queue: the file of each mail's envelope and headers, often all that is left where the log was rotated away. Who
// handed a mail in, and when, the server wrote itself; the headers are the sender's, but PHP's own name of its script counts where a local account sent it.
func Spool() *artifact.Artifact {
	return &artifact.Artifact{Name: "exim-spool", Doc: "mail that waits in Exim's queue: who handed it in, and by which script", Spec: "Exim 4.98 spec, Format of spool files (-H); PHP mail.add_x_header and cPanel's X-PHP-Script",
		Files: []string{"/var/spool/{exim,exim4}/input/*-H", "/var/spool/{exim,exim4}/input/*/*-H"}, Loose: func(name string) bool { return waits(name) }, Parse: waiting,
		Kinds: []event.Kind{event.MailSubmitted, event.MailReceived}}
}

// waits tells the name of such a file: "1q5Abc-0001Ab-2C-H", since 4.97 "1q5Abc-00000001AbC-2CdE-H".
func waits(name string) bool {
	return strings.HasSuffix(name, "-H") && (len(name) == 18 || len(name) == 25) && strings.Count(name, "-") == 3
}

// maxHead bounds the lines of one mail's file.
const maxHead = 60_000

// waiting reads one.
func waiting(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var h spooled
		n := 0
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			if n++; n > maxHead || !h.line(n, ref, t) {
				break
			}
		}
		if n > 0 && h.who == "" {
			in.Seen.Unknown([]byte("exim spool file"))
			return
		}
		if n == 0 {
			return
		}
		in.Seen.Record(h.at)
		if e := h.event(); yield(e, nil) && h.script != "" && h.local {
			yield(h.byScript(), nil)
		}
	}
}

// spooled is what one file says.
type spooled struct {
	id, who, auth, host string
	script, caller      string
	local               bool
	at                  evidence.Time
	ref, scriptRef      evidence.Ref
	raw, scriptRaw      []byte
}

// line takes a line; false where it is no such file.
func (h *spooled) line(n int, ref evidence.Ref, t []byte) bool {
	switch {
	case n == 1:
		id, ok := strings.CutSuffix(string(t), "-H")
		h.id = id
		return ok
	case n == 2:
		name, _ := said.FirstWord(t)
		h.who, h.ref, h.raw = string(name), ref, bytes.Clone(t)
	case n == 4:
		when, _ := said.FirstWord(t)
		sec, err := strconv.ParseInt(string(when), 10, 64)
		if err == nil && sec > 1e8 && sec < 1<<33 {
			h.at = evidence.Unix(sec, 0, time.Second)
		}
	case len(t) > 5 && len(said.Number(t)) == 3 && t[4] == ' ': // "079  X-PHP-Script: ..."
		h.header(ref, t)
	case string(t) == "-local":
		h.local = true
	case bytes.HasPrefix(t, []byte("-auth_id ")):
		h.auth = string(t[len("-auth_id "):])
	case bytes.HasPrefix(t, []byte("-host_address ")):
		address := bytes.TrimPrefix(t[len("-host_address "):], []byte("["))
		if i := bytes.IndexByte(address, ']'); i >= 0 {
			address = address[:i]
		}
		h.host = string(said.Address(address))
	}
	return true
}

// header reads "079  X-PHP-Script: shop.example.net/a.php for 203.0.113.50" and "064  X-PHP-Originating-Script: 1000:a.php".
func (h *spooled) header(ref evidence.Ref, t []byte) {
	if h.script != "" {
		return
	}
	rest := t[5:]
	if value, ok := said.Rest(rest, "X-PHP-Script: "); ok {
		script, callers, _ := said.Cut(value, " for ")
		caller, _ := said.FirstWord(callers)
		h.script, h.caller = string(script), string(said.Address(bytes.TrimRight(caller, ",")))
	} else if i := bytes.Index(rest, []byte("-PHP-Originating-Script: ")); i == 1 {
		_, script, _ := said.Cut(rest[i+len("-PHP-Originating-Script: "):], ":")
		h.script = string(script)
	}
	if h.script != "" {
		h.scriptRef, h.scriptRaw = ref, bytes.Clone(t)
	}
}

func (h *spooled) event() event.Event {
	var e event.Event
	k := event.MailReceived
	if h.local {
		k = event.MailSubmitted
	}
	e.Reset(k)
	e.At, e.Ref, e.Raw = h.at, h.ref, h.raw
	e.AddText(event.MailQueueID, h.id)
	if h.local {
		e.AddText(event.UserName, h.who)
	} else {
		e.AddText(event.UserName, h.auth)
		e.AddText(event.SourceIP, h.host)
	}
	return e
}

func (h *spooled) byScript() event.Event {
	var e event.Event
	e.Reset(event.MailSubmitted)
	e.At, e.Ref, e.Raw = h.at, h.scriptRef, h.scriptRaw
	e.AddText(event.FilePath, h.script)
	e.AddText(event.SourceIP, h.caller)
	return e
}
