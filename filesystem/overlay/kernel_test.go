//go:build linux

package overlay_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/ext4"
	"telltale/filesystem/fstest"
	"telltale/filesystem/overlay"
)

// disk is an ext4 image with directories for layers, mounted.
func disk(t *testing.T) (image, dir string, unmount func()) {
	fstest.NeedKernel(t, "mkfs.ext4")
	image = filepath.Join(t.TempDir(), "image")
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(64 << 20); err != nil {
		t.Fatal(err)
	}
	f.Close()
	fstest.Run(t, "mkfs.ext4", "-q", "-F", image)
	dir, unmount = fstest.MountImage(t, image, "user_xattr")
	return image, dir, unmount
}

// mountOverlay shows the union to f.
func mountOverlay(t *testing.T, dir, options, lower string, f func(merged string)) {
	t.Helper()
	merged := t.TempDir()
	data := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work%s", lower, dir, dir, options)
	if out, err := exec.Command("mount", "-t", "overlay", "overlay", "-o", data, merged).CombinedOutput(); err != nil {
		t.Skipf("this kernel mounts no overlay: %v %s", err, out)
	}
	defer fstest.Run(t, "umount", merged)
	f(merged)
}

// shell runs a script in a directory.
func shell(t *testing.T, dir, script string) {
	t.Helper()
	c := exec.Command("sh", "-euc", script)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

const lowers = `
mkdir -p l1/etc l1/dir/deep l1/gone l1/opaque l1/moved/sub l2/etc l2/dir l2/opaque l2/moved l3/moved upper work
echo one >l1/etc/passwd; echo two >l2/etc/passwd; echo shadow >l1/etc/shadow
echo a >l1/dir/a; echo b >l2/dir/b; echo deep >l1/dir/deep/file
echo x >l1/gone/x; echo o1 >l1/opaque/o1; echo o2 >l2/opaque/o2
echo m1 >l1/moved/m1; echo m2 >l2/moved/m2; echo s >l1/moved/sub/s; echo m3 >l3/moved/m3
echo file >l1/file-then-dir; mkdir l1/dir-then-file; echo x >l1/dir-then-file/x
ln -s /etc/passwd l1/link; ln l1/etc/shadow l1/hard
head -c 200000 /dev/urandom >l1/big; chmod 4755 l1/big; echo w >l1/was-white
mknod l2/null c 1 3; mkfifo l1/fifo
`

const work = `
echo new >etc/new; echo changed >etc/passwd; rm etc/shadow; rm -r gone
rm -r opaque; mkdir opaque; echo fresh >opaque/fresh
rm file-then-dir; mkdir file-then-dir; echo y >file-then-dir/y
rm -r dir-then-file; echo z >dir-then-file
rm was-white; echo again >was-white; rm dir/b
chmod 700 dir/deep; touch -d 2020-01-01 big; chown 1000:1000 big
mkdir -p tmp/.hidden; echo evil >tmp/.hidden/x
setfattr -n user.note -v hello etc/new 2>/dev/null || true
`

func open(t *testing.T, image, options string, names ...string) (*overlay.FS, filesystem.FS) {
	t.Helper()
	file, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	st, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := ext4.Open(file, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	var ls []overlay.Layer
	for _, n := range names {
		i := filesystem.Inode(0)
		for d, err := range f.ReadDir(f.Root()) {
			if err == nil && string(d.Name) == n {
				i = d.Inode
			}
		}
		ls = append(ls, overlay.Layer{FS: f, Root: i, Name: n})
	}
	o, err := overlay.Open(ls, overlay.Options{UserXattr: strings.Contains(options, "userxattr")})
	if err != nil {
		t.Fatal(err)
	}
	return o, f
}

// alike takes out what the kernel's union numbers in its own way.
func alike(tree fstest.Tree) fstest.Tree {
	for p, n := range tree.Nodes {
		n.Meta.Inode, n.Meta.Ref, n.Meta.Links, n.Meta.Atime, n.Meta.Crtime = 0, evidence.Ref{}, 0, evidence.Time{}, evidence.Time{}
		tree.Nodes[p] = n
	}
	return tree
}

func TestKernelAgrees(t *testing.T) {
	for _, tc := range []struct{ name, options, more string }{
		{"plain", "", ""},
		{"userxattr", ",userxattr", ""},
		{"redirect", ",redirect_dir=on", "mv moved away; mkdir -p a/b; mv away/sub a/b/sub2; mv dir a/dir; echo in >a/dir/in"},
		{"metacopy", ",metacopy=on,redirect_dir=on", "mv big bigger; chmod 600 null; chmod 640 a 2>/dev/null || chmod 640 link-none 2>/dev/null || true; mv moved away"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			image, dir, unmount := disk(t)
			shell(t, dir, lowers)
			lower := dir + "/l1:" + dir + "/l2:" + dir + "/l3"
			var want fstest.Tree
			mountOverlay(t, dir, tc.options, lower, func(m string) { shell(t, m, work+tc.more) })
			mountOverlay(t, dir, tc.options, lower, func(m string) { want = fstest.KernelTree(t, m) })
			unix.Sync()
			unmount()
			f, _ := open(t, image, tc.options, "upper", "l1", "l2", "l3")
			got := fstest.ReadTree(f)
			for _, err := range got.Errs {
				t.Error(err)
			}
			fstest.Compare(t, alike(got), alike(want))
		})
	}
}

func TestChanges(t *testing.T) {
	image, dir, unmount := disk(t)
	shell(t, dir, lowers)
	mountOverlay(t, dir, "", dir+"/l1:"+dir+"/l2:"+dir+"/l3", func(m string) { shell(t, m, work) })
	unmount()
	f, _ := open(t, image, "", "upper", "l1", "l2", "l3")
	got := map[string]string{}
	for c, err := range f.Changes(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got[c.Path] = c.Kind.String()
	}
	for p, want := range map[string]string{"/etc/new": "added", "/etc/passwd": "changed", "/etc/shadow": "deleted", "/gone": "deleted", "/opaque": "changed", "/opaque/fresh": "added",
		"/file-then-dir": "changed", "/file-then-dir/y": "added", "/dir-then-file": "changed", "/was-white": "changed", "/dir/b": "deleted", "/dir/deep": "changed", "/big": "changed",
		"/tmp": "added", "/tmp/.hidden": "added", "/tmp/.hidden/x": "added"} {
		if got[p] != want {
			t.Errorf("%s: %q, want %q", p, got[p], want)
		}
		delete(got, p)
	}
	if len(got) > 0 {
		t.Errorf("more: %v", got)
	}
}
