package servicelog

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/event"
)

// welcomes are how services of any kind say that somebody was let in.
var welcomes = []string{"login successful", "successful login", "login success", "login succeeded", "login accepted", "accepted login", "logged in", "authentication succeeded", "authentication successful", "authentication success", "successful authentication", "successfully authenticated", "authenticated successfully",
	"auth-success", "accepted password for ", "accepted publickey for ", "login ok", "has passed authentication", "accepted c2s ", "authenticated and granted access", "\"authentication_success\""}

// doubts are words of lines that tell of no login, or that a name in quotes may have brought: nobody is let in by a line that holds one.
var doubts = [][]byte{[]byte("not "), []byte("n't"), []byte("no "), []byte("non"), []byte("never"), []byte("fail"), []byte("invalid"), []byte("denied"), []byte("refus"), []byte("reject"), []byte("unknown"), []byte("error"), []byte("wrong"), []byte("incorrect"), []byte("bad "), []byte("block"), []byte("banned"), []byte("unsuccess"), []byte("unauth"), []byte("illegal"), []byte("disallow"), []byte("missing"), []byte("attempts"), []byte("logged out"), []byte("last login"), []byte("anonymous")}

// welcomed tells from where somebody was let in. What a stranger may write must not make a login: so the words stand at the message's beginning, behind nothing but what a service itself puts
// there and the name, the line names one address alone and says that he came from it, and it holds no word of doubt.
func welcomed(t []byte) (from []byte, ok bool) {
	low := bytes.ToLower(t)
	if len(low) != len(t) {
		return nil, false
	}
	for _, d := range doubts {
		if bytes.Contains(low, d) {
			return nil, false
		}
	}
	at := -1
	for _, w := range welcomes {
		if i := bytes.Index(low, []byte(w)); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 || !foreword(low[:at]) {
		return nil, false
	}
	from, plainly := peers(t)
	if !plainly || account(t) == nil || !closes(t, from) {
		return nil, false
	}
	return from, true
}

// closes tells that what stands behind an address ends no quote that began before it: then it would be of a name.
func closes(t, address []byte) bool {
	i := bytes.LastIndex(t, address)
	if i < 1 {
		return i == 0
	}
	rest := bytes.TrimLeft(t[i+len(address):], ":0123456789")
	return len(rest) == 0 || rest[0] != '\'' && rest[0] != '"' && rest[0] != '`' || rest[0] == t[i-1] || t[0] == '{' || t[i-1] == '/' || t[i-1] == ':'
}

// levels are words for how much a line matters, and the days and months of a stamp.
var levels = []string{"info", "information", "notice", "debug", "warn", "warning", "log", "trace", "inf", "wrn", "audit", "i", "n", "auth", "security", "main", "utc", "gmt", "cet", "cest", "am", "pm",
	"mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// foreword tells whether a line's beginning is what a service puts before its own words: a stamp, a level, names in brackets, of loggers and files, and who is told of: "user 'bob' ".
func foreword(t []byte) bool {
	if bytes.HasPrefix(t, []byte("{")) || bytes.HasPrefix(t, []byte("time=")) || bytes.HasPrefix(t, []byte("level=")) || bytes.HasPrefix(t, []byte("ts=")) {
		return ofField(t)
	}
	t = bytes.Map(func(c rune) rune {
		if c == '\t' || c == '|' {
			return ' '
		}
		return c
	}, t)
	for t = bytes.Trim(bytes.TrimRight(t, "["), " "); len(t) > 0; t = bytes.TrimLeft(t, " ") {
		if rest, ok := subject(t); ok {
			return words(rest, []string{"has", "was", "is", "been", "successfully", "has been", "was successfully", "has successfully"})
		}
		if end := bracket(t); end > 0 {
			t = bytes.TrimPrefix(t[end:], []byte(":"))
			continue
		}
		var w []byte
		if w, t = said.FirstWord(t); !own(w) && !words(w, []string{"-", "connection", "sogorootpage"}) {
			return false
		}
	}
	return true
}

// ofField tells that the words are the whole beginning of a field of an object or of logfmt which holds a service's own words. A quote within a value has a stroke before it.
func ofField(t []byte) bool {
	for _, name := range []string{`"msg":"`, `"msg": "`, `"message":"`, `"message": "`, `"event":"`, `"event": "`, `"event.action":`, ` msg="`} {
		if rest, ok := bytes.CutSuffix(t, []byte(name)); ok {
			return len(rest) == 0 || rest[len(rest)-1] != '\\'
		}
	}
	return false
}

// subject takes "user bob ", "the user 'bob' " or "user=bob ip=192.0.2.1 " off a text.
func subject(t []byte) (rest []byte, ok bool) {
	t, _ = said.Rest(t, "the ")
	rest, ok = said.Rest(t, "user=")
	if !ok {
		if rest, ok = said.Rest(t, "user "); !ok {
			return nil, false
		}
	}
	if len(rest) > 0 && (rest[0] == '\'' || rest[0] == '"' || rest[0] == '`') {
		name := quoted(rest)
		if name == nil || len(rest) < len(name)+2 {
			return nil, false
		}
		rest = rest[len(name)+2:]
	} else {
		_, rest = said.FirstWord(rest)
	}
	rest = bytes.TrimLeft(rest, " ")
	if from, ok := said.Rest(rest, "ip="); ok {
		_, rest = said.FirstWord(from)
	}
	return rest, true
}

// words tells whether a text is one of a list, or empty.
func words(t []byte, list []string) bool {
	t = bytes.TrimSpace(t)
	for _, w := range list {
		if string(t) == w {
			return true
		}
	}
	return len(t) == 0
}

// bracket gives the end of a group in brackets that a text begins with: "[INFO]", "(MainThread)", "<0.471.0>", "main[12]:".
func bracket(t []byte) int {
	shut := map[byte]byte{'[': ']', '(': ')', '<': '>'}[t[0]]
	if shut == 0 {
		return 0
	}
	return bytes.IndexByte(t[:min(len(t), 200)], shut) + 1
}

// own tells a word that a service puts before its words: of a stamp, a level, the name of a logger or of a file.
func own(w []byte) bool {
	bare := bytes.TrimRight(w, ":")
	for _, l := range levels {
		if string(bare) == l {
			return true
		}
	}
	digits, others := 0, 0
	for _, c := range bare {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case bytes.IndexByte([]byte("-/:.,+tz_abcdef"), c) < 0:
			others++
		}
	}
	if digits > 0 && others == 0 { // of a stamp, or a number
		return true
	}
	if len(bare) > 1 && bare[0] == '@' { // Erlang's function
		return true
	}
	if bytes.IndexByte(bare, '\'') >= 0 || bytes.IndexByte(bare, '"') >= 0 || bytes.IndexByte(bare, '=') >= 0 {
		return false
	}
	return bytes.Contains(bare, []byte(".")) || bytes.Contains(bare, []byte("::")) || bytes.ContainsAny(bare, "[") && bare[len(bare)-1] == ']'
}

// goesOn tells of a refusal on a line without a stamp, whose client the line above names: "closing AMQP connection <0.1.0> (192.0.2.1:51234 -> 192.0.2.9:5672):".
func (r *refusals) goesOn(head, t []byte) (kind event.Kind, from []byte, ok bool) {
	if r.set == nil || len(head) == 0 || len(t) > maxRefusal || len(t) == 0 || t[0] != '{' && t[0] != ' ' && !bytes.HasPrefix(t, []byte("PLAIN ")) && !bytes.HasPrefix(t, []byte("AMQPLAIN ")) {
		return 0, nil, false
	}
	seen, _ := r.look(t)
	if _, stands := peers(t); seen&isPhrase == 0 || seen&isUndone != 0 || stands {
		return 0, nil, false
	}
	from, plainly := peers(head)
	return event.AuthFailed, from, plainly && from != nil
}
