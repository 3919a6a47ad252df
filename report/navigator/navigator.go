// Package navigator writes a layer for the ATT&CK Navigator, in its file format 4.5: the techniques that the story holds against somebody,
// with how sure each is. Where nobody got in, the layer is empty and says so.
package navigator

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"telltale/report"
	"telltale/report/internal/held"
	"telltale/report/internal/text"
	"telltale/story"
)

// Versions that the layer is written for. The oldest Navigator that reads format 4.5 is 4.9.0.
const (
	attackVersion    = "17"
	navigatorVersion = "4.9.0"
	layerVersion     = "4.5"
)

type layer struct {
	Name      string      `json:"name"`
	Versions  versions    `json:"versions"`
	Domain    string      `json:"domain"`
	About     string      `json:"description"`
	Filters   filters     `json:"filters"`
	Sorting   int         `json:"sorting"` // 3: the highest score first
	Layout    layout      `json:"layout"`
	Technique []technique `json:"techniques"`
	Gradient  gradient    `json:"gradient"`
	Legend    []legend    `json:"legendItems"`
	Metadata  []pair      `json:"metadata"`
}

type versions struct {
	Attack    string `json:"attack"`
	Navigator string `json:"navigator"`
	Layer     string `json:"layer"`
}

type filters struct {
	Platforms []string `json:"platforms"`
}

type layout struct {
	Layout   string `json:"layout"`
	ShowName bool   `json:"showName"`
	ShowID   bool   `json:"showID"`
	Expanded string `json:"expandedSubtechniques"`
}

type technique struct {
	ID       string `json:"techniqueID"`
	Score    int    `json:"score"`
	Color    string `json:"color"`
	Comment  string `json:"comment"`
	Enabled  bool   `json:"enabled"`
	Metadata []pair `json:"metadata"`
}

type gradient struct {
	Colors []string `json:"colors"`
	Min    int      `json:"minValue"`
	Max    int      `json:"maxValue"`
}

type legend struct {
	Label string `json:"label"`
	Color string `json:"color"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// grade is how a status is shown.
type grade struct {
	score int
	color string
}

var grades = map[story.Status]grade{story.Confirmed: {100, "#d7301f"}, story.Likely: {60, "#fc8d59"}, story.Possible: {30, "#fdcc8a"}}

// New gives the format.
func New() report.Format {
	return report.Format{Name: "navigator", Doc: "a layer of the ATT&CK Navigator", File: "navigator.json", Write: write}
}

func write(w io.Writer, d *report.Document) error {
	l := layer{Name: name(d), Versions: versions{attackVersion, navigatorVersion, layerVersion}, Domain: "enterprise-attack", About: about(d),
		Filters: filters{[]string{"Linux", "Containers", "PRE"}}, Sorting: 3, Layout: layout{"side", true, true, "annotated"}, Technique: []technique{},
		Gradient: gradient{[]string{"#ffffff", grades[story.Possible].color, grades[story.Likely].color, grades[story.Confirmed].color}, 0, 100},
		Metadata: []pair{{"made by", text.Escape(d.Tool.Name + " " + d.Tool.Version)}, {"verdict", text.Escape(d.Verdict.Status)}}}
	for _, s := range []story.Status{story.Confirmed, story.Likely, story.Possible} {
		l.Legend = append(l.Legend, legend{string(s), grades[s].color})
	}
	for _, t := range held.Techniques(d) {
		g := grades[t.Status]
		m := []pair{{"status", string(t.Status)}}
		for _, p := range []pair{{"first", t.First}, {"last", t.Last}, {"claims", strings.Join(t.Claims, " ")}} {
			if p.Value != "" {
				m = append(m, pair{p.Name, text.Escape(p.Value)})
			}
		}
		l.Technique = append(l.Technique, technique{ID: t.ID, Score: g.score, Color: g.color, Comment: text.Escape(strings.Join(t.What, "; ")), Enabled: true, Metadata: m})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(l)
}

func name(d *report.Document) string {
	if len(d.Hosts) > 0 && d.Hosts[0].Hostname != "" {
		return text.Escape("Break-in on " + d.Hosts[0].Hostname)
	}
	return "Break-in"
}

func about(d *report.Document) string {
	if d.Verdict.Status != story.Compromised {
		return fmt.Sprintf("The verdict is %s: nothing is held against anybody, so no technique is marked.", text.Escape(d.Verdict.Status))
	}
	return text.Escape(d.Verdict.Summary)
}
