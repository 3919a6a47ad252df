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
