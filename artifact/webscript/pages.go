package webscript

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
)

// Pages gives the artefact of what visitors' browsers run: pages and their scripts.
func Pages() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "web-page", Doc: "pages and scripts for browsers that hide what they load, hand on what visitors type, or boast of a break-in", Spec: "ECMAScript: String.fromCharCode, unescape, string escapes; DOM: Document.write",
		Files: []string{"{webroot}/**/*.{js,html,htm}", "{webroot}/**/index.{php,asp,aspx,jsp}", "!**/node_modules/**"},
		Kinds: []event.Kind{event.File}, Parse: parsePage,
	}
}

const (
	hides  = "it hides code that loads something from elsewhere into the page"
	skims  = "it hands on what visitors type where they pay"
	window = 2000 // bytes within which what belongs together stands
)

func parsePage(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		total := int64(0)
		lr := lines.NewReader(in.R)
		in.Seen.Record(evidence.Time{})
		boasts := front(in.Path) && in.Meta.Size <= maxDefaced
		var b boaster
		for l, ok := lr.Next(); ok && total < maxScan; l, ok = lr.Next() {
			if ctx.Err() != nil {
				return
			}
			total += l.Len
			what, at := "", 0
			ref, raw, found := in.Ref, []byte(nil), false
			ref.Off, ref.Len, ref.Line = l.Off, l.Len, l.Num
			if boasts {
				if r, q, ok := b.met(l.Text, ref); ok {
					what, ref, raw, found = defaced, r, q, true
				}
			}
			if !found && forBrowsers(in.Path) {
				what, at = page(l.Text)
			}
			if what == "" {
				continue
			}
			if !found {
				raw = bytes.Clone(l.Text[at:min(len(l.Text), at+evidence.MaxQuote)])
			}
			e := event.Event{Kind: event.File, Ref: ref, Raw: raw}
			e.AddText(event.FilePath, in.Path)
			e.AddText(event.FileType, "file")
			e.AddText(event.FileContent, what)
			yield(e, nil)
			return
		}
		if err := lr.Err(); err != nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
	}
}

// forBrowsers tells what a browser runs as it is; of what the server runs first, only the words that it prints are looked at.
func forBrowsers(p string) bool {
	return strings.HasSuffix(p, ".js") || strings.HasSuffix(p, ".html") || strings.HasSuffix(p, ".htm")
}

// page judges one line, and tells where in it what is odd begins.
func page(b []byte) (what string, at int) {
	for _, f := range []struct {
		begins string
		read   func([]byte) string
	}{{"fromCharCode(", codes}, {"unescape(", percents}, {`\x`, escapes}} {
		for from := 0; from < len(b); {
			i := bytes.Index(b[from:], []byte(f.begins))
			if i < 0 {
				break
			}
			from += i + len(f.begins)
			s := f.read(b[from:])
			if loads(strings.ToLower(s)) {
				return hides, from - len(f.begins)
			}
			from += len(s)
		}
	}
	if at, ok := hiddenNumbers(b); ok {
		return hides, at
	}
	for from := 0; from < len(b); {
		i := bytes.Index(b[from:], []byte("btoa("))
		if i < 0 {
			break
		}
		i += from
		from = i + window/2
		if authorizes(b[max(0, i-64):i]) {
			continue
		}
		if at := max(0, i-window); skimmer(strings.ToLower(string(b[at:min(len(b), i+window)]))) {
			return skims, at
		}
	}
	return "", 0
}

// loads tells hidden code that brings a frame or a script from another site into the page.
func loads(s string) bool {
	return strings.Contains(s, "http") && !embeds(s) && (strings.Contains(s, "<iframe") || strings.Contains(s, "<script") || strings.Contains(s, "createelement(") && (strings.Contains(s, "iframe") || strings.Contains(s, "script")))
}

// maxHidden bounds how many hidden characters are read at one place; fewer than fewHidden hide nothing.
const (
	maxHidden = 4096
	fewHidden = 20
)

// codes reads "116,114,121)".
func codes(b []byte) string {
	var out []byte
	for n := 0; n < maxHidden; n++ {
		b = bytes.TrimLeft(b, " ")
		i := 0
		for i < len(b) && i < 4 && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		c, err := strconv.Atoi(string(b[:i]))
		if err != nil || c > 255 {
			break
		}
		out = append(out, byte(c))
		if b = b[i:]; len(b) == 0 || b[0] != ',' {
			break
		}
		b = b[1:]
	}
	return many(out)
}

// percents reads "'%3Cscript%20src%3D%22http%3A...'": only what hides the address, too, hides something.
func percents(b []byte) string {
	if len(b) == 0 || b[0] != '\'' && b[0] != '"' {
		return ""
	}
	s := b[1:min(len(b), maxHidden)]
	i := bytes.IndexByte(s, b[0])
	if i < 0 {
		return ""
	}
	s = s[:i]
	if low := strings.ToLower(string(s)); strings.Contains(low, "http://") || strings.Contains(low, "https://") {
		return ""
	}
	return hexed(s, "%", true)
}

// escapes reads "x3c\x69\x66", of which the first "\x" is taken off.
func escapes(b []byte) string {
	return hexed(append([]byte(`\x`), b[:min(len(b), maxHidden)]...), `\x`, false)
}

// hexed reads letters that are written as numbers, with plain ones between them or not.
func hexed(b []byte, mark string, plain bool) string {
	var out []byte
	hidden := 0
	for len(b) > 0 {
		if rest, ok := bytes.CutPrefix(b, []byte(mark)); ok && len(rest) >= 2 {
			if c, err := strconv.ParseUint(string(rest[:2]), 16, 8); err == nil {
				out, b, hidden = append(out, byte(c)), rest[2:], hidden+1
				continue
			}
		}
		if !plain {
			break
		}
		out, b = append(out, b[0]), b[1:]
	}
	if plain && hidden > 0 {
		return string(out)
	}
	return many(out)
}

func many(b []byte) string {
	if len(b) < fewHidden {
		return ""
	}
	return string(b)
}

// skimmer tells code that gathers all that was typed, where it is about paying, encodes it and sends it to an address of its own.
func skimmer(s string) bool {
	for _, g := range [][]string{
		{"cc_number", "cvv", "card_number", "cardnumber", "cc_cid", "onepage|", "checkout|", "|checkout", "ccnum"},
		{"queryselectorall(", "getelementsbytagname(", "$('input", `$("input`, "serialize("},
		{"new image", "fetch(", "sendbeacon(", "xmlhttprequest", "websocket(", ".src="},
		{"https://", "http://", "wss://", "atob("},
	} {
		if !any(s, g) {
			return false
		}
	}
	return strings.Contains(s, "input") && !leavesOut(s)
}
