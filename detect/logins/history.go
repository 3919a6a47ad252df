package logins

import "telltale/detect"

// history is where the older logins of each account came from. An account may have as many addresses as there are logins: none is held against all others.
// The value tells whether a place was in order before it failed.
type history map[place]bool

// place is one that an account came from: an address, or a network, or all of them.
type place struct {
	user, source, network string
	all                   bool
}

func (h history) add(l *login) {
	sound := l.access.FailedAddress == 0 || !guessed(&l.access)
	for _, p := range placesOf(l) {
		h[p] = sound || h[p]
	}
}

// compare fills in what a login has in common with those before.
func (h history) compare(l *login) {
	a := &l.access
	_, before := h[place{user: l.user, all: true}]
	a.FirstOfAccount, a.NewAddress = !before, before
	for _, p := range placesOf(l)[1:] {
		sound, ok := h[p]
		if !ok {
			continue
		}
		a.NewAddress = false
		if sound {
			a.FailedHere, a.FailedAddress, a.TriedAccounts = min(a.FailedHere, 2), min(a.FailedAddress, 2), min(a.TriedAccounts, 1)
		}
	}
}

func placesOf(l *login) []place {
	out := []place{{user: l.user, all: true}, {user: l.user, source: l.source}, {}}
	if out[2] = (place{user: l.user, network: detect.Network(l.source)}); out[2].network == "" {
		out = out[:2]
	}
	return out
}
