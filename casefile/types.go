// Package casefile is a case on disk: which evidence it is about, with sizes and
// hashes; who ran what, when, on which machine; what was read, what was not and
// why; and the answer. It is made once and not written over.
package casefile

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Source is one piece of evidence, as report.json names it.
type Source struct {
	ID       string   `json:"id"`
	Path     string   `json:"path"`
	Kind     string   `json:"kind"`
	Host     string   `json:"host"` // id of the host it was seen in; several: the first
	Size     int64    `json:"size"`
	SHA256   string   `json:"sha256"`
	Verified bool     `json:"verified"` // the hash was computed over the whole source in this run
	Notes    []string `json:"notes"`
}

// Host is one machine of the case.
type Host struct {
	ID       string `json:"id"`
	Hostname string `json:"hostname"`
	OS       string `json:"os"`
	Kernel   string `json:"kernel"`
	Zone     string `json:"zone"`
	ZoneFrom string `json:"zone_from"`
	Boot     string `json:"boot"` // last boot seen

	Parent    string     `json:"parent"`    // of a container: id of the host that it lies on
	Container *Container `json:"container"` // null for a host
}

// Container is what an engine's files say of a container.
type Container struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Image    string `json:"image"`
	Runtime  string `json:"runtime"`
	State    string `json:"state"` // "running", "exited", "created"; "" where it is not told
	Created  string `json:"created"`
	Started  string `json:"started"`
	Finished string `json:"finished"`
	Changes  string `json:"changes"` // where on the host lies what it changed
}

// Gap is a time that a log says nothing about, though its rhythm says that it should.
type Gap struct {
	From string `json:"from"`
	To   string `json:"to"`
	Why  string `json:"why"`
}

// Coverage is what was read of one log or trace.
type Coverage struct {
	Source   string           `json:"source"`
	Path     string           `json:"path"`
	Artifact string           `json:"artifact"`
	First    string           `json:"first"`
	Last     string           `json:"last"`
	Records  int64            `json:"records"`
	Unparsed int64            `json:"unparsed"`
	Unknown  map[string]int64 `json:"unparsed_by"` // by program or form
	Gaps     []Gap            `json:"gaps"`
	Covers   string           `json:"covers_incident"`    // yes, no, partly; "" where no incident was found
	Tells    []string         `json:"tells"`              // of what it was heard to tell: logins, web, ftp, mail, database
	Error    float64          `json:"time_error_seconds"` // by how much its times may be off because its zone or year stands nowhere
	Time     string           `json:"time_basis"`         // where year and zone of its stamps come from
}

// Recovery is what was found of deleted files in one filesystem. From and To are how far its own memory of them goes: what was deleted
// before cannot be found, so that nothing found is not nothing deleted.
type Recovery struct {
	Source     string   `json:"source"`
	Filesystem string   `json:"filesystem"`
	Memory     string   `json:"memory"` // what remembers: "journal", "log", "older trees"
	From       string   `json:"from"`
	To         string   `json:"to"`
	Found      int64    `json:"found"`
	Whole      int64    `json:"whole"` // of whose content nothing was given to other files since
	Named      int64    `json:"named"`
	Open       int64    `json:"open"`   // deleted while a program held them open
	Unread     string   `json:"unread"` // why the memory could not be read; then nothing found says nothing at all
	Notes      []string `json:"notes"`
}

// Span says how far back a filesystem remembers.
func (r *Recovery) Span() string {
	s, verb := "Deleted files on "+strings.TrimRight(r.Filesystem, ":!")+": the "+r.Memory, "remembers"
	if strings.HasSuffix(r.Memory, "s") {
		verb = "remember"
	}
	switch {
	case r.Unread != "":
		return s + " could not be read"
	case r.From == "":
		return s + " " + verb + " nothing"
	}
	return s + fmt.Sprintf(" %s %s to %s", verb, r.From, r.To)
}

// Words says in one line what was found, and how far back that tells anything.
func (r *Recovery) Words() string {
	s := r.Span() + "; "
	if r.Found == 0 && r.Unread != "" {
		return r.Span() + ", so nothing can be told of deleted files."
	}
	if r.Found == 0 {
		return s + "none was found, which says nothing of other times."
	}
	s += fmt.Sprintf("%d found, %d with their name, %d whole", r.Found, r.Named, r.Whole)
	if r.Open > 0 {
		s += fmt.Sprintf(", %d of them deleted while a program held them open", r.Open)
	}
	return s + "."
}

