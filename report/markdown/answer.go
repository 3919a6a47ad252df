package markdown

import (
	"cmp"
	"fmt"
	"strings"

	"telltale/report"
	"telltale/report/internal/brief"
	"telltale/story"
)

func (p *printer) entries(d *report.Document) {
	if len(d.Entry) > 0 {
		p.line("## How they got in\n")
		for _, e := range d.Entry {
			s := fmt.Sprintf("- **%s** (%s)", plain(e.Vector), e.Status)
			if d, ok := story.OtherDoor(e.Vector, e.Service); ok {
				s += ", of " + plain(d)
			}
			if e.Account != "" {
				s += ", account " + code(e.Account)
			}
			if len(e.Sources) > 0 {
				s += ", from " + code(strings.Join(e.Sources, ", "))
			}
			if e.First != "" {
				s += ", first " + plain(e.First)
			}
			p.line("%s, claims %s", s, plain(strings.Join(e.Claims, ", ")))
		}
	}
}

// did tells what they did, what runs of it and what is hidden.
func (p *printer) did(d *report.Document) {
	if len(d.Actions) > 0 {
		p.line("\n## What they did\n")
		p.line("| time (UTC) | account | what | path |\n|---|---|---|---|")
		for _, a := range brief.Ordered(d.Actions) {
			p.line("| %s | %s | %s | %s |", plain(cmp.Or(a.Time, "not known")), plain(a.Account), plain(a.What), code(a.Path))
		}
	}
	if len(d.Running) > 0 {
		p.line("\n## What still runs\n\n| pid | name | program | user | since | sockets | why |\n|---|---|---|---|---|---|---|")
		for _, r := range d.Running {
			p.line("| %d | %s | %s | %s | %s | %s | %s |", r.PID, plain(r.Name), code(r.Exe), plain(r.User), plain(r.Started), plain(strings.Join(r.Sockets, "; ")), plain(r.Why))
		}
	}
	if len(d.Hidden) > 0 {
		p.line("\n## What is hidden\n")
		for _, h := range d.Hidden {
			p.line("- %s: %s (shown by %s)", plain(h.What), plain(h.Detail), plain(strings.Join(h.Views, ", ")))
		}
	}
}

// left tells what they left, changed and did harm with.
func (p *printer) left(d *report.Document) {
	if len(d.Persistence) > 0 {
		p.line("\n## What lets them come back\n")
		for _, x := range d.Persistence {
			p.line("- %s %s runs %s as %s since %s", plain(x.Mechanism), code(x.Path), code(x.Runs), code(x.As), plain(x.Since))
		}
	}
	if len(d.Altered) > 0 {
		p.line("\n## What was tampered with\n")
		for _, x := range d.Altered {
			p.line("- %s %s: expected %s, found %s", plain(x.Kind), code(x.Path), plain(x.Expected), plain(x.Found))
		}
	}
	if len(d.Impact) > 0 {
		p.line("\n## What harm was done\n")
		for _, x := range d.Impact {
			p.line("- %s: %s by %s, %s to %s", plain(x.What), plain(x.Counted()), code(x.By), plain(x.First), plain(x.Last))
		}
	}
}

func (p *printer) now(d *report.Document) {
	if len(d.DoNow) > 0 {
		p.line("\n## What to do now\n")
		for _, s := range d.DoNow {
			p.line("%d. %s %s", s.Order, plain(s.Step), plain(s.Why))
		}
	}
}

// weighed tells the ways in that were weighed, and what cannot be known.
func (p *printer) weighed(d *report.Document) {
	p.line("\n## Ways in that were weighed\n\n| way | status | points | why |\n|---|---|---|---|")
	for _, h := range d.Hypotheses {
		p.line("| %s | %s | %.1f | %s |", plain(h.Vector), h.Status, h.Score, plain(h.Why))
	}
	p.weights(d)
	if len(d.Unknown) > 0 {
		p.line("\n## What cannot be known\n")
		for _, u := range d.Unknown {
			p.line("- %s", plain(u))
		}
	}
}

func (p *printer) claims(d *report.Document) {
	if len(d.Claims) > 0 {
		p.line("\n## Claims and their evidence\n")
		for _, c := range d.Claims {
			p.line("- **%s** (%s) %s", plain(c.ID), plain(c.Standing()), plain(c.Text))
			for _, q := range c.For {
				p.line("  - %s %s: %s", plain(q.Source), place(&q), code(q.Quote))
			}
			for _, q := range c.Against {
				p.line("  - against: %s %s: %s", plain(q.Source), place(&q), code(q.Quote))
			}
		}
	}
}

// read tells what was read, by which clocks and rules, and out of what.
func (p *printer) read(d *report.Document) {
	p.line("\n## What was read\n\n| trace | path | first | last | records | not understood |\n|---|---|---|---|---|---|")
	for _, c := range d.Coverage {
		p.line("| %s | %s | %s | %s | %d | %d |", plain(c.Artifact), code(c.Path), plain(c.First), plain(c.Last), c.Records, c.Unparsed)
	}
	for i := range d.Clocks {
		if w := d.Clocks[i].Words(); w != "" {
			p.line("\n%s", plain(w))
		}
	}
	for i := range d.Recovery {
		p.line("\n%s", plain(d.Recovery[i].Words()))
	}
	if w := d.Rules.Words(); w != "" {
		p.line("\n%s", plain(w))
	}
	p.line("\n| source | size | sha256 |\n|---|---|---|")
	for _, s := range d.Sources {
		p.line("| %s | %d | %s |", code(s.Path), s.Size, plain(s.SHA256))
	}
}
