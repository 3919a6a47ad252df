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

// Addresses of offices: so many accounts came from one, each of whose owners mistypes his own name and password.
const (
	office    = 2
	fewErrors = 6 // of an account's own, before it came
	fewNames  = 5 // tried from there for each account that came: a guesser tries very many
)

// owners tells which accounts came from which address, in the order in which a log tells it: its times may be wrong.
type owners struct {
	came  map[place]bool
	count map[string]int
}

// meet counts an account that came from an address, and gives how many others had before.
func (o *owners) meet(l *login, errors, tried int64) int {
	if o.came == nil {
		o.came, o.count = map[place]bool{}, map[string]int{}
	}
	p := place{user: l.user, source: l.source}
	n := o.count[l.source]
	switch {
	case o.came[p]:
		n--
	case errors < fewErrors && tried <= fewNames*int64(n+1) && len(o.came) < maxLogins:
		o.came[p] = true
		o.count[l.source]++
	}
	return n
}

// own leaves the errors of others out, where an address is that of many people.
func (l *login) own() {
	others := -1
	for _, b := range l.before {
		if b.told && (others < 0 || b.owners < others) { // another witness tells the same again, and then all have come
			others = b.owners
		}
	}
	if a := &l.access; others >= office && a.TriedAccounts <= fewNames*others {
		a.FailedAddress, a.TriedAccounts, a.TriedInvalid = min(a.FailedAddress, a.FailedHere), min(a.TriedAccounts, 1), 0
	}
}
