package errorlog

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

// maxTried bounds a name that a client gave, in bytes.
const maxTried = 200

// tried gives the name that a client was refused by: "user NAME not found: /", `user NAME: authentication failure for "/": Password Mismatch`, "user NAME in realm `R' not found: /". The name
// is the client's and the path behind it, too: what the server puts between them may stand there once, or nobody can say where the name ends.
func tried(t []byte) []byte {
	if rest, ok := said.Rest(t, "phpMyAdmin: user denied: "); ok { // "NAME (mysql-denied) from ADDRESS"
		name, _, ok := said.CutLast(rest, "-denied) from ")
		name, _, ok2 := said.CutLast(name, " (")
		return within(name, ok && ok2)
	}
	rest, ok := said.Rest(t, "user ")
	if !ok {
		return nil
	}
	for _, end := range [...]string{" in realm `", ` not found: `, `: authentication failure for "`} {
		name, behind, ok := said.Cut(rest, end)
		switch {
		case !ok:
		case len(name) == 0 || len(name) > maxTried || bytes.Contains(behind, []byte(end)):
			return nil
		default:
			return name
		}
	}
	return nil
}

// triedNginx gives that of `user "NAME": password mismatch` and `user "NAME" was not found in "FILE"`.
func triedNginx(t []byte) []byte {
	rest, ok := said.Rest(t, `user "`)
	if !ok {
		return nil
	}
	name, ok := bytes.CutSuffix(rest, []byte(`": password mismatch`))
	if !ok {
		name, _, ok = said.CutLast(rest, `" was not found in "`)
	}
	if !ok || len(name) == 0 || len(name) > maxTried {
		return nil
	}
	return name
}

// mailTried adds the name by which nginx's mail proxy refused a client: it is the last word in quotes.
func mailTried(e *event.Event, line []byte) {
	if _, name, ok := said.CutLast(line, `, login: "`); ok {
		name, _, ok = said.Cut(name, `"`)
		e.Add(event.UserName, within(name, ok))
	}
}

// triedLighttpd gives that of "password doesn't match for /x/ username: NAME, IP: ADDRESS" and "digest: auth failed for  NAME : wrong password, IP: ADDRESS".
func triedLighttpd(t []byte) []byte {
	t, _, ok := said.CutLast(t, ", IP: ")
	if rest, digest := said.Rest(t, "digest: auth failed for "); digest {
		name, _, ok2 := said.CutLast(bytes.TrimLeft(rest, " "), " : wrong password")
		return within(name, ok && ok2)
	}
	if !bytes.HasPrefix(t, []byte("password doesn't match for ")) {
		return nil
	}
	_, name, ok2 := said.Cut(t, " username: ") // the path before it has no blank: it is the client's, too, and escaped
	return within(name, ok && ok2)
}

// within gives a name that was found and is no longer than may be.
func within(name []byte, ok bool) []byte {
	if !ok || len(name) == 0 || len(name) > maxTried {
		return nil
	}
	return name
}
