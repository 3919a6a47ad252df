// Package html writes the answer as one page for a person: it works offline and without JavaScript, forbids
// every script by its own policy, and shows text from evidence inert and without links. Each claim unfolds to
// the words that prove it and where they stand.
package html

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"telltale/report"
	"telltale/report/internal/brief"
	"telltale/report/internal/exhibits"
	"telltale/report/internal/text"
	"telltale/story"
)

//go:embed *.html
var pages embed.FS

//go:embed page.css
var css string

// What one page shows at most; report.json holds the rest, and the page says how much that is.
const (
	maxActions  = 400
	maxClaims   = 2000
	maxFindings = 2000
	maxRows     = 1000 // of any other table or list
	maxQuotes   = 20   // of one claim
	maxRefs     = 6    // claims named behind one statement
	maxNames    = 12   // addresses, accounts, keys in one cell
	maxText     = 4000 // characters of one text
	maxExhibits = 5000
)

// New gives the format.
func New() report.Format {
	return report.Format{Name: "html", Doc: "one page for people, offline, without scripts", File: "report.html", Write: write}
}

// view is what the templates see: the document and what is worked out from it.
type view struct {
	*report.Document
	Policy   string
	Style    template.CSS
	Host     string
	Facts    []fact
	Runner   *story.Hypothesis // the best other way in for which something speaks
	Unjudged []string          // the ways in that the evidence cannot judge
	Timeline *timeline
	Graph    *graph
	Answers  []brief.Answer
	Plan     *brief.Plan // only where the answer is for a restart
	Legal    bool
	Exhibits []exhibits.Exhibit
	Left     int                     // exhibits that the page does not show
	claims   map[string]*story.Claim // those that the page shows
}

// fact is one figure below the verdict.
type fact struct {
	Name, Value string
	Warn        bool
}

func write(w io.Writer, d *report.Document) error {
	v := newView(d)
	t, err := template.New("page").Funcs(v.funcs()).ParseFS(pages, "*.html")
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	var b strings.Builder
	if err := t.ExecuteTemplate(&b, "page.html", v); err != nil {
		return err
	}
	_, err = io.WriteString(w, text.EscapeLines(b.String())) // a second time, for what a template forgot
	return err
}

func newView(d *report.Document) *view {
	sum := sha256.Sum256([]byte(css))
	v := &view{
		Document: d,
		Policy:   "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:    template.CSS(css),
		Timeline: draw(d),
		Graph:    relations(d),
		claims:   map[string]*story.Claim{},
	}
	for i := range min(len(d.Claims), maxClaims) {
		if c := &d.Claims[i]; isClaimID(c.ID) {
			v.claims[c.ID] = c
		}
	}
	for _, h := range d.Hosts {
		if v.Host == "" {
			v.Host = h.Hostname
		}
	}
	if len(d.Entry) > 0 {
		v.Runner, v.Unjudged = d.RunnerUp()
	}
	v.Facts = facts(d)
	v.goal()
	return v
}

// goal takes what the answer is for: a restart wants the shortest, without the claims; a court wants the exhibits.
func (v *view) goal() {
	v.Answers = brief.Seven(v.Document)
	switch v.Goal {
	case report.Restart:
		p := brief.Restart(v.Document)
		v.Plan = &p
		clear(v.claims) // which nothing could link to
	case report.Legal:
		v.Legal = true
		v.Exhibits, v.Left = exhibits.List(v.Document)
		if n := len(v.Exhibits) - maxExhibits; n > 0 {
			v.Exhibits, v.Left = v.Exhibits[:maxExhibits], v.Left+n
		}
	}
}

// facts gives the figures of a break-in; without one there are none.
func facts(d *report.Document) (out []fact) {
	if d.Verdict.Status != story.Compromised {
		return nil
	}
	if len(d.Entry) > 0 {
		e := d.Entry[0]
		if e.First != "" {
			out = append(out, fact{Name: "first in (UTC)", Value: when(e.First)})
		}
		if len(e.Sources) > 0 {
			out = append(out, fact{Name: "from", Value: names(e.Sources, 1)})
		}
		if e.Account != "" {
			out = append(out, fact{Name: "as", Value: text.Escape(clip(e.Account, 60))})
		}
	}
	root := fact{Name: "root", Value: "no sign of it"}
	if r := d.Verdict.Root; r != nil && *r {
		root = fact{Name: "root", Value: "lost", Warn: true}
	} else if r != nil {
		root.Value = "not reached"
	}
	count := func(name string, n int) fact { return fact{Name: name, Value: fmt.Sprint(n), Warn: n > 0} }
	out = append(out, root, count("ways to come back", d.WaysBack()), count("tampered with", len(d.Altered)))
	if len(d.Impact) > 0 {
		out = append(out, fact{Name: "harm", Value: names(uses(d.Impact), 2), Warn: true})
	}
	return out
}

func uses(impact []story.Impact) (out []string) {
	for _, i := range impact {
		if !slices.Contains(out, i.What) && len(out) < maxNames {
			out = append(out, i.What)
		}
	}
	return out
}
