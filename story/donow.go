package story

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/internal/cmdline"
)

// closing says, for a way in, what closes it and why. %s is the account.
var closing = map[string]closes{
	"ssh-password-guessed": {"Switch off password logins by ssh (PasswordAuthentication no, KbdInteractiveAuthentication no), or let only your own networks in.", "This was the way in, and guessing never stops."},
	"ssh-password-known":   {"Find out where the password of %s was stolen before it gets a new one: the owner's computers, mails that asked for it, other sites with the same one.", "A new password is stolen at the same place."},
	"ssh-key":              {"Take the key that was used out of every authorized_keys, on all servers, and ask %s where its private part lay.", "Whoever has the private key is still let in."},
	"ftp-password":         {"Replace ftp by sftp with keys, and look for the password of %s on its owner's computer.", "Ftp passwords go over the line in clear, and are mostly stolen from its clients."},
	"web-upload":           {"Close the way in before the site goes back: forbid scripts in directories for uploads, and mend or remove the form.", "Else it happens again within hours."},
	"web-exploit":          {"Close the way in before the site goes back: bring the site's software and all that was added to it up to date, or take the page out that was used.", "Else it happens again within hours."},
	"web-admin":            {"Give the administrators of the site's software new passwords, end their sessions, remove accounts that nobody knows, and switch its editor of files off.", "An administrator of the site may make it run programs."},
	"mail-account":         {"Give the mail account %s a new password and end its sessions; look at its rules for forwarding, and tell its owner.", "Intruders leave forwarding rules behind."},
	"open-relay":           {"Let the mail server relay only for your networks and for accounts that log in.", "It sends for everybody as it is."},
	"database-exposed":     {"Bind the database to the addresses that need it, close its port at the firewall, and give it passwords.", "It was reached from outside."},
	"daemon-exploit":       {"Bring the daemon %s up to date, or switch off the module that was used, before it is started again.", "Its fault was the way in."},
	"open-share":           {"Ask for a password on every share that can be written to, and close its ports to the outside.", "Anybody could write there."},
	"supply-chain":         {"Install the package %s nowhere else, tell its makers, and look at every server that has it.", "It comes back with the next installation."},
	"insider":              {"Speak to nobody about it but those who decide; keep copies of logs that the person cannot reach; let somebody ask who really sat there.", "It may have been somebody else at that machine, and an accusation cannot be taken back."},
	"unknown":              {"Do not put the server back before the way in is known: bring what is missing, from backups or a remote log server, and examine again.", "What came in by a way that is not known comes in again."},
}

// doNow says what to do, the safe order first: what is volatile before what changes the server.
func (b *builder) doNow() {
	switch b.s.Verdict.Status {
	case Compromised:
		b.afterBreakIn()
	case Attacked:
		b.whereAttacked()
		b.step("See that the logs are also sent to another host.", "After a break-in the local ones cannot be trusted.")
	case Clean:
	default:
		if ps := b.changedPrograms(); len(ps) > 0 {
			b.step("Find out who changed "+list(ps)+": ask who built or mended it, and compare with the package.", "A program of a package that differs is an intruder's or a local build.")
		}
		if len(b.changedPrograms()) == 0 {
			b.oddSteps()
		}
		if len(b.entered) > 0 && b.entered[0].account != "" {
			b.step(fmt.Sprintf("Ask the owner of %s whether the login of %s was his own.", b.entered[0].account, clock(b.entered[0].first)), "Only he knows, and the answer decides.")
		}
		if p := b.uploads(); len(p) > 0 {
			b.step("Look on the server at "+list(p)+", and at what else came since "+clock(b.entered[0].first)+"; copy before you change.", "If a script lies there that nobody knows, somebody got in.")
		}
		if m := b.complete(); m != "" || len(b.s.DoNow) == 0 {
			b.step("Bring what is missing and examine again: "+cmp.Or(m, "older logs, from backups or a remote log server")+".", "Without it no answer can be given.")
		}
	}
}

// uploads gives the scripts by which it looks as if somebody had got in.
func (b *builder) uploads() (out []string) {
	for _, w := range []detect.What{detect.WebUpload, detect.WebScript} {
		for _, f := range b.by[w] {
			if len(b.entered) > 0 && f.Level >= detect.High && f.Path != "" {
				out = ids(append(out, utf8(f.Path))...)
			}
		}
	}
	return out
}

