//go:build linux

package ext4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
)

// recovered is what a reader brought back, by path.
type recovered struct {
	history filesystem.History
	files   []filesystem.Recovered
	sums    map[string][][sha256.Size]byte
}

func undelete(t testing.TB, image string) recovered {
	t.Helper()
	h, files := openImage(t, image).Deleted(context.Background())
	out := recovered{history: h, sums: map[string][][sha256.Size]byte{}}
	for r, err := range files {
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, io.NewSectionReader(r.Content, 0, r.Meta.Size)); err != nil {
			t.Logf("%q: %v", r.Path, err)
		}
		out.files = append(out.files, r)
		out.sums[r.Path] = append(out.sums[r.Path], [sha256.Size]byte(sum.Sum(nil)))
	}
	return out
}

// back counts the files of a tree that were brought back byte by byte, under their path.
func (r *recovered) back(want map[string][sha256.Size]byte) (exact, elsewhere int) {
	all := map[[sha256.Size]byte]bool{}
	for _, sums := range r.sums {
		for _, s := range sums {
			all[s] = true
		}
	}
	for p, w := range want {
		named := false
		for _, s := range r.sums[p] {
			named = named || s == w
		}
		if named {
			exact++
		} else if all[w] {
			elsewhere++
		}
	}
	return exact, elsewhere
}

