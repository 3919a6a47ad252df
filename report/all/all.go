// Package all lists the formats of reports.
package all

import (
	"telltale/casefile"
	"telltale/report"
	"telltale/report/abuse"
	"telltale/report/html"
	"telltale/report/indicators"
	"telltale/report/internal/exhibits"
	"telltale/report/jsonreport"
	"telltale/report/markdown"
	"telltale/report/navigator"
	"telltale/report/stix"
	"telltale/report/terminal"
	"telltale/report/timeline"
)

// Formats gives every format.
func Formats() []report.Format {
	return []report.Format{jsonreport.New(), html.New(), markdown.New(), terminal.New(), indicators.New(), navigator.New(), stix.New(), abuse.New()}
}

// Timelines gives every format of timelines.
func Timelines() []timeline.Format { return timeline.Formats() }

// Exhibits gives the quoted evidence as files of a case, with their index.
func Exhibits(d *report.Document) []casefile.Exhibit { return exhibits.Files(d) }
