package errorlog

import (
	"bytes"

	"telltale/artifact/internal/said"
)

// maxTried bounds a name that a client gave, in bytes.
const maxTried = 200

// tried gives the name that a client was refused by: "user NAME not found: /", `user NAME: authentication failure for "/": Password Mismatch`, "user NAME in realm `R' not found: /". The name
// is the client's and the path behind it, too: what the server puts between them may stand there once, or nobody can say where the name ends.
func tried(t []byte) []byte {
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
