package terminal

import (
	"cmp"
	"fmt"
	"strings"

	"telltale/report/internal/brief"
	"telltale/report/internal/exhibits"
	"telltale/story"
)

// behind tells what lies behind the break-in in a line each: what could be read, which other machines, what was complained of. All of it is in full.
func (p *printer) behind() {
	d := p.d
	if len(d.Exposed)+len(d.Contacted)+len(d.Complaints) == 0 {
		return
	}
	p.title("WHAT LIES BEHIND")
	if len(d.Exposed) > 0 {
		p.line("%s", cut("  replace    "+brief.Exposed(d.Exposed)+first("; first: ", Escape(d.Exposed[0].Do)), p.o.Width))
	}
	if len(d.Contacted) > 0 {
		p.line("%s", cut("  machines   "+Escape(brief.Machines(d.Contacted)), p.o.Width))
	}
	if n := len(d.Complaints); n > 0 {
		c := &d.Complaints[0]
		more := ""
		if n > 1 {
			more = fmt.Sprintf(" (and %d more)", n-1)
		}
		p.line("%s", cut("  complaint  "+Escape(c.Asked)+" "+Escape(c.Answer)+more, p.o.Width))
	}
}

func first(word, s string) string {
	if s == "" {
		return ""
	}
	return word + s
}

// aftermath tells all of what behind has a line for.
func (p *printer) aftermath() {
	if len(p.d.Exposed) > 0 {
		p.title("WHAT HE COULD READ, AND WHAT TO REPLACE")
		for i := range p.d.Exposed {
			x := &p.d.Exposed[i]
			taken := ""
			if x.Taken {
				taken = ", seen to leave"
			}
			p.wrap("  ", fmt.Sprintf("[%s%s] %s %s, as %s: %s", x.Status, taken, Escape(x.What), Escape(x.Path), Escape(x.As), Escape(x.Do)))
		}
	}
	if len(p.d.Contacted) > 0 {
		p.title("OTHER MACHINES")
		for i := range p.d.Contacted {
			c := &p.d.Contacted[i]
			p.wrap("  ", fmt.Sprintf("[%s] %s %s as %s %s", c.Status, brief.Contacted(Escape(c.How)), Escape(c.Host), Escape(c.Account), lasting(c.First, c.Last)))
		}
	}
	if len(p.d.Complaints) > 0 {
		p.title("WHAT WAS COMPLAINED OF")
		for i := range p.d.Complaints {
			p.complaint(&p.d.Complaints[i])
		}
	}
}

func (p *printer) complaint(c *story.Complaint) {
	p.wrap("  ", fmt.Sprintf("%s [%s] %s", Escape(c.Asked), c.Status, Escape(c.Answer)))
	for _, x := range [][2]string{{"process", c.Process}, {"account", c.Account}, {"script", c.Script}, {"queue ids", strings.Join(c.QueueID, ", ")}, {"used from", strings.Join(c.Sources, ", ")},
		{"hangs on", brief.Hangs(c)}, {"would answer the rest", strings.Join(c.Missing, ", ")}} {
		if x[1] != "" {
			p.wrap("      ", x[0]+": "+Escape(x[1]))
		}
	}
}

// actor tells what else is known of somebody.
func (p *printer) actor(a *story.Actor) {
	for _, x := range []struct {
		name string
		list []string
	}{{"network", a.Networks}, {"comment of a key", a.Comments}, {"tool", a.Tools}} {
		for _, s := range x.list {
			p.line("    %s %s", x.name, Escape(s))
		}
	}
	if b := brief.Bars(a.Hours); b != "" {
		p.line("    hours (UTC) 0 %s 23", b)
	}
	if a.Zone != "" {
		p.wrap("    ", Escape(a.Zone))
	}
}

// weights tells what a way's points are made of.
func (p *printer) weights(h *story.Hypothesis) {
	for _, w := range h.Weights {
		p.line("      %+5.1f  %s %s", w.Points, Escape(w.Rule), Escape(w.Claim))
	}
}

// restart is the whole answer for who has to bring the service back: one screen.
func (p *printer) restart() {
	const doors, changes = 4, 9
	plan := brief.Restart(p.d)
	p.title("CAN IT GO BACK?")
	p.wrap("  ", Escape(plan.Root))
	if len(plan.Doors) > 0 {
		p.title("IS THE WAY IN CLOSED?")
	}
	for i, o := range plan.Doors {
		if i == doors && !p.o.Full {
			p.line("  ... and %d more (--full)", len(plan.Doors)-i)
			break
		}
		p.wrap("  ", Escape(o.Way)+first(" [", bracket(o.Status))+": "+Escape(o.Closed))
		p.wrap("     ", Escape(o.Close))
	}
	if len(plan.Change) > 0 {
		p.title("WHAT TO DO AND TO CHANGE, IN THIS ORDER")
	}
	for i, c := range plan.Change {
		if i == changes && !p.o.Full {
			p.line("  ... and %d more (--full)", len(plan.Change)-i)
			break
		}
		s := fmt.Sprintf("%d. %s", i+1, Escape(c.What))
		if p.o.Full {
			s += first(" - ", Escape(c.Why))
		}
		p.wrap("  ", s)
	}
	if len(p.d.Unknown) > 0 {
		p.line("")
		p.wrap("  ", "Cannot be known: "+Escape(p.d.Unknown[0]))
	}
}

func bracket(st story.Status) string {
	if st == "" {
		return ""
	}
	return string(st) + "]"
}

// legal tells who handled what, and numbers the exhibits.
func (p *printer) legal() {
	list, left := exhibits.List(p.d)
	p.title("CUSTODY")
	p.wrap("  ", "All evidence was opened for reading only.")
	for i := range p.d.Custody {
		c := &p.d.Custody[i]
		p.wrap("  ", fmt.Sprintf("%d. %s", i+1, Escape(strings.Join(c.Command, " "))))
		p.wrap("     ", fmt.Sprintf("%s to %s, by %s on %s, zone %s; %s %s, its SHA-256 %s", when(c.Started), cmp.Or(when(c.Ended), "not known"), Escape(c.User), Escape(c.Machine), Escape(c.Clock), Escape(c.Tool), Escape(c.Version), cmp.Or(Escape(c.SHA256), "(not computed)")))
	}
	for i := range p.d.Clocks {
		c := &p.d.Clocks[i]
		p.wrap("  ", fmt.Sprintf("clock of %s: zone %s from %s, right to within %g s", Escape(strings.TrimSpace(c.Source+" "+c.Clock)), Escape(c.Zone), Escape(c.From), c.Error))
	}
	p.title("EXHIBITS")
	p.wrap("  ", "The digest is of the quoted words as the report holds them.")
	for _, e := range list {
		p.line("  %-6s %s  %s  %s %s offset %d length %d", e.Number, Escape(e.Claim), e.SHA256, Escape(e.Quote.Source), Escape(e.Quote.Path), e.Quote.Offset, e.Quote.Length)
	}
	if left > 0 {
		p.line("  ... and %d more in report.json", left)
	}
}

func lasting(first, last string) string {
	switch {
	case first == "" && last == "":
		return "at a time that is not known"
	case last == "" || first == last:
		return when(first)
	}
	return when(first) + " to " + when(last)
}
