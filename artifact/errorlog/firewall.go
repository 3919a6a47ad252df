package errorlog

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

var modsecurity, refused, found = []byte("modsecurity"), []byte("refused"), []byte("found")

// firewall reads what ModSecurity says, `[client IP] ModSecurity: Warning. Pattern match ... at ARGS:x. [file "f"] [line "1"] [id "942100"] [msg "m"] ... [uri "/x"]`, as an
// alarm. The module stands at the text's beginning, where no client's word does, and names a rule; its other words stay what they are. The name
// of an argument is the client's and stands before the rule; in the fields behind it quotes are escaped.
func firewall(e *event.Event, t []byte) bool {
	ip := e.Get(event.SourceIP)
	if rest, ok := said.Rest(t, "[client "); ok { // again, behind Apache's own, or alone in nginx's
		address, rest, ok := said.Cut(rest, "] ")
		if a := said.Address(address); !ok || a == nil {
			return false
		} else if ip == nil {
			ip = a
			e.Add(event.SourceIP, a)
		}
		t = rest
	}
	text, ok := said.Rest(t, "ModSecurity: ")
	id := tag(text, "id")
	if !ok || ip == nil || id == nil {
		return false
	}
	e.Kind = event.AlarmRaised
	e.Add(event.ServiceName, modsecurity)
	e.Add(event.ErrorCode, id)
	e.Add(event.URL, tag(text, "uri"))
	if message := tag(text, "msg"); len(message) > 0 {
		e.Add(event.Message, message)
	} else {
		e.Add(event.Message, text)
	}
	if bytes.HasPrefix(text, []byte("Access denied")) || bytes.HasPrefix(text, []byte(" [file ")) && bytes.Contains(text, []byte("] Access denied with code ")) {
		e.Add(event.Change, refused)
	} else {
		e.Add(event.Change, found)
	}
	return true
}

// tag gives the value of the last `[name "value"]`.
func tag(t []byte, name string) []byte {
	_, v, ok := said.CutLast(t, "["+name+` "`)
	if !ok {
		return nil
	}
	v, _, _ = said.Cut(v, `"]`)
	return v
}
