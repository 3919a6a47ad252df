package story

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// newcomers are logins with a shell from an address outside, where the account had not come from before, that are held against nobody.
func (b *builder) newcomers() (out []*detect.Finding) {
	for _, l := range b.by[detect.Login] {
		if l.Access != nil && l.Access.NewAddress && l.Source != "" && shellService(l.Service) && b.suspects[l.Source] == nil && b.origin(l.Source) == "external" {
			out = append(out, l)
		}
	}
	return out
}

// newcomer keeps a way in from being ruled out where somebody came by it whom no log can tell from the account's owner.
func (b *builder) newcomer(h *Hypothesis) bool {
	switch h.Vector {
	case "insider":
		return b.entitledToo(h)
	case "ssh-key", "ssh-password-known", "ssh-password-guessed":
	default:
		return false
	}
	for _, l := range b.newcomers() {
		if l.Method == "record" || (h.Vector == "ssh-key") != (l.Method == "publickey") || h.Vector == "ssh-password-guessed" && len(b.triesFor(l.Account)) == 0 {
			continue
		}
		h.Status = CannotTell
		h.Why = fmt.Sprintf("%s was let in from %s, where the account had not come from before; no log tells whether that was its owner", utf8(l.Account), l.Source)
		return true
	}
	return false
}

// entitledToo keeps somebody entitled from being ruled out where there is something that nobody owns up to, and people were logged in.
func (b *builder) entitledToo(h *Hypothesis) bool {
	if len(b.entered) > 0 || len(b.odd()) == 0 {
		return false
	}
	for _, l := range b.logins() {
		if shellService(l.Service) && b.suspects[l.Source] == nil {
			h.Status, h.Why = CannotTell, "people with accounts were logged in, and what does not belong here could be tied to nobody"
			return true
		}
	}
	return false
}

// newAddress says why a login from a new address is held against nobody, and no more than was seen of it.
func (b *builder) newAddress(l *detect.Finding) string {
	ask := "; ask " + utf8(l.Account)
	switch {
	case l.Account == "root", b.becameRootIn(l):
		return "a new address alone is no break-in, and what was read of its sessions, in which root's rights were used, is no sign of one" + ask
	case len(b.entered) == 0 && len(b.odd()) > 0:
		return "a new address alone is no break-in, and nothing that was read ties what does not belong here to its sessions" + ask
	}
	return "a new address alone is no break-in, and nothing bad happened in its sessions" + ask
}

// becameRootIn tells whether a login's account became root in one of its sessions.
func (b *builder) becameRootIn(l *detect.Finding) bool {
	return slices.ContainsFunc(b.by[detect.BecameRoot], func(r *detect.Finding) bool { return r.Account == l.Account && r.As == "root" && during(l, r) })
}

// byConnection makes suspects of the addresses that what runs and does not belong is connected to, where somebody logged in from there who had not come
// from there before: a program that calls the place from where its owner came.
func (b *builder) byConnection() {
	for _, f := range b.by[detect.Process] {
		if f.Level < detect.High || f.Explained != "" {
			continue
		}
		for _, words := range f.Sources {
			peer := peerOf(words)
			for _, l := range b.logins() {
				if peer == "" || l.Source != peer || l.Access == nil || !shellService(l.Service) || !l.Access.Unfamiliar() || b.origin(peer) != "external" || b.cameBefore(l, f.First) {
					continue
				}
				text := fmt.Sprintf("%s; it is connected to %s, from where %s logged in %s.", upper(f.Title), peer, l.Account, clock(l.First))
				b.add(peer, b.claim(text, evidence.Effect, f.First, Likely, append(append([]evidence.Quote{}, f.For...), l.For...), f.Against), false)
				if f.Source == "" {
					f.Source, f.As, f.Agent = peer, l.Account, "it is connected to that address"
				}
			}
		}
	}
}

// peerOf gives the address at the other end of a connection as a process' finding words it: "tcp to 192.0.2.7:443 established".
func peerOf(words string) string {
	at := strings.Fields(words)
	if len(at) < 3 || at[1] != "to" {
		return ""
	}
	a, err := netip.ParseAddrPort(at[2])
	if err != nil {
		return ""
	}
	return a.Addr().Unmap().String()
}

// strangeKey tells a login by a key of which nothing shows that it was its owner's and not put there by whoever used it: the server's own files were not
// read, and nobody had used it from elsewhere before.
func (b *builder) strangeKey(l *detect.Finding) bool {
	if b.set.Tree {
		return false
	}
	for _, y := range b.logins() {
		if y.Account == l.Account && y.Source != l.Source && y.Method == "publickey" && y.Key == l.Key && y.First.Before(l.First) {
			return false
		}
	}
	return true
}
