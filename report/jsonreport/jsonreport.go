// Package jsonreport writes and reads report.json, the document itself.
package jsonreport

import (
	"encoding/json"
	"fmt"
	"io"

	"telltale/report"
)

// New gives the format.
func New() report.Format {
	return report.Format{Name: "json", Doc: "the whole document, for other programs", File: "report.json", Write: write}
}

func write(w io.Writer, d *report.Document) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(true) // safe to be put into a page by others
	return e.Encode(d)
}

// Parse reads a document that write wrote.
func Parse(b []byte) (*report.Document, error) {
	var d report.Document
	if err := json.Unmarshal(b, &d); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if d.Schema != report.Schema {
		return nil, fmt.Errorf("read report: its schema is %q, this program reads %q", d.Schema, report.Schema)
	}
	return &d, nil
}
