package brief

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/report"
	"telltale/story"
)

// Plan is what somebody needs who has to bring the service back: whether this machine can be trusted, whether the way in is closed, and what
// to change.
type Plan struct {
	Root   string // a sentence
	Doors  []Door
	Change []Change // in the order in which to do it
}

// Door is a way in, or a way to come back.
type Door struct {
	Way    string
	Status story.Status
	Closed string // what is known of whether it is closed
	Close  string // what closes it
}

// Change is something to replace or to do.
type Change struct {
	What   string
	Why    string
	Status story.Status
}

// closes says what closes a way in. ACCOUNT stands for the account that was used.
var closes = map[string]string{
	"ssh-password-guessed": "switch off password logins (PasswordAuthentication no), and set a new password for ACCOUNT",
	"ssh-password-known":   "set a new password for ACCOUNT everywhere it is used, let only keys log in, and find out who knew it",
	"ssh-key":              "remove the key of ACCOUNT from every authorized_keys, and make a new one on a clean computer",
	"ftp-password":         "set a new password for ACCOUNT, replace ftp by sftp with keys, and look at its owner's computer",
	"web-exploit":          "mend or take out the fault, or do not bring the site back",
	"web-upload":           "forbid scripts where uploads lie, and mend or take out the form",
	"web-admin":            "set new passwords for every administrator of the site, add a second factor, and look through its extensions",
	"mail-account":         "set a new password for ACCOUNT, and look at its owner's computer",
	"open-relay":           "let the mail server relay only for who has logged in",
	"database-exposed":     "bind the database to the machine itself, and give it a password",
	"daemon-exploit":       "bring the service to a version without the fault, or let only known addresses reach it",
	"open-share":           "let the share be written only by who has logged in",
	"supply-chain":         "take the package out, and install from where it is known to be good",
	"insider":              "take the rights of ACCOUNT away, and ask who used it",
}

// closing gives what closes an entry's way in.
func closing(e *story.Entry) string {
	if d, ok := story.OtherDoor(e.Vector, e.Service); ok && strings.HasPrefix(e.Vector, "ssh-password") {
		return "set a new password for ACCOUNT, and switch " + d + " off or close it to the outside"
	}
	return closes[e.Vector]
}

// Restart gives the plan.
func Restart(d *report.Document) Plan {
	p := Plan{Root: rootWords(d), Doors: doors(d)}
	for _, s := range d.DoNow {
		p.Change = append(p.Change, Change{What: s.Step, Why: s.Why})
	}
	exposed := slices.Clone(d.Exposed)
	slices.SortStableFunc(exposed, func(a, b story.Exposure) int { return cmp.Compare(urgency(&a), urgency(&b)) })
	for i := range exposed {
		x := &exposed[i]
		what := x.What
		if x.Do != "" {
			what += ": " + x.Do
		}
		p.Change = append(p.Change, Change{What: upper(what), Why: "could be read as " + cmp.Or(x.As, "the account that was used"), Status: x.Status})
	}
	return p
}

// urgency puts first what was taken, then what was read, then what could be.
func urgency(x *story.Exposure) int {
	if x.Taken {
		return 0
	}
	return 1 + slices.Index([]story.Status{story.Confirmed, story.Likely, story.Possible}, x.Status)
}

func rootWords(d *report.Document) string {
	switch r := d.Verdict.Root; {
	case d.Verdict.Status == story.Clean, d.Verdict.Status == story.Attacked:
		return "Yes, as far as the evidence goes: no sign that anybody got in."
	case d.Verdict.Status != story.Compromised:
		return "That cannot be told yet: whether anybody got in is not known. " + Root(d) + "."
	case r != nil && *r && d.Verdict.Confidence == story.Possible:
		return "What was found acts as root: unless somebody entitled set it up, nothing on this machine can be trusted. Rebuild it, or find out first."
	case r != nil && *r:
		return "Root is lost: nothing on this machine can be trusted. Rebuild it; do not bring it back as it is."
	case r != nil:
		return "Root was not reached, as far as the evidence goes: what the accounts below could write has to be replaced, the rest can stay."
	}
	return "Whether root was reached is not known: nothing shows it. Rebuild the machine unless you can rule it out."
}

// doors gives each way in and each way to come back. The evidence shows how somebody got in; whether that was closed since is known only
// where the thing itself is gone.
func doors(d *report.Document) (out []Door) {
	for i := range d.Entry {
		e := &d.Entry[i]
		o := Door{Way: Way(e), Status: e.Status, Closed: "not known to be closed", Close: strings.ReplaceAll(closing(e), "ACCOUNT", cmp.Or(e.Account, "the account"))}
		if e.Account != "" {
			o.Way += ", as " + e.Account
		}
		if e.Vector == "unknown" || e.Status == story.CannotTell {
			o.Closed, o.Close = "cannot be closed, for it is not known", "find it first: "+lower(unjudged(d))
		}
		if o.Close == "" {
			o.Close = "nothing is known to close it but a rebuilt machine that does not have it"
		}
		out = append(out, o)
	}
	if n := d.WaysBack(); n > 0 {
		var what []string
		for i := range d.Persistence {
			what = append(what, undo(&d.Persistence[i]))
		}
		o := Door{Way: fmt.Sprintf("%d ways to come back", n), Closed: "open, as they stood in the evidence", Close: "a rebuilt machine has none of them; else undo each: " + list(distinct(what), 3)}
		if n == 1 {
			o.Way, o.Closed = "1 way to come back", "open, as it stood in the evidence"
		}
		out = append(out, o)
	}
	if len(d.Entry) == 0 && d.Verdict.Status == story.Compromised {
		out = append(out, Door{Way: "The way in", Closed: "cannot be closed, for it is not known", Close: "find it first: " + lower(unjudged(d))})
	}
	return out
}

// undo names what is to be undone. The path of an account is the list of all accounts, and a file of the system is not the intruder's: neither
// is to be removed whole.
func undo(p *story.Persistence) string {
	if p.Mechanism == "account" {
		return "the account " + p.As
	}
	return p.Mechanism + " in " + p.Path
}
