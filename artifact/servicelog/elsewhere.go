package servicelog

import "bytes"

// places are words before the address of a server that a program of this one went to: "invalid credentials at 192.0.2.1", "server smtp.example.com[192.0.2.1] said".
var places = []string{"at", "to", "against", "server", "upstream", "backend", "with", "contacting"}

// elsewhere tells whether what stands before an address says that it is where a client went, not from where one came.
func elsewhere(before []byte) bool {
	if introduced(before) {
		return false
	}
	b := bytes.ToLower(before)
	if n := len(b); n > 1 && b[n-1] == '/' && letter(b[n-2]) { // "backend auth/192.0.2.1"
		return true
	}
	if n := len(b); n > 1 && (b[n-1] == '[' || b[n-1] == '(') && letter(b[n-2]) { // behind a name
		b = bytes.TrimRightFunc(b[:n-1], func(r rune) bool { return r != ' ' })
	}
	return endsIn(bytes.TrimRight(b, " '\"=:"), places)
}
