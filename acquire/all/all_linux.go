// Package all lists the steps in the order in which they are taken: what changes fastest first.
package all

import (
	"telltale/acquire"
	"telltale/acquire/firewall"
	"telltale/acquire/kernel"
	"telltale/acquire/mailqueue"
	"telltale/acquire/process"
	"telltale/acquire/programs"
	"telltale/acquire/rawdisk"
	"telltale/acquire/socket"
	"telltale/acquire/views"
)

// Options of Steps.
type Options struct {
	Full bool // also what is large
	Run  bool // also run some of the machine's own tools, as exhibits
	Keep bool // the collection goes somewhere: the kernel's own files and deleted programs are kept
}

// Steps gives the steps that take the state; files are taken behind them.
func Steps(o Options) []acquire.Step {
	ps := process.New(process.Options{Raw: o.Keep, Save: o.Keep})
	v, k := views.Options{Describe: ps.Describe}, kernel.Options{Full: o.Full}
	return []acquire.Step{
		acquire.Clocks("clock"),
		ps.Step(),
		views.Processes(v), // before sockets, so that those of hidden processes have an owner
		socket.New(),
		views.Ports(v),
		mailqueue.New("mail-queues"),
		acquire.Kept(),
		views.Mounts(v), // before the kernel's, which look for what is mounted
		kernel.Facts(k),
		kernel.Modules(k),
		kernel.BPF(k),
		kernel.Hooks(k),
		kernel.Links(k),
		firewall.New(),
		kernel.Memory(k),
		programs.New(o.Run),
		rawdisk.New(),
		mailqueue.New("mail-queues-again"),
		acquire.Clocks("clock-again"),
	}
}
