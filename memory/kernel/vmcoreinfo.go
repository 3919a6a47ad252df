package kernel

import (
	"bytes"
	"strconv"
	"strings"
)

// maxNote bounds the kernel's note for its dumps: VMCOREINFO_BYTES is a page.
const maxNote = 4096

// note is what a kernel writes down for those who read its dumps (vmcoreinfo; Documentation/admin-guide/kdump/vmcoreinfo.rst).
type note struct {
	values map[string]string
	at     uint64 // where it was found; 0 where the dump carries it beside the memory
}

// parseNote reads lines of NAME=VALUE. What is no such line ends it.
func parseNote(b []byte) note {
	n := note{values: map[string]string{}}
	b, _, _ = bytes.Cut(b[:min(len(b), maxNote)], []byte{0})
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		name, value, ok := strings.Cut(string(line), "=")
		if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			break
		}
		if _, ok := n.values[name]; !ok {
			n.values[name] = value
		}
	}
	return n
}

// release gives the kernel's release, "" for none.
func (n note) release() string { return n.values["OSRELEASE"] }

// symbol gives the address of a symbol.
func (n note) symbol(name string) uint64 {
	v, _ := strconv.ParseUint(n.values["SYMBOL("+name+")"], 16, 64)
	return v
}

// hex gives a number that stands in the hexadecimal form of C.
func (n note) hex(name string) uint64 {
	v, _ := strconv.ParseUint(strings.TrimPrefix(n.values["NUMBER("+name+")"], "0x"), 16, 64)
	return v
}

// number gives a number, which stands in decimal.
func (n note) number(name string) (int64, bool) {
	v, err := strconv.ParseInt(n.values["NUMBER("+name+")"], 10, 64)
	return v, err == nil
}
