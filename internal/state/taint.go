package state

import (
	"strconv"
	"strings"
)

// taints are the flags of kernel/panic.c and Documentation/admin-guide/tainted-kernels.rst, by bit.
var taints = []string{
	"P: proprietary module", "F: module loaded by force", "S: processor out of specification", "R: module unloaded by force",
	"M: machine check", "B: bad page", "U: requested by user", "D: died: oops or bug", "A: ACPI table overridden",
	"W: warning issued", "C: staging driver", "I: workaround for firmware", "O: out-of-tree module", "E: unsigned module",
	"L: soft lockup", "K: live patch", "X: auxiliary, of the distribution", "T: built with randomised structures",
	"N: in-kernel test", "J: userspace used a mutating debug operation of fwctl",
}

// Taints tells the bits of the kernel's taint in words.
func Taints(v uint64) []string {
	var all []string
	for bit := range 64 {
		if v>>bit&1 == 1 {
			all = append(all, Taint(bit))
		}
	}
	return all
}

// Taint tells one bit in words: a letter, a colon and what it is.
func Taint(bit int) string {
	if bit < len(taints) {
		return taints[bit]
	}
	return "bit " + strconv.Itoa(bit)
}

// ModuleTaints tells the bits of a module's taint by letters, as /proc/modules does without its brackets.
func ModuleTaints(v uint64) string {
	var s strings.Builder
	for bit, t := range taints {
		if v>>bit&1 == 1 {
			s.WriteByte(t[0])
		}
	}
	return s.String()
}
