package servicelog

import (
	"bytes"

	"telltale/artifact/internal/said"
)

// registered tells a line of Asterisk's by which a telephone was let in, and from where: "Registered SIP '104' at 203.0.113.7:5071" and "Added contact
// 'sip:104@203.0.113.7:5071' to AOR '104'".
func registered(t []byte) (from []byte, ok bool) {
	rest, behind, ok := []byte(nil), []byte(nil), false
	if _, rest, ok = said.Cut(t, "Registered SIP '"); ok {
		_, behind, ok = said.Cut(rest, "' at ")
	} else if _, rest, ok = said.Cut(t, "Added contact 'sip:"); ok {
		_, behind, ok = said.Cut(rest, "@")
	}
	if !ok {
		return nil, false
	}
	end := bytes.IndexAny(behind, ":;' \t")
	if end < 0 {
		end = len(behind)
	}
	from = said.Address(behind[:end])
	return from, from != nil
}
