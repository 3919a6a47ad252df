package story

import (
	"fmt"
	"slices"

	"telltale/detect"
	"telltale/evidence"
)

// known adds, to a way in by a password that nobody guessed here, what argues for where it was taken from: none of it is proof, for the theft itself leaves nothing on
// this server.
func (b *builder) known(w *way) {
	l := w.login
	if l == nil || w.vector != "ssh-password-known" && w.vector != "ftp-password" && w.vector != "mail-account" {
		return
	}
	var services, accounts []string
	var elsewhere, others []evidence.Quote
	for _, y := range b.logins() {
		if y.Source != l.Source || y == l || y.Access == nil || y.Method == "publickey" {
			continue
		}
		switch {
		case y.Account == l.Account && y.Service != l.Service && y.Method != "record" && l.Method != "record":
			services, elsewhere = ids(append(services, y.Service)...), append(elsewhere, y.For...)
		case y.Account != l.Account && y.Access.FailedHere == 0 && y.What == detect.Login:
			accounts, others = ids(append(accounts, y.Account)...), append(others, y.For...)
		}
	}
	if len(services) > 0 {
		id := b.claim(fmt.Sprintf("%s used the password of %s at %s, too: one password opens several services, so that it can have been stolen at any of them, or asked for by a mail.", l.Source, l.Account, list(services)),
			evidence.Accepted, l.First, Possible, append(elsewhere, l.For...), nil)
		w.claims = ids(append(w.claims, id)...)
	}
	if len(accounts) > 0 {
		id := b.claim(fmt.Sprintf("%s also knew the password of %s: several passwords come from a place where they lie together, such as a list of passwords, a mail server or a leak.", l.Source, list(accounts)),
			evidence.Accepted, l.First, Possible, append(others, l.For...), nil)
		w.claims = ids(append(w.claims, id)...)
	}
	if nets := b.networksOf(l); len(nets) >= manyNetworks {
		id := b.claim(fmt.Sprintf("%s is used from %d networks: an account that several people share, whose password lies with each of them.", l.Account, len(nets)), evidence.Accepted, l.First, Possible, b.quotesOf(l.Account), nil)
		w.claims = ids(append(w.claims, id)...)
	}
	b.stolen = ids(append(b.stolen, w.account)...)
}

// manyNetworks is from how many networks an account is used that more than one person has.
const manyNetworks = 4

// networksOf gives the networks that an account logs in from, the intruder's left out.
func (b *builder) networksOf(l *detect.Finding) (out []string) {
	for _, y := range b.logins() {
		if y.Account != l.Account || y.Source == "" || b.suspects[y.Source] != nil {
			continue
		}
		out = append(out, y.Source)
	}
	return apartNets(out)
}

// apartNets gives of addresses one for each network.
func apartNets(addresses []string) (out []string) {
	for _, ip := range addresses {
		if !slices.ContainsFunc(out, func(n string) bool { return sameNet(n, ip) }) {
			out = append(out, ip)
		}
	}
	return out
}

func (b *builder) quotesOf(account string) (qs []evidence.Quote) {
	for _, y := range b.logins() {
		if y.Account == account && len(y.For) > 0 && len(qs) < maxFor {
			qs = append(qs, y.For[0])
		}
	}
	return qs
}
