package examine

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"

	"telltale/artifact"
	"telltale/casefile"
	"telltale/event"
	"telltale/evidence"
	"telltale/host"
	"telltale/internal/clockfit"
)

// clock names one clock: that of a host's text logs, or that of its journal. A copy that a log server kept may have the sender's stamps or the receiver's:
// it is a host of its own here.
type clock struct {
	host    int
	journal bool
}

func clockOf(h *seenHost, j *job) clock { return clock{h.number, j.art.Name == "journald"} }

// witnesses notes what each clock says of events that others tell, too, so that they can be compared.
type witnesses struct {
	seed  maphash.Seed
	books map[clock]*book
	lines map[clock][]clockfit.Line // of those that go otherwise than the reference, once they were compared
	ref   clock
}

// book holds one clock's times by event, or by connection.
type book struct {
	at    map[uint64]float64
	twice map[uint64]bool // told at several times: good for nothing
	local bool            // its stamps have no offset: their zone is what the host says, or a guess
	mask  uint64          // of two books only the keys that both keep can meet: those whose low bits are zero
}

// maxNotes bounds a book.
const maxNotes = 100_000

// shared tells the kinds that several witnesses tell in the same words, or with the same connection.
func shared(k event.Kind) bool {
	switch k {
	case event.AuthAccepted, event.AuthFailed, event.ConnectionSeen, event.SessionOpened, event.SessionClosed, event.SudoCommand, event.CronRan, event.FirewallPacket, event.MailQueued, event.MailDelivered, event.AccountCreated, event.ServiceStarted:
		return true
	}
	return false
}

// newWitnesses gives a notebook where there is something to compare: more than one host, or a journal beside text logs.
func newWitnesses(hosts []*seenHost) *witnesses {
	w := &witnesses{seed: maphash.MakeSeed(), books: map[clock]*book{}}
	clocks := map[clock]bool{}
	for i, h := range hosts {
		for _, j := range h.jobs {
			if carrier(j.art) {
				clocks[clock{i, j.art.Name == "journald"}] = true
			}
		}
	}
	if len(clocks) < 2 {
		return nil
	}
	for c := range clocks {
		w.books[c] = &book{at: map[uint64]float64{}, twice: map[uint64]bool{}}
	}
	return w
}

// carrier tells an artefact whose lines are of many programs.
func carrier(a *artifact.Artifact) bool {
	return a.Name == "journald" || a.Name == "journal-export" || a.Name == "syslogfile"
}

// note keeps when a clock tells an event.
func (w *witnesses) note(c clock, e *event.Event) {
	if !shared(e.Kind) || !e.At.Known() {
		return
	}
	b := w.books[c]
	if b == nil {
		return
	}
	at := float64(e.At.Sec) + float64(e.At.Nsec)/1e9
	var h maphash.Hash
	h.SetSeed(w.seed)
	if ip, port := e.Get(event.SourceIP), e.Get(event.SourcePort); len(port) > 0 && len(ip) > 0 {
		h.Write(ip)
		h.WriteByte(' ')
		h.Write(port)
		b.put(h.Sum64()|outside, at, oneConnection)
		h.Reset()
	}
	if e.Get(event.ProcessPID) == nil && e.Get(event.MailQueueID) == nil {
		return // said again and again in the same words
	}
	h.WriteByte(byte(e.Kind))
	for _, a := range e.Attrs {
		if a.Key != event.Transport && a.Key != event.EventCount {
			h.WriteByte(byte(a.Key))
			h.Write(a.Value)
		}
	}
	b.put(h.Sum64()&^outside, at, unsure)
}

// outside marks the keys of connections. What two machines both tell can only be one of those: their own jobs of cron have the same words, at the same minute of each
// hour, and of a few hundred small pids some are the same, half a year apart.
const outside = 1 << 63

// oneConnection is for how long, in seconds, a client's port stands for the same connection.
const oneConnection = 600

// put keeps the first time of a key; one that comes again after more than apart seconds is of another event.
func (b *book) put(k uint64, at, apart float64) {
	if k&b.mask != 0 {
		return
	}
	if before, ok := b.at[k]; ok {
		if abs(at-before) > apart {
			b.twice[k] = true
		}
		return
	}
	for len(b.at) >= maxNotes {
		b.mask = b.mask<<1 | 1
		for x := range b.at {
			if x&b.mask != 0 {
				delete(b.at, x)
				delete(b.twice, x)
			}
		}
		if k&b.mask != 0 {
			return
		}
	}
	b.at[k] = at
}

// unsure is how much less, in seconds, two clocks may differ and still be one: text logs have whole seconds.
const unsure = 2

