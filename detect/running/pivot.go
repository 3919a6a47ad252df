package running

import (
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
		for _, l := range f.accepted[at.pid] {
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
	if p.user != "root" && p.user != f.scene.UserByUID(p.login) {
		return login{}, false // a service that an administrator began in his session hands on his environment, also to who breaks into it
	}
	for _, v := range p.env {
		if rest, ok := strings.CutPrefix(v, "SSH_CONNECTION="); ok {
			from, _, _ := strings.Cut(rest, " ")
			if from != "" {
				return login{from: from, account: f.scene.UserByUID(p.login), proof: "its environment holds " + v}, true
			}
		}
	}
	return login{}, false
}

// bySession finds the login of a numbered session: the newest of that number before the process began, and the address that was let in as that account then.
func (f *fold) bySession(n string, p *process) (best login, found bool) {
	for _, l := range f.sessions[n] {
		if !l.at.After(p.started.Add(time.Minute)) && (!found || l.at.After(best.at)) {
			best, found = l, true
		}
	}
	if !found {
		return best, false
	}
	best.proof = "it is in session " + n + " of " + best.account
	if best.from != "" {
		return best, true
	}
	nearest := time.Minute
	for _, pid := range sortedKeys(f.accepted) {
		for _, l := range f.accepted[pid] {
			if d := best.at.Sub(l.at).Abs(); l.account == best.account && d < nearest {
				nearest, best.from, best.quote = d, l.from, l.quote
			}
		}
	}
	return best, best.from != "" || best.quote.Ref != evidence.Ref{}
}
