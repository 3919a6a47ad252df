package views

import (
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
