package views

import (
	"testing"

	"telltale/internal/state"
)

func TestInterest(t *testing.T) {
	for at, want := range map[string]bool{
		"/etc": true, "/etc/passwd": true, "/etcetera": false, "/usr/bin/ls": true, "/usr": false, "/proc/12": true, "/proc/12/fd": true,
		"/proc/sys/fs/binfmt_misc": false, "/proc/kcore": false, "/home/u/.ssh": true, "/home/u/.ssh/authorized_keys": true, "/home": false,
		"/srv/authorized_keys": true, "/run/user/0": false, "/tmp": false, "/dev/shm": false, "/var/log": true, "/var/lib/docker": false,
	} {
		if got := interest(at) != ""; got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
}

func TestOrdinaryMountsAreExplained(t *testing.T) {
	const fstab = "# x\nUUID=1 / ext4 rw 0 1\nUUID=2 /boot\\040x/ ext4 rw\nUUID=3 /var/log xfs defaults 0 0\n"
	root := &state.Mount{ID: 1, At: "/", Type: "ext4", Root: "/", Options: "ro,relatime"}
	for name, tc := range map[string]struct {
		m         state.Mount
		container bool
		usual     bool
	}{
		"fstab":            {state.Mount{At: "/var/log", Type: "xfs"}, false, true},
		"autofs":           {state.Mount{At: "/etc/auto", Type: "autofs"}, false, true},
		"resolver":         {state.Mount{At: "/etc/resolv.conf", Type: "ext4"}, true, true},
		"resolver on host": {state.Mount{At: "/etc/resolv.conf", Type: "ext4"}, false, false},
		"sysext":           {state.Mount{At: "/usr/lib", Type: "overlay", Source: "sysext"}, false, true},
		"ostree":           {state.Mount{At: "/etc", Type: "xfs", Root: "/ostree/deploy/fedora/etc"}, false, true},
		"read-only root":   {state.Mount{At: "/etc", Type: "overlay", Options: "rw,lowerdir=/etc,upperdir=/x"}, false, true},
		"preload":          {state.Mount{At: "/etc/ld.so.preload", Type: "tmpfs"}, true, false},
		"bash":             {state.Mount{At: "/usr/bin/bash", Type: "ext4"}, false, false},
		"process":          {state.Mount{At: "/proc/7", Type: "autofs"}, true, false},
	} {
		tc.m.Parent = 1
		table := newTable([]*state.Mount{root, &tc.m}, fstab, tc.container)
		if got := table.usual(&tc.m); (got != "") != tc.usual {
			t.Errorf("%s: %q", name, got)
		}
	}
	if !parseFstab(fstab)["/boot x"] {
		t.Error("an escaped name was not read")
	}
}
