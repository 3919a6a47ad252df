package story

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/detect"
	"telltale/detect/complaint"
	"telltale/evidence"
)

// answer says, for each complaint, who on this server did it: the process, account and script first, which is a fact of the logs; then whose hand they were in, as far as the
// ways in tell. A complaint's own word is no evidence.
func (b *builder) answer() {
	for i := range b.set.Complaints {
		c := &b.set.Complaints[i]
		x := Complaint{Asked: utf8(c.Text), Status: CannotTell, QueueID: []string{}, Sources: []string{}, Missing: []string{}, Claims: []string{}}
		best := b.bestTrace(strconv.Itoa(i))
		switch {
		case best != nil:
			b.traced(&x, best)
		default:
			b.meanwhile(&x, c)
		}
		if x.Status != Confirmed {
			x.Missing = b.missingFor(c)
		}
		if x.Answer == "" {
			x.Answer = "Nothing that was read fits this complaint."
			if len(x.Missing) == 0 {
				x.Answer += " The logs that would show it were read: its time or addresses may be mistaken, or another machine behind the same address did it."
			}
		}
		if c.Zoneless {
			x.Answer += " The complaint's time names no zone, so that everything within fourteen hours was taken."
		}
		if c.Cut {
			x.Answer += " The complaint names more than can be looked for; only the first of each kind were."
		}
		b.s.Complaints = append(b.s.Complaints, x)
	}
}

// bestTrace gives what fits a complaint best: mail by its queue id or recipient, then connections, then commands, requests and look-ups.
func (b *builder) bestTrace(number string) (best *detect.Finding) {
	rank := func(f *detect.Finding) int {
		n := map[string]int{"mail": 40, "connection": 30, "command": 20, "request": 10, "sender": 5}[f.Mechanism]
		if f.Rung >= evidence.Effect {
			n += 20
		}
		if f.Account != "" || f.Path != "" {
			n += 5
		}
		return n
	}
	for _, f := range b.by[detect.Traced] {
		if f.Key == number && (best == nil || rank(f) > rank(best) || rank(f) == rank(best) && f.Count > best.Count) {
			best = f
		}
	}
	return best
}

// traced answers by what fits.
func (b *builder) traced(x *Complaint, f *detect.Finding) {
	x.Account, x.Sources, x.Process = utf8(f.Account), clean(f.Sources), ""
	x.QueueID = clean(f.Views)
	x.Status = Likely
	if f.Mechanism == "mail" && f.Rung >= evidence.Effect && f.Method != "unknown" {
		x.Status = Confirmed
	}
	text := ""
	switch f.Mechanism {
	case "mail":
		text = b.mailed(x, f)
	case "connection":
		text = fmt.Sprintf("This server was connected %s", f.Detail)
		if f.First.Known() {
			text += " " + clock(f.First)
		}
		if f.Path != "" {
			x.Process = utf8(f.Path)
			text += fmt.Sprintf(", by process %s (%s)", f.Pid, f.Path)
		}
		if f.Account != "" {
			text += " as " + f.Account
		}
	default:
		x.Status = Possible
		text = fmt.Sprintf("A %s names what is complained of: %s", f.Mechanism, f.Detail)
		if f.Mechanism == "sender" {
			text = fmt.Sprintf("The complaint names a sender of mail that left this server (%s), and no mail to a recipient that it names", f.Detail)
		}
		if f.Account != "" {
			text += ", by " + f.Account
		}
		if f.First.Known() {
			text += ", " + clock(f.First)
		}
	}
	id := b.claim(text+".", f.Rung, f.First, x.Status, f.For, nil)
	x.Claims = ids(append(x.Claims, id)...)
	x.Answer = text + "." + b.inWhoseHand(x, f)
	if rivals := b.rivals(f); len(rivals) > 0 && f.Mechanism == "mail" {
		x.Status, x.Entry = Possible, ""
		x.Answer += " Mail of " + list(rivals) + " fits as well, and the complaint does not say which of them it means."
	}
}

// rivals names who else handed in mail that fits the same complaint as well. A client without a password on the server itself is the mail server's own filter.
func (b *builder) rivals(f *detect.Finding) (out []string) {
	for _, r := range b.by[detect.Traced] {
		if r.Key != f.Key || r.Mechanism != f.Mechanism || r.Account == f.Account && r.Method == f.Method || r.Method == "unknown" || r.Rung < f.Rung || r.Account == "" && b.origin(r.Source) == "local" {
			continue
		}
		out = ids(append(out, cmp.Or(r.Account, r.Source))...)
	}
	return clean(out)
}

