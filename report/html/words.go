package html

import (
	"cmp"
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/report"
	"telltale/report/internal/brief"
	"telltale/report/internal/text"
	"telltale/story"
)

// funcs are what the templates call. Those that take text from evidence give it back inert.
func (v *view) funcs() template.FuncMap {
	return template.FuncMap{
		"t": show, "names": func(s []string) string { return names(s, maxNames) }, "when": when, "span": span, "place": place, "upper": upper,
		"vector": vector, "way": way, "tone": tone, "size": size, "command": command, "unknown": unparsed, "total": total, "figure": figure,
		"within": within, "points": func(f float64) string { return fmt.Sprintf("%+.1f", f) },
		"ordered": brief.Ordered, "head": head, "more": more, "refs": v.refs, "prose": v.prose, "proofs": v.proofs, "flip": v.flip, "anchor": v.anchor, "one": v.ref, "hours": hours, "contacted": func(how string) string { return show(brief.Contacted(how)) }, "weighed": weighed, "add": func(a, b int) int { return a + b },
		"maxActions": func() int { return maxActions }, "maxClaims": func() int { return maxClaims }, "maxFindings": func() int { return maxFindings },
		"maxRows": func() int { return maxRows }, "maxQuotes": func() int { return maxQuotes },
	}
}

// show makes text from evidence inert and not longer than a page bears.
func show(s string) string { return text.Escape(clip(s, maxText)) }

// clip shortens text to n characters and says that it did.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	seen := 0
	for i := range s {
		if seen == n {
			return fmt.Sprintf("%s… (%d bytes more)", s[:i], len(s)-i)
		}
		seen++
	}
	return s
}

func names(s []string, n int) string {
	short := make([]string, 0, min(len(s), n))
	for _, x := range s[:min(len(s), n)] {
		short = append(short, text.Escape(clip(x, 200)))
	}
	out := strings.Join(short, ", ")
	if len(s) > n {
		out += fmt.Sprintf(" and %d more", len(s)-n)
	}
	return out
}

// when gives a time to the second, without its zone: the page is all UTC.
func when(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return show(s)
	}
	return t.UTC().Format(time.DateTime)
}

// span gives a time that lasted.
func span(first, last string) string {
	switch a, b := when(first), when(last); {
	case a == "" && b == "":
		return "time not known"
	case b == "" || a == b:
		return a
	case a == "":
		return "until " + b
	default:
		return a + " to " + b
	}
}

// within says how wrong a time may be.
func within(seconds float64) string {
	if seconds < 1 {
		return "to less than a second"
	}
	return fmt.Sprintf("± %g s", seconds)
}

func figure(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }

func place(q story.Quotation) string {
	at := fmt.Sprintf("offset %d, %d bytes", q.Offset, q.Length)
	if q.Line > 0 {
		at = fmt.Sprintf("line %d, %s", q.Line, at)
	}
	return text.Escape(clip(q.Source, 200) + " · " + clip(q.Path, 1000) + " · " + at)
}

func upper(s string) string { return show(strings.ToUpper(strings.ReplaceAll(s, "-", " "))) }

func way(e story.Entry) string { return show(brief.Way(&e)) }

func vector(s string) string { return show(brief.Vector(s)) }

// tone gives the class of a word that has a colour; the word itself is always written too.
func tone(word any) string {
	switch s := fmt.Sprint(word); s {
	case "confirmed", "likely", "possible", "ruled-out", "cannot-tell", "compromised", "attacked", "clean", "yes", "no", "partly", "critical", "high", "medium", "low", "info":
		return "is-" + s
	}
	return "is-other"
}

func size(n int64) string {
	units, f := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}, float64(n)
	i := 0
	for ; f >= 1024 && i < len(units)-1; i++ {
		f /= 1024
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s (%d bytes)", f, units[i], n)
}

// command gives a command line so that its words can be told apart.
func command(words []string) string {
	out := make([]string, 0, min(len(words), maxRows))
	for _, w := range words[:min(len(words), maxRows)] {
		if w == "" || strings.ContainsAny(w, " \t\n\"'\\$`;&|<>(){}*?#~") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return show(strings.Join(out, " "))
}

// unparsed names what was not understood, the most first.
func unparsed(by map[string]int64) string {
	keys := make([]string, 0, len(by))
	for k := range by {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(by[b], by[a]), strings.Compare(a, b)) })
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%s %d", cmp.Or(clip(k, 60), "(no name)"), by[k])
	}
	return names(keys, 5)
}

func total(d *report.Document) string {
	var records, unread int64
	for _, c := range d.Coverage {
		records += c.Records
		unread += c.Unparsed
	}
	return fmt.Sprintf("Logs and traces read: %d, with %d records. Records not understood: %d. Places that could not be read: %d.", len(d.Coverage), records, unread, len(d.Damage))
}

// head gives the first n of a list.
func head(n int, list any) any {
	l := reflect.ValueOf(list)
	return l.Slice(0, min(l.Len(), n)).Interface()
}

// more says how many of a list are not shown, or nothing.
func more(n int, list any) string {
	if l := reflect.ValueOf(list).Len(); l > n {
		return fmt.Sprintf("%d more are not shown here; report.json holds all %d.", l-n, l)
	}
	return ""
}

// weighed tells whether any way in says what its points are made of.
func weighed(hs []story.Hypothesis) bool {
	return slices.ContainsFunc(hs, func(h story.Hypothesis) bool { return len(h.Weights) > 0 })
}
