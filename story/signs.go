package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// sign is something bad in itself that no way in explains.
type sign struct {
	claim  string
	status Status
}

// bad are the findings that can be bad in themselves, whoever they are of.
var bad = []detect.What{detect.Persistence, detect.WebScript, detect.WebUpload, detect.WebExecution, detect.AccountOdd, detect.AccountMade, detect.OddFile, detect.PackageDiff, detect.Scanner, detect.Destroyed, detect.Process, detect.HiddenThing, detect.DatabaseDid, detect.MailRun, detect.Command, detect.Container, detect.Relayed, detect.DataFetched, detect.Upload, detect.BecameRoot, detect.NameServer}

// odd gives what does not belong on a server and has no cause that explains it, the worst first.
func (b *builder) odd() (out []*detect.Finding) {
	for _, w := range bad {
		for _, f := range b.by[w] {
			if f.Level < detect.High || f.Rung < evidence.Effect && w != detect.DataFetched && w != detect.Upload && !orderedBy(f) || f.Mechanism == "dir" && f.Level < detect.Critical || f.Explained != "" || len(f.For) == 0 {
				continue
			}
			if w == detect.DataFetched && f.Mechanism != "secret" { // a copy that its owner may have fetched himself
				continue
			}
			if w == detect.MailRun && f.Mechanism != "sasl" { // a site's newsletter looks the same
				continue
			}
			if w == detect.Command && f.Detection != "D72" && !b.commanded(f) { // what else is typed, administrators type, too
				continue
			}
			out = append(out, f)
		}
	}
	out = append(append(out, b.uploadedShells()...), b.guessedEditors()...)
	sortBy(out, func(x, y *detect.Finding) bool { return x.Level > y.Level })
	return out
}

// orderedBy tells a statement that made a database run what hardly anybody runs: it was taken, and what it led to may be gone.
func orderedBy(f *detect.Finding) bool {
	if f.What != detect.DatabaseDid || f.Rung < evidence.Accepted {
		return false
	}
	_, l := detect.SuspiciousCommand(f.Runs)
	return l >= detect.High
}

// commanded tells commands that speak for themselves: a job that cron was seen to run; a grave one in a history that hides or removes something besides; and one that
// hardly anybody types for his own server in a history that hides and removes logs, too.
func (b *builder) commanded(f *detect.Finding) bool {
	if f.Mechanism == "cron-ran" || f.Mechanism == "audited" || f.Mechanism == "job" {
		return true
	}
	if f.Detection == "D58" { // who takes data away, leaves no history and removes what tells of logins
		out := b.besideIn(f, "D65")
		return out != nil && b.besideIn(f, "D61") != nil && b.removesLogins(f, whoOnly)
	}
	removes, hides := b.besideIn(f, "D58"), b.besideIn(f, "D61")
	if f.Level >= detect.Critical && !ownInstall(f) && !asksPort(f) {
		return removes != nil || hides != nil || b.besideIn(f, "D46") != nil
	}
	return (foreign([]*detect.Finding{f}) || destroysAll(f)) && hides != nil && b.removesLogins(f, loginLogs)
}

// besideIn gives what of a kind the history of a command holds besides.
func (b *builder) besideIn(f *detect.Finding, detection string) *detect.Finding {
	var out *detect.Finding
	for _, o := range b.by[detect.Command] {
		if o.Path == f.Path && o.Account == f.Account && o.Level >= detect.Medium && o.Detection == detection && (out == nil || o.Level > out.Level) {
			out = o
		}
	}
	return out
}

// speaks tells what is odd enough to speak of an intruder together with something else: mail that was sent does not, nor a file that was given away.
func speaks(f *detect.Finding) bool {
	return f.What != detect.MailRun && f.What != detect.Relayed && f.What != detect.DataFetched && f.What != detect.Upload
}