// mailed words how a mail was handed in, and by which script where that can be known.
func (b *builder) mailed(x *Complaint, f *detect.Finding) string {
	text := fmt.Sprintf("%s left this server", plural(f.Count, "mail that fits", "mails that fit"))
	if f.First.Known() {
		text += ", the first " + clock(f.First)
	}
	if len(f.Views) > 0 {
		text += fmt.Sprintf(" (queue id %s)", strings.Join(f.Views, ", "))
	}
	switch f.Method {
	case "sasl":
		text += fmt.Sprintf(", handed in with the password of %s from %s", f.Account, cmp.Or(list(f.Sources), "an address that is not told"))
	case "client":
		text += fmt.Sprintf(", handed in without a password by %s", list(f.Sources))
	case "unknown":
		return text + "; how they were handed in is not told by the logs that were read"
	default:
		text += ", handed in on this server by " + f.Account
	}
	if f.Path != "" {
		x.Script = utf8(f.Path)
		return text + " through the script " + f.Path + ", as PHP itself tells"
	}
	if by := b.byHeader(x, f); by != "" {
		return text + by
	}
	if !webAccount(f.Account) {
		return text
	}
	return text + b.behind(x, f.When)
}

// byHeader names the script that a header of the complained mail tells of. PHP writes it with mail.add_x_header, by name alone: the file is the only
// one of that name among those that were looked into.
func (b *builder) byHeader(x *Complaint, f *detect.Finding) string {
	n, err := strconv.Atoi(f.Key)
	if err != nil || n < 0 || n >= len(b.set.Complaints) || len(b.set.Complaints[n].Scripts) == 0 {
		return ""
	}
	name := b.set.Complaints[n].Scripts[0]
	var found []*detect.Finding
	for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
		for _, s := range b.by[w] {
			if s.Path == name || path.Base(s.Path) == path.Base(name) {
				found = append(found, s)
			}
		}
	}
	x.Script = utf8(name)
	text := fmt.Sprintf(" through the script %s, as a header of the mail itself tells", name)
	if len(found) != 1 {
		return text
	}
	x.Script = utf8(found[0].Path)
	if found[0].Level >= detect.Critical { // whoever visits a page of the site is nobody's suspect
		x.Sources = clean(found[0].Sources)
	}
	x.Claims = ids(append(x.Claims, b.told[found[0]])...)
	return text + fmt.Sprintf(" (%s)", found[0].Path)
}

// behind names the script that most of the moments followed. An intruder's script is told with those who asked for it; a page of the site may send mail, and whoever
// visited it is nobody's suspect.
func (b *builder) behind(x *Complaint, when []evidence.Time) string {
	s := b.scriptBehind(when, detect.Critical)
	if s != nil {
		x.Script, x.Sources = utf8(s.Path), clean(s.Sources)
		x.Claims = ids(append(x.Claims, b.told[s])...)
		return fmt.Sprintf("; seconds before, the script %s, which is an intruder's, was asked for by %s", s.Path, list(s.Sources))
	}
	if s = b.scriptBehind(when, detect.Info); s != nil && len(when) >= fewestBehind {
		x.Script = utf8(s.Path)
		return fmt.Sprintf("; each time the page %s had been asked for seconds before, which may have sent it", s.Path)
	}
	return ""
}

// fewestBehind is behind how many mails a page must have been asked for to be named: once is chance.
const fewestBehind = 3

// scriptBehind gives the script, of a level at least, whose requests most of the moments followed within seconds.
func (b *builder) scriptBehind(when []evidence.Time, least detect.Level) (best *detect.Finding) {
	most := 0
	for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
		for _, f := range b.by[w] {
			if f.Level < least {
				continue
			}
			n := 0
			for _, at := range when {
				if slices.ContainsFunc(f.When, func(t evidence.Time) bool { return soon(t, at) }) {
					n++
				}
			}
			if n > most {
				most, best = n, f
			}
		}
	}
	if float64(most) < mostOf*float64(len(when)) {
		return nil
	}
	return best
}

