// Package markdown writes the answer for a ticket or a wiki. Text from evidence is put between backquotes or escaped, so that it
// can make neither links nor headings.
package markdown

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"telltale/report"
	"telltale/report/internal/brief"
	"telltale/report/internal/text"
	"telltale/story"
)

// New gives the format.
func New() report.Format {
	return report.Format{Name: "markdown", Doc: "for a ticket or a wiki", File: "report.md", Write: write}
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", a...)
	}
}

func write(w io.Writer, d *report.Document) error {
	p := &printer{w: w}
	host := ""
	if len(d.Hosts) > 0 {
		host = d.Hosts[0].Hostname
	}
	p.line("# %s: %s", plain(strings.TrimSpace("Examination of "+host)), plain(d.Verdict.Status))
	p.line("\n%s\n", plain(d.Verdict.Summary))
	if d.Goal == report.Restart {
		p.restart(d)
		return p.err
	}
	p.answers(d)
	if len(d.Entry) > 0 {
		p.line("## How they got in\n")
		for _, e := range d.Entry {
			s := fmt.Sprintf("- **%s** (%s)", plain(e.Vector), e.Status)
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
	p.aftermath(d)
	p.patches(d)
	p.actors(d)
	if len(d.DoNow) > 0 {
		p.line("\n## What to do now\n")
		for _, s := range d.DoNow {
			p.line("%d. %s %s", s.Order, plain(s.Step), plain(s.Why))
		}
	}
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
	if d.Goal == report.Legal {
		p.legal(d)
	}
	return p.err
}

// plain escapes what Markdown or HTML would take as its own.
func plain(s string) string {
	s = text.Escape(s)
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_{}[]()#!|<>&~:@", r) && r != '(' && r != ')' && r != ':' || r == '@' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return strings.ReplaceAll(b.String(), "://", ":\\//")
}

// code puts text between backquotes, more of them than it holds in a row.
func code(s string) string {
	if s == "" {
		return ""
	}
	s = strings.ReplaceAll(text.Escape(s), "|", `\x7c`)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// place tells where a quotation lies; what is no text has no lines.
func place(q *story.Quotation) string {
	if q.Line > 0 {
		return fmt.Sprintf("%s line %d offset %d", code(q.Path), q.Line, q.Offset)
	}
	return fmt.Sprintf("%s offset %d", code(q.Path), q.Offset)
}