// Removed is how many lines of one log were found that stand in it no more.
type Removed struct {
	Source string `json:"source"`
	Path   string `json:"path"`
	Lines  int64  `json:"lines"`
	Lost   int64  `json:"lost"` // more lines, that went with the end of a file that was replaced: nobody needs to have chosen them
	First  string `json:"first"`
	Last   string `json:"last"`
}

// Rules tells how the rules fared that events were held against.
type Rules struct {
	Read    int       `json:"read"` // all of them, our own included
	Hit     int       `json:"hit"`  // how many matched something
	Blind   []Blind   `json:"blind"`
	Refused []Refused `json:"refused"`
}

// Blind is how many rules could see nothing, for the source that they look at is not in the evidence, or is read by none of our parsers.
type Blind struct {
	Needs string `json:"needs"` // the rules' own word: "linux/auditd"
	Rules int    `json:"rules"`
}

// Refused is a rule that could not be used.
type Refused struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// Words says in one line how the rules fared.
func (r *Rules) Words() string {
	if r.Read == 0 {
		return ""
	}
	s := fmt.Sprintf("Rules: %d, of which %d matched", r.Read, r.Hit)
	blind := 0
	for _, b := range r.Blind {
		blind += b.Rules
	}
	if blind > 0 {
		s += fmt.Sprintf("; %d could see nothing, for what they look at is not here", blind)
		for i, b := range r.Blind {
			if i == 4 {
				s += " and others"
				break
			}
			s += []string{" (", ", "}[min(i, 1)] + b.Needs
		}
		s += ")"
	}
	if n := len(r.Refused); n > 0 {
		s += fmt.Sprintf("; %d could not be used (report.json says why)", n)
	}
	return s + "."
}

// Clock is one witness's clock.
type Clock struct {
	Source string  `json:"source"`
	Zone   string  `json:"zone"`
	From   string  `json:"zone_from"`
	Skew   float64 `json:"skew_seconds"`
	Drift  float64 `json:"drift_seconds_per_day"`
	Error  float64 `json:"error_seconds"`
	Pairs  int     `json:"pairs"`
	// Of clocks that were compared: which one, with which, and from when to when it went so.
	Clock   string `json:"clock"`
	Against string `json:"against"`
	Since   string `json:"since"`
	Until   string `json:"until"`
}

// PairedEvents is where a zone is from that was found by what several logs tell.
const PairedEvents = "paired events"

// Words says how a clock that was compared with another goes, "" for one that was not compared or that agrees.
func (c *Clock) Words() string {
	if c.Against == "" || math.Abs(c.Skew) <= 2 && math.Abs(c.Drift) < 0.5 {
		return ""
	}
	if c.From == PairedEvents {
		return fmt.Sprintf("%s has the stamps of %s, not of its host's zone: %d moments show it at which %s tell of the same addresses.", c.Clock, c.Zone, c.Pairs, c.Against)
	}
	way, drift := "ahead of", ""
	if c.Skew < 0 {
		way = "behind"
	}
	if d := math.Abs(c.Drift); d >= 0.5 {
		drift = fmt.Sprintf(", and %s %.1f seconds a day", map[bool]string{true: "gained", false: "lost"}[c.Drift > 0], d)
	}
	return fmt.Sprintf("The clock of the %s was %s %s that of the %s from %s to %s%s. %d events that both tell show it, within %.1f seconds; the times here are set right, the quoted lines are as they were.",
		c.Clock, (time.Duration(math.Abs(c.Skew)) * time.Second).String(), way, c.Against, c.Since, c.Until, drift, c.Pairs, c.Error)
}

// Ref is where damage lies.
type Ref struct {
	Source string `json:"source"`
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
}

// Damage is something that could not be read.
type Damage struct {
	Ref    Ref    `json:"ref"`
	Reason string `json:"reason"`
}

// Custody is who ran what: one run of the program over the case.
type Custody struct {
	Tool    string   `json:"tool"`
	Version string   `json:"version"`
	SHA256  string   `json:"sha256"` // of the program's own file, "" where it was not computed
	Command []string `json:"command"`
	Started string   `json:"started"`
	Ended   string   `json:"ended"`
	Machine string   `json:"machine"`
	User    string   `json:"user"`
	Clock   string   `json:"clock"` // the zone of the examiner's clock
}
