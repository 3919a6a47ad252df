//go:build linux

package btrfs_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
)

// plantEvidence writes 200 files and a log of 3,000 lines, and gives them by path.
func plantEvidence(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	want := make(map[string][]byte)
	rng := rand.New(rand.NewPCG(3, 4))
	put := func(name string, b []byte) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
		want["/"+name] = b
	}
	for i := range 200 {
		var b []byte
		for len(b) < rng.IntN(1<<(4+i%17)) {
			if i%3 == 0 {
				b = append(b, byte(rng.Uint32()))
			} else {
				b = fmt.Appendf(b, "line %d of %d\n", rng.IntN(100), i)
			}
		}
		put(fmt.Sprintf("var/tmp/.x/%d/%d/tool-%d", i%7, i%5, i), b)
	}
	var log []byte
	for i := range 3000 {
		user := []string{"alice", "root"}[i%10/9]
		log = fmt.Appendf(log, "Nov 14 %02d:%02d:%02d web sshd[%d]: Accepted password for %s from 203.0.113.%d port %d ssh2\n", i/150, i/3%60, i%60, 1000+i, user, i%200, 1024+i)
	}
	put("var/log/auth.log", log)
	return want
}

// found counts what was recovered byte by byte, by path.
func found(t *testing.T, images []string, want map[string][]byte) (whole, wrong int, log bool, took time.Duration) {
	t.Helper()
	start := time.Now()
	f := openImages(t, images...)
	h, list := f.Deleted(t.Context())
	done := make(map[string]bool)
	for r, err := range list {
		if err != nil {
			t.Logf("fault: %v", err)
			continue
		}
		b, ok := want[r.Path]
		if !ok || r.Meta.Type != filesystem.Regular || done[r.Path] {
			continue
		}
		if testing.Verbose() && r.Reused > 0 {
			t.Logf("%q: %d reused, %d free", r.Path, r.Reused, r.Free)
		}
		got, err := io.ReadAll(io.NewSectionReader(r.Content, 0, r.Meta.Size))
		if err != nil || sha256.Sum256(got) != sha256.Sum256(b) {
			if err == nil && r.Whole() && len(got) == len(b) && !strings.HasSuffix(r.Path, "auth.log") {
				wrong++
				t.Logf("%q: %d of %d bytes, %d reused, %s", r.Path, len(got), len(b), r.Reused, r.From)
			}
			continue
		}
		if !r.After.Known() || !r.Before.Known() || r.Before.Before(r.After) {
			t.Errorf("%q: deleted after %v and before %v", r.Path, r.After, r.Before)
		}
		if done[r.Path] = true; strings.HasSuffix(r.Path, "auth.log") {
			log = true
		} else {
			whole++
		}
	}
	took = time.Since(start)
	t.Logf("%d of 200 files byte-exact with paths, un-edited log %v, in %v; %+v", whole, log, took, h)
	return whole, wrong, log, took
}

func TestDeletedByIntruder(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.btrfs", "losetup", "sed")
	for _, tc := range []struct {
		name, options string
		args          []string
	}{
		{"default", "rw", nil},
		{"zstd", "compress=zstd", nil},
		{"lzo", "compress=lzo", nil},
		{"zlib", "compress=zlib", nil},
		{"mixed", "rw", []string{"-M"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			images := makeImages(t, 1, 1<<30, tc.args...)
			dir, unmount := mountAll(t, images, tc.options)
			want := plantEvidence(t, dir)
			fstest.Run(t, "sync")
			fstest.Run(t, "sed", "-i", "/for root/d", dir+"/var/log/auth.log")
			fstest.Run(t, "rm", "-rf", dir+"/var/tmp/.x")
			fstest.Run(t, "sync")
			unmount()
			whole, wrong, log, _ := found(t, images, want)
			if whole != 200 || wrong > 0 || !log {
				t.Errorf("%d of 200, %d wrong without a word, log %v", whole, wrong, log)
			}
		})
	}
}

