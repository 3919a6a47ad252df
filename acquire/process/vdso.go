//go:build linux

package process

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/procfs"
	"telltale/internal/state"
)

// The kernel maps code of its own into every process, the vDSO (vdso(7)): the same pages into all of a kind. Who writes to them has a copy of that
// process' own, and code in it that no file shows and that calls for the time run.
const (
	maxShared = 64 << 10 // bytes of the vDSO: it has two to four pages
	maxVDSO   = 20       // processes that are told and read again
	pauseVDSO = 30 * time.Millisecond
)

// vdso reads the code and gives "64:" or "32:", by what it is for, and its SHA-256; "" where there is none.
func (d *dir) vdso(maps []byte) (string, error) {
	from, to := vdsoSpan(maps)
	if from == 0 {
		return "", nil
	}
	fd, err := unix.Openat(d.fd, "mem", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	b := make([]byte, to-from)
	n, err := unix.Pread(fd, b, int64(from))
	if err != nil {
		return "", err
	}
	if n < len(b) {
		return "", fmt.Errorf("%d of its %d bytes could be read", n, len(b))
	}
	kind := notELF
	if bytes.HasPrefix(b, []byte("\x7fELF\x01")) {
		kind = "32"
	} else if bytes.HasPrefix(b, []byte("\x7fELF\x02")) {
		kind = "64"
	}
	sum := sha256.Sum256(b)
	return kind + ":" + hex.EncodeToString(sum[:]), nil
}

// vdsoSpan finds "7ffd...-7ffd... r-xp 00000000 00:00 0 [vdso]".
func vdsoSpan(maps []byte) (from, to uint64) {
	const name = "[vdso]"
	for line := range bytes.Lines(maps) {
		line = bytes.TrimSpace(line)
		if !bytes.HasSuffix(line, []byte(name)) {
			continue
		}
		span, rest, _ := bytes.Cut(line, []byte{' '})
		if len(bytes.Fields(rest)) != 5 { // the name of a file may end so, too
			continue
		}
		a, b, _ := bytes.Cut(span, []byte{'-'})
		x, err1 := strconv.ParseUint(string(a), 16, 64)
		y, err2 := strconv.ParseUint(string(b), 16, 64)
		if err1 == nil && err2 == nil && x > 0 && y > x && y-x <= maxShared && y < 1<<63 {
			return x, y
		}
	}
	return 0, 0
}

// compareVDSO tells processes whose vDSO is unlike that of the others of their kind. Ours is the measure for its kind, the most common one for the other.
func (t *Taker) compareVDSO() error {
	counts := map[string]int{}
	measure := map[string]string{}
	for _, p := range t.box.Processes {
		counts[p.VDSO]++
	}
	for v, n := range counts {
		if k := kindOf(v); n > counts[measure[k]] || n == counts[measure[k]] && v < measure[k] {
			measure[k] = v
		}
	}
	if p := t.box.Process(t.box.Self); p != nil && p.VDSO != "" {
		measure[kindOf(p.VDSO)] = p.VDSO
		measure[notELF] = p.VDSO // nothing ordinary is none
		counts[p.VDSO]++         // one more that can be trusted to be as it was mapped
	}
	told := 0
	for _, p := range t.box.Processes {
		right := measure[kindOf(p.VDSO)]
		if p.VDSO == "" || p.VDSO == right || counts[right] < 2 {
			continue
		}
		if told++; told > maxVDSO {
			break
		}
		c := t.otherVDSO(p)
		if c == nil {
			continue
		}
		if err := t.out.Record(state.ContradictionsFile, c); err != nil {
			return err
		}
	}
	return nil
}

// notELF is the kind of a vDSO that does not begin as one.
const notELF = "no elf"

func kindOf(vdso string) string {
	k, _, _ := strings.Cut(vdso, ":")
	return k
}

// otherVDSO reads the code twice more: a process that was just beginning another program has it at another place.
func (t *Taker) otherVDSO(p *state.Process) *state.Contradiction {
	for range state.Passes - 1 {
		time.Sleep(pauseVDSO)
		again, err := t.vdsoOf(p)
		if err != nil || again != p.VDSO {
			return nil
		}
	}
	return &state.Contradiction{
		What: "content", Subject: fmt.Sprintf("vdso of process %d", p.PID), PID: p.PID, Shown: []string{"process-memory"}, Repeats: state.Passes,
		Detail: fmt.Sprintf("the code that the kernel maps into process %d (%s) is unlike that of other processes of its kind; debuggers and recorders (rr), and CRIU when it brings a process back, change it too", p.PID, p.Name),
		Tested: []string{"a program of 32 bits: they were compared among themselves", "a time namespace: it changes data beside the code, not the code", "it was beginning another program: read three times"},
	}
}

// vdsoOf reads the code of a process anew, if it is still the same process.
func (t *Taker) vdsoOf(p *state.Process) (string, error) {
	return bounded.Within(patience, func() (string, error) {
		d, err := open(t.box.Proc, p.PID, false)
		if err != nil {
			return "", err
		}
		defer d.close()
		b, err := d.read("stat", maxFile)
		var now state.Process
		if err != nil || !procfs.Stat(b, &now) || now.Ticks != p.Ticks {
			return "", errors.Join(err, errors.New("another process"))
		}
		maps, err := d.read("maps", maxMaps)
		if err != nil {
			return "", err
		}
		return d.vdso(maps)
	})
}
