package persistence_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"telltale/artifact"
	artall "telltale/artifact/all"
	"telltale/detect"
	"telltale/detect/persistence"
	"telltale/internal/golden"
)

// readers are the artefacts of mechanisms that bear another name than their artefact.
var readers = map[string]string{"cron": "crontab", "at-job": "crontab", "systemd-timer": "systemd-unit", "ssh-key": "authorized-keys", "startup-file": "startup-files", "remote-access": "systemd-unit"}

// walked are mechanisms that the walk over the files shows.
var walked = map[string]string{"alternative": "`/etc/alternatives/*`", "lingering": "`/var/lib/systemd/linger/*`", "initramfs-content": "`/boot/initrd*` `/boot/initramfs*.img`: programs and scripts within are compared with packages and with what they are made from", "efi-file": "`/boot/**/*.efi`: compared with the loaders that packages bring"}

// elsewhere are rows of the catalogue of persistence that other detections judge.
var elsewhere = [][2]string{
	{"accounts with root's number, empty passwords, shells on accounts of services", "detection \"Rights gained and accounts changed\""},
	{"programs, libraries, modules of PAM and of the kernel that differ from their packages or that no package owns; `nologin` replaced; patched sshd", "detection \"Programs unlike their packages\""},
	{"setuid programs, capabilities, hidden names, programs where everybody may write", "detection \"Files that do not belong\""},
	{"web shells, content of uploads", "detection \"Break-ins through the web server\""},
	{"containers with power over their host", "detection \"Containers with power over the host\""},
	{"libraries and programs that a database's log or a dump of Redis shows", "detection \"Databases used as a way in\""},
	{"programs of eBPF, tc and XDP, hooks within the kernel, values below /proc/sys, as they are on the running machine", "detection \"What runs and does not belong\""},
}

// missing are rows that are not judged, and why.
var missing = [][2]string{
	{"first root file systems that are compressed by lzma or lzo, unified kernel images, and modules in them", "not unpacked; a module is compared where it lies on the root"},
	{"which setting is in force (`Match` of sshd, includes, drop-ins that take back, `--config` of a daemon)", "each file is judged as it stands: an intruder's line is told although another overrides it"},
	{"key files at the paths that `AuthorizedKeysFile` names", "the setting is told, and keys below /etc/ssh and in all homes are read; a file elsewhere is not"},
	{"what an owned script of /etc was changed to, below critical", "told by the check of packages as changed configuration; a line that fetches and runs code is told here"},
	{"functions and events within databases (`mysql.func`, cron in the database)", "stored in the database's own files, which are not read"},
	{"keys of package managers, triggers and scriptlets of RPM", "no signature or script of a package is read from RPM's database"},
	{"libraries of NSS, gconv and bash by what they do", "a library is judged by its package and place alone"},
	{"boot sectors, and what `grub-install` makes itself", "each machine's is another: there is nothing to compare with"},
	{"at.allow, cron.allow, presets, cluster-wide objects of Kubernetes", "they run nothing by themselves, or lie outside of the machine"},
}

// TestPage keeps docs/persistence.md true to the code. Run with -update to write it.
func TestPage(t *testing.T) {
	arts := map[string]*artifact.Artifact{}
	for _, a := range artall.Artifacts() {
		arts[a.Name] = a
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Ways to come back\n\nWritten by `go test ./detect/persistence -update`. What runs, is loaded or lets somebody in by itself, where it is read, and what is judged of it. All mechanisms are held against the rules for all: "+
		"a command that fetches or decodes what it runs, opens a connection from the shell, or runs something where everybody may write or under a hidden name; a file that everybody may change and root runs; a file among those of packages that no package owns. "+
		"What no rule speaks of is info: it is told if it came while an intruder was there.\n\n| mechanism | ATT&CK | what it tells | rules of its own | files | after |\n|---|---|---|---|---|---|\n")
	for _, m := range detect.Mechanisms() {
		name := m.ID
		if r := readers[name]; r != "" {
			name = r
		}
		a, own := arts[name], "-"
		if persistence.Judged(m.ID) {
			own = "yes"
		}
		switch {
		case walked[m.ID] != "":
			fmt.Fprintf(&b, "| %s (`%s`) | %s | | %s | %s | |\n", m.Words, m.ID, m.Attack, own, walked[m.ID])
		case a == nil:
			t.Errorf("no artefact reads %s", m.ID)
		default:
			fmt.Fprintf(&b, "| %s (`%s`) | %s | %s | %s | `%s` | %s |\n", m.Words, m.ID, m.Attack, a.Doc, own, strings.Join(a.Files, "` `"), a.Spec)
		}
	}
	fmt.Fprintf(&b, "\n## Judged elsewhere\n\n| what | where |\n|---|---|\n")
	for _, r := range elsewhere {
		fmt.Fprintf(&b, "| %s | %s |\n", r[0], r[1])
	}
	fmt.Fprintf(&b, "\n## Not yet\n\n| what | why |\n|---|---|\n")
	for _, r := range missing {
		fmt.Fprintf(&b, "| %s | %s |\n", r[0], r[1])
	}
	golden.Equal(t, "../../docs/persistence.md", b.Bytes())
}

// TestMechanisms finds artefacts of hooks that no mechanism is named after: their events would be passed over.
func TestMechanisms(t *testing.T) {
	known := map[string]bool{}
	for _, m := range detect.Mechanisms() {
		if known[m.ID] {
			t.Errorf("%s stands there twice", m.ID)
		}
		known[m.ID] = true
	}
	for _, a := range artall.Artifacts() {
		if len(a.Kinds) == 1 && a.Kinds[0].String() == "hookup" && !known[a.Name] {
			t.Errorf("no mechanism is named %s", a.Name)
		}
	}
}
