package story

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"time"

	"telltale/casefile"
	"telltale/detect"
	"telltale/detect/complaint"
	"telltale/evidence"
)

// Setting is what the story must know beside the findings: what was read.
type Setting struct {
	HostName     string
	Machines     map[string]string // the names of the machines that were examined, by source; copies of logs are left out
	Users        []detect.User
	WebRoots     []string
	Coverage     []casefile.Coverage
	Since, Until time.Time
	Remembers    string // how far back the filesystems know of deleted files, "" for not at all
	Disk         bool   // a filesystem itself was read, with change times and births
	Tree         bool   // files of the host were read, not only logs
	ChangeTimes  bool
	Packages     bool            // the package manager's lists were read
	Remote       bool            // a remote copy of the logs was read
	RemoteSource map[string]bool // the sources that are one
	Dirty        bool            // a filesystem was not unmounted cleanly
	Damaged      int
	Running      bool                         // the state of the running machine was read
	Taken        evidence.Time                // when that was
	Dump         bool                         // it was read from a dump of the machine's memory
	Asked        string                       // how a collector of somebody else asked what ran: "by the machine's own ps, ss and lsof"; "" where it was asked by our own
	NotEntered   []string                     // mounts of the running machine that were not read
	Complaints   []complaint.Complaint        // what somebody outside complains of
	Services     map[string]bool              // kinds of services whose daemons stand on the host: web, ftp, mail, database, share; true for those that start with it
	Network      func(address string) Network // looks an address up in the database that was given; nil for none
}

// Build draws the story out of the findings. It is a pure function of them.
func Build(ctx context.Context, fs []detect.Finding, set Setting) Story {
	b := build(fs, set, nil)
	if cleared := b.unproved(); len(cleared) > 0 {
		b = build(fs, set, cleared)
	}
	return b.s
}

// build draws it with some addresses held to be beyond suspicion.
func build(fs []detect.Finding, set Setting, cleared map[string]bool) *builder {
	fs = slices.Clone(fs) // what is joined changes them
	b := &builder{set: set, all: fs, cleared: cleared, ids: map[string]string{}, told: map[*detect.Finding]string{}, by: map[detect.What][]*detect.Finding{}, suspects: map[string]*suspect{}, keys: map[string]bool{}, made: map[*detect.Finding]bool{}, leads: map[string]int{}, answered: map[*detect.Finding]bool{}, own: map[string]bool{}}
	b.s = Story{Entry: []Entry{}, Hypotheses: []Hypothesis{}, Actors: []Actor{}, Actions: []Action{}, Persistence: []Persistence{}, Running: []Running{}, Hidden: []Hidden{},
		Altered: []Altered{}, Impact: []Impact{}, Exposed: []Exposure{}, Contacted: []Contact{}, Patches: []Patch{}, Complaints: []Complaint{}, Innocent: []Innocent{}, DoNow: []Step{}, Unknown: []string{}, Claims: []Claim{}, Findings: []Finding{}}
	for i := range fs {
		f := &fs[i]
		b.by[f.What] = append(b.by[f.What], f)
	}
	b.causes()
	b.setTimes()
	b.suspect()
	b.effects()
	b.entries()
	b.actors()
	b.weigh()
	b.innocents()
	b.identify()
	b.verdict()
	b.answer()
	b.unknowns()
	b.exposures()
	b.contacts()
	b.doNow()
	b.watch()
	b.patches()
	b.list()
	return b
}

type builder struct {
	s        Story
	set      Setting
	all      []detect.Finding
	by       map[detect.What][]*detect.Finding
	ids      map[string]string          // claims by text
	told     map[*detect.Finding]string // the claim that a finding became
	suspects map[string]*suspect
	keys     map[string]bool // fingerprints of the intruder's keys
	root     bool
	rootSign string // claim
	rootOdd  string // claim of what runs as root and only an intruder leaves
	entered  []way
	effect   []string                         // claims of rung c or d that are the intruder's
	made     map[*detect.Finding]bool         // what requests to a script made
	leads    map[string]int                   // what is odd of a program and not enough, by how many processes
	read     map[[2]string]*casefile.Coverage // by source and path; filled when it is first asked
	stolen   []string                         // accounts whose password was known
	beside   []string                         // claims: what appeared while somebody entitled was there
	pairs    int                              // of attempts and what appeared behind them
	unasked  int                              // of what was altered: programs of which it is not known by whom
	answered map[*detect.Finding]bool         // words of the web server's children that can be answers to attempts
	own      map[string]bool                  // scripts that may be a tool of who uploaded them
	cleared  map[string]bool                  // addresses that are not suspected
	doubted  []*detect.Finding                // software of which it cannot be told whether it has a fault
}

// suspect is an address that acted as nobody entitled would.
type suspect struct {
	source   string
	why      []string // claims
	logins   []*detect.Finding
	spans    []span
	strong   bool // an unauthorised session is confirmed, not only likely
	proved   bool // something bad in itself was his
	doubted  bool // suspected for what honest people do, too, and for nothing else
	web      bool
	attacked bool            // what he tried was followed by its effect
	cve      []string        // of the fault that he used
	daemon   *detect.Finding // an Exploit whose effect was seen
	agents   []string
	account  map[string]bool
}

