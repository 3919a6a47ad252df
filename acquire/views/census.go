package views

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"telltale/acquire/bounded"
)

// Limits of one look at /proc.
const (
	maxNames = 4 << 20 // names in /proc or in a task folder: PID_MAX_LIMIT of include/linux/threads.h
	maxStat  = 64 << 10
)

// census is what one look at a proc filesystem shows by listing it.
type census struct {
	procs    map[int]stat // the processes in the listing
	tasks    map[int]int  // each thread's number, and its process'
	groups   map[int]int  // numbers of process groups and sessions, and one process in each
	parents  map[int]int  // numbers named as parent, and one child
	children map[int]int  // numbers in a list of children, and the parent
	failed   error        // why the listing is not whole
}

// stat is what is needed of /proc/PID/stat, numbers as proc_pid_stat(5) has them.
type stat struct {
	name            string
	state           string
	ppid, pgrp, sid int
	threads         int
	start           uint64 // ticks since boot: field 22
}

// lister lists a folder; tests give one that hides something.
type lister func(dir string, limit int) ([]string, error)

// look lists the processes below proc and their threads; with kin it reads the lists of children, too.
func look(proc string, list lister, kin bool) *census {
	c := &census{procs: map[int]stat{}, tasks: map[int]int{}, groups: map[int]int{}, parents: map[int]int{}, children: map[int]int{}}
	names, err := list(proc, maxNames)
	if err != nil {
		c.failed = fmt.Errorf("list %s: %w", proc, err)
	}
	for _, name := range names {
		pid, ok := number(name)
		if !ok {
			continue
		}
		c.process(proc, pid, list, kin)
	}
	return c
}

// process takes one process of the listing. One that ended since stays, as it was listed.
func (c *census) process(proc string, pid int, list lister, kin bool) {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	c.tasks[pid] = pid
	st, err := readStat(dir)
	c.procs[pid] = st
	if err == nil {
		c.groups[st.pgrp], c.groups[st.sid], c.parents[st.ppid] = pid, pid, pid
	}
	threads := []string{strconv.Itoa(pid)}
	if err != nil || st.threads != 1 {
		if threads, err = list(filepath.Join(dir, "task"), maxNames); err != nil && !bounded.Gone(err) && c.failed == nil {
			c.failed = fmt.Errorf("list threads of %d: %w", pid, err)
		}
	}
	for _, name := range threads {
		tid, ok := number(name)
		if !ok {
			continue
		}
		c.tasks[tid] = pid
		if !kin {
			continue
		}
		b, _ := bounded.Read(filepath.Join(dir, "task", name, "children"), maxStat) // a kernel without CONFIG_PROC_CHILDREN has none
		for _, child := range strings.Fields(string(b)) {
			if n, ok := number(child); ok {
				c.children[n] = pid
			}
		}
	}
}

// readStat reads the stat file of a process' or a thread's folder.
func readStat(dir string) (stat, error) {
	b, err := bounded.Read(filepath.Join(dir, "stat"), maxStat)
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(b))
}

// parseStat takes /proc/PID/stat apart. The name may hold spaces and parentheses: the last one ends it.
func parseStat(s string) (stat, error) {
	from, to := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if from < 0 || to < from {
		return stat{}, errors.New("stat has no name in parentheses")
	}
	f := strings.Fields(s[to+1:])
	const first = 3 // the number of the field behind the name
	if len(f) <= 22-first {
		return stat{}, fmt.Errorf("stat has %d fields behind the name", len(f))
	}
	st := stat{name: s[from+1 : to], state: f[0]}
	var errs [5]error
	st.ppid, errs[0] = strconv.Atoi(f[4-first])
	st.pgrp, errs[1] = strconv.Atoi(f[5-first])
	st.sid, errs[2] = strconv.Atoi(f[6-first])
	st.threads, errs[3] = strconv.Atoi(f[20-first])
	st.start, errs[4] = strconv.ParseUint(f[22-first], 10, 64)
	return st, errors.Join(errs[:]...)
}

// number reads the decimal number of a process.
func number(s string) (int, bool) {
	if s == "" || s[0] < '1' || s[0] > '9' || len(s) > 9 {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}