func sumsOf(t testing.TB, root string, below ...string) map[string][sha256.Size]byte {
	t.Helper()
	out := map[string][sha256.Size]byte{}
	for _, b := range below {
		err := filepath.WalkDir(filepath.Join(root, b), func(p string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			raw, err := os.ReadFile(p)
			out[strings.TrimPrefix(p, root)] = sha256.Sum256(raw)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Deleted files come back while the journal remembers them, and nothing is made up once it does not.
func TestDeletedComeBack(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4")
	for _, tc := range []struct {
		name string
		args []string
	}{
		{"default", nil}, {"1k", []string{"-b", "1024"}}, {"ext3", []string{"-t", "ext3"}},
		{"no-checksums", []string{"-O", "^metadata_csum,^64bit"}}, {"inline", []string{"-I", "256", "-O", "inline_data"}}, {"bigalloc", []string{"-O", "bigalloc", "-C", "16384"}},
		{"orphan-file", []string{"-O", "orphan_file"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			image := makeImage(t, 256<<20, tc.args...)
			dir, unmount := fstest.MountImage(t, image, "rw")
			plantDeleted(t, dir, 200)
			want := sumsOf(t, dir, "home", "var/tmp")
			logLines := sumsOf(t, dir, "var/log/auth.log", "var/log/cut.log")
			unmount()
			dir, unmount = fstest.MountImage(t, image, "rw")
			fstest.Run(t, "sed", "-i", "/203.0.113.66/d", filepath.Join(dir, "var/log/auth.log"))
			if err := os.Truncate(filepath.Join(dir, "var/log/cut.log"), 0); err != nil {
				t.Fatal(err)
			}
			fstest.Run(t, "sh", "-c", "rm -rf "+dir+"/home/* "+dir+"/var/tmp/.x")
			unmount()
			got := undelete(t, image)
			exact, elsewhere := got.back(want)
			cut, _ := got.back(logLines)
			t.Logf("%d of %d with their path, %d more without it; %d of 2 edited logs; %d files in all; journal %s to %s, %d transactions %q",
				exact, len(want), elsewhere, cut, len(got.files), got.history.From, got.history.To, got.history.Transactions, got.history.Notes)
			for _, r := range got.files[:min(3, len(got.files))] {
				t.Logf("%q by %s; content by %s, %s..%s, free %d reused %d", r.Path, r.PathFrom, r.From, r.After, r.Before, r.Free, r.Reused)
			}
			if exact < len(want)*98/100 {
				t.Error("too few")
			}
			if cut != 2 {
				t.Error("the logs as they were before they were edited did not come back")
			}
		})
	}
}

func plantDeleted(t testing.TB, dir string, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	write := func(p string, b []byte) {
		t.Helper()
		p = filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	for i := range 4000 {
		from := "198.51.100.7"
		if i%100 == 3 {
			from = "203.0.113.66"
		}
		fmt.Fprintf(&log, "2026-03-02T10:%02d:%02d.123456+00:00 web1 sshd[%d]: Accepted password for root from %s port %d ssh2\n", i/60%60, i%60, 1000+i, from, 40000+i)
	}
	write("var/log/auth.log", log.Bytes())
	write("var/log/cut.log", log.Bytes()[:100_000])
	write("var/tmp/.x/scan.sh", []byte("#!/bin/sh\nmasscan -p22 0.0.0.0/0\n"))
	for i := range n {
		b := make([]byte, 1+rng.IntN(40)*rng.IntN(5000))
		for k := range b {
			b[k] = byte(rng.Uint32())
		}
		write(fmt.Sprintf("home/u%d/deep/er/file %d", i%9, i), b)
	}
}

// Once the journal has wrapped nothing comes back, its span says so, and what is offered as whole is whole.
func TestWrappedJournalClaimsNothing(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4")
	image := makeImage(t, 256<<20, "-J", "size=4", "-N", "20000")
	dir, unmount := fstest.MountImage(t, image, "rw")
	plantDeleted(t, dir, 200)
	want := sumsOf(t, dir, "home", "var/tmp")
	unmount()
	dir, unmount = fstest.MountImage(t, image, "rw")
	fstest.Run(t, "sh", "-c", "rm -rf "+dir+"/home/* "+dir+"/var/tmp/.x")
	fstest.Run(t, "sync", "-f", dir)
	unmount()
	dir, unmount = fstest.MountImage(t, image, "rw")
	for i := range 40 {
		sub := filepath.Join(dir, fmt.Sprintf("new%d", i))
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		for k := range 250 {
			if err := os.WriteFile(filepath.Join(sub, fmt.Sprint(k)), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			if k%50 == 49 { // a commit each: how many there are must not hang on how fast the machine is
				fstest.Run(t, "sync", "-f", sub)
			}
		}
	}
	unmount()
	got := undelete(t, image)
	exact, elsewhere := got.back(want)
	t.Logf("%d of %d, %d without path; journal %s to %s %q", exact, len(want), elsewhere, got.history.From, got.history.To, got.history.Notes)
	if !got.history.From.Known() || !got.history.To.Known() {
		t.Error("the journal's span is not told")
	}
	for i, r := range got.files {
		if w, ok := want[r.Path]; ok && r.Whole() && got.sums[r.Path][0] != w {
			t.Errorf("file %d, %q, is offered as whole and is not", i, r.Path)
		}
	}
	if exact > len(want)/2 {
		t.Error("the journal was to wrap: nothing is tested")
	}
}

// A program that runs while its file is deleted comes back from the orphan list, under its name.
func TestDeletedButOpen(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4")
	image := makeImage(t, 64<<20)
	dir, unmount := fstest.MountImage(t, image, "rw")
	if err := os.MkdirAll(filepath.Join(dir, "dev/shm"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(dir, "dev/shm/.kworker")
	content := bytes.Repeat([]byte("\x7fELF still running "), 9000)
	if err := os.WriteFile(p, content, 0o755); err != nil {
		t.Fatal(err)
	}
	fstest.Run(t, "sync", "-f", dir)
	f, err := os.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(p); err != nil {
		t.Fatal(err)
	}
	fstest.Run(t, "sync", "-f", dir)
	copied := crash(t, image)
	f.Close()
	unmount()
	got := undelete(t, copied)
	if len(got.files) != 1 {
		t.Fatalf("%d files", len(got.files))
	}
	r := got.files[0]
	if r.Path != "/dev/shm/.kworker" || r.Meta.State != filesystem.Orphan || got.sums[r.Path][0] != sha256.Sum256(content) || r.Reused != 0 || r.Meta.Mode != 0o755 {
		t.Errorf("%q %+v", r.Path, r)
	}
}

// Old kernels left the map in the inode and the name in the directory, and debugfs still does.
func TestResidueOfOldKernels(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4", "debugfs")
	image := makeImage(t, 32<<20, "-t", "ext2")
	dir, unmount := fstest.MountImage(t, image, "rw")
	plantDeleted(t, dir, 50)
	want := sumsOf(t, dir, "home")
	unmount()
	for p := range want {
		fstest.Run(t, "debugfs", "-w", "-R", fmt.Sprintf("rm %q", p), image)
	}
	got := undelete(t, image)
	exact, elsewhere := got.back(want)
	t.Logf("%d of %d, %d without path; %q", exact, len(want), elsewhere, got.history.Notes)
	if exact+elsewhere < len(want)*95/100 || exact < len(want)/2 {
		t.Error("too few")
	}
}

func TestFreeSpaceAsTheBitmapsSay(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4", "dumpe2fs")
	for name, args := range map[string][]string{"default": nil, "1k": {"-b", "1024"}, "bigalloc": {"-O", "bigalloc", "-C", "16384"},
		"no-flex-bg": {"-O", "^flex_bg"}, "meta-bg": {"-O", "meta_bg,^resize_inode", "-b", "1024"}, "ext2": {"-t", "ext2"}} {
		t.Run(name, func(t *testing.T) {
			image := makeImage(t, 512<<20, args...)
			dir, unmount := fstest.MountImage(t, image, "rw")
			plantDeleted(t, dir, 100)
			unmount()
			f := openImage(t, image)
			var free, end int64
			for e, err := range f.FreeSpace(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Physical < end || e.Length <= 0 {
					t.Fatalf("run at %d of %d behind %d", e.Physical, e.Length, end)
				}
				end = e.Physical + e.Length
				free += e.Length
			}
			out, err := exec.Command("dumpe2fs", "-h", image).Output()
			if err != nil {
				t.Fatal(err)
			}
			field := func(name string) (n int64) {
				_, rest, _ := strings.Cut(string(out), "\n"+name+":")
				fmt.Sscan(rest, &n)
				return n
			}
			if want := field("Free blocks") * field("Block size"); free != want {
				t.Errorf("%d bytes are free, dumpe2fs says %d", free, want)
			}
		})
	}
}

// A file in many pieces comes back by its extent block, though the journal has long forgotten its inode.
func TestStrayExtentBlocks(t *testing.T) {
	fstest.NeedKernel(t, "mkfs.ext4")
	image := makeImage(t, 256<<20, "-J", "size=4", "-N", "20000")
	dir, unmount := fstest.MountImage(t, image, "rw")
	content := map[string][sha256.Size]byte{}
	for i := range 5 {
		p := filepath.Join(dir, fmt.Sprintf("log%d", i))
		f, err := os.Create(p)
		if err != nil {
			t.Fatal(err)
		}
		var all []byte
		for k := range 40 { // holes between all pieces
			b := bytes.Repeat([]byte{byte(i), byte(k), 7}, 4096)[:8192]
			if _, err := f.WriteAt(b, int64(k)*16384); err != nil {
				t.Fatal(err)
			}
			all = append(append(all, make([]byte, int64(k)*16384-int64(len(all)))...), b...)
		}
		f.Sync()
		f.Close()
		content[p] = sha256.Sum256(all)
	}
	unmount()
	dir, unmount = fstest.MountImage(t, image, "rw")
	fstest.Run(t, "sh", "-c", "rm "+dir+"/log*")
	fstest.Run(t, "sync", "-f", dir)
	for i := range 40 {
		sub := filepath.Join(dir, fmt.Sprintf("new%d", i))
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		for k := range 150 {
			if err := os.WriteFile(filepath.Join(sub, fmt.Sprint(k)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		fstest.Run(t, "sync", "-f", sub)
	}
	for mode := range 6 { // until the ring has gone round
		for i := range 40 {
			fstest.Run(t, "sh", "-c", fmt.Sprintf("chmod 60%d %s/new%d/* && sync -f %s", mode, dir, i, dir))
		}
	}
	unmount()
	got := undelete(t, image)
	found, known := 0, 0
	for i, r := range got.files {
		t.Logf("%d %q inode %d size %d from %s free %d reused %d", i, r.Path, r.Meta.Inode, r.Meta.Size, r.From, r.Free, r.Reused)
		if !strings.HasPrefix(r.From, "extent block") {
			continue
		}
		b := make([]byte, r.Meta.Size)
		n, err := r.Content.ReadAt(b, 0)
		if err != nil && err != io.EOF {
			t.Error(err)
		}
		for _, s := range content {
			if sha256.Sum256(b[:n]) == s {
				found++
			}
		}
		if r.Meta.Inode != 0 && r.Meta.Dtime.Known() {
			known++
		}
	}
	t.Logf("%d of 5, %d with their inode; journal %s to %s", found, known, got.history.From, got.history.To)
	if found == 0 {
		t.Error("none came back")
	}
}
