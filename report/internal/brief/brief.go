// Package brief answers what everybody asks first, a line each, out of a document: how, when, from where, as whom, what they did, what
// still runs, what now. What is not known says so, and why. The words may hold text from evidence; each writer escapes them.
package brief

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"telltale/report"
	"telltale/story"
)

// Answer is one question's.
type Answer struct {
	Question string
	Text     string       // "" if it is not known
	Status   story.Status // how sure that is, "" for what needs no word on it
	Why      string       // why it is not known, or what belongs to the answer
	Claims   []string
}

// The questions.
const (
	How   = "How did they get in?"
	When  = "When?"
	Where = "From where?"
	Whom  = "As whom?"
	Did   = "What did they do?"
	Runs  = "What still runs?"
	Now   = "What now?"
)

// vectors are the ways in, in words; one that is not listed is shown as it is named.
var vectors = map[string]string{
	"ssh-password-guessed": "SSH password guessed", "ssh-password-known": "SSH password known to the intruder", "ssh-key": "SSH key",
	"ftp-password": "FTP password", "web-exploit": "Web application exploited", "web-upload": "Script uploaded through the web site",
	"web-admin": "Web administration login", "mail-account": "Mail account", "open-relay": "Open mail relay", "database-exposed": "Exposed database",
	"daemon-exploit": "Network service exploited", "open-share": "File share open to the outside", "insider": "Insider", "supply-chain": "Supply chain",
	"local-script": "Local script", "unknown": "Way in not known",
}

// Vector gives a way in, in words.
func Vector(s string) string { return cmp.Or(vectors[s], s) }

// Way gives an entry's way in, in words.
func Way(e *story.Entry) string {
	if d, ok := story.OtherDoor(e.Vector, e.Service); ok && strings.HasPrefix(e.Vector, "ssh-password") {
		return upper(d) + strings.TrimPrefix(Vector(e.Vector), "SSH")
	}
	return Vector(e.Vector)
}

// Seven gives the answers. Where nobody got in there is no way, time or account to tell of.
func Seven(d *report.Document) []Answer {
	if d.Verdict.Status != story.Compromised {
		return []Answer{notEntered(d), tried(d), runs(d), now(d)}
	}
	return []Answer{how(d), when(d), where(d), whom(d), did(d), runs(d), now(d)}
}

func notEntered(d *report.Document) Answer {
	a := Answer{Question: How}
	switch d.Verdict.Status {
	case story.Attacked:
		a.Text = "They did not, as far as the evidence goes: there were attempts, without success."
	case story.Clean:
		a.Text = "Nobody did, as far as the evidence goes."
	default:
		a.Why = "the evidence cannot tell whether anybody did"
		if len(d.Unknown) > 0 {
			a.Why += "; " + lower(d.Unknown[0])
		}
	}
	return a
}

func tried(d *report.Document) Answer {
	a := Answer{Question: "Who tried?"}
	if s := addresses(d); len(s) > 0 {
		a.Text, a.Claims = list(s, 4), distinct(claims(d.Actors))
	} else {
		a.Why = "no single address stands out"
	}
	return a
}

func claims(actors []story.Actor) (out []string) {
	for i := range actors {
		out = append(out, actors[i].Claims...)
	}
	return out
}

// entry gives the best way in that is known, nil for none.
func entry(d *report.Document) *story.Entry {
	for i := range d.Entry {
		if e := &d.Entry[i]; e.Vector != "unknown" && e.Status != story.CannotTell {
			return e
		}
	}
	return nil
}

func how(d *report.Document) Answer {
	a := Answer{Question: How}
	e := entry(d)
	if e == nil {
		a.Why = unjudged(d)
		return a
	}
	a.Text, a.Status, a.Claims = Way(e), e.Status, e.Claims
	if e.Product != "" {
		a.Text += " (" + e.Product + ")"
	}
	if len(e.CVE) > 0 {
		a.Text += ", " + list(e.CVE, 3)
	}
	if n := len(d.Entry) - 1; n > 0 {
		if a.Why = "1 more way in was found"; n > 1 {
			a.Why = fmt.Sprintf("%d more ways in were found", n)
		}
	}
	return a
}

// unjudged says why no way in is known.
func unjudged(d *report.Document) string {
	var names []string
	for i := range d.Hypotheses {
		if h := &d.Hypotheses[i]; h.Status == story.CannotTell {
			names = append(names, lower(Vector(h.Vector)))
		}
	}
	if len(names) > 0 {
		return "what would show it is not in the evidence for: " + list(names, 4)
	}
	return "nothing in the evidence shows a way in"
}

func when(d *report.Document) Answer {
	a := Answer{Question: When}
	e := entry(d)
	if e == nil || e.First == "" {
		if from, _ := earliest(d); from != "" {
			a.Why = "no record of the entry itself; the first trace is of " + Stamp(from)
		} else {
			a.Why = "no trace of the entry has a time"
		}
		return a
	}
	a.Text, a.Status, a.Claims = "first "+Stamp(e.First), e.Status, e.Claims
	if e.ErrorSeconds >= 1 {
		a.Text += fmt.Sprintf(" (± %g s)", e.ErrorSeconds)
	}
	if _, to := d.Window(); to > e.First {
		a.Text += ", last seen " + Stamp(to)
	}
	return a
}

