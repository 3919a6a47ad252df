package terminal

import (
	"fmt"
	"strings"
)

// maxPatches is how many missing patches the first screen has room for.
const maxPatches = 3

// patches tells which software had known faults: those that were used first.
func (p *printer) patches() {
	if len(p.d.Patches) == 0 {
		return
	}
	p.title("MISSING PATCHES")
	for i, x := range p.d.Patches {
		if i == maxPatches && !p.o.Full {
			p.line("  ... and %d more (--full)", len(p.d.Patches)-i)
			break
		}
		s := fmt.Sprintf("  %-10s %s %s  %s", Escape(x.Status), Escape(x.Software), Escape(x.Version), Escape(strings.Join(short(x.CVE, 2), ", ")))
		if x.Fixed != "" {
			s += "  mended in " + Escape(x.Fixed)
		}
		if x.Exploited {
			s += "  used elsewhere"
		}
		p.line("%s", cut(s, p.o.Width))
		if p.o.Full {
			p.wrap("    ", Escape(x.What))
		}
	}
}