// whereAttacked says how to stand what was tried.
func (b *builder) whereAttacked() {
	if len(b.by[detect.Guessing]) > 0 {
		b.step("Let only keys log in by ssh, or only the networks you use.", "Guessing never stops; it succeeds at the first weak password.")
	}
	if len(b.by[detect.WebAttack])+len(b.by[detect.WebScan]) > 0 {
		b.step("Keep the site's software and all that was added to it up to date, and see that none of what was tried is there.", "What was tried here is tried again, and faults are tried within hours of being known.")
	}
	if len(b.by[detect.Exploit]) > 0 {
		b.step("Keep the services that were tried up to date, and close their ports to all that need them not.", "What was tried here is tried again.")
	}
}

func (b *builder) step(step, why string) {
	b.s.DoNow = append(b.s.DoNow, Step{Step: utf8(step), Why: utf8(why), Order: len(b.s.DoNow) + 1})
}

// afterBreakIn gives the steps after a break-in: hold, keep, look elsewhere, shut out, close the way in, rebuild or clean.
func (b *builder) afterBreakIn() {
	if i := slices.IndexFunc(b.s.Entry, func(e Entry) bool { return e.Vector == "insider" }); i >= 0 { // before anything that he would notice
		b.step(closing["insider"].step, closing["insider"].why)
	}
	b.step("Cut "+b.here()+" from the network; do not switch it off or reboot it.", "Memory holds what runs; a reboot destroys it.")
	b.stopFirst()
	if b.set.Dump {
		b.step("Take an exact copy of the disk.", "Memory was taken; deleted files change with every minute.")
	} else if b.set.Running {
		b.step("Take memory, then an exact copy of the disk.", "What runs was taken; memory and deleted files change with every minute.")
	} else {
		b.step("Take memory and the list of processes and connections before anything else, then an exact copy of the disk.", "They change with every minute.")
	}
	var sources []string
	for _, e := range b.s.Entry {
		sources = ids(append(sources, e.Sources...)...)
	}
	for _, a := range b.s.Actors { // who came by what another had left
		if len(a.Claims) > 0 && a.Origin == "external" {
			sources = ids(append(sources, a.Sources...)...)
		}
	}
	if len(sources) > 0 {
		b.step("Search the logs of your other servers for "+list(sources)+".", "Who came in here has probably tried there too.")
	}
	if to := b.calledOut(sources); len(to) > 0 {
		b.step("Look for connections to "+list(to)+" from your other machines, in the firewall's records.", "What calls there was probably broken into, too.")
	}
	b.lock()
	b.shut()
	if b.root {
		b.step("Rebuild "+b.here()+" from known-good media; restore data only, and look through it.", "Root was reached: every program and log here may lie.")
		b.notBack()
		b.replace()
	} else if left := append(leftovers(b.s.Persistence), b.his()...); len(left) > 0 {
		b.step("Remove what was left behind: "+apartBySemicolons(left)+".", "The intruder comes back by it. It is evidence, too, so take the image first; what else such a file holds may be the owner's.")
	}
	b.keepLocked()
	for _, i := range b.s.Impact {
		if i.What == "spam" {
			b.step("Stop the mail service and look at its queue before emptying it.", "The queue is evidence, and the rest of it goes out when the network is back.")
			break
		}
	}
}

// calledOut gives the machines outside that were fetched from or called, but for those that the intruder came from. Those that were scanned are strangers'.
func (b *builder) calledOut(sources []string) (out []string) {
	for _, c := range b.s.Contacted {
		if (c.How == cmdline.Download || c.How == cmdline.Connection) && order(c.Status) <= order(Likely) && b.outside(c.Host) && !contains(sources, c.Host) {
			out = ids(append(out, c.Host)...)
		}
	}
	return out
}

// outside tells an address that is neither of an own network nor near one: nobody here can examine the machine.
func (b *builder) outside(machine string) bool {
	_, err := netip.ParseAddr(machine)
	return err == nil && b.origin(machine) == "external"
}

