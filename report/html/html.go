// Package html writes the answer as one page for a person: it works offline and without JavaScript, forbids
// every script by its own policy, and shows text from evidence inert. Each claim unfolds to
// the words that prove it and where they stand.
package html

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"telltale/report"
	"telltale/report/internal/text"
	"telltale/story"
)

//go:embed page.html
var page string

//go:embed page.css
var css string

// New gives the format.
func New() report.Format {
	return report.Format{Name: "html", Doc: "one page for people, offline, without scripts", File: "report.html", Write: write}
}

type view struct {
	*report.Document
	Policy   string
	Style    template.CSS
	Timeline *timeline
	Runner   *story.Hypothesis
	Host     string
}

func write(w io.Writer, d *report.Document) error {
	v := &view{Document: d, Style: template.CSS(css), Timeline: draw(d)}
	sum := sha256.Sum256([]byte(css))
	v.Policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	for _, h := range d.Hosts {
		if v.Host == "" {
			v.Host = h.Hostname
		}
	}
	if len(d.Entry) > 0 {
		for i := range d.Hypotheses {
			if d.Hypotheses[i].Vector != d.Entry[0].Vector {
				v.Runner = &d.Hypotheses[i]
				break
			}
		}
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"t": text.Escape, "list": func(s []string) string { return text.Escape(strings.Join(s, ", ")) }, "when": when, "place": place, "upper": upper,
		"first": head, "root": func(b *bool) bool { return b != nil && *b }, "within": within, "points": func(f float64) string { return fmt.Sprintf("%+.1f", f) },
		"total": total,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return err
	}
	_, err = io.WriteString(w, text.EscapeLines(b.String())) // also what no field of ours should hold
	return err
}

// within says how wrong a time may be.
func within(seconds float64) string {
	if seconds < 1 {
		return "to less than a second"
	}
	return fmt.Sprintf("± %g s", seconds)
}

// head gives the first n of the longest lists.
func head(n int, s any) any {
	switch x := s.(type) {
	case []story.Finding:
		return x[:min(len(x), n)]
	case []story.Action:
		return x[:min(len(x), n)]
	case []story.Claim:
		return x[:min(len(x), n)]
	}
	return s
}

func total(d *report.Document) string {
	var records, unparsed int64
	for _, c := range d.Coverage {
		records += c.Records
		unparsed += c.Unparsed
	}
	return fmt.Sprintf("%d logs and traces with %d records were read, %d records were not understood, %d places could not be read.", len(d.Coverage), records, unparsed, len(d.Damage))
}

func when(s string) string {
	if s == "" {
		return ""
	}
	s = strings.TrimSuffix(s, "Z")
	s, _, _ = strings.Cut(s, ".")
	return strings.Replace(s, "T", " ", 1)
}

func place(q story.Quotation) string {
	s := q.Path
	if q.Line > 0 {
		return text.Escape(fmt.Sprintf("%s %s, line %d (offset %d)", q.Source, s, q.Line, q.Offset))
	}
	return text.Escape(fmt.Sprintf("%s %s, offset %d, %d bytes", q.Source, s, q.Offset, q.Length))
}

func upper(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", " ")) }