// compare fits each clock against the reference: the examined host's own journal, else its text logs. It tells whether one of them goes so far
// otherwise that the logs have to be read again with its times set right.
func (w *witnesses) compare(hosts []*seenHost) (again bool) {
	clocks := make([]clock, 0, len(w.books))
	for c := range w.books {
		clocks = append(clocks, c)
	}
	slices.SortFunc(clocks, func(a, b clock) int { return rank(hosts, a) - rank(hosts, b) })
	w.lines = map[clock][]clockfit.Line{}
	w.ref = clocks[0]
	ref := w.books[w.ref]
	for _, c := range clocks[1:] {
		b := w.books[c]
		var pairs []clockfit.Pair
		for k, at := range b.at {
			if t, ok := ref.at[k]; ok && !ref.twice[k] && !b.twice[k] && (k&outside != 0 || !strangers(hosts[w.ref.host], hosts[c.host])) {
				pairs = append(pairs, clockfit.Pair{At: t, Ahead: at - t})
			}
		}
		lines := clockfit.Fit(pairs)
		if ref.local && !b.local {
			w.lines[w.ref], lines = zones(lines)
		}
		w.lines[c] = lines
	}
	for _, lines := range w.lines {
		for _, l := range lines {
			again = again || max(abs(l.Ahead(l.From)), abs(l.Ahead(l.To))) > unsure
		}
	}
	return again
}

// strangers tells whether two hosts are two machines: neither is a copy of logs, and their names differ.
func strangers(a, b *seenHost) bool {
	return a.Kind != host.KindRemote && b.Kind != host.KindRemote && a.Name != "" && b.Name != "" && a.Name != b.Name
}

// quarter is what zones differ by, at least, in seconds.
const quarter = 900

// zones divides what a clock with offsets tells of one whose stamps need a zone: whole quarters of an hour are a wrong zone of the latter, and the
// rest is how the clocks differ. Where the rest is more than a minute, nothing is said of the zone.
func zones(lines []clockfit.Line) (zone, rest []clockfit.Line) {
	wrong := false
	for _, l := range lines {
		z := math.Round(l.Offset/quarter) * quarter
		if abs(l.Offset-z) > 60 {
			return nil, lines
		}
		wrong = wrong || z != 0
	}
	if !wrong {
		return nil, lines
	}
	for _, l := range lines {
		z := math.Round(l.Offset/quarter) * quarter
		l.From, l.To, l.Zero = l.From+z, l.To+z, l.Zero+z
		here := l
		here.Offset, here.Drift = -z, 0
		l.Offset -= z
		zone, rest = append(zone, here), append(rest, l)
	}
	return zone, rest
}

func abs(x float64) float64 { return max(x, -x) }

// rank orders clocks by how far they are believed: of the host itself before copies, the journal before text.
func rank(hosts []*seenHost, c clock) int {
	r := c.host * 4
	if hosts[c.host].Kind == host.KindRemote {
		r += 1 << 20
	}
	if !c.journal {
		r += 2
	}
	return r
}

// concerns tells whether a clock's lines hold for the stamps of one of its logs: those of another machine for all, those of the
// examined host's own text logs for stamps that need its zone.
func (w *witnesses) concerns(c clock, zoneless bool) bool {
	return w != nil && len(w.lines[c]) > 0 && (c.host != w.ref.host || zoneless)
}

// right sets an event's time right, if its clock is known to go otherwise; the original stays in the line that the event quotes.
func (w *witnesses) right(c clock, t evidence.Time) evidence.Time {
	if !t.Known() {
		return t
	}
	at := float64(t.Sec) + float64(t.Nsec)/1e9
	ref := clockfit.Reference(w.lines[c], at)
	if d := abs(ref - at); d <= unsure {
		return t
	}
	sec := int64(ref)
	return evidence.Time{Sec: sec, Nsec: int32((ref - float64(sec)) * 1e9), Step: max(t.Step, 1e9)}
}

// told gives the clocks that were compared, for the report.
func (w *witnesses) told(hosts []*seenHost) (out []casefile.Clock) {
	if w == nil {
		return nil
	}
	label := func(c clock) string {
		if c.journal {
			return "journal of " + hosts[c.host].label()
		}
		return "text logs of " + hosts[c.host].label()
	}
	for c, lines := range w.lines {
		h := hosts[c.host]
		for _, l := range lines {
			out = append(out, casefile.Clock{Source: h.Source, Zone: h.ZoneName, From: h.ZoneFrom, Skew: round(l.Offset), Drift: round(l.Drift), Error: round(l.Error), Pairs: l.Pairs,
				Clock: label(c), Against: label(w.ref), Since: evidence.Unix(int64(l.From), 0, 1e9).String(), Until: evidence.Unix(int64(l.To), 0, 1e9).String()})
		}
	}
	slices.SortFunc(out, func(a, b casefile.Clock) int {
		return cmp.Or(cmp.Compare(a.Clock, b.Clock), cmp.Compare(a.Since, b.Since))
	})
	return out
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
