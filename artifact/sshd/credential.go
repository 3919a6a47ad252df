package sshd

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

// credential reads auth_log's line: "VERDICT METHOD for [invalid user ]USER from ADDRESS port
// N[ ssh2][: KEY]".
func (x *message) credential() bool {
	kind := event.Unknown
	rest, ok := said.Rest(x.text, "Failed ")
	if ok {
		kind = event.AuthFailed
	} else if rest, ok = said.Rest(x.text, "Accepted "); ok {
		kind = event.AuthAccepted
	} else if rest, ok = said.Rest(x.text, "Postponed "); !ok {
		// of several methods that are wanted, one is through: nobody is in yet
		if rest, ok = said.Rest(x.text, "Partial "); !ok {
			return false
		}
	}
	method, rest, ok := said.Cut(rest, " for ")
	if !ok || bytes.IndexByte(method, ' ') >= 0 {
		return false // "Failed to ...", "Accepted key ..."
	}
	who, from, key, ok := origin(rest)
	if !ok {
		return false
	}
	name, invalid := user(who)
	if kind == event.Unknown { // asked for a name that is none, it goes on all the same
		if invalid {
			x.seen(name, true, from, x.text[:len(x.text)-len(rest)-len(" for ")])
		}
		return true
	}
	if kind == event.AuthFailed && string(method) == "none" {
		kind = event.ConnectionSeen // how clients ask which methods there are
	}
	e := x.event(kind)
	e.Add(event.UserName, name)
	if invalid {
		e.Add(event.UserInvalid, yes)
	}
	from.add(e)
	e.Add(event.AuthMethod, method)
	addKey(e, key)
	x.yield(e)
	return true
}

// origin cuts "USER from ADDRESS port N ssh2[: KEY]". Either end may be a stranger's words: the
// name of an account that does not exist, and behind an account that does, the ID of a
// certificate that the client signed for itself or the user that it claims to be (hostbased).
func origin(b []byte) (who []byte, from peer, key []byte, ok bool) {
	head, cut := b, said.Cut
	if _, invalid := user(b); invalid {
		cut = said.CutLast
		head = bytes.TrimSuffix(head, []byte(" ssh2"))
	}
	if len(head) == len(b) {
		if rest, after, found := cut(b, " ssh2: "); found {
			head, key = rest, after
		} else {
			head = bytes.TrimSuffix(b, []byte(" ssh2"))
		}
	}
	head = bytes.TrimRight(head, " ")                                                                 // old releases write two blanks before "ssh2"
	if rest, after, found := said.Cut(head, " ssh1"); found && (len(after) == 0 || after[0] == ':') { // of protocol 1; "ruser" behind it is the client's word
		if _, _, ok := atEnd(rest); ok {
			head, key = rest, nil
		}
	}
	who, from, ok = atEnd(head)
	if !ok { // forwarded without the port
		if who, from.host = said.LastWord(head); !from.known() {
			return nil, from, nil, false
		}
		from.port = nil
	}
	// atEnd has taken the blank: behind an empty name stands " from" alone
	who, ok = bytes.CutSuffix(who, []byte(" from"))
	return who, from, key, ok
}

// addKey reads "RSA SHA256:...", "RSA aa:bb:.." (before 6.8), and of a certificate
// "ED25519-CERT [SHA256:... ]ID name (serial 1) CA RSA SHA256:...". The fingerprint of a
// certificate that has none of its own is its authority's.
func addKey(e *event.Event, key []byte) {
	if len(key) == 0 || bytes.IndexByte(key, ' ') < 0 {
		return // none, or the principal behind gssapi-with-mic
	}
	kind, rest := said.FirstWord(key)
	e.Add(event.KeyType, bytes.TrimRight(kind, ","))
	print, rest := said.FirstWord(rest)
	print = bytes.TrimRight(print, ",")
	if fingerprint(print) {
		e.Add(event.KeyFingerprint, print)
	} else if string(print) != "ID" {
		return
	} else {
		_, rest, _ = said.Cut(key, " ") // from "ID" on
	}
	if _, ok := said.Rest(rest, "ID "); !ok {
		return
	}
	if _, authority := said.LastWord(rest); e.Get(event.KeyFingerprint) == nil && fingerprint(authority) {
		e.Add(event.KeyFingerprint, authority)
	}
	e.Add(event.KeyComment, rest)
}

func fingerprint(b []byte) bool {
	return bytes.HasPrefix(b, []byte("SHA256:")) || bytes.HasPrefix(b, []byte("MD5:")) || bytes.Count(b, []byte(":")) == 15
}

