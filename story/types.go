// Package story turns findings into an answer: claims with their evidence,
// hypotheses for and against each way in, and a verdict no stronger than what stands
// behind it. No claim can be made without evidence.
package story

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"telltale/evidence"
)

// Status is how sure a statement is.
type Status string

// The words, strongest first.
const (
	Confirmed  Status = "confirmed"
	Likely     Status = "likely"
	Possible   Status = "possible"
	RuledOut   Status = "ruled-out"
	CannotTell Status = "cannot-tell"
)

// The verdicts.
const (
	Compromised = "compromised"
	Attacked    = "attacked"
	Clean       = "clean"
)

// Story is the answer: the part of report.json that is reasoned. Empty lists are empty, never nil.
type Story struct {
	Verdict     Verdict       `json:"verdict"`
	Entry       []Entry       `json:"entry"`
	Hypotheses  []Hypothesis  `json:"hypotheses"`
	Actors      []Actor       `json:"actors"`
	Actions     []Action      `json:"actions"`
	Persistence []Persistence `json:"persistence"`
	Running     []Running     `json:"running"`
	Hidden      []Hidden      `json:"hidden"`
	Altered     []Altered     `json:"altered"`
	Impact      []Impact      `json:"impact"`
	Exposed     []Exposure    `json:"exposed"`
	Contacted   []Contact     `json:"contacted"`
	Patches     []Patch       `json:"missing_patches"`
	Complaints  []Complaint   `json:"complaints"`
	Innocent    []Innocent    `json:"innocent"`
	DoNow       []Step        `json:"do_now"`
	Unknown     []string      `json:"cannot_be_known"` // what the evidence cannot answer, and which source is missing
	Claims      []Claim       `json:"claims"`
	Findings    []Finding     `json:"findings"`
}

// Verdict answers whether the server was entered.
type Verdict struct {
	Status     string `json:"status"` // compromised, attacked, clean, cannot-tell
	Confidence Status `json:"confidence"`
	Root       *bool  `json:"root"` // whether uid 0 was reached; nil: not known
	Summary    string `json:"summary"`
}

// Entry is a way in.
type Entry struct {
	Vector       string   `json:"vector"`
	Status       Status   `json:"status"`
	Service      string   `json:"service"`
	Account      string   `json:"account"`
	Sources      []string `json:"sources"`
	Product      string   `json:"product"`
	CVE          []string `json:"cve"`
	First        string   `json:"first"` // RFC 3339, "" if not known
	Last         string   `json:"last"`
	ErrorSeconds float64  `json:"error_seconds"`
	Claims       []string `json:"claims"`
}

// Hypothesis is a way in that was weighed.
type Hypothesis struct {
	Vector    string   `json:"vector"`
	Status    Status   `json:"status"`
	Score     float64  `json:"score"`
	For       []string `json:"for"`     // claims
	Against   []string `json:"against"` // claims
	Weights   []Weight `json:"weights"` // what the score is made of
	Why       string   `json:"why"`     // one sentence
	WouldFlip string   `json:"would_flip"`
}

// RunnerUp gives the best way in, besides those that were found, for which something speaks; nil if there is
// none. Unjudged names the ways in that the evidence cannot judge for want of a log that would show them.
func (s *Story) RunnerUp() (best *Hypothesis, unjudged []string) {
	for i := range s.Hypotheses {
		h := &s.Hypotheses[i]
		switch {
		case slices.ContainsFunc(s.Entry, func(e Entry) bool { return e.Vector == h.Vector }):
		case h.Status == CannotTell && len(h.For) == 0:
			if hasLog(h.Vector) {
				unjudged = append(unjudged, h.Vector)
			}
		case best == nil && len(h.For) > 0 && h.Status != RuledOut:
			best = h
		}
	}
	return best, unjudged
}

// Actor is somebody who acted against the server.
type Actor struct {
	Sources    []string `json:"sources"`
	Accounts   []string `json:"accounts"`
	Keys       []string `json:"keys"`
	Origin     string   `json:"origin"` // external, internal, near, local
	ASN        string   `json:"asn"`
	Country    string   `json:"country"`
	UserAgents []string `json:"user_agents"`
	Comments   []string `json:"key_comments"`
	Tools      []string `json:"tools"`
	Networks   []string `json:"networks"` // of the addresses, as far as a database was given: "203.0.113.0/24 AS64500 Example Ltd NL"
	Hours      []int    `json:"hours"`    // how often he acted in each hour of the day, UTC: 24 counts, or none
	Zone       string   `json:"zone"`     // what the hours say of where he lives, in words; "" for nothing
	First      string   `json:"first"`
	Last       string   `json:"last"`
	Claims     []string `json:"claims"`
}

