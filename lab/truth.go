package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// Truth is what was done in a case, and what an examination has to say and must not say. Times are RFC 3339, UTC.
type Truth struct {
	Name     string   `json:"name"`
	Title    string   `json:"title,omitempty"`
	Question string   `json:"question"`
	Tier     Tier     `json:"tier,omitempty"`
	Seed     uint64   `json:"seed,omitempty"`
	Evidence []string `json:"evidence,omitempty"`    // files of the case, to be examined together
	Remote   string   `json:"remote_logs,omitempty"` // the folder with another machine's copy of the log
	Memory   string   `json:"memory,omitempty"`      // file with the machine's memory, a moment before it was switched off
	Hostname string   `json:"hostname"`
	Zone     string   `json:"zone"`
	Clock    string   `json:"clock,omitempty"` // how the times were made
	Acts     []Act    `json:"acts"`
	Expect   Expect   `json:"expect"`
	MustNot  MustNot  `json:"must_not"`
}

// Act is one thing that somebody did.
type Act struct {
	Kind    string `json:"kind"`
	Start   string `json:"start"`
	End     string `json:"end"`
	What    string `json:"what"`
	Account string `json:"account"`
	Src     string `json:"src"`
	By      string `json:"by"` // intruder, admin, visitor, noise
}

// Expect is the right answer, question by question. An empty list is an answer too: there is nothing to be found.
type Expect struct {
	Status      string         `json:"status,omitempty"`
	StatusAny   []string       `json:"status_any,omitempty"`
	Root        *bool          `json:"root"` // nil cannot be known
	Entry       []EntryTruth   `json:"entry"`
	Returns     []EntryTruth   `json:"returns,omitempty"` // later visits by what the first one left
	Persistence []StayTruth    `json:"persistence"`
	Altered     []AlteredTruth `json:"altered"`
	Impact      []ImpactTruth  `json:"impact"`
	Running     []RunningTruth `json:"running,omitempty"`
	Hidden      []string       `json:"hidden,omitempty"` // kinds of things that one view hides from another: "process"
	Files       []string       `json:"files"`            // that the intruder brought or made
	Gone        []string       `json:"gone,omitempty"`   // such files that were on the disk no more when it was taken
	// May are paths that may be named without being asked for: they are true, but nobody has to find them.
	May []string `json:"may,omitempty"`
	// Attackers are addresses that tried and did not get in, or got in apart from the story.
	Attackers []string `json:"attackers,omitempty"`
}

// Shown says what a part of the truth left behind.
type Shown struct {
	By        []string `json:"shown_by,omitempty"`  // the artefacts that show it
	Destroyed bool     `json:"destroyed,omitempty"` // the hiding removed them: the right answer is that it cannot be told
}

// EntryTruth is a way in.
type EntryTruth struct {
	Vector    string   `json:"vector"`
	Account   string   `json:"account"`
	Sources   []string `json:"sources"`
	First     string   `json:"first"`
	FirstAct  string   `json:"first_act,omitempty"` // words of the act that was the first
	Tolerance float64  `json:"tolerance_seconds"`
	Shown
}

// StayTruth is a way to come back.
type StayTruth struct {
	Mechanism string `json:"mechanism"`
	Path      string `json:"path"`
	As        string `json:"as"`
	Shown
}

// AlteredTruth is something tampered with.
type AlteredTruth struct {
	Path string `json:"path"`
	Kind string `json:"kind"`
	Shown
}

// ImpactTruth is what the server was used for.
type ImpactTruth struct {
	What     string `json:"what"`
	MinCount int64  `json:"min_count,omitempty"`
	By       string `json:"by"`
	First    string `json:"first,omitempty"`
	Shown
}

// RunningTruth is a program of the intruder that runs when the evidence is taken.
type RunningTruth struct {
	Exe     string `json:"exe"`
	User    string `json:"user"`
	Deleted bool   `json:"deleted"`
	SHA256  string `json:"sha256,omitempty"` // of the program, where it can be saved
	Shown
}

// MustNot are the innocent.
type MustNot struct {
	Accounts  []string `json:"accounts"`
	Addresses []string `json:"addresses"`
	Files     []string `json:"files"`
}

// ReadTruth reads truth.json.
func ReadTruth(path string) (*Truth, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var t Truth
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &t, nil
}

// Write writes truth.json.
func (t *Truth) Write(path string) error {
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// ActOf gives the first of the intruder's acts whose description holds what.
func (t *Truth) ActOf(what string) (from, to time.Time, err error) {
	for _, a := range t.Acts {
		if a.By == Intruder && strings.Contains(a.What, what) {
			from, err1 := time.Parse(time.RFC3339Nano, a.Start)
			to, err2 := time.Parse(time.RFC3339Nano, a.End)
			if err1 != nil || err2 != nil {
				return from, to, fmt.Errorf("act %q has no time", what)
			}
			return from, to, nil
		}
	}
	return from, to, fmt.Errorf("the truth knows no act %q", what)
}
