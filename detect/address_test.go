package detect

import "testing"

func TestOutside(t *testing.T) {
	for ip, want := range map[string]bool{"203.0.113.6": true, "10.1.2.3": false, "127.0.0.1": false, "::1": false, "fe80::1": false, "2001:db8::1": true, "::ffff:192.168.1.1": false, "0.0.0.0": false, "host": false, "": false} {
		if Outside(ip) != want {
			t.Errorf("%q is outside: %v", ip, !want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{"203.0.113.6": "203.0.113", "2001:db8:1:2:3::4": "2001:db8:1:2", "::1": "", "host": "", "": ""} {
		if got := Network(ip); got != want {
			t.Errorf("%q: %q", ip, got)
		}
	}
}

func TestAddressIn(t *testing.T) {
	for line, want := range map[string]string{
		"Mar  2 10:00:00 web1 sshd[7]: Accepted password for root from 203.0.113.66 port 4": "203.0.113.66",
		"2026-03-02T10:00:00.123+00:00 web1 sshd: from 2001:db8::1 port 4":                  "2001:db8::1",
		"x from ::ffff:203.0.113.5.":              "203.0.113.5",
		"at 10:00:00 version 1.2.3 and 1.2.3.4.5": "", "host a203.0.113.66b": "", "": "", "mac 00:11:22:33:44:55": "",
	} {
		if got := AddressIn(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
