package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// usual tells whether a suspect came from where the account's own person comes from: the same address was there before, in
// sessions in which nothing happened, and colleagues come from beside it.
func (b *builder) usual(s *suspect, l *detect.Finding) bool {
	if o := b.origin(s.source); o != "near" && o != "internal" {
		return false
	}
	return b.cameBefore(l, b.firstEffect(s))
}

// cameBefore tells whether a login's address was there before an effect, in a session that was over long before.
func (b *builder) cameBefore(l *detect.Finding, effect evidence.Time) bool {
	for _, y := range b.logins() {
		if y.Account != l.Account || y.Source != l.Source {
			continue
		}
		for _, x := range y.Access.Sessions {
			over := x.End
			if !over.Known() { // told by a login record alone
				over = x.Start.Add(openEnd)
			}
			if effect.Known() && effect.Sub(over) > usualBefore {
				return true
			}
		}
	}
	return false
}

// usualBefore is how long before the first effect an ordinary session has to lie: who has stolen a password uses it at once.
const usualBefore = 3 * time.Hour

// insider words the way of somebody with an own account: possible, never more, for a machine can be used by another.
func (b *builder) insider(s *suspect, l *detect.Finding, w *way) {
	w.vector, w.status = "insider", Possible
	first := b.firstEffect(s)
	seen := false
	for _, y := range s.logins { // what a log tells of, and what but a record does
		for _, x := range y.Access.Sessions {
			if y.Account == l.Account && !x.Start.After(first) && (!x.End.Known() || !x.End.Add(grace).Before(first)) && (!seen || x.Start.After(w.first)) {
				w.first, seen = x.Start, true
			}
		}
	}
	if !seen && first.Known() { // the session itself is told of nowhere: he was in by then
		w.first, w.off = first, openEnd.Seconds()
	}
	id := b.claim(fmt.Sprintf("%s is where %s came from before, in sessions in which nothing happened, and others of this server come from beside it: either the person of this account did it, or somebody at that machine.",
		s.source, l.Account), evidence.Accepted, w.first, Possible, l.For, nil)
	w.claims = ids(append(w.claims, id)...)
	w.weigh("usual-place", id)
}

// there notes that something bad appeared while the person of an account was logged in from the usual place, with no log touched: that accuses nobody, for whoever
// came unseen would have done it beside him; it is told among the ways in that were weighed.
func (b *builder) there(l, e *detect.Finding) {
	if len(b.beside) >= maxBeside {
		return
	}
	id := b.claim(fmt.Sprintf("While %s was logged in from %s, where the account usually comes from, this appeared: %s%s. It may have been done through that session, or by somebody else at the same time.", l.Account, l.Source, e.Title, detail(e)),
		evidence.Effect, e.First, Possible, append(append([]evidence.Quote{}, e.For...), l.For...), nil)
	b.beside = ids(append(b.beside, id)...)
}

// maxBeside bounds what is told of sessions that were there when something bad appeared.
const maxBeside = 5

// installers are programs that bring files of others: what appears while they run may be theirs.
var installers = []string{"apt", "apt-get", "aptitude", "dpkg", "yum", "dnf", "rpm", "zypper", "apk", "pip", "pip3", "npm", "gem", "composer", "cpan", "make", "snap", "flatpak", "docker", "podman", "ansible-playbook", "install.sh", "setup.sh"}

// installedIn tells whether software was installed in a session of a login, as far as sudo tells.
func (b *builder) installedIn(l *detect.Finding) bool {
	for _, r := range b.by[detect.BecameRoot] {
		if r.Account != l.Account || seizesHost(r.Runs) {
			continue
		}
		installs := slices.ContainsFunc(strings.Fields(r.Runs), func(w string) bool { return contains(installers, w[strings.LastIndexByte(w, '/')+1:]) })
		if installs && during(l, r) {
			return true
		}
	}
	return false
}

// seizesHost tells a command that starts a container with the host's whole tree in it: it installs nothing, and makes whoever starts it root of the host.
func seizesHost(command string) bool {
	w := strings.Fields(command)
	if !slices.ContainsFunc(w, func(x string) bool { x = x[strings.LastIndexByte(x, '/')+1:]; return x == "docker" || x == "podman" }) {
		return false
	}
	return slices.Contains(w, "run") && slices.ContainsFunc(w, func(x string) bool {
		x = x[strings.IndexByte(x, '=')+1:]
		return strings.HasPrefix(x, "/:/") || strings.HasPrefix(x, "-v/:/")
	})
}
