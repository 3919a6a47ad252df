// Package authorizedkeys reads which keys may log in as whom by ssh.
package authorizedkeys

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"telltale/artifact"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "authorized-keys", Doc: "the keys that let somebody log in by ssh", Spec: "sshd(8), AUTHORIZED_KEYS FILE FORMAT",
		Files: []string{"{home}/.ssh/authorized_keys", "{home}/.ssh/authorized_keys2", "/etc/ssh/{authorized_keys,keys,authorized-keys}/*", "/etc/ssh/{keys,authorized_keys.d}/*/*", "/etc/ssh/*authorized_keys*", "/etc/ssh/authorized_keys.d/*", "/etc/dropbear/authorized_keys", "/var/lib/*/.ssh/authorized_keys"},
		Kinds: []event.Kind{event.AuthorizedKey}, Parse: artifact.Lines(line),
	}
}

// line reads "[options ]type base64[ comment]". Options may hold quoted blanks.
func line(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	t = bytes.TrimSpace(t)
	if len(t) == 0 || t[0] == '#' {
		return
	}
	var options []byte
	if !keyType(word(t)) {
		n := optionsEnd(t)
		options, t = t[:n], bytes.TrimLeft(t[n:], " \t")
	}
	kind := word(t)
	if !keyType(kind) {
		in.Seen.Unknown([]byte("(not a key)"))
		return
	}
	t = bytes.TrimLeft(t[len(kind):], " \t")
	blob := word(t)
	comment := bytes.TrimSpace(t[len(blob):])
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(blob)))
	n, err := base64.StdEncoding.Decode(raw, blob)
	if err != nil || n < 8 {
		in.Seen.Unknown([]byte("(not a key)"))
		return
	}
	e.Kind = event.AuthorizedKey
	user := in.Host.UserByHome(in.Path)
	if user == "" && len(in.Path) > 6 && in.Path[:6] == "/root/" {
		user = "root"
	}
	if user == "" && len(in.Path) > 6 && in.Path[:6] == "/home/" { // the home of an account that is no more
		user = string(bytes.SplitN([]byte(in.Path[6:]), []byte("/"), 2)[0])
	}
	if user == "" { // below /etc/ssh, where sshd_config's AuthorizedKeysFile names files by account
		user = account(in)
	}
	e.AddText(event.UserName, user)
	e.Add(event.KeyType, kind)
	sum := sha256.Sum256(raw[:n])
	e.AddText(event.KeyFingerprint, "SHA256:"+base64.RawStdEncoding.EncodeToString(sum[:]))
	e.Add(event.KeyComment, comment)
	e.Add(event.KeyOptions, options)
	yield(e)
}

// account gives the account that a file's name, or its folder's, is of.
func account(in *artifact.Input) string {
	if in.Path == "/etc/dropbear/authorized_keys" {
		return "root"
	}
	for _, u := range in.Host.Users {
		if strings.HasSuffix(in.Path, "/"+u.Name) || strings.Contains(in.Path, "/"+u.Name+"/") || strings.HasSuffix(in.Path, "."+u.Name) {
			return u.Name
		}
	}
	return "the accounts for which sshd_config names this file"
}

func word(t []byte) []byte {
	if i := bytes.IndexAny(t, " \t"); i >= 0 {
		return t[:i]
	}
	return t
}

func keyType(w []byte) bool {
	return bytes.HasPrefix(w, []byte("ssh-")) || bytes.HasPrefix(w, []byte("ecdsa-sha2-")) || bytes.HasPrefix(w, []byte("sk-ssh-")) || bytes.HasPrefix(w, []byte("sk-ecdsa-")) || bytes.HasPrefix(w, []byte("webauthn-"))
}

// optionsEnd gives where the options end: at the first blank outside quotes.
func optionsEnd(t []byte) int {
	quoted := false
	for i := 0; i < len(t); i++ {
		switch {
		case t[i] == '\\' && quoted:
			i++
		case t[i] == '"':
			quoted = !quoted
		case (t[i] == ' ' || t[i] == '\t') && !quoted:
			return i
		}
	}
	return len(t)
}
