package kernel

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Bits that a module leaves, and never are unset while the kernel runs.
const (
	taintProprietary = 0
	taintOutOfTree   = 12
	taintUnsigned    = 13
)

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
