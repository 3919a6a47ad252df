package utmp_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/utmp"
)

// record builds one struct utmp of 384 or 400 bytes.
func record(order binary.AppendByteOrder, size int, kind int16, pid int32, line, user, host string, sec, usec int64, addr []byte) []byte {
	b := order.AppendUint16(nil, uint16(kind))
	b = append(b, 0, 0)
	b = order.AppendUint32(b, uint32(pid))
	text := func(s string, n int) { b = append(append(b, s...), make([]byte, n-len(s))...) }
	text(line, 32)
	text("id", 4)
	text(user, 32)
	text(host, 256)
	b = append(b, 0, 0, 0, 0)
	if size == 400 {
		b = append(b, 0, 0, 0, 0)
		b = order.AppendUint64(b, 7)
		b = order.AppendUint64(b, uint64(sec))
		b = order.AppendUint64(b, uint64(usec))
	} else {
		b = order.AppendUint32(b, 7)
		b = order.AppendUint32(b, uint32(sec))
		b = order.AppendUint32(b, uint32(usec))
	}
	b = append(b, append(addr, make([]byte, 16-len(addr))...)...)
	return append(b, make([]byte, size-len(b))...)
}

func sample(order binary.AppendByteOrder, size int) []byte {
	var b []byte
	b = append(b, record(order, size, 2, 0, "~", "reboot", "6.1.0-18-amd64", 1704164645, 1, nil)...)
	b = append(b, record(order, size, 7, 4711, "pts/0", "alice", "203.0.113.66", 1704164700, 250000, []byte{203, 0, 113, 66})...)
	b = append(b, record(order, size, 8, 4711, "pts/0", "", "", 1704164800, 0, nil)...)
	b = append(b, record(order, size, 1, 0, "~", "shutdown", "6.1.0", 1704164900, 0, nil)...)
	return b
}

func read(t testing.TB, a *artifact.Artifact, path string, b []byte) string {
	in := artifacttest.Input(b)
	in.Path = path
	in.Host.Users = []artifact.User{{Name: "root"}, {Name: "alice", UID: 2}}
	return string(artifacttest.Run(t, a, in))
}

func TestLayouts(t *testing.T) {
	want := ""
	for _, l := range []struct {
		name  string
		order binary.AppendByteOrder
		size  int
	}{{"x86", binary.LittleEndian, 384}, {"aarch64", binary.LittleEndian, 400}, {"powerpc", binary.BigEndian, 384}, {"s390x", binary.BigEndian, 400}} {
		got := read(t, utmp.Logins(), "/var/log/wtmp", sample(l.order, l.size))
		got = got[:strings.LastIndex(got, "seen ")]
		var kinds []string
		for line := range strings.Lines(got) {
			text, _, _ := strings.Cut(line, " @")
			kinds = append(kinds, text)
		}
		one := strings.Join(kinds, "\n")
		if want == "" {
			want = one
			for _, has := range []string{"boot 2024-01-02T03:04:05.000001Z", "login-record 2024-01-02T03:05:00.250000Z", "user.name=alice", "source.ip=203.0.113.66", "logout-record", "shutdown"} {
				if !strings.Contains(one, has) {
					t.Errorf("%s: no %q in\n%s", l.name, has, one)
				}
			}
		}
		if one != want {
			t.Errorf("%s reads otherwise:\n%s\nwant\n%s", l.name, one, want)
		}
	}
}

func TestDamage(t *testing.T) {
	good := sample(binary.LittleEndian, 384)
	wiped := bytes.Clone(good)
	clear(wiped[384:768])
	if got := read(t, utmp.Logins(), "/var/log/wtmp", wiped); !strings.Contains(got, "a record of zeros") || !strings.Contains(got, "logout-record") || strings.Contains(got, "alice") {
		t.Errorf("a wiped record: %s", got)
	}
	if got := read(t, utmp.Logins(), "/var/log/wtmp", good[:len(good)-100]); !strings.Contains(got, "no whole record") || !strings.Contains(got, "logout-record") {
		t.Errorf("a cut file: %s", got)
	}
	if got := read(t, utmp.Logins(), "/var/log/wtmp", bytes.Repeat([]byte("not a record "), 100)); !strings.Contains(got, "damage") || strings.Contains(got, "login-record") {
		t.Errorf("no records: %s", got)
	}
	if got := read(t, utmp.Logins(), "/var/log/wtmp", nil); strings.Contains(got, "damage") {
		t.Errorf("an empty file is no damage: %s", got)
	}
}

func TestBadLogins(t *testing.T) {
	b := record(binary.LittleEndian, 384, 6, 5, "ssh:notty", "root", "203.0.113.9", 1704164645, 0, []byte{203, 0, 113, 9})
	if got := read(t, utmp.Logins(), "/var/log/btmp", b); !strings.HasPrefix(got, "bad-login-record ") {
		t.Errorf("btmp: %s", got)
	}
}

// ProFTPD leaves the type of its records empty.
func TestFTP(t *testing.T) {
	b := append(record(binary.LittleEndian, 384, 0, 0, "ftpd507", "webdev", "203.0.113.77", 1704164645, 0, nil), record(binary.LittleEndian, 384, 0, 0, "ftpd507", "", "203.0.113.77", 1704164646, 0, nil)...)
	got := read(t, utmp.Logins(), "/var/log/wtmp", b)
	for _, has := range []string{"login-record 2024-01-02T03:04:05.000000Z", "user.name=webdev", "source.ip=203.0.113.77", "logout-record 2024-01-02T03:04:06.000000Z"} {
		if !strings.Contains(got, has) {
			t.Errorf("no %q in\n%s", has, got)
		}
	}
}

func TestLastlog(t *testing.T) {
	b := make([]byte, 3*292)
	binary.LittleEndian.PutUint32(b[2*292:], 1704164645)
	copy(b[2*292+4:], "pts/0")
	copy(b[2*292+36:], "203.0.113.66")
	if got := read(t, utmp.Lastlog(), "/var/log/lastlog", b); !strings.Contains(got, "login-record 2024-01-02T03:04:05Z user.name=alice") || !strings.Contains(got, "source.ip=203.0.113.66") {
		t.Errorf("lastlog: %s", got)
	}
}

func FuzzLogins(f *testing.F) {
	artifacttest.Fuzz(f, utmp.Logins, string(sample(binary.LittleEndian, 384)), string(sample(binary.BigEndian, 400)))
}

func FuzzLastlog(f *testing.F) {
	f.Add(make([]byte, 292*3))
	f.Fuzz(func(t *testing.T, b []byte) { read(t, utmp.Lastlog(), "/var/log/lastlog", b) })
}
