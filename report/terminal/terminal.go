// Package terminal writes the answer for a person at a terminal: the verdict first, at most one
// screen, all else with Full. Text from evidence is escaped, so that no byte of it can
// move the cursor or change a colour.
package terminal

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"telltale/report"
	"telltale/report/internal/brief"
	"telltale/report/internal/text"
	"telltale/story"
)

// Options of Write.
type Options struct {
	Colour bool
	Full   bool
	Width  int    // columns; 0: 100
	Case   string // where the case lies, for the last line
}

// New gives the format, without colour and in full.
func New() report.Format {
	return report.Format{Name: "text", Doc: "plain text, in full", File: "report.txt", Write: func(w io.Writer, d *report.Document) error { return Write(w, d, Options{Full: true}) }}
}

type printer struct {
	w   io.Writer
	o   Options
	d   *report.Document
	err error
	by  map[string]*story.Claim
}

// Write writes the document.
func Write(w io.Writer, d *report.Document, o Options) error {
	if o.Width <= 0 {
		o.Width = 100
	}
	p := &printer{w: w, o: o, d: d, by: map[string]*story.Claim{}}
	for i := range d.Claims {
		p.by[d.Claims[i].ID] = &d.Claims[i]
	}
	p.verdict()
	if d.Goal == report.Restart {
		p.restart()
	} else {
		p.whole()
	}
	if o.Case != "" {
		p.line("")
		p.line("%s", p.dim("Full report: "+Escape(o.Case)))
	}
	return p.err
}

// whole is the answer for who wants to know how it came about.
func (p *printer) whole() {
	p.entries()
	p.running()
	p.did()
	p.patches()
	p.behind()
	p.steps()
	p.limits()
	if p.o.Full {
		p.full()
	}
	if p.o.Full && p.d.Goal == report.Legal {
		p.legal()
	}
}

func (p *printer) line(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", a...)
	}
}

// wrap writes text broken at blanks, each line indented.
func (p *printer) wrap(indent, s string) {
	width := max(p.o.Width-len(indent), 30)
	for s != "" {
		n := len(s)
		if n > width {
			if n = strings.LastIndexByte(s[:width+1], ' '); n <= width/3 {
				if n = strings.IndexByte(s, ' '); n < 0 {
					n = len(s)
				}
			}
		}
		p.line("%s%s", indent, s[:n])
		s = strings.TrimLeft(s[n:], " ")
	}
}

func (p *printer) colour(code, s string) string {
	if !p.o.Colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p *printer) bold(s string) string { return p.colour("1", s) }
func (p *printer) dim(s string) string  { return p.colour("2", s) }

var verdictColour = map[string]string{story.Compromised: "1;41;97", story.Attacked: "1;43;30", story.Clean: "1;42;30"}

func (p *printer) verdict() {
	v := p.d.Verdict
	code := verdictColour[v.Status]
	if code == "" {
		code = "1;7"
	}
	host := ""
	for i, h := range p.d.Hosts {
		if h.Hostname != "" && h.Container == nil && i < 3 {
			host += " " + Escape(h.Hostname)
		}
	}
	head := p.colour(code, " "+strings.ToUpper(Escape(strings.ReplaceAll(v.Status, "-", " ")))+" ")
	if v.Status == story.Compromised || v.Status == story.Attacked {
		head += " (" + string(v.Confidence) + ")"
	}
	if v.Root != nil && *v.Root {
		head += "  " + p.colour("1;31", "root is lost")
	}
	if host != "" {
		head += "  " + p.bold(strings.TrimSpace(host))
	}
	p.line("%s", head)
	p.line("")
	p.wrap("", Escape(v.Summary))
}

func (p *printer) title(s string) {
	p.line("")
	p.line("%s", p.bold(s))
}

