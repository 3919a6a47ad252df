//go:build linux

// Package process takes the running processes as their files in /proc show them, each from one open directory, so that a number
// which is given anew meanwhile cannot mix two processes. Programs that run though their file is gone are saved whole.
package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/internal/dirents"
	"telltale/internal/state"
	"telltale/internal/untouched"
)

// Options of New.
type Options struct {
	Raw  bool // also keep the files of /proc as they are
	Save bool // also save programs and open files that are deleted
}

// Limits.
const (
	maxFile    = 1 << 20   // bytes of one file of /proc
	maxMaps    = 8 << 20   // bytes of maps
	maxOpen    = 4096      // open files of one process that are looked at
	maxTasks   = 4096      // threads of one process that are looked at
	maxProgram = 256 << 20 // bytes of a program that is hashed or saved
	maxSaved   = 64 << 20  // bytes of an open deleted file that is saved
	maxAll     = 2 << 30   // bytes saved in all
	patience   = 3 * time.Second
	hashTime   = 20 * time.Second // of one program
	maxStuck   = 8                // processes whose files may not answer before no more are asked
)

// Taker takes processes: those that are listed by its step, and others by their numbers when it was taken.
type Taker struct {
	o      Options
	box    *acquire.Box
	out    acquire.Out
	hashes map[fileID]string
	saved  map[fileID]string
	bytes  int64 // saved so far
	stuck  int
}

// New gives a taker.
func New(o Options) *Taker {
	return &Taker{o: o, hashes: map[fileID]string{}, saved: map[fileID]string{}}
}

// Step gives the step that takes every process.
func (t *Taker) Step() acquire.Step {
	return acquire.Step{Name: "processes", Doc: "every process, its program, user, files and way of being started", Quick: true, Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
		t.box, t.out = b, out
		return t.all(ctx)
	}}
}

// Describe takes a process that the listing does not show, by its number in a proc filesystem; its program is saved as those of others are. Step must have been taken.
func (t *Taker) Describe(proc string, pid int) (*state.Process, error) { return t.one(proc, pid) }

type fileID struct {
	dev, inode uint64
	size       int64
	changed    int64
}

func (t *Taker) all(ctx context.Context) error {
	pids, hidden, err := List(t.box.Proc)
	if err != nil {
		t.out.Failed("the list of processes", err)
	}
	next, stop := t.ahead(pids)
	defer stop()
	for _, pid := range pids {
		if ctx.Err() != nil {
			t.out.Failed("processes from "+strconv.Itoa(pid)+" on", ctx.Err())
			break
		}
		p, err := t.finish(t.box.Proc, next())
		switch {
		case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ESRCH): // it ended meanwhile
			continue
		case err != nil:
			t.out.Failed(fmt.Sprintf("process %d", pid), err)
			if t.stuck > maxStuck {
				return t.write()
			}
			continue
		}
		if slices.Contains(hidden, pid) {
			p.Found = "directory-records"
			if err := t.out.Record(state.ContradictionsFile, hiddenInList(p)); err != nil {
				return err
			}
		}
		p.Self = pid == t.box.Self
		t.box.Processes = append(t.box.Processes, p)
	}
	if err := t.compareVDSO(); err != nil {
		return err
	}
	if err := t.out.Record(state.ViewFile, &state.View{What: "process", Name: "proc-readdir", Count: int64(len(t.box.Processes))}); err != nil {
		return err
	}
	return t.write()
}

// hiddenInList: the list's own bytes still hold the name that was taken out of it, which nothing ordinary does.
func hiddenInList(p *state.Process) *state.Contradiction {
	return &state.Contradiction{What: "process", Subject: strconv.Itoa(p.PID), PID: p.PID, Detail: p.Name + " " + p.Exe, Shown: []string{"directory-records", "proc-path"}, Missing: []string{"proc-readdir"},
		Structural: true, Repeats: state.Passes, Tested: []string{"the record before it in the list was made long enough to swallow its name; it can be read by that name"}}
}

func (t *Taker) write() error {
	for _, p := range t.box.Processes {
		if err := t.out.Record(state.ProcessFile, p); err != nil {
			return err
		}
	}
	return nil
}

// List gives the numbers that /proc lists, in order, and which of them the list was made to leave out.
func List(proc string) (pids, hidden []int, err error) {
	fd, err := unix.Open(proc, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(fd)
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n <= 0 || err != nil {
			slices.Sort(pids)
			return slices.Compact(pids), hidden, err
		}
		dirents.Parse(buf[:n], func(e dirents.Entry) bool {
			if pid, err := strconv.Atoi(string(e.Name)); err == nil && pid > 0 {
				pids = append(pids, pid)
				if e.Hidden {
					hidden = append(hidden, pid)
				}
			}
			return true
		})
	}
}

// answer is what the files of one process say.
type answer struct {
	p   *state.Process
	raw []rawFile
	err error
}

// ask reads a process, but does not wait for ever: a process whose memory is locked makes a reader of its arguments wait.
func (t *Taker) ask(proc string, pid int) answer {
	raw, boot := t.o.Raw, t.box.Boot
	a, err := bounded.Within(patience, func() (answer, error) {
		d, err := open(proc, pid, raw)
		if err != nil {
			return answer{}, err
		}
		defer d.close()
		p, err := d.describe(boot)
		return answer{p: p, raw: d.raw}, err
	})
	a.err = err
	return a
}

