package bpf

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
	if got, ok := Calls(code, binary.NativeEndian, addresses); !ok || !slices.Equal(got, []string{"probe_write_user"}) {
		t.Errorf("%q %v", got, ok)
	}
	if _, ok := Calls(code, binary.NativeEndian, nil); ok {
		t.Error("told without addresses")
	}
}

func FuzzCalls(f *testing.F) {
	f.Add([]byte{0x85, 0, 0, 0, 1, 0, 0, 0, 0x85})
	f.Fuzz(func(t *testing.T, b []byte) {
		Calls(b, binary.LittleEndian, map[string]uint64{Base: 1, "bpf_send_signal": 2})
	})
}
