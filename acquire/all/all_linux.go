// Package all lists the steps in the order in which they are taken: what changes fastest first.
package all

import (
	"telltale/acquire"
	"telltale/acquire/process"
	"telltale/acquire/programs"
	"telltale/acquire/rawdisk"
	"telltale/acquire/socket"
)

// Options of Steps.
type Options struct {
	Full bool // also what is large
	Run  bool // also run some of the machine's own tools, as exhibits
	Keep bool // the collection goes somewhere: the kernel's own files and deleted programs are kept
}

// Steps gives the steps that take the state; files are taken behind them.
func Steps(o Options) []acquire.Step {
	return []acquire.Step{
		acquire.Clocks("clock"),
		process.New(process.Options{Raw: o.Keep, Save: o.Keep}),
		socket.New(),
		acquire.Kept(),
		programs.New(o.Run),
		rawdisk.New(),
		acquire.Clocks("clock-again"),
	}
}
