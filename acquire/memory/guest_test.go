package memory

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"telltale/acquire/custody"
)

// TestGuest holds a copy that was made in a running Linux against what that Linux said.
func TestGuest(t *testing.T) {
	dir := os.Getenv("TELLTALE_MEMORY")
	if dir == "" {
		t.Skip("TELLTALE_MEMORY is not set: lab/memory-guest.sh makes the copy")
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	want, _, err := parseIomem(read("iomem"))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := custody.Load(filepath.Join(dir, "m.json"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := rec.Verify(t.Context(), filepath.Join(dir, "m.lime"), nil); err != nil || !v.OK {
		t.Errorf("%+v, %v", v, err)
	}
	image := read("m.lime")
	got := lime(t, image)
	all := uint64(0)
	for _, r := range want {
		if _, ok := got[r]; !ok {
			t.Errorf("%x is not in the copy", r)
		}
		all += r.Len()
	}
	if len(got) != len(want) {
		t.Errorf("%d ranges, iomem has %d", len(got), len(want))
	}
	if n := bytes.Count(image, []byte("telltale-mark"+"er-in-memory-5b1f\n")); n < 1000 {
		t.Errorf("the marker is there %d times", n)
	}
	if n := bytes.Count(image, []byte("Linux version "+string(bytes.Fields([]byte(rec.Kernel))[0]))); n == 0 {
		t.Errorf("the kernel's own words are not in the copy: %s", rec.Kernel)
	}
	if !bytes.Contains(read("m.vmcoreinfo"), []byte("OSRELEASE=")) || len(read("m.btf")) == 0 || !bytes.Contains(read("m.kallsyms"), []byte("init_task")) || rec.Memory.BuildID == "" {
		t.Error("what lies beside it is not whole")
	}
	t.Logf("%s: %d MiB in %d ranges, %d bytes in %d places could not be read, %v; build id %s", rec.Kernel, all>>20, len(got), lostOf(rec), len(rec.Bad), rec.Duration, rec.Memory.BuildID)
}

func lostOf(rec *custody.Record) (n int64) {
	for _, b := range rec.Bad {
		n += b.Length
	}
	return n
}
