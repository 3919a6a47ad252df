// Package acquire is what runs on the hacked machine: it looks without trusting the machine's own programs, takes
// what is volatile first, and writes nothing but where it was told to. This file is the contract of its steps. It
// draws no conclusions: a contradiction between two views is written down with the ordinary causes that were tested,
// and judged elsewhere. What runs here stays small: raw system calls, no libraries of the host, no programs, no forks.
package acquire

import (
	"context"
	"io"
	"log/slog"
	"time"

	"telltale/internal/state"
)

// Step is one thing that is taken.
type Step struct {
	Name  string // "processes"
	Doc   string // one sentence for people
	Quick bool   // also with --quick
	Long  bool   // takes what it takes: copying files
	// Take takes it. What cannot be had is told to Out.Failed and the rest is taken; an error is only for the end of all
	// (the sink is full, the context is done). It keeps to the context's deadline: a step that is late gives what it has.
	Take func(context.Context, *Box, Out) error
}

// Box is the machine, and what earlier steps have seen of it, for later ones to compare. The folders are others in tests.
type Box struct {
	Root string // "/"
	Proc string // "/proc"
	Sys  string // "/sys"
	Log  *slog.Logger
	Boot time.Time // when the kernel began

	Self      int              // our process
	Processes []*state.Process // in the order of their numbers
	Sockets   []*state.Socket
	Mounts    []*state.Mount // of our own mount namespace
	Modules   []*state.Module

	Symbols []byte // /proc/kallsyms as KernelSymbols has read it; nil before
}

// Process gives one of the processes seen, nil for none.
func (b *Box) Process(pid int) *state.Process {
	lo, hi := 0, len(b.Processes)
	for lo < hi {
		if mid := (lo + hi) / 2; b.Processes[mid].PID < pid {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(b.Processes) && b.Processes[lo].PID == pid {
		return b.Processes[lo]
	}
	return nil
}

// Out takes what the steps take. It is used by one goroutine at a time.
type Out interface {
	// Record writes one object of package state into one of its files.
	Record(file string, v any) error
	// File keeps bytes as they are, under a name of the collection ("proc/1/status", "saved/4711.exe"). A size of -1 is not known before the end.
	File(name string, size int64, modified time.Time, r io.Reader) error
	// Failed writes down that something could not be taken.
	Failed(what string, err error)
}
