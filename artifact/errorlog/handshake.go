package errorlog

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

// handshake carries the client of a handshake that failed over to the lines behind it. Apache 1.3's mod_ssl writes "mod_ssl: SSL handshake failed
// (server NAME:443, client ADDRESS) (OpenSSL library error follows)", and then OpenSSL's own words, which name nobody.
type handshake struct{ client []byte }

// line fills in whom a line is about, if it is of a handshake.
func (h *handshake) line(e *event.Event) {
	t := e.Get(event.Message)
	if rest, ok := said.Rest(t, "OpenSSL: error:"); ok && len(rest) > 0 {
		if len(h.client) > 0 && e.Get(event.SourceIP) == nil {
			e.Add(event.SourceIP, h.client)
		}
		return
	}
	h.client = h.client[:0]
	if !bytes.HasPrefix(t, []byte("mod_ssl: SSL handshake ")) {
		return
	}
	_, rest, ok := said.Cut(t, ", client ")
	who, _, closed := said.Cut(rest, ")")
	if a := said.Address(who); ok && closed && a != nil {
		h.client = append(h.client, a...)
		if e.Get(event.SourceIP) == nil {
			e.Add(event.SourceIP, h.client)
		}
	}
}
