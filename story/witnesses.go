package story

import (
	"slices"
	"strings"

	"telltale/casefile"
	"telltale/detect"
)

// The kinds of witnesses. Two quotes of one kind are one witness: whoever can write the one can write the other.
const (
	witnessRemote  = "another machine's log"
	witnessJournal = "the journal"
	witnessRecords = "login records"
	witnessText    = "text logs"
	witnessAudit   = "the kernel's audit"
	witnessDisk    = "the filesystem"
	witnessState   = "the running machine"
)

// witness gives the kind of witness that a quotation is of.
func (b *builder) witness(q *Quotation) string {
	if b.set.RemoteSource[q.Source] {
		return witnessRemote
	}
	if strings.HasPrefix(q.Path, "live:") || strings.Contains(q.Path, "/proc/") {
		return witnessState
	}
	switch b.artifactOf(q) {
	case "":
		return witnessDisk
	case "journald", "journal-export":
		return witnessJournal
	case "wtmp", "btmp", "utmp", "lastlog", "wtmpdb", "lastlog2":
		return witnessRecords
	case "auditd":
		return witnessAudit
	}
	return witnessText
}

// artifactOf gives the artefact that a quotation was read by, "" for a file that is no log.
func (b *builder) artifactOf(q *Quotation) string {
	c := b.logOf(q.Source, q.Path)
	if c == nil || c.First == "" || c.First == c.Last && len(c.Tells) == 0 { // it tells of no more than one moment
		return ""
	}
	return c.Artifact
}

// logOf gives what was read of the file that a reference's path ends in, nil where nothing is noted of it.
func (b *builder) logOf(source, p string) *casefile.Coverage {
	if b.read == nil {
		b.read = map[[2]string]*casefile.Coverage{}
		for i := range b.set.Coverage {
			c := &b.set.Coverage[i]
			b.read[[2]string{c.Source, c.Path}] = c
		}
	}
	if c := b.read[[2]string{source, p[strings.LastIndexByte(p, ':')+1:]}]; c != nil {
		return c
	}
	return b.read[[2]string{source, p}]
}

// witnessesOf gives the kinds of witnesses that stand behind claims.
func (b *builder) witnessesOf(claims []string) (out []string) {
	for i := range b.s.Claims {
		c := &b.s.Claims[i]
		if !contains(claims, c.ID) {
			continue
		}
		for j := range c.For {
			out = ids(append(out, b.witness(&c.For[j]))...)
		}
	}
	return out
}

// maxMoreWitnesses bounds what further witnesses add.
const maxMoreWitnesses = 2

// moreWitnesses is the rule for each further witness.
const moreWitnesses = "more-witnesses"

// testimony weighs by whom a way in is told.
func (b *builder) testimony(w *way) {
	kinds := b.witnessesOf(w.claims)
	for i := range min(len(kinds)-1, maxMoreWitnesses) {
		w.weights = append(w.weights, Weight{Rule: moreWitnesses, Points: points(moreWitnesses), Claim: b.toldBy(w.claims, kinds[i+1])}) // for each of them
	}
	editable := !slices.ContainsFunc(kinds, func(k string) bool { return k != witnessText && k != witnessRecords })
	if editable && b.root && len(w.claims) > 0 {
		w.weigh("editable", "") // of what is not there, no claim can tell
	}
}

// toldBy gives the first claim that a kind of witness tells.
func (b *builder) toldBy(claims []string, kind string) string {
	for i := range b.s.Claims {
		c := &b.s.Claims[i]
		if contains(claims, c.ID) && slices.ContainsFunc(c.For, func(q Quotation) bool { return b.witness(&q) == kind }) {
			return c.ID
		}
	}
	return ""
}

// errorOf gives by how much the times of a claim may be off because the zone or year of the logs that it quotes stands nowhere: the best of them counts.
func (b *builder) errorOf(f *detect.Finding) float64 {
	best := -1.0
	for _, q := range f.For {
		e := 0.0
		if c := b.logOf(q.Ref.Source, q.Ref.Path); c != nil {
			e = c.Error
		}
		if best < 0 || e < best {
			best = e
		}
	}
	return max(best, 0)
}
