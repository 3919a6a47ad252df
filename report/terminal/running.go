package terminal

import (
	"fmt"
	"strings"

	"telltale/story"
)

// maxRunning is how many processes, and how many hidden things, the first screen has room for.
const maxRunning = 4

// running tells what still runs and what is hidden.
func (p *printer) running() {
	if len(p.d.Running) > 0 {
		p.title("WHAT STILL RUNS")
		for i := range p.d.Running {
			if i == maxRunning && !p.o.Full {
				p.line("  ... and %d more (--full)", len(p.d.Running)-i)
				break
			}
			p.process(&p.d.Running[i])
		}
	}
	if len(p.d.Hidden) == 0 {
		return
	}
	p.title("WHAT IS HIDDEN")
	for i, h := range p.d.Hidden {
		if i == maxRunning && !p.o.Full {
			p.line("  ... and %d more (--full)", len(p.d.Hidden)-i)
			break
		}
		s := fmt.Sprintf("  %-10s %s (shown by %s)", Escape(h.What), Escape(h.Detail), Escape(strings.Join(h.Views, ", ")))
		if !p.o.Full {
			s = cut(s, p.o.Width)
		}
		p.line("%s", s)
	}
}

func (p *printer) process(r *story.Running) {
	file := ""
	if r.Deleted {
		file = ", file deleted"
	}
	p.line("%s", cut(fmt.Sprintf("  pid %-6d %s  %s%s  as %s  since %s", r.PID, Escape(r.Name), Escape(r.Exe), file, Escape(r.User), when(r.Started)), p.o.Width))
	if len(r.Sockets) > 0 {
		p.line("%s", cut("    "+Escape(strings.Join(r.Sockets, "; ")), p.o.Width))
	}
	if p.o.Full {
		p.wrap("    ", Escape(r.Why))
	}
}
