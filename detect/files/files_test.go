package files_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/files"
)

// nestedTree is what a system has with its owner's rights.
func nestedTree(dir string) (out string) {
	for _, name := range []string{"su", "passwd", "chsh", "chfn", "newgrp"} {
		out += "- file file.type=file file.mode=4755 file.uid=0 file.path=" + dir + name + "\n"
	}
	return out
}

func TestFiles(t *testing.T) {
	pkg := "- package package.name=base-files\n"
	for _, tc := range []struct {
		name, event string
		level       detect.Level
		found       bool
	}{
		{"setuid in /var/tmp", pkg + "- file file.type=file file.mode=4755 file.uid=0 file.path=/var/tmp/sh", detect.High, true},
		{"setuid by hand", pkg + "- file file.type=file file.mode=4755 file.uid=0 file.path=/usr/local/bin/tool", detect.Low, true},
		{"setuid of a package", pkg + "- file file.type=file file.mode=4755 file.uid=0 file.path=/usr/bin/sudo file.package=sudo", 0, false},
		{"setuid where no package database was read", "- file file.type=file file.mode=4755 file.uid=0 file.path=/usr/bin/sudo", detect.Low, true},
		{"hidden directory in /var/tmp", pkg + "- file file.type=dir file.mode=755 file.path=/var/tmp/.x", detect.High, true},
		{"three dots", pkg + "- file file.type=dir file.mode=755 file.path=/usr/lib/...", detect.High, true},
		{"file in /dev", pkg + "- file file.type=file file.mode=644 file.path=/dev/ptyp", detect.High, true},
		{"a source tree that somebody unpacked", pkg + "- file file.type=dir file.mode=755 file.path=/tmp/clone/.github", detect.Low, true},
		{"a plain file in it", pkg + "- file file.type=file file.mode=644 file.path=/tmp/clone/.git/config", 0, false},
		{"hidden within what looks usual", pkg + "- file file.type=dir file.mode=755 file.path=/tmp/.ICE-unix/.x", detect.High, true},
		{"a kit's library where /lib is a link into /usr", pkg + "- file file.type=file file.mode=755 file.path=/usr/lib/libns2.so", detect.Critical, true},
		{"a kit's library where it is none", pkg + "- file file.type=file file.mode=755 file.path=/lib/libkeystats.so", detect.Critical, true},
		{"a name that others have, and no package to ask", "- file file.type=file file.mode=644 file.path=/usr/lib/libudev.so", 0, false},
		{"a name that others have, of no package", pkg + "- file file.type=file file.mode=755 file.path=/usr/lib/libudev.so", detect.High, true},
		{"three dots, deep", pkg + "- file file.type=dir file.mode=755 file.path=/tmp/a/b/...", detect.High, true},
		{"a browser's", pkg + "- file file.type=dir file.mode=700 file.path=/tmp/.org.chromium.Chromium.x1", 0, false},
		{"another system's sudo", pkg + nestedTree("/var/lib/docker/overlay2/x/diff/usr/bin/") + "- file file.type=file file.mode=4755 file.uid=0 file.path=/var/lib/docker/overlay2/x/diff/usr/bin/sudo", detect.Low, true},
		{"a setuid shell in another system's tree", pkg + "- file file.type=file file.mode=4755 file.uid=0 file.path=/var/lib/docker/overlay2/x/diff/usr/bin/sh\n" + nestedTree("/var/lib/docker/overlay2/x/diff/usr/bin/"), detect.High, true},
		{"one sudo in a place where everybody may write", pkg + "- file file.type=file file.mode=4755 file.uid=0 file.path=/var/tmp/x/usr/bin/sudo", detect.High, true},
		{"a device's name in /dev, as build roots have it", pkg + "- file file.type=file file.mode=644 file.path=/dev/null", detect.Low, true},
		{"a page that a Windows share made executable", pkg + "- file file.type=file file.uid=33 file.mode=744 file.path=/var/www/html/page.html", 0, false},
		{"a program that the web server's account made", pkg + "- file file.type=file file.uid=33 file.mode=744 file.path=/var/www/html/kworker", detect.Low, true},
		{"the X server's own", pkg + "- file file.type=dir file.mode=1777 file.path=/tmp/.X11-unix", 0, false},
		{"a dot file at home", pkg + "- file file.type=file file.mode=644 file.path=/home/amy/.profile", 0, false},
		{"a script in /tmp", pkg + "- file file.type=file file.mode=755 file.path=/tmp/install.sh", detect.Medium, true},
		{"a library that Java unpacked", pkg + `- file file.type=file file.mode=755 file.uid=998 file.path=/tmp/jffi8102.tmp file.facts="elf64 shared stripped"`, detect.Low, true},
		{"a program that lies anywhere in memory", pkg + `- file file.type=file file.mode=755 file.uid=1000 file.path=/tmp/x8102.tmp file.facts="elf64 shared interpreted stripped"`, detect.Medium, true},
		{"the same, whole in itself", pkg + `- file file.type=file file.mode=755 file.uid=1000 file.path=/tmp/x8102.tmp file.facts="elf64 shared static stripped"`, detect.Medium, true},
		{"a picture that is a script", pkg + `- file file.type=file file.mode=644 file.path=/var/www/html/up/a.jpg file.facts="php disguised(image)"`, detect.High, true},
		{"a fixture of a test", pkg + `- file file.type=file file.mode=644 file.path=/var/www/html/vendor/x/a.jpg file.facts="php disguised(image)"`, 0, false},
		{"a packed program in /tmp", pkg + `- file file.type=file file.mode=755 file.path=/tmp/x file.facts="elf64 executable static stripped packed(UPX) no-sections"`, detect.High, true},
		{"a module in a home directory", pkg + `- file file.type=file file.mode=755 file.path=/home/amy/rk.ko file.facts="elf64 relocatable module(rk) unsigned"`, detect.Medium, true},
		{"a module that DKMS built", pkg + `- file file.type=file file.mode=755 file.path=/var/lib/dkms/zfs/zfs.ko file.facts="elf64 relocatable module(zfs) unsigned"`, 0, false},
		{"a locked way back", pkg + `- file file.type=file file.mode=644 file.path=/etc/cron.d/x file.flags=immutable`, detect.High, true},
		{"accounts locked by a guide", pkg + `- file file.type=file file.mode=644 file.path=/etc/passwd file.flags=immutable`, detect.Low, true},
		{"a panel's locked file", pkg + `- file file.type=file file.mode=644 file.path=/home/amy/etc/domains file.flags=immutable`, 0, false},
		{"a text in /tmp", pkg + "- file file.type=file file.mode=644 file.path=/tmp/notes", 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, files.New(), detecttest.Scene(), tc.event)
			if len(got) > 0 != tc.found || tc.found && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}
