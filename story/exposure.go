package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
	"telltale/internal/access"
	"telltale/internal/secrets"
)

// Bounds of what is told of secrets.
const (
	maxExposed = 100
	maxAlike   = 8 // of one kind, one by one; the rest is counted
)

// exposures tells which secrets and data whoever broke in could read. Without a compromise nobody could.
func (b *builder) exposures() {
	if b.s.Verdict.Status != Compromised {
		return
	}
	hands, table := b.hands(), secrets.New()
	used := b.usedSecrets()
	if len(hands) > 0 {
		alike := map[string]int{}
		for _, f := range b.by[detect.Secret] {
			if k := table.ByID(f.Mechanism); k != nil && !(len(f.For) > 0 && b.untouched(f.For[0].Ref.Source)) {
				b.exposed(f, k, hands, used[f.Path], alike)
			}
		}
		b.rest(alike, table)
	}
	b.taken(table)
	b.unseen(hands)
}

// settle puts what was exposed into order: what left first, then the surest and gravest.
func (b *builder) settle() {
	slices.SortStableFunc(b.s.Exposed, func(x, y Exposure) int {
		return cmp.Or(-cmp.Compare(truth(x.Taken), truth(y.Taken)), cmp.Compare(order(x.Status), order(y.Status)), cmp.Compare(classOrder(x.Kind), classOrder(y.Kind)))
	})
	b.s.Exposed = b.s.Exposed[:min(len(b.s.Exposed), maxExposed)]
	b.s.Actions = onceEach(b.s.Actions)
	sortBy(b.s.Actions, func(x, y Action) bool { return x.Time < y.Time })
}

// unseen tells why a list of what was exposed is empty, where it is not because there was nothing.
func (b *builder) unseen(hands []*hand) {
	all, unknown := b.by[detect.Secret], 0
	for _, f := range all {
		if len(f.Accounts) == 0 {
			unknown++
		}
	}
	switch {
	case len(hands) == 0 && len(all) > 0:
		b.s.Unknown = append(b.s.Unknown, fmt.Sprintf("What the intruder could read of %s on this server: as which account of the server he acted is not known.", plural(int64(len(all)), "file or folder with secrets or data", "files and folders with secrets or data")))
	case len(hands) == 0:
	case !b.set.Tree:
		b.s.Unknown = append(b.s.Unknown, "Which secrets and data were exposed: the files of the server are not in this evidence.")
	case unknown > 0 && !b.root:
		b.s.Unknown = append(b.s.Unknown, fmt.Sprintf("What the intruder could read of %s: owners and modes are not known.", plural(int64(unknown), "file with secrets", "files with secrets")))
	}
}

func truth(x bool) int {
	if x {
		return 1
	}
	return 0
}

func classOrder(class string) int {
	return slices.Index([]string{secrets.Hashes, secrets.PrivateKey, secrets.Password, secrets.Token, secrets.Certificate, secrets.Data}, class)
}

// exposed judges one secret: who of those whom the intruder was could read it.
func (b *builder) exposed(f *detect.Finding, k *secrets.Kind, hands []*hand, u use, alike map[string]int) {
	h, st, why := b.reader(f, k, hands)
	if h == nil && len(u.claims) == 0 {
		return
	}
	as, claims := u.as, u.claims
	if h != nil {
		as = h.account
	}
	if st == Likely && b.s.Verdict.Confidence == Possible { // no surer than that there was an intruder at all
		st = Possible
	}
	if u.status == Confirmed {
		st = Confirmed
	} else if st == "" {
		st = Possible
	}
	alike[k.ID]++
	if alike[k.ID] > maxAlike && len(u.claims) == 0 {
		return
	}
	what := secretWords(f, k)
	text := fmt.Sprintf("%s, %s, was within reach of the intruder: %s.", f.Path, what, why)
	if why == "" {
		text = fmt.Sprintf("%s, %s, was named in what the intruder did.", f.Path, what)
	}
	id := b.claim(text, evidence.None, evidence.Time{}, st, f.For, nil)
	if h != nil && len(h.claims) > 0 {
		claims = append(slices.Clone(claims), h.claims[0])
	}
	b.s.Exposed = append(b.s.Exposed, Exposure{Kind: k.Class, What: utf8(what), Path: utf8(f.Path), As: utf8(as), Status: st, Taken: u.taken, Do: k.Do, Claims: ids(append([]string{id}, claims...)...)})
}

