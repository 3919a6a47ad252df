package kernel

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// taints are the flags of kernel/panic.c and Documentation/admin-guide/tainted-kernels.rst, by bit.
var taints = []string{
	"P: proprietary module", "F: module loaded by force", "S: processor out of specification", "R: module unloaded by force",
	"M: machine check", "B: bad page", "U: requested by user", "D: died: oops or bug", "A: ACPI table overridden",
	"W: warning issued", "C: staging driver", "I: workaround for firmware", "O: out-of-tree module", "E: unsigned module",
	"L: soft lockup", "K: live patch", "X: auxiliary, of the distribution", "T: built with randomised structures",
	"N: in-kernel test", "J: userspace used a mutating debug operation of fwctl",
}

// Bits that a module leaves, and never are unset while the kernel runs.
const (
	taintProprietary = 0
	taintOutOfTree   = 12
	taintUnsigned    = 13
)

// decodeTaint tells the bits in words.
func decodeTaint(v uint64) []string {
	var all []string
	for bit := range 64 {
		if v>>bit&1 == 0 {
			continue
		}
		if bit < len(taints) {
			all = append(all, taints[bit])
		} else {
			all = append(all, "bit "+strconv.Itoa(bit))
		}
	}
	return all
}

// record is one message of /dev/kmsg: "6,339,5140900,-;text\n", then lines of its dictionary after a space
// (Documentation/ABI/testing/dev-kmsg).
type record struct {
	facility int           // 0 is the kernel itself, which nobody else can write as
	since    time.Duration // the kernel began
	text     string
}

func parseRecord(b []byte) (record, bool) {
	head, text, ok := bytes.Cut(b, []byte(";"))
	f := strings.SplitN(string(head), ",", 4)
	n, err := strconv.ParseUint(f[0], 10, 16)
	if !ok || err != nil {
		return record{}, false
	}
	var since time.Duration
	if len(f) > 2 {
		if us, err := strconv.ParseInt(f[2], 10, 53); err == nil && us >= 0 {
			since = time.Duration(us) * time.Microsecond
		}
	}
	text, _, _ = bytes.Cut(text, []byte("\n"))
	return record{int(n >> 3), since, string(text)}, true
}

// tells gives the bit of taint that a message of the kernel says was set, -1 for none (kernel/module/main.c).
func (r record) tells() int {
	switch {
	case r.facility != 0:
		return -1
	case strings.HasSuffix(r.text, ": loading out-of-tree module taints kernel."):
		return taintOutOfTree
	case strings.Contains(r.text, ": module verification failed: ") && strings.Contains(r.text, "tainting kernel"):
		return taintUnsigned
	case strings.Contains(r.text, ": module license '") && strings.Contains(r.text, "taints kernel."):
		return taintProprietary
	}
	return -1
}

// onTaint tells whether a message is to be kept beside the taint.
func (r record) onTaint() bool {
	return r.tells() >= 0 || r.facility == 0 && (strings.Contains(r.text, "aint") || strings.Contains(r.text, "bpf_probe_write_user") || strings.Contains(r.text, "lockdown"))
}
