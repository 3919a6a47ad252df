//go:build linux

// Package programs looks at the machine's own tools: which files they are now, and - only if asked - what they say when they are run, as exhibits: held
// against what we see ourselves, so that it is known which of them lies. What they say is never used for anything else. Running one is the only thing in this
// program that starts a program of the machine: it leaves a trace (access times, perhaps a log line, perhaps whatever an intruder made of it) and is told so.
package programs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/bounded"
	"telltale/acquire/process"
	"telltale/internal/state"
	"telltale/internal/untouched"
)

// tools are the programs that an intruder replaces so that he is not seen, or is let in.
var tools = []string{"ls", "ps", "ss", "netstat", "who", "w", "last", "find", "top", "lsof", "lsmod", "du", "ip", "ifconfig", "pgrep", "pidof", "stat", "login", "su", "sudo", "sshd", "ssh", "passwd", "crontab", "cat", "grep", "md5sum", "sha256sum", "bash", "sh", "dpkg", "rpm"}

// dirs are where they lie; the first is the one that runs.
var dirs = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// maxTool bounds a tool that is hashed, bytes.
const maxTool = 64 << 20

// New gives the step. Run also runs some of them.
func New(run bool) acquire.Step {
	return acquire.Step{Name: "programs", Doc: "the machine's own tools, as files", Quick: true, Take: func(ctx context.Context, b *acquire.Box, out acquire.Out) error {
		for _, p := range find(b.Root) {
			if err := ctx.Err(); err != nil {
				out.Failed(p, err)
				return nil
			}
			x, err := look(b.Root, p)
			if err != nil {
				out.Failed(p, err)
				continue
			}
			if run {
				if err := exhibit(ctx, b, out, x); err != nil {
					return err
				}
			}
			if err := out.Record(state.ProgramFile, x); err != nil {
				return err
			}
		}
		return nil
	}}
}

// exhibit runs a tool, again if it leaves something out, for a machine moves.
func exhibit(ctx context.Context, b *acquire.Box, out acquire.Out, x *state.Program) error {
	e := exhibits[path.Base(x.Path)]
	if e == nil || !first(b.Root, x.Path) {
		return nil
	}
	for n := 1; n <= state.Passes; n++ {
		if x.Detail = e(ctx, b, x.Path); !strings.Contains(x.Detail, leavesOut) {
			return nil
		}
	}
	return out.Record(state.ContradictionsFile, &state.Contradiction{What: "program", Subject: x.Path, Detail: x.Detail, Shown: []string{"own-list"}, Missing: []string{x.Path}, Structural: true, Repeats: state.Passes,
		Tested: []string{"what it left out stood there before and behind its run, each time"}})
}

// leavesOut marks a tool that lies.
const leavesOut = "LEAVES OUT"

// find gives the paths of tools, each file once.
func find(root string) (out []string) {
	seen := map[[2]uint64]bool{}
	for _, name := range tools {
		for _, d := range dirs {
			p := path.Join(d, name)
			var st unix.Stat_t
			if unix.Stat(path.Join(root, p), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || seen[[2]uint64{st.Dev, st.Ino}] {
				continue
			}
			seen[[2]uint64{st.Dev, st.Ino}] = true
			out = append(out, p)
		}
	}
	return out
}

// first tells whether a path is the one that its bare name runs.
func first(root, p string) bool {
	for _, d := range dirs {
		var st unix.Stat_t
		if q := path.Join(d, path.Base(p)); unix.Stat(path.Join(root, q), &st) == nil {
			return q == p
		}
	}
	return false
}

func look(root, p string) (*state.Program, error) {
	f, err := untouched.Open(path.Join(root, p), unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Size > maxTool {
		return nil, errors.Join(err, fmt.Errorf("%d bytes", st.Size))
	}
	head := make([]byte, 4)
	n, _ := f.ReadAt(head, 0) // what there is of it
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, st.Size)); err != nil {
		return nil, err
	}
	at := func(t unix.Timespec) string {
		return time.Unix(int64(t.Sec), int64(t.Nsec)).UTC().Format(time.RFC3339Nano)
	}
	x := &state.Program{Path: p, Kind: "other", SHA256: hex.EncodeToString(h.Sum(nil)), Modified: at(st.Mtim), Changed: at(st.Ctim)}
	switch {
	case bytes.HasPrefix(head[:n], []byte("\x7fELF")):
		x.Kind = "elf"
	case bytes.HasPrefix(head[:n], []byte("#!")):
		x.Kind = "script"
	}
	return x, nil
}