// lock shuts the accounts that somebody came in by: with a new password where the intruder knows the old one. What came in by a fault, a package or a key knows
// none; a mailbox's new password is the step that closes its way in.
func (b *builder) lock() {
	var known, stolen, held []string
	for _, e := range b.s.Entry {
		switch e.Vector {
		case "ssh-password-guessed", "ftp-password":
			known = append(known, e.Account)
		case "web-admin":
			if shellService(e.Service) {
				known = append(known, e.Account)
			}
		case "ssh-password-known":
			stolen = append(stolen, e.Account)
		case "insider", "ssh-key":
			held = append(held, e.Account)
		case "unknown":
			if e.Service != "web" {
				held = append(held, e.Account)
			}
		}
	}
	if p := b.people(ids(known...)); len(p) > 1 {
		b.step("Change the passwords of "+list(p)+" wherever they are used, and lock the accounts here.", "They are known to the intruder.")
	} else if len(p) > 0 {
		b.step("Change the password of "+list(p)+" wherever it is used, and lock it here.", "It is known to the intruder.")
	}
	if p := b.people(ids(stolen...)); len(p) > 1 {
		b.step("Lock the accounts "+list(p)+" here, and wherever they have the same passwords.", "The intruder knows them; new ones come only when it is known where these were stolen.")
	} else if len(p) > 0 {
		b.step("Lock the account "+list(p)+" here, and wherever it has the same password.", "The intruder knows its password; a new one comes only when it is known where this one was stolen.")
	}
	if p := b.people(ids(held...)); len(p) > 1 {
		b.step("Lock the accounts "+list(p)+" here, and wherever else they can log in.", "Somebody came in by them, who can come again.")
	} else if len(p) > 0 {
		b.step("Lock the account "+list(p)+" here, and wherever else it can log in.", "Somebody came in by it, who can come again.")
	}
}

// shut says how each way in is closed.
func (b *builder) shut() {
	done := map[string]bool{}
	for _, e := range b.s.Entry {
		c, ok := closing[e.Vector]
		if !ok || done[e.Vector+e.Service] || e.Vector == "insider" {
			continue
		}
		done[e.Vector+e.Service] = true
		if own, ok := b.closingOf(&e); ok {
			c = own
		}
		step := c.step
		if strings.Contains(step, "%s") {
			name := e.Account
			switch e.Vector {
			case "daemon-exploit":
				name = e.Service
			case "supply-chain":
				name = e.Product
			}
			step = fmt.Sprintf(step, cmp.Or(name, "that was used"))
		}
		b.step(step, c.why)
	}
}

// people leaves out the accounts of services, which have no password.
func (b *builder) people(accounts []string) (out []string) {
	for _, a := range accounts {
		service := webAccount(a) || a == "nobody"
		for _, u := range b.set.Users {
			service = service || u.Name == a && (strings.HasSuffix(u.Shell, "/nologin") || strings.HasSuffix(u.Shell, "/false")) && u.UID < 1000
		}
		if !service {
			out = append(out, a)
		}
	}
	return out
}

// leftovers names what was left behind: of files that hold more than that, the part.
func leftovers(ps []Persistence) (out []string) {
	for _, p := range ps {
		switch p.Mechanism {
		case "account":
			out = ids(append(out, "the account "+p.As)...)
		case "ssh-key":
			out = ids(append(out, "the key in "+p.Path)...)
		case "web-shell":
			out = ids(append(out, p.Path)...)
		case "setuid-program":
			out = ids(append(out, "the program with root's rights "+p.Path)...)
		case "job-script":
			out = ids(append(out, "what was added to "+p.Path)...)
		default:
			what := names(p.Mechanism)
			for _, article := range []string{"a ", "an "} {
				if rest, ok := strings.CutPrefix(what, article); ok {
					what = "the " + rest
				}
			}
			what += " in " + p.Path
			if runs, _, _ := strings.Cut(p.Runs, " "); strings.HasPrefix(runs, "/") && runs != p.Path && !shipped(runs) {
				what += " with " + runs
			}
			out = ids(append(out, what)...)
		}
	}
	return out
}

// apartBySemicolons is list, of what has an and within.
func apartBySemicolons(s []string) string {
	if len(s) > 5 {
		s = append(slices.Clone(s[:5]), fmt.Sprintf("and %d more", len(s)-5))
	}
	return strings.Join(s, "; ")
}

// shipped tells a place where packages put programs: what lies there may be a shell that the entry only uses.
func shipped(p string) bool {
	for _, dir := range []string{"/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/lib/", "/usr/lib/"} {
		if strings.HasPrefix(p, dir) {
			return true
		}
	}
	return false
}
