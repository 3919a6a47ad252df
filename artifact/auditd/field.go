package auditd

import (
	"bytes"

	"telltale/artifact/internal/said"
	"telltale/internal/logclock"
)

// maxFields bounds the fields of one record that are read.
const maxFields = 128

// fields splits the record, once. What the kernel says of the sender stands before msg='...', which a program
// wrote: the first field of a name is taken, so that a program cannot say another uid than its own. Behind byte 0x1d
// auditd adds the names of numbers.
func (r *record) fields() {
	if r.split {
		return
	}
	r.split = true
	kernel, added := cutNames(r.text)
	var told []byte
	if i := bytes.Index(kernel, []byte("msg='")); i >= 0 && (i == 0 || kernel[i-1] == ' ') {
		kernel, told = kernel[:i], kernel[i+len("msg='"):]
		if j := bytes.LastIndexByte(told, '\''); j >= 0 {
			if added == nil {
				added = told[j+1:] // the byte was lost on the way
			}
			told = told[:j]
		}
	}
	r.add(kernel, false)
	r.add(told, false)
	r.add(added, true)
}

// cutNames cuts off the names of numbers that auditd added.
func cutNames(b []byte) (text, names []byte) {
	if i := bytes.LastIndexByte(b, 0x1d); i >= 0 {
		return b[:i], b[i+1:]
	}
	if text, names, ok := said.CutLast(b, "#035"); ok && len(names) > 0 && names[0] >= 'A' && names[0] <= 'Z' { // as rsyslog writes that byte
		return text, names
	}
	return b, nil
}

func (r *record) add(b []byte, names bool) {
	for len(r.kv) < maxFields {
		key, value, rest, ok := next(b)
		if !ok {
			return
		}
		b = rest
		r.kv = append(r.kv, pair{key, value, names})
	}
}

// next reads one field "key=value"; words without '=' are passed over, but for those of an op: "op=adding user id=5".
// Old releases put some fields in parentheses, with commas.
func next(b []byte) (key, value, rest []byte, ok bool) {
	for {
		b = bytes.TrimLeft(b, " ,(:")
		end := bytes.IndexByte(b, ' ')
		if end < 0 {
			end = len(b)
		}
		if eq := bytes.IndexByte(b[:end], '='); eq > 0 {
			key, b = b[:eq], b[eq+1:]
			break
		}
		if end == len(b) {
			return nil, nil, nil, false
		}
		b = b[end+1:]
	}
	if len(b) > 0 && b[0] == '"' {
		if i := bytes.IndexByte(b[1:], '"'); i >= 0 {
			return key, b[:i+2], b[i+2:], true
		}
	}
	end := word(b)
	if string(key) == "op" {
		for end < len(b) {
			n := word(b[end+1:])
			if n == 0 || bytes.IndexByte(b[end+1:end+1+n], '=') >= 0 || b[end+1] == ':' {
				break
			}
			end += 1 + n
		}
	}
	value = bytes.TrimRight(b[:end], ",")
	if bytes.IndexByte(value, '(') < 0 {
		value = bytes.TrimRight(value, ")")
	}
	return key, value, b[end:], true
}

func word(b []byte) int {
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		return i
	}
	return len(b)
}

// raw gives a field as it stands; nil for what stands for nothing. libaudit ends with hostname=, which the peer may
// choose and which is not encoded, and addr=, terminal= and res=: of these the last is the true one, of all others the first.
func (r *record) raw(key string) (v []byte) {
	r.fields()
	last := key == "addr" || key == "terminal" || key == "res"
	for i := range r.kv {
		if p := &r.kv[i]; string(p.key) == key && !p.names {
			if v = p.value; !last {
				break
			}
		}
	}
	switch string(v) {
	case "?", "(null)", "(none)", `""`, `"?"`:
		return nil
	}
	return v
}

// plain gives a field that is never hex-encoded, without quotes.
func (r *record) plain(key string) []byte { return bytes.Trim(r.raw(key), `"`) }