// invalid reads "Invalid user USER from ADDRESS[ port N]" (the port since 7.3). Servers that
// take keys only say no more of an attempt than this.
func (x *message) invalid() bool {
	rest, ok := said.Rest(x.text, "Invalid user ")
	if !ok {
		if rest, ok = said.Rest(x.text, "Illegal user "); !ok {
			return false
		}
	}
	who, from, ok := atEnd(rest)
	if !ok {
		who, from.host = said.LastWord(rest)
		from.port = nil
	}
	if string(who) == "from" { // the name is empty
		who = nil
	} else if who, ok = bytes.CutSuffix(who, []byte(" from")); !ok {
		return false
	}
	e := x.event(event.ConnectionSeen)
	e.Add(event.UserName, who)
	e.Add(event.UserInvalid, yes)
	from.add(e)
	x.yield(e)
	return true
}

// refused reads what forbids an account whatever its credential: "User USER[ from HOST] not
// allowed because REASON" and "ROOT LOGIN REFUSED FROM ADDRESS[ port N]". After the second the
// credential was right.
func (x *message) refused() bool {
	if rest, ok := said.Rest(x.text, "ROOT LOGIN REFUSED FROM "); ok {
		from, _ := atStart(rest)
		e := x.event(event.AuthFailed)
		e.Add(event.UserName, root)
		from.add(e)
		e.Add(event.AuthReason, x.text[:len("ROOT LOGIN REFUSED")])
		x.yield(e)
		return true
	}
	rest, ok := said.Rest(x.text, "User ")
	if !ok {
		return false
	}
	who, reason, ok := said.CutLast(rest, " not allowed because ")
	if !ok {
		return false
	}
	e := x.event(event.AuthFailed)
	if name, host, ok := said.CutLast(who, " from "); ok {
		e.Add(event.UserName, name)
		peer{host: host}.add(e)
	} else {
		e.Add(event.UserName, who)
	}
	e.Add(event.AuthReason, reason)
	x.yield(e)
	return true
}

// misplaced reads "Authentication tried for USER with correct key but not from a permitted
// host (host=H, ip=ADDRESS[, required=LIST])." (auth-options.c).
func (x *message) misplaced() bool {
	rest, ok := said.Rest(x.text, "Authentication tried for ")
	if !ok {
		return false
	}
	who, rest, ok := said.Cut(rest, " with correct key but not from a permitted host ")
	if !ok {
		return true // "with valid certificate but not from a permitted source address"
	}
	_, ip, ok := said.Cut(rest, "ip=")
	if !ok {
		return true
	}
	if i := bytes.IndexAny(ip, ",)"); i >= 0 {
		ip = ip[:i]
	}
	e := x.event(event.AuthFailed)
	e.Add(event.UserName, who)
	peer{host: ip}.add(e)
	e.Add(event.AuthMethod, []byte("publickey"))
	e.Add(event.AuthReason, []byte("correct key, not from a permitted host"))
	x.yield(e)
	return true
}

// account reads refusals by PAM. "PAM: Authentication failure for USER from HOST" is, for an
// account that exists, all that is said of the first tries by keyboard-interactive: "Failed
// keyboard-interactive/pam" is only logged from the third on, which then stands twice.
func (x *message) account() bool {
	if rest, ok := said.Rest(x.text, "Access denied for user "); ok {
		who, reason, _ := said.CutLast(rest, " by ")
		e := x.event(event.AuthFailed)
		e.Add(event.UserName, who)
		e.Add(event.AuthReason, reason)
		x.yield(e)
		return true
	}
	rest, ok := said.Rest(x.text, "PAM: ")
	if !ok {
		return false
	}
	reason, who, ok := said.Cut(rest, " for ")
	if !ok {
		return true
	}
	who, host, ok := said.CutLast(bytes.TrimRight(who, " "), " from ")
	if !ok {
		return true
	}
	host, _ = said.FirstWord(host)           // macOS: "HOST via OURS"
	if name, invalid := user(who); invalid { // "Failed keyboard-interactive/pam" says the same of it
		x.seen(name, true, peer{host: host}, reason)
		return true
	}
	if !bytes.EqualFold(reason, []byte("Authentication failure")) && !bytes.EqualFold(reason, []byte("Authentication error")) {
		x.seen(who, false, peer{host: host}, reason) // "Permission denied", "User account has expired", "Module is unknown"
		return true
	}
	e := x.event(event.AuthFailed)
	e.Add(event.UserName, who)
	peer{host: host}.add(e)
	e.Add(event.AuthMethod, []byte("keyboard-interactive/pam"))
	x.yield(e)
	return true
}
