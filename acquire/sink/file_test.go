package sink

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tables of a machine with btrfs subvolumes, a separate /srv/data, a stick, a covered mount and a place with a blank.
const (
	mountinfo = `22 1 0:25 /@ / rw,relatime shared:1 - btrfs /dev/sda2 rw,subvol=/@
23 22 0:25 /@home /home rw,relatime shared:2 - btrfs /dev/sda2 rw,subvol=/@home
24 22 0:5 / /proc rw - proc proc rw
25 22 0:6 / /tmp rw shared:4 - tmpfs tmpfs rw
26 22 8:17 / /media/stick rw - vfat /dev/sdb1 rw
27 22 8:33 / /srv/data rw - xfs /dev/sdc1 rw
28 22 8:49 / /mnt/with\040blank rw - ext4 /dev/sdd1 rw
29 22 8:65 / /mnt/cover rw - ext4 /dev/sde1 rw
30 29 0:40 / /mnt/cover rw - nfs4 server:/x rw
31 22 8:17 / /media/again rw master:1 propagate_from:2 - vfat /dev/sdb1 rw
32 22 8:81 / /home/alice/stick rw - exfat /dev/sdf1 rw
`
	fstab = `# a comment
UUID=1 / btrfs subvol=@ 0 0
UUID=2   /srv/data  xfs defaults 0 0
/dev/sdd1 /mnt/with\040blank ext4 defaults
/dev/sdb1 /media/stick vfat user,noauto 0 0
tmpfs /tmp tmpfs defaults 0 0
`
)

func TestWhereAFileMayLie(t *testing.T) {
	for dir, own := range map[string]bool{
		"/root": true, "/home/bob": true, "/srv/data/x": true, "/srv/database": true, "/mnt/with blank": true, "/mnt/with": true, "/media": true,
		"/media/stick": false, "/media/stick/a/b": false, "/media/again": false, "/mnt/cover": false, "/home/alice/stick": false, "/tmp/x": false,
	} {
		m, at, err := judge(strings.NewReader(mountinfo), strings.NewReader(fstab), dir)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if got := m.own[at.device] != ""; got != own {
			t.Errorf("%s lies on %+v: own %t", dir, at, got)
		}
	}
	for _, bad := range []string{"", "22 1 0:25", "a b c d e f g h i j k\n", strings.Repeat("x ", 1<<20)} {
		if _, _, err := judge(strings.NewReader(bad), strings.NewReader(fstab), "/x"); err == nil {
			t.Errorf("%.20q passes", bad)
		}
	}
	if _, _, err := judge(strings.NewReader(mountinfo), endless{}, "/x"); err == nil {
		t.Error("a fstab without end passes")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "c")
	var notes []string
	o := Options{Note: func(s string) { notes = append(notes, s) }}
	on := func(kind string, own bool) {
		o.seen = func(string) (machine, mount, error) {
			m := machine{map[string]string{}}
			if own {
				m.own["8:1"] = "/"
			}
			return m, mount{device: "8:1", at: "/", kind: kind}, nil
		}
	}
	on("ext4", true)
	if _, err := Open(t.Context(), name, o); !errors.Is(err, ErrOwnDisk) {
		t.Error(err)
	}
	o.seen = func(string) (machine, mount, error) { return machine{}, mount{}, errors.New("not to be read") }
	if _, err := Open(t.Context(), name, o); !errors.Is(err, ErrOwnDisk) {
		t.Error("where it lies is not known, and it is written:", err)
	}
	if _, err := os.Lstat(name); err == nil {
		t.Error("a file that was refused was made")
	}
	on("tmpfs", false)
	s, err := Open(t.Context(), name, o)
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "memory") {
		t.Fatal(err, notes)
	}
	if n, err := s.Write(make([]byte, 3<<20)); n != 3<<20 || err != nil || s.Taken() != 3<<20 {
		t.Error(n, err, s.Taken())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(name); err != nil || st.Mode() != 0o600 || st.Size() != 3<<20 {
		t.Error(st, err)
	}
	o.Here = true
	if _, err := Open(t.Context(), name, o); !errors.Is(err, os.ErrExist) {
		t.Error("a file that is there:", err)
	}
	os.Symlink("new", filepath.Join(dir, "link"))
	if _, err := Open(t.Context(), filepath.Join(dir, "link"), o); err == nil {
		t.Error("a link was followed")
	}
	if _, err := Open(t.Context(), "/dev/full", o); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
}

// TestThisMachine asks the real kernel: the root is its own, memory is not.
func TestThisMachine(t *testing.T) {
	if _, err := os.Stat("/proc/self/mountinfo"); err != nil {
		t.Skip(err)
	}
	if _, err := place("/etc/new", Options{}); !errors.Is(err, ErrOwnDisk) {
		t.Error(err)
	}
	if _, at, err := look1("/dev/shm"); err == nil && at.kind == "tmpfs" {
		if note, err := place("/dev/shm/new", Options{}); err != nil || note == "" {
			t.Error(note, err)
		}
	}
	if _, err := place("/nowhere/new", Options{}); err == nil {
		t.Error("a folder that is not there passes")
	}
}

// TestFullFile writes into a filesystem of 2 MiB.
func TestFullFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("x", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skip("a filesystem cannot be mounted: ", err)
	}
	defer syscall.Unmount(dir, 0)
	s, err := Open(t.Context(), filepath.Join(dir, "c"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Write(make([]byte, 3<<20))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "took 2097152 bytes and no more") {
		t.Error(err)
	}
	if _, again := s.Write([]byte("x")); again != err {
		t.Error("it goes on:", again)
	}
	if s.Close() != err {
		t.Error("closing forgets it")
	}
}

// stuck takes nothing, as a pipe that nobody reads.
type stuck struct{ end chan struct{} }

func (s stuck) Write([]byte) (int, error) { <-s.end; return 0, io.ErrClosedPipe }
func (s stuck) Close() error              { <-s.end; return nil }

func TestStuckDestination(t *testing.T) {
	w := stuck{make(chan struct{})}
	defer close(w.end)
	s := newStall(t.Context(), w)
	s.limit = 20 * time.Millisecond
	if _, err := s.Write([]byte("x")); err == nil || !strings.Contains(err.Error(), "nothing for 20ms") {
		t.Error(err)
	}
	if err := s.Close(); err == nil {
		t.Error("closing waits")
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := newStall(ctx, w).Write([]byte("x")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWrongDestinations(t *testing.T) {
	for _, to := range []string{"ftp://x/y", "ssh://x", "ssh://x/", "ssh://x/dir/", "ssh://u:secret@x/y", "https://u@x/y", "http://x/y", "ssh://%zz/y", "https://"} {
		_, err := Open(t.Context(), to, Options{})
		if err == nil || strings.Contains(err.Error(), "secret") || to != "https://" && !errors.Is(err, ErrDestination) {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add([]byte(mountinfo), []byte(fstab), "/media/stick")
	f.Fuzz(func(t *testing.T, info, tab []byte, dir string) {
		_, at, err := judge(strings.NewReader(string(info)), strings.NewReader(string(tab)), dir)
		if err == nil && at.at == "" {
			t.Error("no mount, and no error")
		}
	})
}