// Action is something the intruder did.
type Action struct {
	What    string   `json:"what"`
	Attack  string   `json:"attack"`
	Time    string   `json:"time"`
	Account string   `json:"account"`
	Path    string   `json:"path"`
	Claims  []string `json:"claims"`
}

// Persistence is a way to come back.
type Persistence struct {
	Mechanism      string   `json:"mechanism"`
	Path           string   `json:"path"`
	Runs           string   `json:"runs"`
	As             string   `json:"as"`
	Since          string   `json:"since"`
	OwnedByPackage bool     `json:"owned_by_package"`
	Attack         string   `json:"attack"`
	Claims         []string `json:"claims"`
}

// Running is a process that the intruder left.
type Running struct {
	PID     int      `json:"pid"`
	Name    string   `json:"name"`
	Exe     string   `json:"exe"`
	Deleted bool     `json:"deleted"`
	User    string   `json:"user"`
	Sockets []string `json:"sockets"`
	Started string   `json:"started"`
	Why     string   `json:"why"`
	Claims  []string `json:"claims"`
}

// Hidden is something that one view shows and another does not.
type Hidden struct {
	What   string   `json:"what"`
	Detail string   `json:"detail"`
	Views  []string `json:"views"`
	Claims []string `json:"claims"`
}

// Altered is something that was tampered with.
type Altered struct {
	Path     string   `json:"path"`
	Kind     string   `json:"kind"`
	Expected string   `json:"expected"`
	Found    string   `json:"found"`
	Claims   []string `json:"claims"`
}

// Impact is what the server was used for.
type Impact struct {
	What   string   `json:"what"`
	Detail string   `json:"detail"`
	Count  int64    `json:"count"`
	Unit   string   `json:"unit"` // of what there are so many: "files", "pages", "databases"
	First  string   `json:"first"`
	Last   string   `json:"last"`
	By     string   `json:"by"`
	Claims []string `json:"claims"`
}

// Counted gives the count with its unit: "40 files", "1 page", "12".
func (i *Impact) Counted() string {
	if i.Unit == "" {
		return strconv.FormatInt(i.Count, 10)
	}
	return plural(i.Count, strings.TrimSuffix(i.Unit, "s"), i.Unit)
}

// Innocent is an alarm that was examined and explained.
type Innocent struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Step is something to do now.
type Step struct {
	Step  string `json:"step"`
	Why   string `json:"why"`
	Order int    `json:"order"`
}

// Quotation is a piece of evidence as the report carries it.
type Quotation struct {
	Source string `json:"source"`
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Line   int64  `json:"line"`
	Quote  string `json:"quote"` // as found; bytes that are not UTF-8 are shown as \xNN
}

// Claim is one sentence and what it rests on.
type Claim struct {
	ID      string      `json:"id"`
	Text    string      `json:"text"`
	Rung    string      `json:"rung"`
	Time    string      `json:"time"`
	Status  Status      `json:"status"`
	For     []Quotation `json:"for"`
	Against []Quotation `json:"against"`
}

// Standing says how far a claim can be believed: "confirmed, rung c". One that tells of a state, in which nobody did anything yet, has no rung.
func (c *Claim) Standing() string {
	if c.Rung == "" {
		return string(c.Status)
	}
	return string(c.Status) + ", rung " + c.Rung
}

// Finding is what a detection found, by reference to claims.
type Finding struct {
	Detection string   `json:"detection"`
	Title     string   `json:"title"`
	Attack    []string `json:"attack"`
	Level     string   `json:"level"`
	Time      string   `json:"time"`
	Claims    []string `json:"claims"`
}

// ErrNoEvidence refuses a claim that nothing stands behind.
var ErrNoEvidence = errors.New("a claim needs evidence")

// NewClaim makes a claim; it refuses an empty for.
func NewClaim(text string, rung evidence.Rung, at evidence.Time, st Status, forIt, against []evidence.Quote) (Claim, error) {
	if len(forIt) == 0 {
		return Claim{}, ErrNoEvidence
	}
	return Claim{Text: text, Rung: rung.String(), Time: at.String(), Status: st, For: quotations(forIt), Against: quotations(against)}, nil
}

func quotations(qs []evidence.Quote) []Quotation {
	out := make([]Quotation, 0, len(qs))
	for _, q := range qs {
		out = append(out, Quotation{Source: q.Ref.Source, Path: utf8(q.Ref.Path), Offset: q.Ref.Off, Length: q.Ref.Len, Line: q.Ref.Line, Quote: utf8(q.Text)})
	}
	return out
}