// secretWords say what a secret is, and whose.
func secretWords(f *detect.Finding, k *secrets.Kind) string {
	var more []string
	if f.Account != "" && (k.ID == "ssh-key" || k.Class == secrets.Token || k.ID == "netrc" || k.ID == "mysql-client") {
		more = append(more, f.Account+"'s")
	}
	if f.Detail != "" {
		more = append(more, f.Detail)
	}
	if len(more) == 0 {
		return k.Words
	}
	return k.Words + " (" + strings.Join(more, "; ") + ")"
}

// reader gives the first of the accounts in the intruder's hand that may read a file, how sure that is, and why.
func (b *builder) reader(f *detect.Finding, k *secrets.Kind, hands []*hand) (*hand, Status, string) {
	for _, h := range hands {
		st, why := Likely, ""
		switch {
		case h.account == "root":
			why = "he was root, who may read every file"
		case len(f.Accounts) == 0 && (f.Account == h.account || webAccount(h.account) && k.Class == secrets.Password && b.served(f.Path)):
			st, why = Possible, "he acted as "+h.account+"; who may read the file is not known, for the evidence is a copy that does not keep owners and modes"
		case slices.Contains(f.Accounts, access.All):
			why = "he acted as " + h.account + ", and everybody may read it"
		case slices.Contains(f.Accounts, h.account):
			why = "he acted as " + h.account + ", who may read it"
		case slices.Contains(f.Accounts, access.Others):
			st, why = Possible, "he acted as "+h.account+", and more accounts may read it than were looked through"
		default:
			continue
		}
		if k.Folder && st == Likely && h.account != "root" {
			st, why = Possible, "he acted as "+h.account+", who may list the folder"
		}
		if h.service && !b.athome(h.account, f.Path) {
			st, why = Possible, why+"; but a file service may have shown him no more than its own folder"
		}
		if b.later(f, h) {
			if k.Class == secrets.Data {
				continue
			}
			st, why = Possible, why+"; but it was made, or written anew, after the last that is seen of him"
		}
		return h, st, why
	}
	return nil, "", ""
}

// athome tells whether a file lies below an account's own folder.
func (b *builder) athome(account, p string) bool {
	return slices.ContainsFunc(b.set.Users, func(u detect.User) bool {
		return u.Name == account && len(u.Home) > 1 && strings.HasPrefix(p, strings.TrimRight(u.Home, "/")+"/")
	})
}

func (b *builder) served(p string) bool {
	return slices.ContainsFunc(b.set.WebRoots, func(w string) bool { return strings.HasPrefix(p, strings.TrimRight(w, "/")+"/") })
}

// later tells whether a file was born after the intruder had gone for good: nothing of his is left, and the end of his last session is known.
func (b *builder) later(f *detect.Finding, h *hand) bool {
	end := h.until
	if h.account == "root" {
		for _, x := range b.ordered() {
			for _, s := range x.spans {
				if s.open {
					return false
				}
				end = evidence.Max(end, s.to)
			}
		}
	}
	return b.set.ChangeTimes && f.First.Known() && end.Known() && len(b.s.Persistence)+len(b.s.Running) == 0 && f.First.After(end.Add(openEnd))
}

// rest counts what of a kind is not told one by one.
func (b *builder) rest(alike map[string]int, table *secrets.Table) {
	for i := range b.s.Exposed {
		x := &b.s.Exposed[i]
		for id, n := range alike {
			if k := table.ByID(id); n > maxAlike && k.Class == x.Kind && strings.HasPrefix(x.What, k.Words) {
				x.What += fmt.Sprintf("; there are at least %d more of this kind", n-maxAlike)
				delete(alike, id)
				break
			}
		}
	}
}
