// Package markdown writes the answer for a ticket or a wiki. Text from evidence is put between backquotes or escaped, so that it
// can make neither links nor headings.
package markdown

import (
	"fmt"
	"io"
	"strings"

	"telltale/report"
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
	p.entries(d)
	p.did(d)
	p.left(d)
	p.aftermath(d)
	p.patches(d)
	p.actors(d)
	p.now(d)
	p.weighed(d)
	p.claims(d)
	p.read(d)
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
