package kernel

import (
	"bytes"
	"encoding/binary"
	"maps"
	"testing"
)

const callSymbols = "0000000000001000 T _stext\n0000000000001800 T __x64_sys_read\n0000000000002000 T _etext\n0000000000003000 D sys_call_table\n0000000000003020 D next\n0000000000008000 B _end\n0000000000009000 t evil_getdents\t[evil]\n"

// callCore is kernel memory with a table of calls at 0x3000.
func callCore(t testing.TB, entries ...uint64) *memory {
	var table []byte
	for _, e := range entries {
		table = binary.NativeEndian.AppendUint64(table, e)
	}
	m, err := openCore(bytes.NewReader(coreOf(0x3000, table)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCallsAstray(t *testing.T) {
	l, err := layoutOf([]byte(callSymbols))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		entries []uint64
		want    map[int]uint64
	}{
		"as it should be":      {[]uint64{0x1800, 0x1000, 0x1fff, 0}, map[int]uint64{}},
		"one is turned":        {[]uint64{0x1800, 0x9004, 0x1800, 0}, map[int]uint64{1: 0x9004}},
		"to the kernel's data": {[]uint64{0x1800, 0x2800, 0x1800, 0}, map[int]uint64{}},
		"what comes behind":    {[]uint64{0x1800, 0x1800, 0xffff8000ffff8000, 0}, map[int]uint64{}},
	} {
		got, err := l.astray(callCore(t, tc.entries...), l.tables[0])
		if err != nil || !maps.Equal(got, tc.want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	if _, err := l.astray(callCore(t, 0x1800), l.tables[0]); err == nil {
		t.Error("a table that is longer than the memory was read")
	}
	if s := l.owner(0x9004); s.module != "evil" || s.name != "evil_getdents" {
		t.Errorf("%+v", s)
	}
	for _, text := range []string{"", "0000000000000000 T _stext\n0000000000000000 T _etext\n0000000000000000 D sys_call_table\n", "0000000000001000 T _stext\n"} {
		if _, err := layoutOf([]byte(text)); err == nil {
			t.Errorf("%q tells where the code is", text)
		}
	}
}

func FuzzLayout(f *testing.F) {
	f.Add([]byte(callSymbols))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := layoutOf(b)
		if err != nil {
			return
		}
		for _, x := range l.tables {
			if x.entries < 0 || x.entries > maxCalls {
				t.Error(x)
			}
		}
		l.owner(1 << 40)
	})
}
