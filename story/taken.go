package story

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/internal/cmdline"
	"telltale/internal/secrets"
)

// use is what was seen to be done with a secret.
type use struct {
	status Status
	taken  bool
	claims []string
	as     string
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
