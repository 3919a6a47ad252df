package vfat_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale/filesystem"
	"telltale/filesystem/fstest"
	"telltale/filesystem/vfat"
)

// TestTheFilesItWasMadeOf: kernels without the filesystem are common, so an image is held against its source.
func TestTheFilesItWasMadeOf(t *testing.T) {
	for _, tool := range []string{"mkfs.vfat", "mcopy", "truncate"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	t.Setenv("TZ", "UTC0")
	t.Setenv("LC_ALL", "C.UTF-8")
	tree := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	want := map[string][sha256.Size]byte{}
	put := func(name string, n int) {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		p := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
		want["/"+name] = sha256.Sum256(b)
	}
	for i := range 300 {
		put(fmt.Sprintf("dir%d/a file with a longer name %d.text", i%7, i), rng.IntN(9000))
	}
	for i := range 255 - len("n.x") {
		if i%16 == 0 {
			put("long/"+strings.Repeat("n", i+1)+".x", i)
		}
	}
	put("big", 700_001)
	put("Zürich € 東京.txt", 5)
	put("deep/1/2/3/4/5/6/7/8/9/x", 5)
	for _, args := range [][]string{{"-F", "12", "-s", "8"}, {"-F", "16", "-s", "2"}, {"-F", "16", "-s", "1", "-S", "4096"}, {"-F", "32", "-s", "1"}} {
		t.Run(strings.Join(args, ""), func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "image")
			size := map[string]string{"12": "12M", "16": "12M", "32": "40M"}[args[1]]
			if len(args) > 4 {
				size = "60M"
			}
			fstest.Run(t, "truncate", "-s", size, image)
			fstest.Run(t, "mkfs.vfat", append(args, image)...)
			list, err := filepath.Glob(tree + "/*")
			if err != nil {
				t.Fatal(err)
			}
			fstest.Run(t, "mcopy", append(append([]string{"-s", "-m", "-i", image}, list...), "::")...)
			f, err := os.Open(image)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			st, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			v, err := vfat.Open(f, st.Size())
			if err != nil {
				t.Fatal(err)
			}
			got := fstest.ReadTree(v)
			for _, err := range got.Errs {
				t.Error(err)
			}
			files := 0
			for p, n := range got.Nodes {
				if n.Meta.Type != filesystem.Regular {
					continue
				}
				files++
				if sum, ok := want[p]; !ok || sum != n.Sum {
					t.Errorf("%q: there is such a file: %v; its content differs", p, ok)
				}
				if st, err := os.Stat(filepath.Join(tree, p)); err == nil && n.Meta.Mtime.Sec != st.ModTime().Unix()&^1 {
					t.Errorf("%q: of %s, want %s", p, n.Meta.Mtime, st.ModTime())
				}
			}
			if files != len(want) {
				t.Errorf("%d files, want %d", files, len(want))
			}
		})
	}
}
