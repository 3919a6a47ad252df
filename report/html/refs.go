package html

import (
	"fmt"
	"html/template"
	"strings"

	"telltale/report/internal/brief"
	"telltale/story"
)

// refs is what a statement rests on.
type refs struct {
	Items []ref
	More  int
}

type ref struct {
	ID    string
	Known bool // the page shows the claim, so that a link leads somewhere
}

// isClaimID tells whether an id has the form that telltale gives, c and a number: nothing else becomes a link.
func isClaimID(s string) bool {
	if len(s) < 2 || len(s) > 10 || s[0] != 'c' {
		return false
	}
	return strings.Trim(s[1:], "0123456789") == ""
}

func (v *view) refs(ids []string) refs {
	r := refs{More: max(len(ids)-maxRefs, 0)}
	for _, id := range ids[:min(len(ids), maxRefs)] {
		r.Items = append(r.Items, ref{ID: show(id), Known: v.claims[id] != nil})
	}
	return r
}

// ref gives one claim.
func (v *view) ref(id string) ref { return ref{ID: show(id), Known: v.claims[id] != nil} }

// anchor gives a claim's place in the page, "" if it has none.
func (v *view) anchor(id string) string {
	if v.claims[id] == nil {
		return ""
	}
	return id
}

// prose gives a sentence of ours, which may hold words from evidence, with the claims that it names as links within
// the page. No other link can come of it: a link's target is the id of a claim that the page shows.
func (v *view) prose(s string) template.HTML {
	s = show(s)
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] != 'c' || i > 0 && !strings.Contains(" (,", s[i-1:i]) {
			continue
		}
		end := i + 1
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		id := s[i:end]
		if v.claims[id] == nil || end < len(s) && !strings.Contains(" ),.;:", s[end:end+1]) {
			continue
		}
		template.HTMLEscape(&b, []byte(s[from:i]))
		fmt.Fprintf(&b, `<a href="#%s">%s</a>`, id, id)
		from, i = end, end-1
	}
	template.HTMLEscape(&b, []byte(s[from:]))
	return template.HTML(b.String())
}

// proof is a claim with the one quotation that speaks best for it.
type proof struct {
	*story.Claim
	Best *story.Quotation // nil: the same words were quoted already
}

// proofs gives the first claims of a way in.
func (v *view) proofs(e story.Entry) (out []proof) {
	told := map[story.Quotation]bool{}
	for _, id := range e.Claims {
		c := v.claims[id]
		if c == nil || len(out) == 3 {
			continue
		}
		p := proof{Claim: c, Best: brief.Proof(&e, c.For)}
		if p.Best != nil && told[*p.Best] {
			p.Best = nil
		} else if p.Best != nil {
			told[*p.Best] = true
		}
		out = append(out, p)
	}
	return out
}

// flip tells what would change the judgement about a way in.
func (v *view) flip(vector string) string {
	for _, h := range v.Hypotheses {
		if h.Vector == vector {
			return h.WouldFlip
		}
	}
	return ""
}
