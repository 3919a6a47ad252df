package procfs_test

import (
	"os"
	"strings"
	"testing"

	"telltale/internal/procfs"
	"telltale/internal/state"
)

func TestStat(t *testing.T) {
	var p state.Process
	if !procfs.Stat([]byte("4711 (a) b) S 1 4711 4710 34817 4711 4194560 10 0 0 0 150 50 0 0 20 0 3 0 12345 1000 25 18446744073709551615 1 1\n"), &p) {
		t.Fatal("not understood")
	}
	if p.PID != 4711 || p.Name != "a) b" || p.PPID != 1 || p.SID != 4710 || p.TTY != "pts/1" || p.CPU != 2 || p.Ticks != 12345 || p.Threads != 3 || p.Kernel {
		t.Errorf("%+v", p)
	}
	if procfs.Stat([]byte("1 (x S 1"), &p) || procfs.Stat(nil, &p) || procfs.Stat([]byte("()"), &p) {
		t.Error("taken though it is none")
	}
}

func TestOurOwn(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile("/proc/self/" + name)
		if err != nil {
			t.Skip(err)
		}
		return b
	}
	var p state.Process
	if !procfs.Stat(read("stat"), &p) || procfs.Status(read("status"), &p) != os.Getpid() || p.PPID != os.Getppid() || p.EUID != uint32(os.Geteuid()) || p.Resident == 0 {
		t.Errorf("%+v", p)
	}
	procfs.Maps(read("maps"), &p)
	if exe, _ := os.Executable(); p.First != exe {
		t.Errorf("first map %q, program %q", p.First, exe)
	}
	mounts := 0
	if odd := procfs.Mountinfo(read("mountinfo"), func(m *state.Mount) bool { mounts++; return m.At != "" }); odd > 0 || mounts == 0 {
		t.Errorf("%d mounts, %d not understood", mounts, odd)
	}
}

func TestMaps(t *testing.T) {
	var p state.Process
	procfs.Maps([]byte(`55d0-55d8 r-xp 00000000 fe:00 77 /dev/shm/.kw (deleted)
7f00-7f10 rwxp 00000000 00:00 0
7f20-7f28 r-xp 00000000 00:01 5 /memfd:x y (deleted)
7f30-7f38 r-xp 00000000 fe:00 78 /usr/lib/a b.so
7f40-7f48 r--p 00000000 fe:00 79 /usr/lib/data
7fff-8fff r-xp 00000000 00:00 0 [vdso]
garbage
`), &p)
	if p.First != "/dev/shm/.kw" || len(p.Mapped) != 3 || !p.Mapped[0].Deleted || p.Mapped[1].Path != "/memfd:x y" || p.Mapped[2].Path != "/usr/lib/a b.so" || p.Anonymous != 16 || p.Writable != 16 {
		t.Errorf("%+v", p)
	}
}

func TestNet(t *testing.T) {
	for _, tc := range []struct{ name, line, local, remote, state string }{
		{"tcp", "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 12345 1 0000 100 0 0 10 0", "127.0.0.1:8080", "0.0.0.0:0", "listen"},
		{"tcp6", "   1: B80D0120000000000000000001000000:0016 0000000000000000FFFF0000420071CB:D431 01 00000001:00000002 00:00000000 00000000 0 0 99 1", "[2001:db8::1]:22", "203.113.0.66:54321", "established"},
		{"udp", "  77: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 500 2 0000 0", "0.0.0.0:53", "0.0.0.0:0", ""},
	} {
		n := 0
		odd := procfs.Net([]byte("  sl  local_address\n"+tc.line+"\nnonsense\n"), tc.name, func(s *state.Socket) bool {
			n++
			if s.Local != tc.local || s.Remote != tc.remote || s.State != tc.state {
				t.Errorf("%s: %+v", tc.name, s)
			}
			return true
		})
		if n != 1 || odd != 1 {
			t.Errorf("%s: %d sockets, %d not understood", tc.name, n, odd)
		}
	}
}

func TestGroups(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for _, tc := range []struct{ cgroup, unit, container string }{
		{"0::/system.slice/ssh.service\n", "ssh.service", ""},
		{"0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope", ""},
		{"12:pids:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n0::/\n", "", id[:12]},
		{"0::/system.slice/docker-" + id + ".scope\n", "docker-" + id + ".scope", id[:12]},
		{"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope\n", "cri-containerd-" + id + ".scope", id[:12]},
		{"0::/machine.slice/machine-web.scope/payload/init.scope\n", "init.scope", "web"},
		{"", "", ""},
	} {
		g := procfs.Cgroup([]byte(tc.cgroup))
		if u, c := procfs.UnitOf(g), procfs.ContainerOf(g); u != tc.unit || c != tc.container {
			t.Errorf("%q: unit %q, container %q", tc.cgroup, u, c)
		}
	}
}

func TestEnvAndArgs(t *testing.T) {
	env, all := procfs.Env([]byte("LD_PRELOAD=/x\x00SECRET=1\x00HISTFILE=/dev/null\x00\xff\x00"))
	if all != 4 || len(env) != 2 {
		t.Errorf("%q of %d", env, all)
	}
	if a := procfs.Args([]byte("a\x00\x00b\xfe\x00")); len(a) != 3 || a[2] != `b\xfe` {
		t.Errorf("%q", a)
	}
}

func FuzzTexts(f *testing.F) {
	for _, n := range []string{"stat", "status", "maps", "mountinfo", "cgroup", "net/tcp", "net/unix", "net/packet", "cmdline", "environ"} {
		if b, err := os.ReadFile("/proc/self/" + n); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p state.Process
		procfs.Stat(b, &p)
		procfs.Status(b, &p)
		procfs.Maps(b, &p)
		procfs.Args(b)
		procfs.Env(b)
		procfs.UnitOf(procfs.Cgroup(b))
		procfs.ContainerOf(procfs.Cgroup(b))
		procfs.FDInfo(b)
		procfs.Identity(b)
		procfs.Net(b, "tcp6", func(*state.Socket) bool { return true })
		procfs.Unix(b, func(*state.Socket) bool { return true })
		procfs.Packet(b, func(*state.Socket) bool { return true })
		procfs.Mountinfo(b, func(*state.Mount) bool { return true })
		if len(p.Mapped) > procfs.MaxMapped {
			t.Fatal("unbounded")
		}
	})
}