// span is a time in which a suspect could act, as an account.
type span struct {
	from, to evidence.Time
	account  string
	open     bool // the end was not seen
}

// way is a way in that was found.
type way struct {
	vector   string
	status   Status
	service  string
	account  string
	sources  []string
	first    evidence.Time
	last     evidence.Time
	claims   []string
	weights  []Weight
	login    *detect.Finding // nil where it was none
	off      float64         // seconds by which its times may be off because no zone or year is known
	product  string
	cve      []string
	before   bool // he came before: how and when is not seen
	entitled bool // a password was accepted
	guessed  bool // its password was refused many times before it was accepted
}

// claim adds a claim and gives its id; "" where there is no evidence for it.
func (b *builder) claim(text string, rung evidence.Rung, at evidence.Time, st Status, forIt, against []evidence.Quote) string {
	if id, ok := b.ids[text]; ok {
		return id
	}
	c, err := NewClaim(text, rung, at, st, distinct(forIt), distinct(against))
	if err != nil {
		return ""
	}
	c.ID = fmt.Sprintf("c%d", len(b.s.Claims)+1)
	c.Text = utf8(text)
	b.ids[text] = c.ID
	b.s.Claims = append(b.s.Claims, c)
	return c.ID
}

// maxFor bounds the quotations of one claim.
const maxFor = 12

func distinct(qs []evidence.Quote) (out []evidence.Quote) {
	seen := map[evidence.Ref]bool{}
	for _, q := range qs {
		if !seen[q.Ref] && len(out) < maxFor {
			seen[q.Ref] = true
			out = append(out, q)
		}
	}
	return out
}

func ids(in ...string) []string {
	out := []string{}
	for _, s := range in {
		if s != "" && !contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// origin tells where an address lies, as seen from the server: internal, near (the network that somebody entitled
// logs in from), external, local.
func (b *builder) origin(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		if ip == "" || ip == "localhost" {
			return "local"
		}
		return "external"
	}
	switch {
	case a.IsLoopback():
		return "local"
	case a.IsPrivate() || a.IsLinkLocalUnicast():
		return "internal"
	}
	for _, l := range b.by[detect.Login] {
		if b.suspects[l.Source] == nil && l.Source != ip && sameNet(l.Source, ip) && l.Count > 0 {
			return "near"
		}
	}
	return "external"
}

func sameNet(x, y string) bool {
	a, err1 := netip.ParseAddr(x)
	c, err2 := netip.ParseAddr(y)
	if err1 != nil || err2 != nil || a.Is4() != c.Is4() {
		return false
	}
	bits := 24
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	return err == nil && p.Contains(c)
}

// list tells the findings that are more than observations, by reference to claims.
func (b *builder) list() {
	for i := range b.all {
		f := &b.all[i]
		if f.Level == detect.Info || len(f.For) == 0 {
			continue
		}
		if f.Level == detect.Low && len(b.s.Findings) > 500 {
			continue
		}
		id := b.told[f]
		if id == "" {
			id = b.claim(f.Title+detail(f), f.Rung, f.First, statusOf(f), f.For, f.Against)
		}
		attack := f.Attack
		if attack == nil {
			attack = []string{}
		}
		b.s.Findings = append(b.s.Findings, Finding{Detection: f.Detection, Title: utf8(f.Title), Attack: attack, Level: f.Level.String(), Time: f.First.String(), Claims: ids(id)})
	}
	sort.SliceStable(b.s.Findings, func(i, j int) bool { return rankOf(b.s.Findings[i].Level) > rankOf(b.s.Findings[j].Level) })
}

func rankOf(level string) int { return strings.Index("info low  medium high critical", level) }

func detail(f *detect.Finding) string {
	if f.Detail == "" || strings.Contains(f.Title, f.Detail) {
		return ""
	}
	if before, rest, ok := strings.Cut(f.Detail, "; "); ok && strings.HasSuffix(f.Title, before) {
		return " (" + rest + ")"
	}
	return " (" + f.Detail + ")"
}

func statusOf(f *detect.Finding) Status {
	switch {
	case f.Level >= detect.Critical || f.Level <= detect.Low:
		return Confirmed
	case f.Level == detect.High:
		return Likely
	}
	return Possible
}

// Window gives the time of the incident, from the first entry to the last act, as RFC 3339; "" where there was none.
func (s *Story) Window() (from, to string) {
	for _, e := range s.Entry {
		if e.First != "" && (from == "" || e.First < from) {
			from = e.First
		}
		if e.Last > to {
			to = e.Last
		}
	}
	for _, a := range s.Actions {
		if from != "" && a.Time > to {
			to = a.Time
		}
	}
	return from, to
}

func clock(t evidence.Time) string {
	if !t.Known() {
		return "at an unknown time"
	}
	return t.Std().Format("2006-01-02 15:04:05") + " UTC"
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
