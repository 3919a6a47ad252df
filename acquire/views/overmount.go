package views

import (
	"path"
	"strings"

	"telltale/internal/procfs"
	"telltale/internal/state"
)

// watched are the folders in which an attacker gains by a mount that hides what lies beneath, and what it is there.
var watched = []struct{ at, what string }{
	{"/etc", "configuration"}, {"/bin", "programs"}, {"/sbin", "programs"}, {"/usr/bin", "programs"}, {"/usr/sbin", "programs"},
	{"/usr/local/bin", "programs"}, {"/usr/local/sbin", "programs"}, {"/lib", "libraries"}, {"/lib32", "libraries"}, {"/lib64", "libraries"},
	{"/usr/lib", "libraries"}, {"/usr/lib32", "libraries"}, {"/usr/lib64", "libraries"}, {"/usr/local/lib", "libraries"},
	{"/var/log", "logs"}, {"/var/spool/cron", "timed jobs"}, {"/root", "the home of root"}, {"/boot", "the kernel"},
}

// interest tells what a mount point is, if hiding it would serve an attacker; "" for all others.
func interest(at string) string {
	if rest, ok := strings.CutPrefix(at, "/proc/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		if _, isPID := number(name); isPID {
			return "the folder of a process"
		}
	}
	for _, w := range watched {
		if at == w.at || strings.HasPrefix(at, w.at+"/") {
			return w.what
		}
	}
	if strings.Contains(at+"/", "/.ssh/") || path.Base(at) == "authorized_keys" {
		return "keys of ssh"
	}
	return ""
}

// table is what one mount namespace has, with what tells the ordinary causes apart.
type table struct {
	mounts    []*state.Mount
	byID      map[int]*state.Mount
	fstab     map[string]bool // mount points listed there
	container bool            // this namespace is a container's
}

func newTable(mounts []*state.Mount, fstab string, marked bool) *table {
	t := &table{mounts: mounts, byID: map[int]*state.Mount{}, fstab: parseFstab(fstab), container: marked}
	for _, m := range mounts {
		t.byID[m.ID] = m
		if m.At == "/" && m.Type == "overlay" && (strings.Contains(m.Options, "/overlay2/") || strings.Contains(m.Options, "/snapshots/") || strings.Contains(m.Options, "containers/storage")) {
			t.container = true
		}
	}
	return t
}

// parseFstab gives the mount points of fstab(5), the second field of each line.
func parseFstab(s string) map[string]bool {
	at := map[string]bool{}
	for line := range strings.Lines(s) {
		if f := strings.Fields(line); len(f) > 2 && !strings.HasPrefix(f[0], "#") {
			at[path.Clean(procfs.Unescape(f[1]))] = true
		}
	}
	return at
}

// usual gives the ordinary cause of a mount over a watched place, "" if it has none. What lies on /proc/N has none.
func (t *table) usual(m *state.Mount) string {
	parent := t.byID[m.Parent]
	switch {
	case strings.HasPrefix(m.At, "/proc/"):
		return ""
	case t.fstab[m.At]:
		return "it stands in /etc/fstab"
	case m.Type == "autofs":
		return "a point of automatic mounts"
	case t.container && (m.At == "/etc/resolv.conf" || m.At == "/etc/hostname" || m.At == "/etc/hosts"):
		return "the container's engine gives it its name and resolver"
	case m.Type == "overlay" && (m.Source == "sysext" || m.Source == "confext"):
		return "an extension image of systemd-sysext"
	case strings.Contains(m.Root, "/ostree/deploy/") || parent != nil && strings.Contains(parent.Root, "/ostree/deploy/"):
		return "a deployment of ostree"
	case m.Type == "tmpfs" && (m.Source == "log2ram" || m.Source == "folder2ram") && strings.HasPrefix(m.At, "/var/"):
		return "logs kept in memory by " + m.Source
	case m.Type == "overlay" && parent != nil && option(parent.Options, "ro") && strings.Contains(m.Options, "lowerdir="+m.At):
		return "a system with a read-only root keeps its changes in an overlay"
	}
	return ""
}

// causes are what usual and its callers look for, in words.
var causes = []string{
	"fstab", "an automatic mount", "a container's own resolv.conf, hosts and hostname", "extension images and ostree",
	"logs kept in memory", "an overlay on a read-only root", "a folder bound on itself", "nothing lies beneath",
}

// option tells whether a word stands in a list of mount options.
func option(options, word string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == word {
			return true
		}
	}
	return false
}

// singleFile tells whether a mount is perhaps that of one file, in a place where programs do not put such.
func singleFile(m *state.Mount) bool {
	if m.Root == "/" || m.Type == "nsfs" || m.Type == "proc" || m.Type == "sysfs" {
		return false
	}
	for _, usual := range []string{"/run/", "/var/lib/", "/snap/", "/dev/", "/sys/", "/proc/", "/tmp/", "/mnt/", "/var/snap/"} {
		if strings.HasPrefix(m.At, usual) {
			return false
		}
	}
	return path.Base(m.Root) != "/"
}
