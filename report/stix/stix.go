// Package stix writes what the story holds against somebody as a STIX 2.1 bundle (OASIS Standard, 10 June 2021), for platforms that share
// such things. Nothing that was explained goes in, nor what every server has. Ids come of the case's content, so that a second run gives
// the same file. Where the server was only attacked, those who tried are told as observed, with low confidence; where it is clean or
// nothing can be told, nobody is named.
package stix

import (
	"encoding/json"
	"io"

	"telltale/report"
	"telltale/report/internal/held"
	"telltale/report/internal/text"
	"telltale/story"
)

// confidence is a status on the specification's scale, in the middle of its "High", "Med" and "Low" (appendix A).
var confidence = map[story.Status]int{story.Confirmed: 85, story.Likely: 50, story.Possible: 15}

// New gives the format.
func New() report.Format {
	return report.Format{Name: "stix", Doc: "a STIX 2.1 bundle", File: "stix.json", Write: write}
}

// object is one of the bundle; json sorts its keys.
type object map[string]any

func (o object) id() string { return o["id"].(string) }

// bundle collects objects, each id once.
type bundle struct {
	d         *report.Document
	key       string // of the case
	created   string
	modified  string
	self      string // id of the tool's identity
	victim    string
	objects   []object
	have      map[string]bool
	files     map[string]string // ids of files by path
	addresses map[string]string
	patterns  map[string]string // ids of attack patterns by technique
	watched   map[string]string // ids of observed data by kind and value
	used      []held.Technique
	sure      func(claims []string) story.Status
}

func write(w io.Writer, d *report.Document) error {
	b := &bundle{d: d, key: caseKey(d), have: map[string]bool{}, files: map[string]string{}, addresses: map[string]string{}, patterns: map[string]string{}, watched: map[string]string{}, used: held.Techniques(d), sure: held.Sure(d)}
	b.times()
	b.identities()
	b.techniques()
	things := held.Things(d)
	b.observe(things)
	b.processes()
	b.malware()
	b.indicators(things)
	b.vulnerabilities()
	b.notes(things)
	b.report()
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(object{"type": "bundle", "id": "bundle--" + uuid(ours, b.key+" bundle"), "objects": b.objects})
}

// times sets when objects were made. Another run over the same evidence names the same objects, of which the specification says that
// they keep the time of their making: that is the incident's end, which does not change, and never behind the document's own time.
func (b *bundle) times() {
	made, ok := stamp(b.d.Made)
	if !ok {
		made = "1970-01-01T00:00:00.000Z"
	}
	b.created, b.modified = made, made
	_, to := b.d.Window()
	if end, ok := stamp(to); ok && end < made {
		b.created = end
	}
}

// add puts an object in once and gives its id.
func (b *bundle) add(o object) string {
	o["spec_version"] = "2.1"
	if id := o.id(); !b.have[id] {
		b.have[id] = true
		b.objects = append(b.objects, o)
	}
	return o.id()
}

// own makes an object that the specification calls a domain or relationship object. What names it within the case is its key.
func (b *bundle) own(kind, key string, fields object) string {
	o := object{"type": kind, "id": kind + "--" + uuid(ours, b.key+" "+kind+" "+key), "created": b.created, "modified": b.modified, "created_by_ref": b.self}
	for k, v := range fields {
		o[k] = v
	}
	return b.add(o)
}

// relate says that one object has to do with another.
func (b *bundle) relate(from, how, to string, sure int) {
	if from != "" && to != "" {
		b.own("relationship", from+" "+how+" "+to, object{"relationship_type": how, "source_ref": from, "target_ref": to, "confidence": sure})
	}
}

// observable makes an observable whose id comes of the properties that the specification names for its type.
func (b *bundle) observable(kind string, names, more object) string {
	o := object{"type": kind, "id": kind + "--" + uuid(observables, canonical(names))}
	for _, m := range []object{names, more} {
		for k, v := range m {
			o[k] = v
		}
	}
	return b.add(o)
}

// identities names the tool, the same in every case, and the machine.
func (b *bundle) identities() {
	const first = "2024-01-01T00:00:00.000Z"
	b.self = b.add(object{"type": "identity", "id": "identity--" + uuid(ours, "identity telltale"), "created": first, "modified": first, "name": "telltale", "identity_class": "system",
		"description": "a program that examines evidence of Linux servers"})
	name := "the examined machine"
	for _, h := range b.d.Hosts {
		if h.Hostname != "" && h.Container == nil {
			name = text.Escape(h.Hostname)
			break
		}
	}
	b.victim = b.own("identity", "machine", object{"name": name, "identity_class": "system", "description": "the machine that was examined"})
}

// techniques makes an attack pattern of each technique that the story says was used.
func (b *bundle) techniques() {
	for _, t := range b.used {
		f := object{"name": t.Name, "confidence": confidence[t.Status],
			"external_references": []object{{"source_name": "mitre-attack", "external_id": t.ID}}}
		if s := joined(t.What); s != "" {
			f["description"] = s
		}
		id := b.own("attack-pattern", t.ID, f)
		b.patterns[t.ID] = id
		b.relate(id, "targets", b.victim, confidence[t.Status])
	}
}

// report ties everything together.
func (b *bundle) report() {
	refs := make([]string, 0, len(b.objects))
	for _, o := range b.objects {
		if o.id() != b.self {
			refs = append(refs, o.id())
		}
	}
	f := object{"name": "Examination: " + text.Escape(b.d.Verdict.Status), "report_types": []string{"threat-report"}, "published": b.modified, "object_refs": refs}
	if s := b.d.Verdict.Summary; s != "" {
		f["description"] = text.Escape(s)
	}
	if c := confidence[b.d.Verdict.Confidence]; c > 0 {
		f["confidence"] = c
	}
	b.own("report", "report", f)
}
