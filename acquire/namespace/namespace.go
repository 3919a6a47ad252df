// Package namespace finds the namespaces of a running machine, brings a thread into one, and gives mounts of our own
// that stand in no table of mounts: namespaces(7), setns(2), fsopen(2). What it does touches no thread but the one that
// it is called on, and no namespace of the machine.
package namespace

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"telltale/acquire"
	"telltale/acquire/bounded"
)

// most is how many namespaces of a kind are told apart.
const most = 2000

// Space is a namespace and one process in it.
type Space struct {
	ID  uint64 // the inode of nsfs
	PID int
}

// Spaces gives each namespace of a kind ("net", "mnt") that a process is in once, our own first.
func Spaces(b *acquire.Box, kind string) []Space {
	seen := map[uint64]bool{}
	var all []Space
	add := func(id uint64, pid int) {
		if id != 0 && !seen[id] && len(all) < most {
			seen[id] = true
			all = append(all, Space{id, pid})
		}
	}
	add(ID(filepath.Join(b.Proc, "self/ns", kind)), os.Getpid())
	for _, p := range b.Processes {
		id := p.NS[kind]
		if id == 0 {
			id = ID(filepath.Join(b.Proc, strconv.Itoa(p.PID), "ns", kind))
		}
		add(id, p.PID)
	}
	return all
}

// ID reads a link like /proc/1/ns/net and gives the number of the namespace, 0 if it cannot be seen.
func ID(path string) uint64 {
	to, err := bounded.Link(path)
	if err != nil {
		return 0
	}
	_, n, _ := strings.Cut(strings.TrimSuffix(to, "]"), "[")
	v, _ := strconv.ParseUint(n, 10, 64)
	return v
}