// unexplained finds effects of rung c that nobody innocent leaves: something critical, or two kinds of high level. Even so the
// word is no stronger than possible: no way in speaks for it.
func (b *builder) unexplained() []sign {
	kinds := map[string]string{} // claims by detection
	var seen []*detect.Finding
	for _, f := range b.odd() {
		if !speaks(f) {
			continue
		}
		id := b.tellOdd(f)
		if b.needsRoot(f) && b.rootOdd == "" {
			b.rootOdd = id
		}
		if f.Level >= detect.Critical {
			b.rootBeside(f)
			return []sign{{id, Possible}}
		}
		if !b.namedByJob(f) { // whose name is all that is odd about the job that runs it: one sign, not two
			kinds[f.Detection] = id
		}
		seen = append(seen, f)
		if run := b.mailOfJob(f); run != nil {
			kinds[run.Detection] = b.tellOdd(run)
			seen = append(seen, run)
		}
		if o := b.besideIn(f, "D58"); f.What == detect.Command && o != nil && o.Level >= detect.High && b.commanded(f) {
			kinds[o.Detection] = b.tellOdd(o)
			seen = append(seen, o)
		}
	}
	if len(kinds) > 1 && !anyTogether(seen) { // what administrators left in different years is no break-in
		return nil
	}
	if len(kinds) == 1 { // and a log that was tampered with when it came
		for _, w := range []detect.What{detect.LogEdited, detect.LogCut, detect.LogSilent} {
			for _, f := range b.by[w] {
				if id := b.told[f]; id != "" && b.aroundSigns(f) {
					kinds[f.Detection] = id
				}
			}
		}
	}
	if len(kinds) < 2 {
		return nil
	}
	var out []sign
	for _, id := range kinds {
		out = append(out, sign{id, Possible})
	}
	sortBy(out, func(x, y sign) bool { return x.claim < y.claim })
	return out
}

// rootBeside looks for what only root can have left among what else is odd and came with something grave.
func (b *builder) rootBeside(grave *detect.Finding) {
	for _, f := range b.odd() {
		if b.rootOdd == "" && speaks(f) && b.needsRoot(f) && (together(f, []*detect.Finding{grave}) || f.Level >= detect.Critical) {
			b.rootOdd = b.tellOdd(f)
		}
	}
}

// oneAct is how near to each other things come that one intruder left.
const oneAct = 48 * time.Hour

// anyTogether tells whether two things of different kinds may have come together.
func anyTogether(fs []*detect.Finding) bool {
	for i, f := range fs {
		if together(f, fs[:i]) {
			return true
		}
	}
	return false
}

// together tells whether something may have come with another thing of another kind; what has no time may have come at any.
func together(f *detect.Finding, others []*detect.Finding) bool {
	for _, o := range others {
		if o.Detection == f.Detection {
			continue
		}
		if !f.First.Known() || !o.First.Known() || f.First.Sub(o.First).Abs() <= oneAct || f.Last.Known() && o.Last.Known() && f.Last.Sub(o.Last).Abs() <= oneAct {
			return true
		}
	}
	return false
}

// tellOdd makes a claim of something odd.
func (b *builder) tellOdd(f *detect.Finding) string {
	id := b.told[f]
	if id == "" {
		id = b.claim(f.Title+detail(f)+".", f.Rung, f.First, Possible, f.For, f.Against)
		b.told[f] = id
	}
	return id
}

// signWords is the first sentence of a story without a way in: by what it is told that somebody was there at all.
func (b *builder) signWords() string {
	for _, f := range b.odd() {
		if speaks(f) {
			what := strings.TrimSuffix(utf8(f.Title), ".")
			if d := utf8(detail(f)); len(d) < maxDetail && !strings.HasPrefix(d, " (rule ") {
				what += d
			}
			return "Something is here that hardly anybody but an intruder leaves: " + what + ". How he got in cannot be told from this evidence."
		}
	}
	return "The server shows traces of an intruder, but how he got in cannot be told from this evidence."
}

// maxDetail bounds what a summary says of what was found beside its title.
const maxDetail = 200

// maxOdd bounds how much of what is odd the summary names.
const maxOdd = 3

// oddOnce is odd without a second word on the same account: its making and its line in passwd are one thing to ask about.
func (b *builder) oddOnce() (out []*detect.Finding) {
	for _, f := range b.odd() {
		account := f.What == detect.AccountOdd || f.What == detect.AccountMade
		if !account || !slices.ContainsFunc(out, func(x *detect.Finding) bool {
			return x.Account == f.Account && (x.What == detect.AccountOdd || x.What == detect.AccountMade)
		}) {
			out = append(out, f)
		}
	}
	return out
}

// oddWords words what is odd, for a summary: it stops a server from being called clean, and is too little to call it broken into.
func (b *builder) oddWords() string {
	var out []string
	for i, f := range b.oddOnce() {
		if i == maxOdd {
			out = append(out, "more below")
			break
		}
		b.tellOdd(f)
		out = append(out, strings.TrimSuffix(utf8(f.Title), "."))
	}
	return strings.Join(out, "; ")
}

// oddSteps says what to do about it.
func (b *builder) oddSteps() {
	for i, f := range b.oddOnce() {
		if i == maxOdd {
			return
		}
		what := utf8(strings.TrimSuffix(f.Title, "."))
		if f.Path != "" && !strings.Contains(f.Title, f.Path) {
			what += " (" + utf8(f.Path) + ")"
		}
		b.step(fmt.Sprintf("Find out who did this, and why: %s.", what), "Administrators leave such things, too, but if nobody knows it the server was broken into: then cut it from the network without switching it off.")
	}
}
