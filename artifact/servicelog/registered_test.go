package servicelog

import "testing"

func TestRegistered(t *testing.T) {
	for line, want := range map[string]string{
		"[2024-01-02 03:04:05] VERBOSE[21] chan_sip.c:     -- Registered SIP '104' at 203.0.113.7:5071":                                                   "203.0.113.7",
		"[2024-01-02 03:04:05] VERBOSE[21] res_pjsip_registrar.c: Added contact 'sip:104@203.0.113.7:5071;ob' to AOR '104' with expiration of 60 seconds": "203.0.113.7",
		"Unregistered SIP '104'":                   "",
		"Registered SIP '104":                      "",
		"Registered SIP '104' at phone.example:50": "",
		"Added contact 'sip:104@":                  "",
	} {
		from, ok := registered([]byte(line))
		if string(from) != want || ok != (want != "") {
			t.Errorf("%s: %q %v", line, from, ok)
		}
	}
}