func (p *printer) entries() {
	if len(p.d.Entry) == 0 {
		return
	}
	p.title("HOW THEY GOT IN")
	for i, e := range p.d.Entry {
		if i >= 3 && !p.o.Full {
			p.line("  ... and %d more", len(p.d.Entry)-i)
			break
		}
		parts := []string{fmt.Sprintf("%s [%s]", Escape(e.Vector), e.Status)}
		if d, ok := story.OtherDoor(e.Vector, e.Service); ok {
			parts[0] += "  of " + Escape(d)
		}
		if e.Account != "" {
			parts = append(parts, "as "+Escape(e.Account))
		}
		if len(e.Sources) > 0 {
			parts = append(parts, "from "+Escape(strings.Join(short(e.Sources, 4), ", ")))
		}
		if e.First != "" {
			parts = append(parts, "first "+when(e.First)+within(e.ErrorSeconds))
		}
		p.parts(parts)
		told := map[story.Quotation]bool{}
		for _, c := range p.quoted(e.Claims, 3) {
			p.proof(&e, c, told)
		}
	}
	if len(p.d.Entry) == 0 {
		return
	}
	runner, unjudged := p.d.RunnerUp()
	if runner != nil {
		flip := ""
		if runner.WouldFlip != "" {
			flip = "; it would come first by " + Escape(runner.WouldFlip)
		}
		p.wrap("  ", fmt.Sprintf("Runner-up: %s: %s (%s%s)", Escape(runner.Vector), Escape(string(runner.Status)), Escape(runner.Why), flip))
	} else {
		p.line("  Runner-up: none, for nothing in the evidence speaks for another way in.")
	}
	if len(unjudged) > 0 {
		p.wrap("  ", "Not judged, for want of their logs: "+Escape(strings.Join(unjudged, ", "))+".")
	}
}

// parts writes what belongs together on one line, or on more, none of them broken where it need not be.
func (p *printer) parts(parts []string) {
	line := ""
	for _, x := range parts {
		x = cut(x, p.o.Width-4)
		switch {
		case line == "":
			line = "  " + x
		case len([]rune(line))+2+len([]rune(x)) > p.o.Width:
			p.line("%s", line)
			line = "    " + x
		default:
			line += "  " + x
		}
	}
	p.line("%s", line)
}

func (p *printer) quoted(claims []string, n int) (out []*story.Claim) {
	for _, id := range claims {
		if c := p.by[id]; c != nil && len(out) < n {
			out = append(out, c)
		}
	}
	return out
}

// proof writes the one line of evidence that speaks best for a way in.
func (p *printer) proof(e *story.Entry, c *story.Claim, told map[story.Quotation]bool) {
	q := brief.Proof(e, c.For)
	if q == nil || told[*q] {
		return
	}
	told[*q] = true
	p.wrap("    ", p.dim(cut(where(*q)+": "+Escape(strings.TrimSpace(q.Quote)), 2*(p.o.Width-4)-p.o.Width/4))) // two lines: what counts mostly stands behind the stamp
}

func where(q story.Quotation) string {
	s := Escape(q.Path)
	if i := strings.LastIndex(s, ":/"); i >= 0 {
		s = s[i+1:]
	}
	if strings.HasPrefix(s, "/var/log/journal/") {
		s = "journal"
	}
	if q.Line > 0 {
		return fmt.Sprintf("%s line %d", s, q.Line)
	}
	return fmt.Sprintf("%s offset %d", s, q.Offset)
}

func (p *printer) did() {
	if len(p.d.Persistence)+len(p.d.Altered)+len(p.d.Impact) == 0 && (p.o.Full || len(p.d.Actions) == 0) {
		return
	}
	p.title("WHAT THEY DID AND LEFT")
	most := 6
	if p.o.Full {
		most = 1000
	}
	n := 0
	room := func() bool { n++; return n <= most }
	for _, x := range p.d.Impact {
		if room() {
			p.line("  %-10s %s by %s, %s to %s", Escape(x.What), Escape(x.Counted()), Escape(x.By), when(x.First), when(x.Last))
		}
	}
	for _, x := range p.d.Persistence {
		if room() {
			parts := []string{fmt.Sprintf("%-10s %s", Escape(x.Mechanism), Escape(x.Path))}
			if x.Mechanism != "ssh-key" && x.Runs != "" {
				parts = append(parts, "runs "+Escape(x.Runs))
			}
			parts = append(parts, "as "+Escape(x.As))
			if x.Since != "" {
				parts = append(parts, "since "+when(x.Since))
			}
			p.parts(parts)
		}
	}
	for _, x := range p.d.Altered {
		if room() {
			p.line("%s", cut(fmt.Sprintf("  %-10s %s: expected %s; found %s", Escape(x.Kind), Escape(x.Path), Escape(x.Expected), Escape(x.Found)), p.o.Width))
		}
	}
	if !p.o.Full { // in full they stand in the order of time
		for i := range p.d.Actions {
			if a := &p.d.Actions[i]; !p.told(a) && room() {
				p.line("%s", cut("  "+act(a), p.o.Width))
			}
		}
	}
	if n > most {
		p.line("  ... and %d more (--full)", n-most)
	}
}