// inWhoseHand says which way in an answer hangs on, and who that account is if none.
func (b *builder) inWhoseHand(x *Complaint, f *detect.Finding) string {
	for i := range b.entered {
		if b.s.Verdict.Status != Compromised { // then nobody is held to have come in
			break
		}
		w := &b.entered[i]
		by, own := false, []string{}
		for _, s := range x.Sources {
			if contains(w.sources, s) {
				by = true
			} else if f.Method == "sasl" {
				own = append(own, s)
			}
		}
		script := x.Script != "" && b.intruders(x.Script)
		if !by && !script && (len(own) > 0 || !(w.account != "" && w.account == f.Account && !(f.Last.Known() && f.Last.Before(w.first)))) {
			continue
		}
		x.Entry = w.vector
		x.Claims = ids(append(x.Claims, w.claims...)...)
		if by && len(own) > 0 {
			return fmt.Sprintf(" Some of it came from whoever had come in before (%s %s %s); what %s handed in may be the owner's own.", cmp.Or(list(w.sources), "somebody"), w.how(), atTime(w.first), list(own))
		}
		return fmt.Sprintf(" That was in the hand of whoever came in before: %s %s %s.", cmp.Or(list(w.sources), "somebody"), w.how(), atTime(w.first))
	}
	if f.Account == "" || b.s.Verdict.Status == Compromised {
		return " No way in that was found leads there."
	}
	return fmt.Sprintf(" Nothing that was read says that %s was in a stranger's hand: ask who uses it before anybody is blamed.", f.Account)
}

// intruders tells whether a script is one that is held against an intruder.
func (b *builder) intruders(script string) bool {
	for _, p := range b.s.Persistence {
		if p.Mechanism == "web-shell" && (p.Path == script || strings.HasSuffix(script, p.Path) || strings.HasSuffix(p.Path, "/"+script)) {
			return true
		}
	}
	return false
}

// meanwhile answers by what this server did in the time that is complained of, where nothing names the complainant himself.
func (b *builder) meanwhile(x *Complaint, c *complaint.Complaint) {
	if c.From.IsZero() {
		return
	}
	for _, w := range []detect.What{detect.MailRun, detect.Scanner} {
		for _, f := range b.by[w] {
			if f.Level < detect.Medium || !b.during(f, c) {
				continue
			}
			x.Status, x.Account, x.Sources, x.Script = Possible, utf8(f.Account), clean(f.Sources), utf8(f.Path)
			if f.Pid != "" {
				x.Process, x.Script = utf8(f.Path), ""
			}
			text := fmt.Sprintf("At that time %s: %s (%s)", cmp.Or(f.Account, "somebody on this server")+" reached many others", f.Title, f.Detail)
			if webAccount(f.Account) && x.Process == "" {
				text += b.behind(x, within(f.When, c))
			}
			id := b.claim(text+".", f.Rung, f.First, Possible, f.For, nil)
			x.Claims = ids(append(x.Claims, id, b.told[f])...)
			x.Answer = text + ". That the complainant was among them no line says." + b.inWhoseHand(x, f)
			return
		}
	}
}

func within(when []evidence.Time, c *complaint.Complaint) (out []evidence.Time) {
	for _, t := range when {
		if at := t.Std(); !at.Before(c.From) && !at.After(c.To) {
			out = append(out, t)
		}
	}
	return out
}

// during tells whether something happened in the time that is complained of.
func (b *builder) during(f *detect.Finding, c *complaint.Complaint) bool {
	if len(within(f.When, c)) > 0 {
		return true
	}
	return len(f.When) == 0 && f.First.Known() && !f.Last.Std().Before(c.From) && !f.First.Std().After(c.To)
}

// missingFor names what would answer what is left open.
func (b *builder) missingFor(c *complaint.Complaint) []string {
	out := []string{}
	covers := func(of string) bool {
		read, from, to := b.covered(of)
		middle := c.From.Add(c.To.Sub(c.From) / 2).UTC().Format(time.RFC3339)
		return read && (c.From.IsZero() || from <= middle && to >= middle)
	}
	mail := len(c.Mailboxes)+len(c.QueueIDs) > 0
	if (mail || len(c.Addresses) == 0) && !covers("mail") {
		out = append(out, "the mail log of that time ("+sources["mail"]+")")
	}
	if !mail && !b.set.Running {
		out = append(out, "what runs and is connected now (telltale live, before anything is switched off)")
	}
	if !mail && len(b.by[detect.Traced]) == 0 {
		out = append(out, "a firewall's log of what goes out, or the provider's record of flows")
	}
	if !mail && !covers("logins") {
		out = append(out, "the log of logins of that time ("+sources["logins"]+")")
	}
	return out
}