// How far it goes when the machine works on. There is no promise here but that nothing
// wrong comes without a word.
func TestDeletedAfterMoreTransactions(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.btrfs", "losetup", "sed")
	for _, options := range []string{"nodiscard", "rw"} {
		for _, more := range []int{1, 5, 50} {
			t.Run(fmt.Sprintf("%s-%d", options, more), func(t *testing.T) {
				if !fstest.FullRun() && (more != 5 || options != "rw") {
					t.Skip("only in full runs (TELLTALE_FULL)")
				}
				images := makeImages(t, 1, 1<<30)
				dir, unmount := mountAll(t, images, options)
				want := plantEvidence(t, dir)
				fstest.Run(t, "sync")
				fstest.Run(t, "sed", "-i", "/for root/d", dir+"/var/log/auth.log")
				fstest.Run(t, "rm", "-rf", dir+"/var/tmp/.x")
				fstest.Run(t, "sync")
				for i := range more {
					for j := range 20 {
						p := filepath.Join(dir, fmt.Sprintf("work-%d-%d", i, j))
						if err := os.WriteFile(p, bytes.Repeat([]byte("work "), 200*j), 0o644); err != nil {
							t.Fatal(err)
						}
					}
					fstest.Run(t, "sync", "-f", dir)
				}
				unmount()
				if _, wrong, _, _ := found(t, images, want); wrong > 0 {
					t.Errorf("%d files are wrong without a word", wrong)
				}
			})
		}
	}
}

// A log that was edited in its place keeps its inode; a subvolume that was deleted takes its whole tree along.
func TestOlderVersions(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.btrfs", "losetup", "btrfs")
	images := makeImages(t, 1, 1<<30)
	dir, unmount := mountAll(t, images, "nodiscard")
	log := bytes.Repeat([]byte("a line of the log, long enough to lie in blocks of its own\n"), 500)
	write := func(name string, b []byte, flags int) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|flags, 0o644)
		if err == nil {
			_, err = f.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	fstest.Run(t, "btrfs", "subvolume", "create", dir+"/sub")
	const tries = 40 // the kernel may take an old leaf again at any commit, and whoever calls sync(2) makes one
	for i := range tries {
		write(fmt.Sprintf("edited%d", i), log, 0)
	}
	write("grown", log, 0)
	for i := range 500 { // more than the space that the next transactions take again at once
		write(fmt.Sprintf("sub/file-%d", i), log, 0)
		write(fmt.Sprintf("filler-%d", i), log[:100], 0)
	}
	fstest.Run(t, "sync", "-f", dir)
	write("grown", []byte("more"), os.O_APPEND)
	fstest.Run(t, "sync", "-f", dir)
	found := 0
	for i := 0; i < tries && found < 3; i++ {
		name := fmt.Sprintf("edited%d", i)
		write(name, []byte("XXXX"), 0)
		fstest.Run(t, "sync", "-f", dir)
		copied := filepath.Join(t.TempDir(), name)
		fstest.Run(t, "cp", "--sparse=always", images[0], copied)
		got := versions(t, copied, log)
		found += got["/"+name]
		if got["/grown"] != 0 {
			t.Errorf("a file that only grew: %v", got)
		}
	}
	if found == 0 {
		t.Error("no older version of an edited file")
	}
	fstest.Run(t, "btrfs", "subvolume", "delete", "-c", dir+"/sub")
	fstest.Run(t, "btrfs", "subvolume", "sync", dir)
	unmount()
	got := versions(t, images[0], log)
	n := 0
	for i := range 500 {
		n += got[fmt.Sprintf("/sub/file-%d", i)]
	}
	if t.Logf("%d of 500 files of the deleted subvolume", n); n == 0 {
		t.Errorf("found %v", got)
	}
}

// versions counts the recovered files that hold what is wanted.
func versions(t *testing.T, image string, want []byte) map[string]int {
	t.Helper()
	f := openImages(t, image)
	_, list := f.Deleted(t.Context())
	got := make(map[string]int)
	for r, err := range list {
		if err != nil || r.Meta.Type != filesystem.Regular {
			continue
		}
		b, err := io.ReadAll(io.NewSectionReader(r.Content, 0, r.Meta.Size))
		if err == nil && bytes.Equal(b, want) {
			got[r.Path]++
		}
	}
	return got
}