// earliest gives the time of the first act, and of the last.
func earliest(d *report.Document) (from, to string) {
	add := func(s string) {
		if s != "" && (from == "" || s < from) {
			from = s
		}
		to = max(to, s)
	}
	for i := range d.Actions {
		add(d.Actions[i].Time)
	}
	for i := range d.Persistence {
		add(d.Persistence[i].Since)
	}
	for i := range d.Impact {
		add(d.Impact[i].First)
	}
	return from, to
}

// Root tells whether root is lost.
func Root(d *report.Document) string {
	switch r := d.Verdict.Root; {
	case r != nil && *r:
		return "Root is lost"
	case r != nil:
		return "Root was not reached"
	case d.Verdict.Status == story.Compromised:
		return "Whether root was reached is not known: nothing shows it"
	}
	return "No sign that root was reached"
}

func did(d *report.Document) Answer {
	a := Answer{Question: Did}
	var parts []string
	for i := range d.Impact {
		x := &d.Impact[i]
		if i == 3 {
			break
		}
		s := "used the server for " + x.What
		if x.Unit != "" { // it was done to the server, not by it
			s = x.What
		}
		if x.Count > 0 {
			s += " (" + x.Counted() + ")"
		}
		parts = append(parts, s)
		a.Claims = append(a.Claims, x.Claims...)
	}
	for i := range d.Persistence {
		a.Claims = append(a.Claims, d.Persistence[i].Claims...)
	}
	for i := range d.Altered {
		a.Claims = append(a.Claims, d.Altered[i].Claims...)
	}
	a.Claims = distinct(a.Claims)
	parts = append(parts, counts(d)...)
	if a.Text = strings.Join(parts, ", "); a.Text == "" {
		a.Why = "no trace of an act after the entry was found, which is not to say that there was none"
	}
	return a
}

// longest is of how many letters an act may be to be named in an answer of one line.
const longest = 100

// counts tells how much there is of each kind.
func counts(d *report.Document) (parts []string) {
	count := func(n int, one, many string) {
		if n == 1 {
			parts = append(parts, "1 "+one)
		} else if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	if n := d.WaysBack(); n > 0 {
		var what []string
		for i := range d.Persistence {
			what = append(what, undo(&d.Persistence[i]))
		}
		count(n, "way to come back", "ways to come back")
		parts[len(parts)-1] += " (" + list(distinct(what), 3) + ")"
	}
	count(len(d.Altered), "thing tampered with", "things tampered with")
	count(len(d.Actions), "act in the order of time", "acts in the order of time")
	if len(d.Actions) > 0 {
		if w := []rune(Ordered(d.Actions)[0].What); len(w) <= longest {
			parts[len(parts)-1] += " (the first: " + string(w) + ")"
		}
	}
	count(taken(d.Exposed), "secret or file seen to leave", "secrets or files seen to leave")
	return parts
}

func taken(list []story.Exposure) (n int) {
	for i := range list {
		if list[i].Taken {
			n++
		}
	}
	return n
}

// notRunning is how the story begins to say that the running machine was not looked at.
const notRunning = "What runs now"

func runs(d *report.Document) Answer {
	a := Answer{Question: Runs}
	var names []string
	for i := range d.Running {
		r := &d.Running[i]
		names = append(names, fmt.Sprintf("%s (pid %d)", cmp.Or(r.Name, r.Exe), r.PID))
		a.Claims = append(a.Claims, r.Claims...)
	}
	if len(names) > 0 {
		a.Text = list(names, 3)
		return a
	}
	for _, u := range d.Unknown {
		if strings.HasPrefix(u, notRunning) {
			_, why, _ := strings.Cut(u, ": ")
			a.Why = cmp.Or(strings.TrimSuffix(why, "."), "the running machine was not looked at")
			return a
		}
	}
	if d.Verdict.Status == "" || len(d.Coverage) == 0 {
		a.Why = "the running machine was not looked at"
		return a
	}
	a.Text = "Nothing that does not belong was seen to run"
	return a
}

func now(d *report.Document) Answer {
	a := Answer{Question: Now}
	for i, s := range d.DoNow {
		if i == 2 {
			a.Why = fmt.Sprintf("%d more steps below", len(d.DoNow)-i)
			break
		}
		a.Text = strings.TrimSpace(a.Text + " " + s.Step)
	}
	if a.Text == "" {
		a.Why = "nothing that was found asks for a step"
	}
	return a
}

// Stamp gives a time to the second, with its zone.
func Stamp(s string) string {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func list(s []string, n int) string {
	if len(s) <= n {
		return strings.Join(s, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(s[:n], ", "), len(s)-n)
}

// lower makes a sentence part of another; a word in capitals stays.
func lower(s string) string {
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && !(s[1] >= 'A' && s[1] <= 'Z') {
		return string(s[0]+'a'-'A') + s[1:]
	}
	return s
}

// upper makes a sentence of words.
func upper(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
