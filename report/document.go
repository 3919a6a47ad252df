// Package report is the contract of the writers: for people (terminal, HTML,
// Markdown) and for other tools (JSON). All show one Document. Text from evidence is escaped by each
// writer for its own medium; nothing here is trusted.
package report

import (
	"io"

	"telltale/casefile"
	"telltale/story"
)

// Schema is the version of the document.
const Schema = "telltale-report/1"

// Tool names the program that wrote the document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Document is report.json.
type Document struct {
	Schema  string            `json:"schema"`
	Tool    Tool              `json:"tool"`
	Made    string            `json:"made"` // RFC 3339
	Goal    string            `json:"goal"` // what the answer is for: "root-cause", "restart" or "legal"
	Hosts   []casefile.Host   `json:"hosts"`
	Sources []casefile.Source `json:"sources"`
	story.Story
	Coverage []casefile.Coverage `json:"coverage"`
	Clocks   []casefile.Clock    `json:"clocks"`
	Rules    casefile.Rules      `json:"rules"`
	Recovery []casefile.Recovery `json:"recovery"`
	Removed  []casefile.Removed  `json:"removed_lines"`
	Damage   []casefile.Damage   `json:"damage"`
	Custody  []casefile.Custody  `json:"custody"`
}

// Format is a member of the family.
type Format struct {
	Name  string // "html"
	Doc   string
	File  string // the name of its file in a case: "report.html"
	Write func(w io.Writer, d *Document) error
}

// What an answer is for. Restart is the shortest: is root lost, is the way in closed, what to change. RootCause is how it came about. Legal
// adds who handled what, every command, digests and the exhibits.
const (
	RootCause = "root-cause"
	Restart   = "restart"
	Legal     = "legal"
)

// Goals are the words of Document.Goal.
func Goals() []string { return []string{RootCause, Restart, Legal} }
