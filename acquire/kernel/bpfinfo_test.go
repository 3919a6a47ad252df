package kernel

import (
	"encoding/binary"
	"slices"
	"testing"
)

func TestHelpersByTheirDistance(t *testing.T) {
	addresses := map[string]uint64{"__bpf_call_base": 0xffffffff814ca650, "bpf_probe_write_user": 0xffffffff814bcc80, "bpf_send_signal": 0xffffffff814bad90}
	call := func(at uint64, src byte) []byte {
		b := []byte{opCall, src << 4, 0, 0, 0, 0, 0, 0}
		binary.NativeEndian.PutUint32(b[4:], uint32(at-addresses["__bpf_call_base"]))
		return b
	}
	code := append(call(addresses["bpf_probe_write_user"], 0), call(addresses["bpf_send_signal"], 1)...) // the second calls a subprogram
	if got, ok := helpers(code, addresses); !ok || !slices.Equal(got, []string{"probe_write_user"}) {
		t.Errorf("%q %v", got, ok)
	}
	if _, ok := helpers(code, nil); ok {
		t.Error("told without addresses")
	}
}

func FuzzInfo(f *testing.F) {
	f.Add(make([]byte, progInfoSize), "name")
	link := make([]byte, linkInfoSize)
	link[0], link[16] = 7, 3
	f.Add(link, "func")
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 7, 0, 3, 0, 'l', 'o', 0, 0, 12, 0, 43, 0, 8, 0, 4, 0, 9, 0, 0, 0}, "")
	f.Fuzz(func(t *testing.T, b []byte, s string) {
		decodeProg(b)
		decodeLink(b, s)
		if p, l := linkText(b); p+8 > linkInfoSize || l+4 > linkInfoSize {
			t.Error("a pointer outside")
		}
		helpers(b, map[string]uint64{"__bpf_call_base": 1, "bpf_send_signal": 2})
		parseLink(b)
		parseAddr(b)
		parseFilter(b)
		parseXDP(b)
		progID(s)
	})
}
