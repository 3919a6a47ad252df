package advisories

import (
	"encoding/json"
	"slices"
	"strings"
)

// record is an advisory in OSV's form (ossf.github.io/osv-schema 1.7).
type record struct {
	ID        string   `json:"id"`
	Modified  string   `json:"modified"`
	Published string   `json:"published"`
	Withdrawn string   `json:"withdrawn"`
	Aliases   []string `json:"aliases"`
	Upstream  []string `json:"upstream"`
	Related   []string `json:"related"`
	Affected  []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		Ranges []struct {
			Type   string  `json:"type"`
			Events []bound `json:"events"`
		} `json:"ranges"`
		Versions json.RawMessage `json:"versions"`
	} `json:"affected"`
}

// bound is an end of a range: one of its fields is set.
type bound struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

// osv keeps the ranges of an advisory that end: a fault that nobody has mended is no missing patch.
func (d *Database) osv(f *File, x *record) error {
	f.Kind = "osv"
	for _, t := range []string{x.Modified, x.Published} {
		f.date(t)
	}
	if x.Withdrawn != "" {
		return nil
	}
	cve := x.cves()
	for i := range x.Affected {
		a := &x.Affected[i]
		w := world(a.Package.Ecosystem)
		if w == "" || a.Package.Name == "" {
			continue
		}
		ranged := false
		for _, r := range a.Ranges {
			if r.Type == "GIT" {
				continue
			}
			ranged = true
			if err := d.events(f, w, a.Package.Name, x.ID, cve, r.Events); err != nil {
				return err
			}
		}
		if !ranged {
			if err := d.versions(f, w, a.Package.Name, x.ID, cve, a.Versions); err != nil {
				return err
			}
		}
	}
	return nil
}

// events keeps each stretch between an introduction and what ends it.
func (d *Database) events(f *File, w, name, id string, cve []string, events []bound) error {
	from := ""
	for _, e := range events {
		to, last := e.Fixed, false
		switch {
		case e.Introduced != "":
			from = e.Introduced
			continue
		case e.LastAffected != "":
			to, last = e.LastAffected, true
		case to == "":
			continue // "limit" is for GIT
		}
		if err := d.add(w, name, from, to, id, cve, last); err != nil {
			return err
		}
		f.Rows++
	}
	return nil
}

// versions keeps single versions, where there are no ranges.
func (d *Database) versions(f *File, w, name, id string, cve []string, raw json.RawMessage) error {
	var list []string
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for _, v := range list {
		if err := d.add(w, name, v, v, id, cve, true); err != nil {
			return err
		}
		f.Rows++
	}
	return nil
}

// cves gives the CVEs that an advisory is about. Distributions name them as "upstream" or as part of their own id; "related" may be other
// faults, and counts only where nothing else is told.
func (x *record) cves() (out []string) {
	for _, s := range slices.Concat([]string{x.ID}, x.Aliases, x.Upstream) {
		out = appendCVE(out, s)
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range x.Related {
		out = appendCVE(out, s)
	}
	return out
}

// appendCVE takes the CVE out of an id: "DEBIAN-CVE-2024-6387".
func appendCVE(out []string, id string) []string {
	if i := strings.Index(id, "CVE-"); i >= 0 {
		return append(out, id[i:])
	}
	return out
}
