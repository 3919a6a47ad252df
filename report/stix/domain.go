package stix

import (
	"net/netip"
	"path"
	"slices"
	"strings"

	"telltale/report/internal/held"
	"telltale/report/internal/text"
	"telltale/story"
)

// maxWords bounds a description.
const maxWords = 8000

// joined makes one description of several.
func joined(words []string) string {
	s := text.Escape(strings.Join(words, "; "))
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "")
	}
	return s
}

// indicators makes a pattern of each thing that is the intruder's own: an address from outside, a file that he brought, a digest. An
// account, or a file of the system that he changed, is on every server.
func (b *bundle) indicators(things []held.Thing) {
	if b.d.Verdict.Status != story.Compromised {
		return
	}
	behind := b.behind()
	for _, t := range things {
		p := pattern(t)
		if p == "" {
			continue
		}
		from, ok := stamp(t.First)
		if !ok {
			from = b.created
		}
		f := object{"name": text.Escape(string(t.Kind) + " " + t.Value), "indicator_types": []string{"malicious-activity"}, "pattern": p, "pattern_type": "stix", "pattern_version": "2.1", "valid_from": from, "confidence": confidence[t.Status]}
		if s := joined([]string{t.What, "claims " + strings.Join(t.Claims, " "), "block: " + t.Block}); s != "" {
			f["description"] = s
		}
		id := b.own("indicator", p, f)
		b.relate(id, "based-on", b.watched[string(t.Kind)+" "+t.Value], confidence[t.Status])
		for _, x := range shown(t.Claims, behind) {
			b.relate(id, "indicates", b.patterns[b.used[x].ID], min(confidence[t.Status], confidence[b.used[x].Status]))
		}
	}
}

// behind gives for each claim the techniques that rest on it, by their place in the list.
func (b *bundle) behind() map[string][]int {
	out := map[string][]int{}
	for i, t := range b.used {
		for _, id := range t.Claims {
			out[id] = append(out[id], i)
		}
	}
	return out
}

// shown gives the techniques that rest on any of the claims, each once and in their order.
func shown(claims []string, behind map[string][]int) []int {
	var out []int
	for _, id := range claims {
		out = append(out, behind[id]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pattern gives the pattern that finds a thing elsewhere, "" for one that would find the innocent.
func pattern(t held.Thing) string {
	switch {
	case t.Kind == held.Address && t.Block != held.No:
		ip, err := netip.ParseAddr(t.Value)
		if err != nil {
			return ""
		}
		ip = ip.Unmap().WithZone("")
		if ip.Is6() {
			return "[ipv6-addr:value = " + literal(ip.String()) + "]"
		}
		return "[ipv4-addr:value = " + literal(ip.String()) + "]"
	case t.Kind == held.URL:
		return "[url:value = " + literal(t.Value) + "]"
	case t.Kind == held.Digest:
		return "[file:hashes.'SHA-256' = " + literal(t.Value) + "]"
	case t.Kind == held.Path && t.Own:
		dir, name := path.Split(t.Value)
		if name == "" {
			return ""
		}
		return "[file:name = " + literal(name) + " AND file:parent_directory_ref.path = " + literal(path.Clean("/"+dir)) + "]"
	}
	return ""
}

// literal writes a string of the patterning language, section 9.4: the quote and the backslash are escaped.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text.Escape(s)) + "'"
}

// malware names programs only where the story itself calls something so: a web shell, a miner, a demand for ransom. Tools have their
// names from what the intruder used.
func (b *bundle) malware() {
	if b.d.Verdict.Status != story.Compromised {
		return
	}
	for i := range b.d.Persistence {
		p := &b.d.Persistence[i]
		st := b.sure(p.Claims)
		if p.Mechanism != "web-shell" || p.OwnedByPackage || confidence[st] == 0 {
			continue
		}
		f := object{"name": text.Escape("web shell " + p.Path), "is_family": false, "malware_types": []string{"webshell"}, "confidence": confidence[st]}
		if file := b.file(p.Path, ""); file != "" {
			f["sample_refs"] = []string{file}
		}
		b.relate(b.patterns[p.Attack], "uses", b.own("malware", "web-shell "+p.Path, f), confidence[st])
	}
	kinds := map[string]string{"miner": "resource-exploitation", "ransom": "ransomware"}
	for i := range b.d.Impact {
		x := &b.d.Impact[i]
		if st := b.sure(x.Claims); kinds[x.What] != "" && confidence[st] > 0 {
			b.own("malware", x.What, object{"name": x.What, "is_family": false, "malware_types": []string{kinds[x.What]}, "description": joined([]string{x.Detail}), "confidence": confidence[st]})
		}
	}
	for i := range b.d.Actors {
		for _, name := range b.d.Actors[i].Tools {
			if st := b.sure(b.d.Actors[i].Claims); name != "" && confidence[st] > 0 {
				b.own("tool", name, object{"name": text.Escape(name), "confidence": confidence[st]})
			}
		}
	}
}

// vulnerabilities names the weaknesses that a way in is told to have used.
func (b *bundle) vulnerabilities() {
	for i := range b.d.Entry {
		e := &b.d.Entry[i]
		if b.d.Verdict.Status != story.Compromised || confidence[e.Status] == 0 {
			continue
		}
		for _, cve := range e.CVE {
			if !strings.HasPrefix(cve, "CVE-") {
				continue
			}
			id := b.own("vulnerability", cve, object{"name": text.Escape(cve), "confidence": confidence[e.Status], "external_references": []object{{"source_name": "cve", "external_id": text.Escape(cve)}}})
			b.relate(b.patterns["T1190"], "targets", id, confidence[e.Status])
		}
	}
}

// notes tells what the evidence cannot answer, and what STIX has no type for.
func (b *bundle) notes(things []held.Thing) {
	for i, u := range b.d.Unknown {
		if i == held.Max {
			break
		}
		if u == "" {
			continue
		}
		b.own("note", "unknown "+u, object{"abstract": "what cannot be known", "content": text.Escape(u), "object_refs": []string{b.victim}})
	}
	for _, t := range things {
		if t.Kind == held.Key || t.Kind == held.Agent || t.Kind == held.Queue {
			b.own("note", string(t.Kind)+" "+t.Value, object{"abstract": string(t.Kind), "content": text.Escape(t.Value + ": " + t.What), "object_refs": []string{b.victim}, "confidence": confidence[t.Status]})
		}
	}
}
