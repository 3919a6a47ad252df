package sshd

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

// connection reads the ends of connections that never logged in, in which the address
// stands somewhere. The end of a session that was logged in is no event: PAM says it.
func (x *message) connection() bool {
	switch x.text[0] {
	case 'C', 'D', 'R':
		return x.ended() || x.strange()
	}
	return x.strange()
}

// ended reads "Connection closed by", "Connection reset by", "Disconnected from",
// "Disconnecting" and "Received disconnect from", each followed by "[invalid user USER
// |authenticating user USER |user USER ]ADDRESS[ port N][: REASON]" (packet.c).
func (x *message) ended() bool {
	for _, p := range [...]string{"Connection closed by ", "Connection reset by ", "Disconnected from "} {
		if rest, ok := said.Rest(x.text, p); ok {
			x.remote(rest, x.text[:len(p)-1])
			return true
		}
	}
	if rest, ok := said.Rest(x.text, "Disconnecting "); ok {
		who, reason := parting(rest)
		x.remote(who, reason)
		return true
	}
	if why, ok := said.Rest(x.text, "Disconnecting: "); ok {
		x.guarded(why)
		return true // before 7.5, with no address
	}
	if rest, ok := said.Rest(x.text, "Received disconnect from "); ok {
		// With a port there is a "Disconnected from" behind it that says the same; but only here stands why the client left.
		from, reason := atStart(rest)
		reason = bytes.TrimLeft(reason, ": ")
		usual := bytes.HasPrefix(reason, []byte("11:")) // it said good-bye
		if from.known() && (x.pre && (from.port == nil || !usual) || bytes.HasSuffix(reason, []byte("Auth fail"))) {
			x.seen(nil, false, from, []byte("Received disconnect"))
		}
		return true
	}
	return false
}

// guarded tells what the guard of the first protocol says of packets that were made to cheat its check sum (deattack.c). No address stands there.
func (x *message) guarded(why []byte) bool {
	if _, ok := said.Rest(why, "crc32 compensation attack"); !ok {
		return false
	}
	e := x.event(event.ConnectionSeen)
	e.Add(event.AuthReason, why)
	x.yield(e)
	return true
}

// parting cuts "WHO: REASON" where USER, inside WHO, may hold ": " as well.
func parting(b []byte) (who, reason []byte) {
	for _, r := range [...]string{"Too many authentication failures", "Change of username or service not allowed"} {
		if who, _, ok := said.Cut(b, ": "+r); ok {
			return who, b[len(who)+2:]
		}
	}
	who, reason, _ = said.Cut(b, ": ")
	return who, reason
}

// remote reads "[KIND user USER ]ADDRESS[ port N]".
func (x *message) remote(b, reason []byte) {
	before, from, ported := atEnd(b)
	if !ported {
		before, from = nil, peer{}
		from.host, _ = said.FirstWord(b)
		if !x.pre { // before 7.0, where the end of a session reads the same
			return
		}
	}
	if !from.known() {
		return
	}
	name, invalid := user(before)
	if !invalid && len(before) > 0 {
		ok := false
		if name, ok = said.Rest(before, "authenticating user "); !ok {
			return // "user alice": she was logged in
		}
	}
	x.seen(name, invalid, from, reason)
}

func (x *message) seen(name []byte, invalid bool, from peer, reason []byte) {
	e := x.event(event.ConnectionSeen)
	e.Add(event.UserName, name)
	if invalid {
		e.Add(event.UserInvalid, yes)
	}
	from.add(e)
	e.Add(event.AuthReason, reason)
	x.yield(e)
}

// strange reads what scanners, and clients that cannot agree with the server, leave.
func (x *message) strange() bool {
	t := x.text
	if rest, ok := said.Rest(t, "maximum authentication attempts exceeded for "); ok {
		if rest, _ = bytes.CutSuffix(rest, []byte(" ssh2")); len(rest) > 0 {
			if who, from, ok := atEnd(rest); ok && from.known() {
				who, _ = bytes.CutSuffix(who, []byte(" from"))
				name, invalid := user(who)
				x.seen(name, invalid, from, t[:len("maximum authentication attempts exceeded")])
			}
		}
		return true
	}
	for _, p := range strangers {
		rest, ok := said.Rest(t, p.prefix)
		if !ok {
			continue
		}
		reason := t[:len(p.reason)]
		var from peer
		switch p.where {
		case first:
			var tail []byte
			from, tail = atStart(rest)
			if p.tells {
				if tail = bytes.TrimLeft(tail, ": "); len(tail) > 0 {
					reason = tail
				}
			}
		case end:
			// what the client sent stands before it, in quotes
			if _, from, ok = atEnd(rest); !ok {
				_, from.host = said.LastWord(rest)
			}
		case bracket: // "drop connection #10 from [ADDRESS]:PORT on [ADDRESS]:22 past MaxStartups"
			if _, rest, ok = said.Cut(rest, " from "); ok {
				word, _ := said.FirstWord(rest)
				from.host, from.port = said.AddressPort(word)
			}
		case paren: // "refused connect from NAME (ADDRESS)"
			_, from.host = said.LastWord(rest)
			from.host = bytes.Trim(from.host, "()")
		}
		if from.known() && (x.pre || !p.pre) {
			x.seen(nil, false, from, reason)
		}
		return true
	}
	return false
}

type where uint8

const (
	first   where = iota // the address stands first behind the prefix
	end                  // it stands last
	bracket              // "[ADDRESS]:PORT"
	paren                // "(ADDRESS)"
)

// strangers are the beginnings of those lines; reason is how much of the beginning says why,
// unless what follows the address tells more.
var strangers = []struct {
	prefix string
	reason string
	where  where
	tells  bool
	pre    bool // only before authentication: afterwards the same words end a session
}{
	{"Did not receive identification string from ", "Did not receive identification string", first, false, false},
	{"Bad protocol version identification ", "Bad protocol version identification", end, false, false},
	{"banner exchange: Connection from ", "banner exchange", first, true, false},
	{"ssh_dispatch_run_fatal: Connection from ", "ssh_dispatch_run_fatal", first, true, true},
	{"Unable to negotiate with ", "Unable to negotiate", first, true, false},
	{"Protocol major versions differ for ", "Protocol major versions differ", first, false, false},
	{"Timeout before authentication for connection from ", "Timeout before authentication", first, false, false},
	{"Timeout before authentication for ", "Timeout before authentication", first, false, false},
	{"drop connection ", "drop connection", bracket, false, false},
	{"refused connect from ", "refused connect", paren, false, false},
	{"Connection corrupted by ", "Connection corrupted", first, false, true},
	{"Magic value check failed ", "Magic value check failed", end, false, false}, // a patch that hides the handshake
	{"scanned from ", "scanned", first, false, false},
	{"probed from ", "probed", first, false, false},
}
