//go:build linux

package xfs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
)

// TestFilesThatWereCut: what files held before they were cut or written anew comes back, under their paths.
func TestFilesThatWereCut(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs")
	image := makeImage(t, 512<<20)
	dir, unmount := fstest.MountImage(t, image, "rw")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lines := func(name string) []byte {
		var b bytes.Buffer
		for i := 0; b.Len() < 300_000; i++ {
			fmt.Fprintf(&b, "Mar  2 10:00:%02d web1 sshd[%d]: Accepted password for %s from 203.0.113.66\n", i%60, i, name)
		}
		return b.Bytes()
	}
	want := map[string][]byte{}
	for _, name := range []string{"emptied", "halved", "anew", "longer", "untouched", "appended"} {
		want["/log/"+name] = lines(name)
		must(os.MkdirAll(filepath.Join(dir, "log"), 0o755))
		must(os.WriteFile(filepath.Join(dir, "log", name), lines(name), 0o640))
	}
	fstest.Run(t, "sync", "-f", dir)
	unmount()
	dir, unmount = fstest.MountImage(t, image, "rw")
	p := func(name string) string { return filepath.Join(dir, "log", name) }
	must(os.WriteFile(p("anew"), lines("anew")[:200_000], 0o640))
	must(os.WriteFile(p("longer"), bytes.Repeat(lines("other"), 2), 0o640))
	f, err := os.OpenFile(p("appended"), os.O_APPEND|os.O_WRONLY, 0)
	must(err)
	_, err = f.Write(lines("more"))
	must(err)
	must(f.Close())
	fstest.Run(t, "sync", "-f", dir)
	must(os.Truncate(p("emptied"), 0)) // last, so that nobody gets their blocks
	must(os.Truncate(p("halved"), 150_000))
	fstest.Run(t, "sync", "-f", dir)
	unmount()

	_, files := openImage(t, image).Deleted(context.Background())
	for r, err := range files {
		must(err)
		if r.Meta.Type != filesystem.Regular || r.Meta.Size == 0 {
			continue
		}
		b := make([]byte, r.Meta.Size)
		r.Content.ReadAt(b, 0)
		if r.Path == "/log/halved" { // the kernel wipes the rest of the block in which a file ends
			end := 150_000/4096*4096 + 4096
			copy(b[150_000:end], want[r.Path][150_000:end])
			r.Reused -= int64(end - 150_000)
		}
		whole := bytes.Equal(b, want[r.Path])
		t.Logf("%q cut %v, %d bytes, whole %v, free %d, reused %d, from %s, after %s before %s", r.Path, r.Cut, r.Meta.Size, whole, r.Free, r.Reused, r.From, r.After, r.Before)
		name := strings.TrimPrefix(r.Path, "/log/")
		if !r.Cut || name == "untouched" || name == "appended" {
			t.Errorf("%q is told, cut %v", r.Path, r.Cut)
		}
		if whole && r.Reused == 0 {
			delete(want, r.Path)
		}
	}
	for _, name := range []string{"emptied", "halved", "anew", "longer"} {
		if want["/log/"+name] != nil {
			t.Errorf("what %s held is not found whole", name)
		}
	}
	if want["/log/untouched"] == nil || want["/log/appended"] == nil {
		t.Error("a file that holds all it held is called cut")
	}
}

// TestEmptiedBeforeTheLogWentRound: the log has forgotten, the file's record still points at what it held.
func TestEmptiedBeforeTheLogWentRound(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.xfs")
	image := makeSmallLog(t, 1<<30)
	dir, unmount := fstest.MountImage(t, image, "rw")
	want := bytes.Repeat([]byte("Mar  2 10:00:00 web1 sshd[7]: Accepted password for root\n"), 5000)
	for _, err := range []error{os.WriteFile(filepath.Join(dir, "emptied"), want, 0o640), os.WriteFile(filepath.Join(dir, "never filled"), nil, 0o640)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	unmount()
	dir, unmount = fstest.MountImage(t, image, "rw")
	if err := os.Truncate(filepath.Join(dir, "emptied"), 0); err != nil {
		t.Fatal(err)
	}
	wrap(t, dir, 12)
	unmount()
	_, files := openImage(t, image).Deleted(context.Background())
	found := 0
	for r, err := range files {
		if err != nil {
			t.Errorf("fault: %v", err)
			continue
		}
		b := make([]byte, r.Meta.Size)
		n, _ := r.Content.ReadAt(b, 0)
		if bytes.HasPrefix(b[:n], want) {
			found++
			if r.Cut || r.Path != "" || !strings.Contains(r.From, "empty now") || r.Reused != 0 {
				t.Errorf("%q, cut %v, from %s", r.Path, r.Cut, r.From)
			}
		}
	}
	if found != 1 {
		t.Errorf("what the file held was found %d times", found)
	}
}
