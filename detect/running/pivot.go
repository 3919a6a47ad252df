package running

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"telltale/evidence"
)

// maxAncestors bounds how far parents are followed: they may be forged into a ring.
const maxAncestors = 64

// origin finds the login that a process came of. Best: the process of sshd that let somebody in is one of its ancestors still, and the log has
// that process' number. Next: it is in the session of a number that a log tells of. Last: what its environment says of the connection, which whoever started it could have written.
func (f *fold) origin(p *process) (login, bool) {
	at := p
	for range maxAncestors {
		if at != p && begins(at) {
			return login{}, false
		}
		for _, l := range f.accepted[at.pid] {
			if !at.started.Known() || !p.started.Known() || !l.at.Known() || !f.agrees(p, l) {
				continue // numbers come again after a boot: without times they tell nothing
			}
			if d := at.started.Sub(l.at); d > -2*time.Minute && d < 2*time.Minute && !l.at.After(p.started.Add(time.Minute)) {
				l.proof = "its ancestor " + at.pid + " is the process of " + l.service + " that let " + l.account + " in"
				return l, true
			}
		}
		next := f.procs[key(p.source, at.ppid)]
		if next == nil || next == at || next.pid == "1" {
			break
		}
		at = next
	}
	if n, ok := strings.CutPrefix(p.unit, "session-"); ok {
		if l, ok := f.bySession(strings.TrimSuffix(n, ".scope"), p); ok {
			return l, true
		}
	}
	if p.user != "root" && p.user != cmp.Or(f.account(p, p.login), p.login) {
		return login{}, false // a service that an administrator began in his session hands on his environment, also to who breaks into it
	}
	for _, v := range p.env {
		if rest, ok := strings.CutPrefix(v, "SSH_CONNECTION="); ok {
			from, _, _ := strings.Cut(rest, " ")
			if from != "" {
				return login{from: from, account: cmp.Or(f.account(p, p.login), p.login), proof: "its environment holds " + v}, true
			}
		}
	}
	return login{}, false
}

// begins tells the programs that begin others for whoever asks or when it is time: the session that they lie in is that of who began them first, or
// of nobody who logged in.
func begins(p *process) bool {
	name := strings.ToLower(p.name)
	for _, n := range []string{"tmux", "screen", "dtach", "abduco", "zellij", "cron", "atd", "anacron", "fcron"} {
		if strings.HasPrefix(name, n) {
			return true
		}
	}
	return false
}

// agrees tells whether a log may tell of this process' machine, and the kernel's own mark of who logged in, which su and sudo leave as it is, does not
// name another account.
func (f *fold) agrees(p *process, l login) bool {
	if !f.scene.SameMachine(p.source, l.source) {
		return false
	}
	name := f.account(p, p.login)
	return name == "" || l.account == "" || name == l.account
}

// bySession finds the login of a numbered session: the newest of that number before the process began, and the only address that was let in as that
// account then. Of two logins or two sessions of one account at that time it cannot be told which is which: a session may be a job of cron's.
func (f *fold) bySession(n string, p *process) (best login, found bool) {
	if !p.started.Known() {
		return best, false
	}
	for _, l := range f.sessions[n] {
		if l.at.Known() && f.agrees(p, l) && !l.at.After(p.started.Add(time.Minute)) && (!found || l.at.After(best.at)) {
			best, found = l, true
		}
	}
	if !found {
		return login{}, false
	}
	best.proof = "it is in session " + n + " of " + best.account
	if best.from != "" {
		return best, true
	}
	if f.twins(n, best) {
		return best, best.quote.Ref != evidence.Ref{}
	}
	var only login
	for _, pid := range slices.Sorted(maps.Keys(f.accepted)) {
		for _, l := range f.accepted[pid] {
			if l.account != best.account || !l.at.Known() || !f.scene.SameMachine(p.source, l.source) || best.at.Sub(l.at).Abs() >= time.Minute {
				continue
			}
			if only.from != "" && only.from != l.from {
				return best, best.quote.Ref != evidence.Ref{}
			}
			only = l
		}
	}
	if only.from != "" {
		best.from, best.quote = only.from, only.quote
	}
	return best, best.from != "" || best.quote.Ref != evidence.Ref{}
}

// twins tells whether another session of the account was opened when this one was.
func (f *fold) twins(n string, best login) bool {
	for _, other := range slices.Sorted(maps.Keys(f.sessions)) {
		for _, l := range f.sessions[other] {
			if other != n && l.account == best.account && l.at.Known() && f.scene.SameMachine(l.source, best.source) && best.at.Sub(l.at).Abs() < time.Minute {
				return true
			}
		}
	}
	return false
}
