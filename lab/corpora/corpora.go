// Package corpora measures the reading of logs on the labelled samples of other projects: fail2ban's, OSSEC's, those of CrowdSec's hub, of
// postfix-grok-patterns and of Filebeat's modules. Their folders are the user's; what their licences allow to keep stands in testdata. Each sample is examined as a log of its own, the way a
// user's folder of logs is, and what comes of it is held against the label. It is no judgement of the detections, which see many lines together.
package corpora

import (
	"fmt"
	"time"
)

// Want is what a label says of a line.
type Want string

// The labels.
const (
	Failure Want = "failure" // somebody was refused or turned away
	Login   Want = "login"   // somebody was let in
	Seen    Want = "seen"    // an address did something, and the label does not judge it
	Nothing Want = "nothing" // neither: a negative
)

// Sample is one labelled entry of a log: a line, or the lines that belong together.
type Sample struct {
	Corpus  string `json:"corpus"`
	Service string `json:"service"`
	From    string `json:"from"` // file and place in it
	Text    string `json:"text"`
	Want    Want   `json:"want"`
	Host    string `json:"host,omitempty"` // the address or name that the label gives; "" where it gives none
	Time    string `json:"time,omitempty"` // as the label gives it, in Zone where it names none
	// Guessed says that the label's year or zone is of its authors' making, since the line has none.
	Guessed bool `json:"-"`
	// NoLogin says of a negative that it is no login either: labels of failures alone do not tell.
	NoLogin bool `json:"-"`
	// Stranger says that no member knows the service: it is counted, and no part of the bar.
	Stranger bool           `json:"stranger,omitempty"`
	Zone     *time.Location `json:"-"`
}

// Folders are where the samples lie; "" leaves a corpus out.
type Folders struct {
	Fail2ban  string // config or tests of fail2ban: fail2ban/tests/files/logs
	OSSEC     string // ossec-hids, or a folder with its contrib/ossec-testing/tests and etc/rules
	CrowdSec  string // hub, or its .tests
	Whyscream string // postfix-grok-patterns, or its test
	Filebeat  string // filebeat/module
}

// Read gives the samples of all folders.
func Read(f Folders) (out []Sample, err error) {
	for _, c := range []struct {
		dir  string
		name string
		read func(dir string) ([]Sample, error)
	}{{f.Fail2ban, "fail2ban", readFail2ban}, {f.OSSEC, "ossec", readOSSEC}, {f.CrowdSec, "crowdsec", readCrowdSec}, {f.Whyscream, "whyscream", readWhyscream}, {f.Filebeat, "filebeat", readFilebeat}} {
		if c.dir == "" {
			continue
		}
		s, err := c.read(c.dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if len(s) == 0 {
			return nil, fmt.Errorf("%s: no labelled samples in %q", c.name, c.dir)
		}
		for i := range s {
			s[i].Corpus = c.name
		}
		out = append(out, s...)
	}
	return out, nil
}

// Row counts the outcomes of one service.
type Row struct {
	Corpus    string `json:"corpus"`
	Service   string `json:"service"`
	Lines     int    `json:"lines"` // that have to say something
	Right     int    `json:"right"`
	Wrong     int    `json:"wrong"`  // another address or time
	Missed    int    `json:"missed"` // nothing of the kind
	Negatives int    `json:"negatives"`
	Accused   int    `json:"accused"`  // a refusal or a login made of a line that tells of none, or of the contrary
	Apart     int    `json:"apart"`    // about which the labels and we differ, with reasons
	Unparsed  int    `json:"unparsed"` // that no reader understands
	Stranger  bool   `json:"stranger,omitempty"`
}

// Share gives how many of the lines are right, 1 where there are none.
func (r *Row) Share() float64 {
	if r.Lines == 0 {
		return 1
	}
	return float64(r.Right) / float64(r.Lines)
}

// Passes tells whether the bar is reached: 99 of 100 lines right, and no accusation.
func (r *Row) Passes() bool { return r.Share() >= 0.99 && r.Accused == 0 }

// Tabulate gives a row for each service, in the order of the verdicts, the sum of those that members know, and the sum of the others.
func Tabulate(vs []Verdict) (rows []Row, all, strangers Row) {
	all.Corpus, strangers.Corpus = "all", "others"
	at := map[[2]string]int{}
	for i := range vs {
		v := &vs[i]
		k := [2]string{v.Corpus, v.Service}
		n, ok := at[k]
		if !ok {
			n = len(rows)
			at[k] = n
			rows = append(rows, Row{Corpus: v.Corpus, Service: v.Service})
		}
		rows[n].count(v)
		if v.Stranger {
			rows[n].Stranger = true
			strangers.count(v)
		} else {
			all.count(v)
		}
	}
	return rows, all, strangers
}

func (r *Row) count(v *Verdict) {
	if v.Unparsed {
		r.Unparsed++
	}
	if v.Outcome == Apart {
		r.Apart++
		return
	}
	if v.Want == Nothing {
		r.Negatives++
	} else {
		r.Lines++
	}
	switch v.Outcome {
	case Right:
		if v.Want != Nothing {
			r.Right++
		}
	case Wrong:
		r.Wrong++
	case Missed:
		r.Missed++
	case Accused:
		r.Accused++
	}
}
