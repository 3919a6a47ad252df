package views

import (
	"path/filepath"
	"strconv"
	"strings"

	"telltale/acquire"
	"telltale/acquire/bounded"
)

// Limits of the walk over the control groups of a machine.
const (
	maxGroups   = 50_000  // folders in all hierarchies
	maxMembers  = 4 << 20 // bytes of one cgroup.procs
	maxMountTab = 16 << 20
)

// cgroupMembers gives the numbers that stand in cgroup.procs of any control group, with the group; why says what could
// not be seen. Hierarchies are found by our own mounts.
func cgroupMembers(proc string) (members map[int]string, why string) {
	members = map[int]string{}
	b, err := bounded.Read(filepath.Join(proc, "self/mountinfo"), maxMountTab)
	if err != nil {
		return members, err.Error()
	}
	mounts, _ := parseMounts(b)
	budget := maxGroups
	found := false
	for _, m := range mounts {
		if m.Type == "cgroup" || m.Type == "cgroup2" {
			found = true
			walkGroups(m.At, members, &budget)
		}
	}
	switch {
	case !found:
		return members, "no control groups are mounted"
	case budget <= 0:
		return members, "more control groups than " + strconv.Itoa(maxGroups)
	}
	return members, ""
}

func walkGroups(top string, members map[int]string, budget *int) {
	todo := []string{top}
	for len(todo) > 0 && *budget > 0 {
		dir := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		*budget--
		b, _ := bounded.Read(filepath.Join(dir, "cgroup.procs"), maxMembers)
		for _, s := range strings.Fields(string(b)) {
			if n, ok := number(s); ok { // 0 stands for a process of another pid namespace
				members[n] = dir
			}
		}
		below, _ := bounded.Folders(dir, maxGroups)
		for _, name := range below {
			todo = append(todo, filepath.Join(dir, name))
		}
	}
}

// pidfdTargets gives the numbers that open pidfds of the processes seen stand for, with the holder.
func pidfdTargets(b *acquire.Box) map[int]int {
	targets := map[int]int{}
	for _, p := range b.Processes {
		for _, f := range p.Files {
			if f.Target != "anon_inode:[pidfd]" && !strings.HasPrefix(f.Target, "pidfd:") {
				continue
			}
			info, _ := bounded.Read(filepath.Join(b.Proc, strconv.Itoa(p.PID), "fdinfo", strconv.Itoa(f.FD)), maxStat)
			for line := range strings.Lines(string(info)) {
				if v, ok := strings.CutPrefix(line, "Pid:"); ok {
					if n, ok := number(strings.TrimSpace(v)); ok { // -1: it has ended
						targets[n] = p.PID
					}
				}
			}
		}
	}
	return targets
}
