package said_test

import (
	"testing"

	"telltale/artifact/internal/said"
)

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "::ffff:203.0.113.9": "203.0.113.9", "[2001:db8::1]": "2001:db8::1", "::1": "::1",
		"fe80::1%eth0": "fe80::1%eth0", "2001:db8:0:0:0:0:0:1": "2001:db8::1", "64:ff9b::203.0.113.9": "64:ff9b::203.0.113.9",
		"": "", "host": "", "1.2.3": "", "1.2.3.4.5": "", "256.1.1.1": "", "1..2.3": "", "12:30:45": "", "a:b": "", "1::2::3": "",
		"12345::1": "", "UNKNOWN": "", "%": "", "[]": "",
	} {
		if got := string(said.Address([]byte(in))); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestAddressPort(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.9:22": "203.0.113.9|22", "[2001:db8::1]:22": "2001:db8::1|22", "::ffff:203.0.113.9:22": "203.0.113.9|22",
		"2001:db8::1": "2001:db8::1|", "203.0.113.9": "203.0.113.9|", "host:22": "|", "203.0.113.9:": "|", ":": "|",
	} {
		a, p := said.AddressPort([]byte(in))
		if got := string(a) + "|" + string(p); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add([]byte("[::ffff:1.2.3.4]:22"))
	f.Fuzz(func(t *testing.T, b []byte) {
		said.Address(b)
		said.AddressPort(b)
		said.LastWord(b)
	})
}

// Detections compare addresses as text, so one address has one form.
func TestAddressHasOneForm(t *testing.T) {
	for in, want := range map[string]string{
		"2001:0DB8::1": "2001:db8::1", "2001:db8:0:0:0:0:0:1": "2001:db8::1", "2001:db8::1": "2001:db8::1", "[2001:DB8::A]": "2001:db8::a", "0000:0000:0000:0000:0000:0000:0000:0001": "::1", "::ffff:192.0.2.1": "192.0.2.1", "192.0.2.1": "192.0.2.1",
		"2001:db8:0:1::5": "2001:db8:0:1::5", "2001:db8::1%enp3s0": "2001:db8::1", "fe80::1%eth0": "fe80::1%eth0",
	} {
		if got := string(said.Address([]byte(in))); got != want {
			t.Errorf("%s: %s, not %s", in, got, want)
		}
	}
}