// told tells whether an act's file or claim stands among what was left or altered.
func (p *printer) told(a *story.Action) bool {
	shared := func(claims []string, path string) bool {
		return a.Path != "" && a.Path == path || slices.ContainsFunc(claims, func(id string) bool { return slices.Contains(a.Claims, id) })
	}
	return slices.ContainsFunc(p.d.Persistence, func(x story.Persistence) bool { return shared(x.Claims, x.Path) }) ||
		slices.ContainsFunc(p.d.Altered, func(x story.Altered) bool { return shared(x.Claims, x.Path) }) ||
		slices.ContainsFunc(p.d.Impact, func(x story.Impact) bool { return shared(x.Claims, "") })
}

func (p *printer) steps() {
	if len(p.d.DoNow) == 0 {
		return
	}
	p.title("WHAT TO DO NOW")
	for i, s := range p.d.DoNow {
		if i >= 5 && !p.o.Full {
			p.line("  ... and %d more (--full)", len(p.d.DoNow)-i)
			break
		}
		p.wrap("  ", fmt.Sprintf("%d. %s", s.Order, Escape(s.Step)))
		if p.o.Full {
			p.wrap("     ", p.dim(Escape(s.Why)))
		}
	}
}

func (p *printer) limits() {
	var unparsed, records int64
	for _, c := range p.d.Coverage {
		unparsed += c.Unparsed
		records += c.Records
	}
	p.title("HOW FAR THIS CAN BE TRUSTED")
	p.wrap("  ", fmt.Sprintf("%s, %s, %d not understood; %s could not be read", count(int64(len(p.d.Coverage)), "log or trace", "logs and traces"), count(records, "record", "records"), unparsed, count(int64(len(p.d.Damage)), "place", "places")))
	for i, d := range p.d.Damage {
		if i >= 2 && !p.o.Full {
			break
		}
		p.line("%s", cut("  not read: "+Escape(strings.TrimSpace(d.Ref.Source+" "+d.Ref.Path))+": "+Escape(d.Reason), p.o.Width))
	}
	for i := range p.d.Clocks {
		if w := p.d.Clocks[i].Words(); w != "" {
			p.wrap("  ", Escape(w))
		}
	}
	var told []string
	for i := range p.d.Recovery { // of two disks the same may be so
		if w := p.d.Recovery[i].Words(); !slices.Contains(told, w) && (p.o.Full || len(told) < 2) {
			told = append(told, w)
			p.wrap("  ", Escape(w))
		}
	}
	if w := p.d.Rules.Words(); w != "" && (p.o.Full || len(p.d.Rules.Refused) > 0) {
		p.wrap("  ", Escape(w))
	}
	for i, u := range p.d.Unknown {
		if i >= 2 && !p.o.Full {
			p.line("  ... and %d more that cannot be known (--full)", len(p.d.Unknown)-i)
			break
		}
		p.wrap("  ", "Cannot be known: "+Escape(u))
	}
}

