package story

import (
	"fmt"
	"strings"
)

// maxAsked bounds how many logins the summary asks about.
const maxAsked = 2

// askAbout words the logins by password that an owner should be asked about where the evidence is too little for any verdict: let in from outside after tries that
// were refused, from a network that the account was not seen to come from before, and root then.
func (b *builder) askAbout() string {
	var out []string
	for _, l := range b.logins() {
		a := l.Access
		if a == nil || !shellService(l.Service) || l.Method == "publickey" || a.FailedHere == 0 || !a.Unfamiliar() || b.origin(l.Source) != "external" || !b.becameRootIn(l) || len(out) == maxAsked {
			continue
		}
		out = append(out, fmt.Sprintf("%s was let in from %s after %s, %s, and became root: ask whether that was its owner.", l.Account, l.Source, plural(a.FailedHere, "refused try", "refused tries"), clock(l.First)))
	}
	return strings.Join(out, " ")
}
