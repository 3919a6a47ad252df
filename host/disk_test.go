package host_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"telltale/host"
	"telltale/image/ewf"
)

// diskOf makes a partitioned disk with a small server on ext4: MBR, one partition.
func diskOf(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"mkfs.ext4", "sfdisk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	for name, body := range map[string]string{"etc/hostname": "disk1\n", "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "var/log/auth.log": "Jan  2 03:04:05 disk1 sshd[1]: hello\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(tree, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tree, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(in, name string, args ...string) {
		t.Helper()
		c := exec.Command(name, args...)
		c.Stdin = strings.NewReader(in)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	part, disk := filepath.Join(dir, "part"), filepath.Join(dir, "disk.dd")
	run("", "mkfs.ext4", "-q", "-F", "-b", "1024", "-d", tree, part, "8M")
	run("", "truncate", "-s", "10M", disk)
	run("2048,16384,L\n", "sfdisk", "-q", disk)
	run("", "dd", "if="+part, "of="+disk, "bs=1M", "seek=1", "conv=notrunc", "status=none")
	return disk
}

// Whatever a disk comes in, the same machine is on it.
func TestEveryContainerGivesTheSameHost(t *testing.T) {
	raw := diskOf(t)
	dir := t.TempDir()
	made := map[string]string{"raw": raw}
	if _, err := exec.LookPath("qemu-img"); err == nil {
		for name, args := range map[string][]string{"qcow2": {"-O", "qcow2", "-c"}, "vmdk": {"-O", "vmdk", "-o", "subformat=streamOptimized"}, "flat": {"-O", "vmdk", "-o", "subformat=twoGbMaxExtentFlat"}, "vhd": {"-O", "vpc"}, "vhdx": {"-O", "vhdx"}, "vdi": {"-O", "vdi"}} {
			p := filepath.Join(dir, "disk."+name)
			if name == "flat" {
				p = filepath.Join(dir, "flat.vmdk")
			}
			if out, err := exec.Command("qemu-img", append(append([]string{"convert"}, args...), raw, p)...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out)
			}
			made[name] = p
		}
	}
	made["ewf"] = e01Of(t, raw, dir)
	made["split"] = splitOf(t, raw, dir)
	for name, p := range made {
		t.Run(name, func(t *testing.T) {
			in, err := host.Open(context.Background(), p, host.Options{Source: "s1", Spool: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			if len(in.Hosts) != 1 || in.Hosts[0].Name != "disk1" || in.Kind != host.KindDisk || len(in.Damage) > 0 {
				t.Fatalf("%d hosts, kind %s, notes %q, damage %v", len(in.Hosts), in.Kind, in.Notes, in.Damage)
			}
			b, err := in.Hosts[0].ReadFile("/var/log/auth.log")
			if err != nil || !strings.Contains(string(b), "hello") {
				t.Errorf("%q, %v", b, err)
			}
			checks, err := host.Stored(context.Background(), p, nil)
			if err != nil || name == "ewf" && len(checks) == 0 {
				t.Errorf("%v, %v", checks, err)
			}
			for _, c := range checks {
				if !c.OK {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

func e01Of(t *testing.T, raw, dir string) string {
	t.Helper()
	f, err := os.Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(dir, "disk.E01")
	w, err := ewf.NewWriter(func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(dir, name)) }, ewf.Options{Name: "disk", Size: st.Size()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, f); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

func splitOf(t *testing.T, raw, dir string) string {
	t.Helper()
	b, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"cut.001", "cut.002", "cut.003"} {
		if err := os.WriteFile(filepath.Join(dir, name), b[i*(4<<20):min((i+1)*(4<<20), len(b))], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cut.001")
}
