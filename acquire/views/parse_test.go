package views

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
)

func TestStatWithAnEvilName(t *testing.T) {
	tail := " S 1 2 3 0 -1 4194560 0 0 0 0 1 2 0 0 20 0 5 0 777 0 0"
	st, err := parseStat("42 (a) R 9 9 (b)" + tail)
	if err != nil || st.name != "a) R 9 9 (b" || st.ppid != 1 || st.pgrp != 2 || st.sid != 3 || st.threads != 5 || st.start != 777 {
		t.Errorf("%+v %v", st, err)
	}
	for _, bad := range []string{"", "42", "42 (a", ")(", "42 (a)", "42 (a) S 1 2", "42 (a) S x" + strings.Repeat(" 1", 30)} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestMounts(t *testing.T) {
	mounts, bad := parseMounts([]byte("36 35 98:0 /a\\040b /mnt\\134x rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n" +
		"nonsense\n37 36 0:22 / /x ro - tmpfs  rw\n"))
	if bad != 1 || len(mounts) != 2 {
		t.Fatalf("%d mounts, %d bad", len(mounts), bad)
	}
	if m := mounts[0]; m.Root != "/a b" || m.At != `/mnt\x` || m.Type != "ext3" || m.Source != "/dev/root" || m.ID != 36 || m.Parent != 35 {
		t.Errorf("%+v", m)
	}
	if m := mounts[1]; m.Source != "" || m.Type != "tmpfs" {
		t.Errorf("a mount without a source: %+v", m)
	}
}

func FuzzStat(f *testing.F) {
	if b, err := os.ReadFile("/proc/self/stat"); err == nil {
		f.Add(string(b))
	}
	f.Add("42 (a) R (b) S 1 2 3 0 -1 4194560 0 0 0 0 1 2 0 0 20 0 5 0 777 0 0")
	f.Fuzz(func(t *testing.T, s string) { parseStat(s) })
}

func FuzzMounts(f *testing.F) {
	if b, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		f.Add(b)
	}
	f.Add([]byte("36 35 98:0 /a\\040b /mnt\\134 rw shared:2 - ext3 /dev/root rw\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		mounts, bad := parseMounts(b)
		if len(mounts)+bad > strings.Count(string(b), "\n")+1 {
			t.Error("more mounts than lines")
		}
	})
}

const someTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1062 1 000000007d903276 100 0 0 10 0
   1: 0100007F:0016 0100007F:9C40 06 00000000:00000000 03:00000AAA 00000000     0        0 0 3 0000000000000000
   2: nonsense
`

func TestSocketTables(t *testing.T) {
	got, bad := parseNet([]byte(someTCP))
	if bad != 1 || len(got.ports) != 2 || !got.ports[2024] || !got.ports[22] || got.rows != 1 || !got.inodes[1062] {
		t.Errorf("%+v, %d bad", got, bad)
	}
	if c := parseSockstat([]byte("sockets: used 11\nTCP: inuse 1 orphan 8 tw 0 alloc 9 mem 145\nUDP: inuse\nRAW: inuse x\n")); len(c) != 1 || c["TCP"] != 1 {
		t.Errorf("%v", c)
	}
	for local, want := range map[string]int{"192.0.2.1:22": 22, "[::1]:80": 80, "*:5": 5, "": 0, "x": 0, "/run/x": 0, "1:99999": 0} {
		if got := portOf(local); got != want {
			t.Errorf("%q: %d", local, got)
		}
	}
}

func FuzzSocketTables(f *testing.F) {
	f.Add([]byte(someTCP))
	for _, name := range []string{"tcp", "udp", "tcp6", "sockstat"} {
		if b, err := os.ReadFile("/proc/net/" + name); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		table, _ := parseNet(b)
		table.diag(b)
		parseSockstat(b)
		if p := portOf(string(b)); p < 0 || p > 65535 {
			t.Error(p)
		}
	})
}

// auditBytes makes a struct audit_rule_data.
func auditBytes(action uint32, call int, fields map[uint32]uint32) []byte {
	b := make([]byte, auditRuleSize)
	put := func(i int, v uint32) { binary.NativeEndian.PutUint32(b[4*i:], v) }
	put(0, auditFilterExit)
	put(1, action)
	put(2, uint32(len(fields)))
	put(3+call/32, 1<<(call%32))
	i := 0
	for f, v := range fields {
		put(3+auditMaskWords+i, f)
		put(3+auditMaskWords+auditMaxFields+i, v)
		i++
	}
	return b
}

func TestAuditRules(t *testing.T) {
	const here, elsewhere, bind = 0xC000003E, 0x40000003, 49
	for name, tc := range map[string]struct {
		rule []byte
		logs bool
	}{
		"each bind":          {auditBytes(auditAlways, bind, nil), true},
		"of this machine":    {auditBytes(auditAlways, bind, map[uint32]uint32{auditArch: here}), true},
		"of another machine": {auditBytes(auditAlways, bind, map[uint32]uint32{auditArch: elsewhere}), false},
		"never":              {auditBytes(0, bind, nil), false},
		"another call":       {auditBytes(auditAlways, bind+1, nil), false},
		"of a file":          {auditBytes(auditAlways, bind, map[uint32]uint32{auditWatch: 0}), false},
		"cut off":            {auditBytes(auditAlways, bind, nil)[:auditRuleSize-1], false},
	} {
		r, ok := parseAuditRule(tc.rule)
		if got := ok && r.covers(here, bind); got != tc.logs {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzAuditRule(f *testing.F) {
	f.Add(auditBytes(auditAlways, 49, map[uint32]uint32{auditArch: 1}), 49)
	f.Fuzz(func(t *testing.T, b []byte, call int) {
		if r, ok := parseAuditRule(b); ok {
			r.covers(0, call)
		}
	})
}
