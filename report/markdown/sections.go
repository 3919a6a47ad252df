package markdown

import (
	"fmt"
	"strings"

	"telltale/report"
	"telltale/report/internal/brief"
	"telltale/report/internal/exhibits"
	"telltale/story"
)

// maxRows is how many rows of one table are written; report.json holds all.
const maxRows = 1000

// rows writes a table, bounded.
func rows[T any](p *printer, head string, list []T, row func(*T) string) {
	p.line("%s", head)
	p.line("|%s", strings.Repeat("---|", strings.Count(head, "|")-1))
	for i := range list {
		if i == maxRows {
			p.line("\n%d more are in report.json.", len(list)-i)
			return
		}
		p.line("%s", row(&list[i]))
	}
}

// answers writes the seven questions.
func (p *printer) answers(d *report.Document) {
	p.line("## The answers\n")
	rows(p, "| question | answer |", brief.Seven(d), func(a *brief.Answer) string {
		s := "**not known**"
		if a.Text != "" {
			s = plain(a.Text)
		}
		if a.Status != "" {
			s += " (" + string(a.Status) + ")"
		}
		if a.Why != "" {
			s += " - " + plain(a.Why)
		}
		return fmt.Sprintf("| %s | %s |", a.Question, s)
	})
	p.line("")
}

// aftermath writes what could be read, who else was reached and what was complained of.
func (p *printer) aftermath(d *report.Document) {
	if len(d.Exposed) > 0 {
		p.line("\n## What he could read, and what to replace\n")
		rows(p, "| what | path | as | how sure | what replaces it | claims |", d.Exposed, func(x *story.Exposure) string {
			sure := string(x.Status)
			if x.Taken {
				sure += ", **seen to leave**"
			}
			return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", plain(x.What), code(x.Path), code(x.As), sure, plain(x.Do), plain(strings.Join(x.Claims, ", ")))
		})
	}
	if len(d.Contacted) > 0 {
		p.line("\n## Other machines\n")
		rows(p, "| machine | how | account | how sure | first | last | claims |", d.Contacted, func(c *story.Contact) string {
			return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", code(c.Host), plain(brief.Contacted(c.How)), code(c.Account), c.Status, plain(c.First), plain(c.Last), plain(strings.Join(c.Claims, ", ")))
		})
	}
	if len(d.Complaints) == 0 {
		return
	}
	p.line("\n## What was complained of\n")
	for i := range d.Complaints[:min(len(d.Complaints), maxRows)] {
		c := &d.Complaints[i]
		p.line("- **%s** (%s) %s", plain(c.Asked), c.Status, plain(c.Answer))
		for _, x := range [][2]string{{"process", c.Process}, {"account", c.Account}, {"script or program", c.Script}, {"queue ids", strings.Join(c.QueueID, ", ")}, {"used from", strings.Join(c.Sources, ", ")}} {
			if x[1] != "" {
				p.line("  - %s: %s", x[0], code(x[1]))
			}
		}
		p.line("  - hangs on: %s", plain(brief.Hangs(c)))
		if len(c.Missing) > 0 {
			p.line("  - would answer the rest: %s", plain(strings.Join(c.Missing, ", ")))
		}
		p.line("  - claims: %s", plain(strings.Join(c.Claims, ", ")))
	}
}

// actors writes who.
func (p *printer) actors(d *report.Document) {
	if len(d.Actors) == 0 {
		return
	}
	p.line("\n## Who\n")
	for i := range d.Actors[:min(len(d.Actors), maxRows)] {
		a := &d.Actors[i]
		p.line("- %s (%s), %s to %s, claims %s", code(strings.Join(a.Sources, ", ")), plain(a.Origin), plain(a.First), plain(a.Last), plain(strings.Join(a.Claims, ", ")))
		for _, x := range []struct {
			name string
			list []string
		}{{"accounts", a.Accounts}, {"keys", a.Keys}, {"comments of keys", a.Comments}, {"user agents", a.UserAgents}, {"tools", a.Tools}, {"networks", a.Networks}} {
			if len(x.list) > 0 {
				p.line("  - %s: %s", x.name, code(strings.Join(x.list, ", ")))
			}
		}
		if b := brief.Bars(a.Hours); b != "" {
			p.line("  - hours, UTC, from 0 to 23: `%s`", b)
		}
		if a.Zone != "" {
			p.line("  - %s", plain(a.Zone))
		}
	}
}

