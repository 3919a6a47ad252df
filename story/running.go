package story

import (
	"fmt"
	"strconv"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// byProcesses makes suspects of the addresses that what runs and does not belong came from. The chain is the kernel's own - the program's process, its
// ancestors, its session - and ends at a login that a log tells of; what only the time fits stays for byEffects.
func (b *builder) byProcesses() {
	for _, f := range b.by[detect.Process] {
		if f.Level < detect.High || f.Source == "" || !b.loggedIn(f.Source) {
			continue
		}
		text := fmt.Sprintf("%s; it came of the login of %s from %s: %s.", upper(f.Title), f.As, f.Source, f.Agent)
		b.add(f.Source, b.claim(text, evidence.Effect, f.First, Likely, f.For, f.Against), f.Level >= detect.Critical)
	}
}

// processes tells what runs and does not belong, and whose it is.
func (b *builder) processes() {
	for _, f := range b.by[detect.Process] {
		if f.Explained != "" {
			b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: f.Explained})
			continue
		}
		s, words, st := b.whose(f)
		if x := b.suspects[f.Source]; x != nil && f.Source != "" {
			s, words, st = x, "of the login of "+f.As+" from "+f.Source+": "+f.Agent, Likely
			if x.strong {
				st = Confirmed
			}
		}
		if f.Level < detect.High && (s == nil || st == Possible || f.Level < detect.Medium && !startedAndRemoved(s, f)) {
			b.lead(f)
			continue
		}
		if st == "" {
			st = Likely
		}
		text := upper(f.Title)
		if f.First.Known() {
			text += ", since " + clock(f.First)
		}
		if words != "" {
			text += ", " + words
		}
		id := b.claim(text+".", f.Rung, f.First, st, f.For, f.Against)
		b.told[f] = id
		b.proves(s, f, id)
		if f.Account == "root" && f.Level >= detect.Critical {
			b.becameRoot(id)
		}
		b.runs(f, id)
		if s != nil {
			b.action("left running: "+f.Path, first(f.Attack), f.First, f.Account, f.Path, id)
		}
	}
}

// startedAndRemoved tells a process that began in an intruder's session and whose program was removed: wherever that lay, no package was renewed under it.
func startedAndRemoved(s *suspect, f *detect.Finding) bool {
	in := false
	for _, x := range s.spans {
		in = in || x.holds(f) && x.lasted(f)
	}
	return s.strong && in && contains(f.Attack, "T1070.004")
}

// runs lists a process once, whatever was found about it.
func (b *builder) runs(f *detect.Finding, id string) {
	pid, err := strconv.Atoi(f.Pid)
	if err != nil {
		return
	}
	for i := range b.s.Running {
		if r := &b.s.Running[i]; r.PID == pid {
			r.Claims = ids(append(r.Claims, id)...)
			r.Why += "; " + utf8(f.Detail)
			return
		}
	}
	why := f.Detail
	if f.Source != "" {
		why += "; it came of the login of " + f.As + " from " + f.Source
	} else if f.As != "" && f.As != f.Account {
		why += "; who logged in was " + f.As
	}
	name := f.Mechanism
	if f.What != detect.Process {
		name = ""
	}
	b.s.Running = append(b.s.Running, Running{PID: pid, Name: utf8(name), Exe: utf8(f.Path), Deleted: f.Method != "", User: utf8(f.Account), Sockets: clean(f.Sources), Started: f.First.String(), Why: utf8(why), Claims: ids(id)})
}

// lead tells what is odd and not enough.
func (b *builder) lead(f *detect.Finding) {
	if f.Level == detect.Info {
		return
	}
	if k := f.Path + "\x00" + f.Detail; f.Detail != "" { // of many processes of one program one is told
		if b.leads[k]++; b.leads[k] > 1 {
			return
		}
	}
	if len(b.s.Innocent) < maxInnocent {
		b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: "this alone is no sign of an intruder, and nothing else speaks against it; ask who runs it"})
	}
}

// maxInnocent bounds the list of what was explained.
const maxInnocent = 200

// hides tells what one view of the machine hides from another.
func (b *builder) hides() {
	for _, f := range b.by[detect.HiddenThing] {
		switch {
		case f.Explained != "":
			if len(b.s.Innocent) < maxInnocent {
				b.s.Innocent = append(b.s.Innocent, Innocent{What: utf8(f.Title), Why: utf8(f.Explained)})
			}
			continue
		case f.Level < detect.High:
			b.lead(f)
			continue
		}
		text := upper(f.Title)
		if f.Detail != "" && !strings.Contains(text, f.Detail) {
			text += " (" + f.Detail + ")"
		}
		if f.Runs != "" {
			text += "; " + f.Runs
		}
		id := b.claim(text+".", f.Rung, f.First, Confirmed, f.For, f.Against)
		b.told[f] = id
		b.s.Hidden = append(b.s.Hidden, Hidden{What: f.Mechanism, Detail: utf8(strings.TrimSpace(f.Path + ": " + f.Detail)), Views: clean(f.Views), Claims: ids(id)})
		b.effect = ids(append(b.effect, id)...)
		if f.Level >= detect.Critical { // to hide something from the kernel's own lists takes the rights of root
			b.becameRoot(id)
		}
	}
}

// callsOut tells that a process was seen to send mail or to scan.
func (b *builder) callsOut(f *detect.Finding, s *suspect) {
	if f.Level < detect.High && s == nil && b.suspects[f.Source] == nil {
		b.lead(f)
		return
	}
	st, words := Likely, ""
	if x := b.suspects[f.Source]; x != nil && f.Source != "" {
		s = x
	}
	if s != nil {
		st, words = Confirmed, ", which "+s.source+" had in hand"
	}
	id := b.claim(fmt.Sprintf("%s (account %s%s).", upper(f.Detail), f.Account, words), f.Rung, f.First, st, f.For, f.Against)
	b.told[f] = id
	b.effect = ids(append(b.effect, id)...)
	b.runs(f, id)
	b.s.Impact = append(b.s.Impact, Impact{What: f.Mechanism, Detail: utf8(f.Detail), Count: f.Count, First: f.First.String(), Last: f.Last.String(), By: utf8(f.Account), Claims: ids(id)})
	b.action(f.Detail, first(f.Attack), f.First, f.Account, f.Path, id)
}

// seenCalling tells an impact that was seen as connections at one moment: its count is of machines, not of what was sent.
func (b *builder) seenCalling(i *Impact) bool {
	for _, f := range b.by[detect.Scanner] {
		if f.Pid != "" && b.told[f] != "" && contains(i.Claims, b.told[f]) {
			return true
		}
	}
	return false
}

// stopFirst says what to do about what runs: hold it, do not kill it.
func (b *builder) stopFirst() {
	var held []string
	for _, r := range b.s.Running {
		held = append(held, strconv.Itoa(r.PID))
	}
	if len(held) == 0 {
		return
	}
	if len(held) > 5 {
		held = append(held[:5], "and others")
	}
	b.step("Hold what the intruder left running instead of killing it: telltale live freeze "+strings.Join(held, " ")+"; keep the collection of telltale live --to, which saves programs whose file is gone.", "A killed process takes its memory, its deleted program and its connections with it.")
}
