package packagediff_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/packagediff"
)

func TestFindings(t *testing.T) {
	const changed = "- package-file-changed package.name=p file.mode=755 file.uid=0 file.hash.expected=md5:00 file.hash.found=md5:11 "
	for _, tc := range []struct {
		name, event string
		row         string
		level       detect.Level
		what        detect.What
		explained   bool
	}{
		{"sshd changed", changed + "file.content=elf change=content file.path=/usr/sbin/sshd", "D52", detect.High, detect.PackageDiff, false},
		{"a PAM module changed", changed + "file.content=elf change=content file.path=/usr/lib/x86_64-linux-gnu/security/pam_unix.so", "D51", detect.High, detect.PackageDiff, false},
		{"a kernel module changed", changed + "file.content=elf change=content file.path=/usr/lib/modules/6.1/kernel/net/x.ko", "D53", detect.High, detect.PackageDiff, false},
		{"a program that nobody hides behind", changed + "file.content=elf change=content file.path=/usr/bin/cowsay", "D52", detect.Medium, detect.PackageDiff, false},
		{"a script that was mended", changed + "file.content=script change=content file.path=/usr/bin/which", "D52", detect.Low, detect.PackageDiff, false},
		{"ls, but half installed", changed + `file.content=elf change=content file.path=/bin/ls message="half installed"`, "D52", detect.Low, detect.PackageDiff, true},
		{"a changed conffile", changed + "change=content record.type=config file.path=/etc/ssh/sshd_config", "D52", detect.Info, detect.PackageDiff, false},
		{"find became setuid", changed + "change=mode file.path=/usr/bin/find", "D39", detect.High, detect.PackageDiff, false},
		{"gone", "- package-file-changed package.name=p change=missing file.path=/usr/bin/top", "D52", detect.Low, detect.PackageDiff, false},
		{"a setuid shell of a package", "- file file.type=file file.mode=4755 file.uid=0 file.package=bash file.path=/usr/bin/bash", "D39", detect.High, detect.PackageDiff, false},
		{"an interpreter with a version", "- file file.type=file file.mode=4755 file.uid=0 file.package=python3.11-minimal file.path=/usr/bin/python3.11", "D39", detect.High, detect.PackageDiff, false},
		{"sudo is setuid", "- file file.type=file file.mode=4755 file.uid=0 file.package=sudo file.path=/usr/bin/sudo", "", 0, "", false},
		{"an unowned PAM module", "- unowned-file file.content=elf file.mode=644 file.uid=0 file.path=/lib/security/pam_x.so", "D51", detect.High, detect.OddFile, false},
		{"an unowned program", "- unowned-file file.content=elf file.mode=755 file.uid=0 file.path=/usr/sbin/x", "D52", detect.Medium, detect.OddFile, false},
		{"an unowned script", "- unowned-file file.content=script file.mode=755 file.uid=0 file.path=/usr/bin/backup", "D52", detect.Low, detect.OddFile, false},
		{"an unowned module", "- unowned-file file.content=elf file.mode=644 file.uid=0 file.path=/lib/modules/6.1/kernel/x.ko", "D53", detect.Medium, detect.OddFile, false},
		{"a module of DKMS", `- unowned-file file.content=elf file.mode=644 file.uid=0 file.path=/lib/modules/6.1/updates/dkms/x.ko message="a module that was built"`, "D53", detect.Low, detect.OddFile, true},
		{"probably published", `- unowned-file file.content=elf file.mode=755 file.uid=0 file.path=/usr/sbin/x message="probably published: its SHA1 is in a filter"`, "D52", detect.Low, detect.OddFile, true},
		{"a published PAM module", `- unowned-file file.content=elf file.mode=755 file.uid=0 file.path=/usr/lib/security/pam_x.so message="probably published: its SHA1 is in a filter"`, "D51", detect.High, detect.OddFile, false},
		{"known to be good", `- unowned-file file.content=elf file.mode=755 file.uid=0 file.path=/usr/sbin/x message="its sha256 is known"`, "D52", detect.Info, detect.OddFile, true},
		{"digests that were written later", `- package-record-odd package.name=p message="its list of digests was written later"`, "D52", detect.Medium, detect.PackageDiff, false},
		{"one without a signature", `- package-record-odd package.name=p message="its record has no signature, 400 others have one"`, "D52", detect.Low, detect.PackageDiff, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, packagediff.New(), detecttest.Scene(), tc.event)
			if tc.what == "" {
				if len(got) > 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Level != tc.level || got[0].Detection != tc.row || got[0].What != tc.what || (got[0].Explained != "") != tc.explained {
				t.Errorf("%+v", got)
			}
		})
	}
}