// weights writes what the points of each way in are made of.
func (p *printer) weights(d *report.Document) {
	head := false
	for i := range d.Hypotheses {
		h := &d.Hypotheses[i]
		for _, w := range h.Weights[:min(len(h.Weights), maxRows)] {
			if !head {
				head = true
				p.line("\nWhat the points are made of:\n\n| way | rule | points | claim |\n|---|---|---|---|")
			}
			p.line("| %s | %s | %+.1f | %s |", plain(h.Vector), plain(w.Rule), w.Points, plain(w.Claim))
		}
	}
}

// restart is the whole answer for who has to bring the service back.
func (p *printer) restart(d *report.Document) {
	plan := brief.Restart(d)
	p.line("## Can it go back?\n\n**%s**\n", plain(plan.Root))
	if len(plan.Doors) > 0 {
		rows(p, "| way in | how sure | is it closed? | what closes it |", plan.Doors, func(o *brief.Door) string {
			return fmt.Sprintf("| %s | %s | %s | %s |", plain(o.Way), o.Status, plain(o.Closed), plain(o.Close))
		})
	}
	if len(plan.Change) > 0 {
		p.line("\n## What to do and to change, in this order\n")
	}
	for i, c := range plan.Change[:min(len(plan.Change), maxRows)] {
		p.line("%d. %s - %s", i+1, plain(c.What), plain(c.Why))
	}
	if len(d.Unknown) > 0 {
		p.line("\n## What cannot be known\n")
	}
	for _, u := range d.Unknown[:min(len(d.Unknown), 4)] {
		p.line("- %s", plain(u))
	}
}

// legal writes who handled what, and the exhibits.
func (p *printer) legal(d *report.Document) {
	p.line("\n## Custody\n\nAll evidence was opened for reading only.\n\n| run | command | began | ended | who and where | program | its SHA-256 |\n|---|---|---|---|---|---|---|")
	for i := range d.Custody {
		c := &d.Custody[i]
		digest := "not computed"
		if c.SHA256 != "" {
			digest = code(c.SHA256)
		}
		p.line("| %d | %s | %s | %s | %s on %s, zone %s | %s %s | %s |", i+1, code(strings.Join(c.Command, " ")), plain(c.Started), plain(c.Ended), plain(c.User), plain(c.Machine), plain(c.Clock), plain(c.Tool), plain(c.Version), digest)
	}
	if len(d.Clocks) > 0 {
		p.line("\n| clock | zone | zone from | skew (s) | error (s) |\n|---|---|---|---|---|")
	}
	for i := range d.Clocks {
		c := &d.Clocks[i]
		p.line("| %s | %s | %s | %g | %g |", plain(strings.TrimSpace(c.Source+" "+c.Clock)), plain(c.Zone), plain(c.From), c.Skew, c.Error)
	}
	if len(d.Damage) > 0 {
		p.line("\n| could not be read | offset | length | why |\n|---|---|---|---|")
	}
	for i := range d.Damage[:min(len(d.Damage), maxRows)] {
		x := &d.Damage[i]
		p.line("| %s | %d | %d | %s |", code(x.Ref.Source+" "+x.Ref.Path), x.Ref.Offset, x.Ref.Length, plain(x.Reason))
	}
	list, left := exhibits.List(d)
	p.line("\n## Exhibits\n\nThe digest is of the quoted words as this report holds them.\n")
	rows(p, "| no. | claim | source and path | offset | length | SHA-256 | file |", list, func(e *exhibits.Exhibit) string {
		claim := plain(e.Claim)
		if e.Against {
			claim += " (against)"
		}
		return fmt.Sprintf("| %s | %s | %s | %d | %d | `%s` | %s |", e.Number, claim, code(e.Quote.Source+" "+e.Quote.Path), e.Quote.Offset, e.Quote.Length, e.SHA256, e.File)
	})
	if left > 0 {
		p.line("\n%d more quotations are in report.json.", left)
	}
}
