package story

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
	"telltale/internal/access"
	"telltale/internal/cmdline"
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
			if k := table.ByID(f.Mechanism); k != nil {
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
		b.s.Unknown = append(b.s.Unknown, fmt.Sprintf("Which of %s the intruder could read: as which account he acted is not known.", plural(int64(len(all)), "file or folder with secrets or data", "files and folders with secrets or data")))
	case len(hands) == 0:
	case !b.set.Tree:
		b.s.Unknown = append(b.s.Unknown, "Which secrets and data were exposed: the files of the server are not in this evidence.")
	case unknown > 0 && !b.root:
		b.s.Unknown = append(b.s.Unknown, fmt.Sprintf("Which of %s the intruder could read: owners and modes are not known.", plural(int64(unknown), "file with secrets", "files with secrets")))
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

// use is what was seen to be done with a secret.
type use struct {
	status Status
	taken  bool
	claims []string
	as     string
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
				x.What += fmt.Sprintf("; there are %d more of this kind", n-maxAlike)
				delete(alike, id)
				break
			}
		}
	}
}

// usedSecrets gives, by path, what the intruder was seen to do with secrets.
func (b *builder) usedSecrets() map[string]use {
	out := map[string]use{}
	add := func(p string, st Status, taken bool, as, id string) {
		u := out[p]
		if u.status != Confirmed {
			u.status = st
		}
		u.taken, u.claims, u.as = u.taken || taken, ids(append(u.claims, id)...), as
		out[p] = u
	}
	for _, f := range b.by[detect.SecretRead] {
		s, words, st, _ := b.acted(f)
		if f.Mechanism == "web" {
			s, words, st = b.askedHis(f)
		}
		if s == nil {
			continue
		}
		id := b.claim(fmt.Sprintf("%s: %s (%s).", readWords(f), f.Runs, words), f.Rung, f.First, st, f.For, nil)
		b.told[f] = id
		if f.Mechanism != "sudo" && !(f.Detection == "D65" && f.Mechanism == "history") { // those are told already, as commands
			b.action(strings.ToLower(readWords(f)[:1])+readWords(f)[1:]+": "+f.Runs, first(f.Attack), f.First, f.Account, f.Views[0], id)
		}
		left, more := b.wentOut(f)
		for _, p := range f.Views {
			add(p, st, left, cmp.Or(f.As, f.Account), id)
			for _, x := range more {
				add(p, st, true, cmp.Or(f.As, f.Account), x)
			}
		}
	}
	for _, f := range b.by[detect.DataFetched] {
		if s := b.fetcher(f); s != nil {
			for _, p := range f.Views {
				add(p, Confirmed, true, f.Account, b.fetchClaim(f, s))
			}
		}
	}
	return out
}

// askedHis gives the suspect who asked for a secret by a script that is an intruder's: any other may have answered with nothing.
func (b *builder) askedHis(f *detect.Finding) (*suspect, string, Status) {
	s := b.suspects[f.Source]
	for _, w := range []detect.What{detect.WebUpload, detect.WebScript} {
		for _, x := range b.by[w] {
			if s != nil && x.Level >= detect.High && len(f.Path) > 1 && strings.HasSuffix(x.Path, f.Path) {
				return s, "by the script " + x.Path + ", which does what it is asked", Likely
			}
		}
	}
	return nil, "", ""
}

func readWords(f *detect.Finding) string {
	if f.Mechanism == "web" {
		return f.Source + " asked for files with secrets"
	}
	if f.Method == "packed" {
		return f.Account + " copied or packed files with secrets"
	}
	return f.Account + " read files with secrets"
}

// wentOut tells whether what a command took left the server: it sent it itself, or the archive that it made was fetched or sent.
func (b *builder) wentOut(f *detect.Finding) (sent bool, claims []string) {
	for _, t := range cmdline.Targets(f.Runs) {
		if t.How == cmdline.Upload {
			return true, nil
		}
	}
	if f.Method != "packed" {
		return false, nil
	}
	for _, a := range archives(f.Runs) {
		for _, d := range b.by[detect.DataFetched] {
			if s := b.fetcher(d); s != nil && path.Base(d.Path) == path.Base(a) {
				claims = append(claims, b.fetchClaim(d, s))
			}
		}
		for _, o := range b.by[detect.Outgoing] {
			if s, words, st, _ := b.acted(o); s != nil && o.Mechanism == cmdline.Upload && slices.ContainsFunc(o.Views, func(v string) bool { return path.Base(v) == path.Base(a) }) {
				claims = append(claims, b.contactClaim(o, words, st))
			}
		}
	}
	return len(claims) > 0, claims
}