// readers bounds how many processes are read at a time: the kernel writes their files, which takes most of the time.
const readers = 3

// ahead reads processes while those before them are hashed and written; next gives them in their order. No more than readers are read before they
// are asked for, and none after stop.
func (t *Taker) ahead(pids []int) (next func() answer, stop func()) {
	done, slots := make(chan struct{}), make(chan chan answer, readers-1)
	go func() {
		for _, pid := range pids {
			slot := make(chan answer, 1)
			select {
			case slots <- slot:
			case <-done:
				return
			}
			go func() { slot <- t.ask(t.box.Proc, pid) }()
		}
	}()
	return func() answer { return <-<-slots }, func() { close(done) }
}

// one describes a process.
func (t *Taker) one(proc string, pid int) (*state.Process, error) {
	return t.finish(proc, t.ask(proc, pid))
}

// finish hashes the program of a process that was read, and keeps what is to be kept.
func (t *Taker) finish(proc string, a answer) (*state.Process, error) {
	if errors.Is(a.err, bounded.ErrLate) {
		t.stuck++
		return nil, fmt.Errorf("its files did not answer within %v", patience)
	}
	if a.err != nil {
		return nil, a.err
	}
	if err := t.program(proc, a.p); err != nil {
		return nil, err
	}
	return a.p, t.keep(a.p, a.raw)
}

// keep keeps the files as they are.
func (t *Taker) keep(p *state.Process, raw []rawFile) error {
	for _, r := range raw {
		name := fmt.Sprintf("proc/%d/%s", p.PID, r.name)
		if err := t.out.File(name, int64(len(r.b)), time.Now(), strings.NewReader(string(r.b))); err != nil {
			return err
		}
	}
	return nil
}

// program hashes the program that runs, read through the process itself, whatever lies at its path now; and saves it if its file is gone.
func (t *Taker) program(proc string, p *state.Process) error {
	if p.Kernel || p.Exe == "" {
		return nil
	}
	link := fmt.Sprintf("%s/%d/exe", proc, p.PID)
	f, err := bounded.Within(patience, func() (*os.File, error) { // it may lie where nobody answers
		return untouched.Open(link, unix.O_NONBLOCK)
	})
	if err != nil {
		p.Unread = append(p.Unread, "program: "+err.Error())
		return nil
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		p.Unread = append(p.Unread, "program: it is no regular file")
		return nil
	}
	p.ExeDev, p.ExeInode, p.ExeSize = st.Dev, st.Ino, st.Size
	p.ExeModified, p.ExeChanged = stamp(st.Mtim), stamp(st.Ctim)
	p.Deleted = p.Deleted || st.Nlink == 0
	if p.Deleted && !p.Memory {
		var now unix.Stat_t
		p.Replaced = unix.Lstat(fmt.Sprintf("%s/%d/root%s", proc, p.PID, p.Exe), &now) == nil
	}
	id := fileID{st.Dev, st.Ino, st.Size, st.Ctim.Nano()}
	if p.SHA256 = t.hashes[id]; p.SHA256 == "" {
		if p.SHA256, err = bounded.Within(hashTime, func() (string, error) { return hash(f) }); err != nil {
			p.Unread = append(p.Unread, "program: "+err.Error())
		} else {
			t.hashes[id] = p.SHA256
		}
	}
	return t.save(proc, p, f, id)
}

func hash(f *os.File) (string, error) {
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(f, 0, maxProgram+1))
	if err == nil && n > maxProgram {
		err = fmt.Errorf("longer than %d bytes", maxProgram)
	}
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (t *Taker) save(proc string, p *state.Process, f *os.File, id fileID) error {
	if !t.o.Save {
		return nil
	}
	if p.Deleted || p.Memory {
		name, err := t.keepFile(fmt.Sprintf("saved/%d.exe", p.PID), f, id, maxProgram)
		if p.Saved = name; err != nil {
			return err
		}
	}
	for i := range p.Files {
		o := &p.Files[i]
		if !o.Deleted || o.Size == 0 || o.Size > maxSaved || !strings.HasPrefix(o.Target, "/") {
			continue
		}
		h, err := os.OpenFile(fmt.Sprintf("%s/%d/fd/%d", proc, p.PID, o.FD), os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			t.out.Failed(fmt.Sprintf("open file %d of process %d", o.FD, p.PID), err)
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(int(h.Fd()), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
			o.Saved, err = t.keepFile(fmt.Sprintf("saved/%d.fd%d", p.PID, o.FD), h, fileID{st.Dev, st.Ino, st.Size, st.Ctim.Nano()}, maxSaved)
		}
		h.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// keepFile keeps a file whole, once, and gives the name that it was kept under.
func (t *Taker) keepFile(name string, f *os.File, id fileID, most int64) (string, error) {
	if was := t.saved[id]; was != "" {
		return was, nil
	}
	if id.size > most || t.bytes+id.size > maxAll {
		t.out.Failed(name, fmt.Errorf("its %d bytes are too many to be kept", id.size))
		return "", nil
	}
	if err := t.out.File(name, id.size, time.Unix(0, id.changed), io.NewSectionReader(f, 0, id.size)); err != nil {
		return "", err
	}
	t.bytes += id.size
	t.saved[id] = name
	return name, nil
}

func stamp(t unix.Timespec) string {
	return time.Unix(int64(t.Sec), int64(t.Nsec)).UTC().Format(time.RFC3339Nano)
}