// coded gives a field whose value others choose: it stands in quotes, or in hex where it holds a blank, a quote
// or a control character.
func (r *record) coded(key string) []byte {
	v := r.raw(key)
	if v == nil {
		return nil
	}
	n := len(r.buf)
	r.buf = decodeTo(r.buf, v, len(v))
	return r.buf[n:len(r.buf):len(r.buf)]
}

// decodeTo appends the value of a quoted or hex-encoded field, at most room bytes.
func decodeTo(to, v []byte, room int) []byte {
	if len(v) > 0 && v[0] == '"' {
		v = bytes.Trim(v, `"`)
		return append(to, v[:min(len(v), room)]...)
	}
	if len(v) < 2 || len(v)%2 != 0 || !allHex(v) {
		return append(to, v[:min(len(v), room)]...)
	}
	for i := 0; i+1 < len(v) && room > 0; i, room = i+2, room-1 {
		to = append(to, nibble(v[i])<<4|nibble(v[i+1]))
	}
	return to
}

func allHex(b []byte) bool {
	for _, x := range b {
		if nibble(x) > 15 {
			return false
		}
	}
	return true
}

// nibble reads a hexadecimal digit, 16 where it is none. The kernel and libaudit write capitals; small letters are a name's.
func nibble(x byte) byte {
	switch {
	case x >= '0' && x <= '9':
		return x - '0'
	case x >= 'A' && x <= 'F':
		return x - 'A' + 10
	}
	return 16
}

// name gives the account that a number means: auditd adds it in capitals, else the host's passwd is asked, which may
// have changed since.
func (t *teller) name(key, added string) []byte {
	t.r.fields()
	for i := range t.r.kv {
		if p := &t.r.kv[i]; p.names && string(p.key) == added {
			v := bytes.Trim(p.value, `"`)
			if string(v) == "unset" || bytes.HasPrefix(v, []byte("unknown")) {
				return nil
			}
			return v
		}
	}
	id := set(t.r.plain(key))
	if len(id) == 0 || len(id) > 10 {
		return nil
	}
	n := logclock.Digits(id)
	for i := range t.users {
		if n >= 0 && int64(t.users[i].UID) == int64(n) {
			return []byte(t.users[i].Name)
		}
	}
	return nil
}

// same compares the words of an op, which releases join with blanks, dashes or underscores: "PAM: session open",
// "PAM:session_open", "adding user", "adding-user".
func same(op []byte, want string) bool {
	j := 0
	for _, x := range op {
		if x == ' ' || x == '-' || x == '_' {
			continue
		}
		if j >= len(want) || x != want[j] {
			return false
		}
		j++
	}
	return j == len(want)
}

// op gives what a program says it did. Before audit 1.6 the words stood alone: "PAM: authentication acct=...".
func (r *record) op() []byte {
	if v := r.plain("op"); v != nil {
		return v
	}
	_, rest, ok := said.Cut(r.text, "msg='")
	if !ok {
		return nil
	}
	rest, _, _ = said.Cut(rest, " acct=")
	if i := bytes.IndexByte(rest, '='); i >= 0 {
		return nil
	}
	return rest
}

// done tells whether the record says that it worked.
func (r *record) done() bool {
	v := r.plain("res")
	if v == nil {
		v = r.plain("result")
	}
	return len(v) > 0 && (v[0] == 's' || v[0] == 'S' || v[0] == '1' || v[0] == 'y')
}

// base gives the last part of a path.
func base(path []byte) []byte { return path[bytes.LastIndexByte(path, '/')+1:] }

// service names the program that wrote a record.
func (t *teller) service() []byte {
	exe := t.r.coded("exe")
	b := base(exe)
	if name, ok := said.Rest(b, "sshd-"); ok && (string(name) == "session" || string(name) == "auth") { // OpenSSH from 9.8 on
		return b[:len("sshd")]
	}
	if string(b) == "auth" && bytes.Contains(exe, []byte("/dovecot/")) {
		return exe[bytes.Index(exe, []byte("/dovecot/"))+1:][:len("dovecot")]
	}
	return b
}