// archives gives the words of a command that name an archive.
func archives(line string) (out []string) {
	for _, c := range cmdline.Parse(line) {
		for _, w := range append(c.Words, c.Out...) {
			for _, e := range []string{".tgz", ".tar", ".gz", ".zip", ".7z", ".rar", ".bz2", ".xz", ".zst"} {
				if strings.HasSuffix(w, e) {
					out = append(out, w)
					break
				}
			}
		}
	}
	return out
}

// fetcher gives the suspect to whom a service gave files away.
func (b *builder) fetcher(f *detect.Finding) *suspect {
	for _, ip := range append([]string{f.Source}, f.Sources...) {
		if s := b.suspects[ip]; s != nil && (f.Account == "" || s.account[f.Account]) {
			return s
		}
	}
	return nil
}

func (b *builder) fetchClaim(f *detect.Finding, s *suspect) string {
	text := fmt.Sprintf("%s got %s from the web server %s: %s.", s.source, f.Path, clock(f.First), f.Title)
	if f.Service != "web" {
		text = fmt.Sprintf("%s took %s by %s as %s from %s on.", s.source, plural(f.Count, "file", "files"), f.Service, f.Account, clock(f.First))
	}
	id := b.claim(text, f.Rung, f.First, Confirmed, f.For, nil)
	b.told[f] = id
	return id
}

// taken tells data that was seen to leave.
func (b *builder) taken(table *secrets.Table) {
	for _, f := range b.by[detect.DataFetched] {
		s := b.fetcher(f)
		if s == nil {
			continue
		}
		id := b.fetchClaim(f, s)
		detail := f.Title
		if f.Service != "web" {
			detail = fmt.Sprintf("%s taken by %s as %s", plural(f.Count, "file", "files"), f.Service, f.Account)
		}
		b.s.Impact = append(b.s.Impact, Impact{What: "exfiltration", Detail: utf8(detail), Count: f.Count, First: f.First.String(), Last: f.Last.String(), By: utf8(cmp.Or(f.Account, s.source)), Claims: ids(id)})
		b.action("took data: "+detail, first(f.Attack), f.First, f.Account, f.Path, id)
		if f.Mechanism != "" || b.markTaken(f, id) {
			continue
		}
		k := table.ByID("dump")
		b.s.Exposed = append(b.s.Exposed, Exposure{Kind: secrets.Data, What: "a copy of data or of the site", Path: utf8(f.Path), As: "", Status: Confirmed, Taken: true, Do: k.Do, Claims: ids(id)})
	}
	b.sentData()
}

// markTaken marks the exposure whose file a web server gave away under a URL's path.
func (b *builder) markTaken(f *detect.Finding, id string) (found bool) {
	for i := range b.s.Exposed {
		x := &b.s.Exposed[i]
		if len(f.Path) > 1 && strings.HasSuffix(x.Path, f.Path) {
			x.Taken, x.Status, x.Claims, found = true, Confirmed, ids(append(x.Claims, id)...), true
		}
	}
	return found
}

// sentData tells the intruder's uploads of data to others.
func (b *builder) sentData() {
	for i := range b.s.Exposed {
		x := &b.s.Exposed[i]
		if x.Taken && x.Kind == secrets.Data && !slices.ContainsFunc(b.s.Impact, func(m Impact) bool {
			return m.What == "exfiltration" && slices.ContainsFunc(x.Claims, func(c string) bool { return slices.Contains(m.Claims, c) })
		}) {
			b.s.Impact = append(b.s.Impact, Impact{What: "exfiltration", Detail: x.Path + ": " + x.What, By: x.As, Claims: x.Claims})
		}
	}
}
