package servicelog

import (
	"bytes"

	"telltale/artifact/internal/said"
)

// accounts are what stands before the name that was tried.
var accounts = [][]byte{[]byte("with username input '"), []byte("user name: "), []byte("password supplied for \""), []byte("for user "), []byte("for user: "), []byte("with username "), []byte("username was "), []byte("acct="), []byte("user="), []byte("username="), []byte("loginname="), []byte("login="), []byte("authentication_id="), []byte("user: "), []byte(", user "), []byte("failed for "), []byte("authentication for "), []byte("failed login for "), []byte("authentication failure for "), []byte("username \""), []byte("username \\\""), []byte("username: "), []byte("username '"), []byte("attempt by user '"), []byte("accountid=\""), []byte("authentication request for "), []byte("\"identifier\": \""), []byte("\"username\": \""), []byte("user '"), []byte("mapped user "), []byte("failed for ["), []byte("\"user\":\""), []byte("\"username\":\""),
	[]byte("\"user.name\":\""), []byte("accountname = \""), []byte("accountname=\""), []byte("[login|"), []byte("attempted login to "), []byte("login attempt of "), []byte("login of user "), []byte("authenticate user ["), []byte("find user ["), []byte("login incorrect: ["), []byte("login ok: ["), []byte("login: user \""), []byte("access user \""), []byte("failed to login '"), []byte("for client : "), []byte("auth fail: "), []byte("login failure for "), []byte("successful login as "), []byte("accepted password for "), []byte("accepted login for "), []byte("user \""), []byte("<sip:"), []byte("access refused for ")}

// noNames are words that stand where a name would, before more words about who it was.
var noNames = []string{"peer", "user", "client", "ip", "host", "from", "the", "invalid", "unknown", "address"}

// maxAccount bounds a name.
const maxAccount = 64

// account gives the name that a line says was tried; nil where it says none plainly.
func account(t []byte) []byte {
	low := bytes.ToLower(t)
	if i := bytes.Index(low, []byte("login failure for user ")); i >= 0 && bytes.HasPrefix(t[i:], []byte("login")) { // RouterOS's, whose names may have blanks
		if name, _, ok := said.CutLast(t[i+len("login failure for user "):], " from "); ok && len(name) > 0 && len(name) <= maxAccount && len(low) == len(t) {
			return name
		}
	}
	if len(low) != len(t) { // letters whose other case is longer: nothing would be found where it stands
		return nil
	}
	for _, w := range accounts {
		i := bytes.Index(low, w)
		if i < 0 {
			continue
		}
		if name := nameBehind(t[i+len(w)-1:], w[len(w)-1]); name != nil {
			return name
		}
	}
	return nil
}

// nameBehind reads the name behind an introduction whose last letter t begins with.
func nameBehind(t []byte, last byte) []byte {
	name := t[1:]
	if last == '\'' || last == '"' {
		name = t
	}
	plain := false // what follows may be another word about him
	switch {
	case len(name) > 0 && (name[0] == '\'' || name[0] == '"' || name[0] == '`'):
		name = quoted(name)
	case last == '[': // "[bob/<via Auth-Type = pap>]", "[reg@192.0.2.1]"
		name, _, _ = said.Cut(name, "]")
		name, _, _ = said.Cut(name, "/<via ")
		if before, at, ok := said.CutLast(name, "@"); ok && said.Address(at) != nil {
			name = before
		}
	default:
		plain = true
		if end := bytes.IndexAny(name, " ,;:()[]<>\"'`|"); end >= 0 {
			name = name[:end]
		}
		if before, at, ok := said.CutLast(name, "@"); ok && last == ':' && len(at) > 0 { // "<sip:104@192.0.2.1>"
			name = before
		}
	}
	if name = bytes.TrimRight(name, "."); len(name) > 0 && name[len(name)-1] == '\\' { // the quote behind it was escaped, in an object
		name = name[:len(name)-1]
	}
	for _, w := range noNames {
		if plain && bytes.EqualFold(name, []byte(w)) {
			return nil
		}
	}
	if address, _ := said.AddressPort(name); len(name) > 0 && len(name) <= maxAccount && address == nil {
		return name
	}
	return nil
}