// full writes the rest of the document.
func (p *printer) full() {
	if len(p.d.Actors) > 0 {
		p.title("WHO")
		for _, a := range p.d.Actors {
			p.line("  %s (%s) as %s, %s to %s", Escape(strings.Join(a.Sources, ", ")), Escape(a.Origin), Escape(strings.Join(a.Accounts, ", ")), when(a.First), when(a.Last))
			for _, k := range a.Keys {
				p.line("    key %s", Escape(k))
			}
			for _, u := range a.UserAgents {
				p.line("    user agent %s", Escape(u))
			}
			p.actor(&a)
		}
	}
	p.aftermath()
	if len(p.d.Actions) > 0 {
		p.title("IN THE ORDER OF TIME")
		for _, a := range brief.Ordered(p.d.Actions) {
			p.wrap("  ", fmt.Sprintf("%-20s ", cmp.Or(when(a.Time), "time not known"))+act(&a))
		}
	}
	p.title("WAYS IN THAT WERE WEIGHED")
	for _, h := range p.d.Hypotheses {
		p.wrap("  ", fmt.Sprintf("%-22s %-12s %5.1f  %s. It would flip: %s", Escape(h.Vector), h.Status, h.Score, Escape(h.Why), Escape(h.WouldFlip)))
		p.weights(&h)
	}
	if len(p.d.Innocent) > 0 {
		p.title("LOOKED AT AND EXPLAINED")
		for _, x := range p.d.Innocent {
			p.wrap("  ", Escape(x.What)+": "+Escape(x.Why))
		}
	}
	if len(p.d.Claims) > 0 {
		p.title("CLAIMS AND THEIR EVIDENCE")
		for _, c := range p.d.Claims {
			p.wrap("  ", fmt.Sprintf("%s [%s] %s", Escape(c.ID), Escape(c.Standing()), Escape(c.Text)))
			for _, q := range c.For {
				p.line("      %s", p.dim(Escape(q.Source)+" "+where(q)+": "+Escape(strings.TrimSpace(q.Quote))))
			}
			for _, q := range c.Against {
				p.line("      against: %s", p.dim(Escape(q.Source)+" "+where(q)+": "+Escape(strings.TrimSpace(q.Quote))))
			}
		}
	}
	p.title("WHAT WAS READ")
	for _, c := range p.d.Coverage {
		s := fmt.Sprintf("%-12s %s  %s to %s  %d records", Escape(c.Artifact), Escape(c.Path), cmp.Or(when(c.First), "-"), cmp.Or(when(c.Last), "-"), c.Records)
		if c.Unparsed > 0 {
			s += fmt.Sprintf(", %d not understood", c.Unparsed)
		}
		if c.Covers != "" {
			s += ", covers the incident: " + Escape(c.Covers)
		}
		p.wrap("  ", s)
		for _, g := range c.Gaps {
			p.line("      gap %s to %s: %s", when(g.From), when(g.To), Escape(g.Why))
		}
	}
	for _, s := range p.d.Sources {
		p.wrap("  ", fmt.Sprintf("%s %s %s %d bytes sha256 %s", Escape(s.ID), Escape(s.Path), Escape(s.Kind), s.Size, cmp.Or(Escape(s.SHA256), "(not computed)")))
		for _, n := range s.Notes {
			p.wrap("     ", Escape(n))
		}
	}
}

// act says who did what, and where, unless that is said already.
func act(a *story.Action) string {
	parts := []string{Escape(a.What)}
	if a.Account != "" && !strings.HasPrefix(a.What, a.Account+" ") {
		parts = []string{Escape(a.Account) + ":", parts[0]}
	}
	switch {
	case a.Path == "" || strings.Contains(a.What, a.Path):
	case strings.Contains(a.What, "typed: "): // what was typed ends where its file begins
		parts = append(parts, "("+Escape(a.Path)+")")
	default:
		parts = append(parts, Escape(a.Path))
	}
	return strings.Join(parts, " ")
}

func when(t string) string {
	if t == "" {
		return ""
	}
	t = strings.TrimSuffix(Escape(t), "Z")
	t, _, _ = strings.Cut(t, ".")
	return strings.Replace(t, "T", " ", 1) + "Z"
}

// within tells by how much a time may be off, where that is more than the next second.
func within(seconds float64) string {
	switch {
	case seconds >= 2*3600:
		return fmt.Sprintf(" (± %.0f hours)", seconds/3600)
	case seconds > 1:
		return fmt.Sprintf(" (± %.0f s)", seconds)
	}
	return ""
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func short(s []string, n int) []string {
	if len(s) <= n {
		return s
	}
	return append(append([]string{}, s[:n]...), fmt.Sprintf("%d more", len(s)-n))
}

// cut shortens a line to the screen's width.
func cut(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return string(r[:max(width-3, 0)]) + "..."
}

// Escape makes text from evidence inert for a terminal.
func Escape(s string) string { return text.Escape(s) }