// exhibits run a tool and say what it leaves out, or adds. Two lists of a moving machine always differ a little: only what stood before and behind counts.
var exhibits = map[string]func(context.Context, *acquire.Box, string) string{"ps": runPS, "ls": runLS, "lsmod": runLsmod}

// runPS holds what ps lists against the processes that are there before and behind it.
func runPS(ctx context.Context, b *acquire.Box, p string) string {
	before, _, err1 := process.List(b.Proc)
	out, err := run(ctx, p, "-e", "-o", "pid=")
	after, _, err2 := process.List(b.Proc)
	if err := errors.Join(err, err1, err2); err != nil {
		return "could not be compared: " + err.Error()
	}
	said := map[int]bool{}
	for _, f := range strings.Fields(string(out)) {
		if n, err := strconv.Atoi(f); err == nil {
			said[n] = true
		}
	}
	var missing []string
	for _, pid := range before {
		if !said[pid] && slices.Contains(after, pid) {
			missing = append(missing, strconv.Itoa(pid))
		}
	}
	return words("processes", len(said), missing)
}

// listed are directories in which intruders hide things.
var listed = []string{"/", "/tmp", "/var/tmp", "/dev/shm", "/etc", "/etc/cron.d", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local/lib", "/usr/local/bin", "/root", "/var/www/html"}

// runLS holds what ls lists against the names in some directories.
func runLS(ctx context.Context, b *acquire.Box, p string) string {
	var missing []string
	n := 0
	for _, d := range listed {
		before, err := names(path.Join(b.Root, d))
		if err != nil {
			continue
		}
		out, err := run(ctx, p, "-a", d)
		after, err2 := names(path.Join(b.Root, d))
		if err := errors.Join(err, err2); err != nil {
			return "could not be compared: " + err.Error()
		}
		said := strings.Split(string(out), "\n")
		n += len(said)
		for name := range before {
			if after[name] && !strings.ContainsRune(name, '\n') && !slices.Contains(said, name) && !slices.Contains(said, quoted(name)) {
				missing = append(missing, path.Join(d, name))
			}
		}
	}
	slices.Sort(missing)
	return words("names", n, missing)
}

// quoted is how ls writes a name with bytes that a terminal does not show, where it does.
func quoted(name string) string { return "'" + name + "'" }

func names(dir string) (map[string]bool, error) {
	f, err := untouched.Open(dir, unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.Readdirnames(-1)
	out := map[string]bool{}
	for _, name := range list {
		out[name] = true
	}
	return out, err
}

func runLsmod(ctx context.Context, b *acquire.Box, p string) string {
	raw, err := bounded.Read(b.Proc+"/modules", maxSaid)
	out, err2 := run(ctx, p)
	if err := errors.Join(err, err2); err != nil {
		return "could not be compared: " + err.Error()
	}
	var missing []string
	n := 0
	for line := range strings.Lines(string(raw)) {
		n++
		if name, _, _ := strings.Cut(line, " "); !strings.Contains(string(out), "\n"+name+" ") {
			missing = append(missing, name)
		}
	}
	return words("modules", n, missing)
}

// maxMissing bounds what is told of a list.
const maxMissing = 20

func words(what string, n int, missing []string) string {
	if len(missing) == 0 {
		return fmt.Sprintf("run: it lists what we see (%d %s)", n, what)
	}
	more := ""
	if len(missing) > maxMissing {
		more = fmt.Sprintf(" and %d more", len(missing)-maxMissing)
		missing = missing[:maxMissing]
	}
	return fmt.Sprintf("run: it "+leavesOut+" %s that we see: %s%s", what, strings.Join(missing, ", "), more)
}

// maxSaid bounds what a tool may say, bytes; patience how long it may take.
const (
	maxSaid  = 16 << 20
	patience = 5 * time.Second
)

// run runs a tool of the machine with nothing but a path for an environment, and gives what it wrote.
func run(ctx context.Context, p string, args ...string) ([]byte, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	defer null.Close()
	child, err := os.StartProcess(p, append([]string{p}, args...), &os.ProcAttr{Dir: "/", Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, Files: []*os.File{null, w, null}})
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	stop := time.AfterFunc(patience, func() { child.Kill(); r.Close() })
	defer stop.Stop()
	defer context.AfterFunc(ctx, func() { child.Kill(); r.Close() })()
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(r, maxSaid))
	if err == nil && b.Len() == maxSaid {
		err = fmt.Errorf("it wrote more than %d bytes", maxSaid)
	}
	if err != nil {
		child.Kill()
	}
	if _, failed := child.Wait(); err == nil {
		err = failed
	}
	return b.Bytes(), err
}
