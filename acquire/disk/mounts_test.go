package disk

import (
	"os"
	"reflect"
	"testing"

	"telltale/internal/procfs"
)

const sample = `22 27 0:21 / /proc rw,relatime - proc proc rw
36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
40 35 8:1 / /boot ro,relatime shared:1 - ext4 /dev/sda1 rw
41 35 8:2 / /data ro - xfs /dev/sda2 ro,attr2
short line
42 35 8:3 / /x rw - vfat
`

func TestParseMounts(t *testing.T) {
	want := []mount{
		{"0:21", "/", "/proc", "proc", "proc", true},
		{"98:0", "/mnt1", "/mnt 2", "ext3", "/dev/root", true},
		{"8:1", "/", "/boot", "ext4", "/dev/sda1", true},
		{"8:2", "/", "/data", "xfs", "/dev/sda2", false},
	}
	if got := parseMounts([]byte(sample)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestTheMountOnTopCounts(t *testing.T) {
	m := []mount{{point: "/", source: "a"}, {point: "/usb", source: "b"}, {point: "/usb", source: "c"}, {point: "/us", source: "d"}}
	for dir, want := range map[string]string{"/usb/x": "c", "/usb": "c", "/usbx": "a", "/us": "d", "/": "a"} {
		if got := at(m, dir); got == nil || got.source != want {
			t.Errorf("%s: %v", dir, got)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{`a\040b\134c\011`: "a b\\c\t", `\04`: `\04`, `\`: `\`, `\999`: `\999`} {
		if got := procfs.Unescape(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add([]byte(sample))
	if b, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := parseMounts(b)
		if len(m) > len(b)/8+1 {
			t.Errorf("%d mounts of %d bytes", len(m), len(b))
		}
		at(m, "/a/b")
	})
}
