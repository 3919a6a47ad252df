// Package dns looks at what a name server was asked: whole zones by strangers, large answers for forged senders, names of mining pools, and names so
// long and so many that they carry something else. That a question was asked is seen, not why.
package dns

import (
	"bytes"
	"context"
	"iter"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "dns", Title: "What the name server was asked", IDs: []string{"D04", "D71", "D72", "D77"},
		Doc:    "finds zones copied by strangers, floods of questions with large answers, names of mining pools, and tunnels in names",
		Attack: []string{"T1590.002", "T1498.002", "T1496", "T1572"},
		Wants:  []event.Kind{event.DNSQuery},
		New: func(detect.Scene) detect.Fold {
			return &fold{zones: map[string]*copier{}, floods: map[string]*flood{}, pools: map[uint64]*pool{}, domains: map[uint32]*domain{}}
		},
	}
}

// Bounds of what is kept.
const (
	maxClients = 50_000
	maxPools   = 2000
	maxDomains = 20_000
	maxQuotes  = 3
	maxNames   = 16
)

// copier is a client that asked for whole zones.
type copier struct {
	got, refused int64
	first, last  evidence.Time // of what it got
	zones        []string
	quotes       []evidence.Quote
	ever         [2]evidence.Time
}

// flood is a client that asked for everything there is of a name.
type flood struct {
	minute, now, most int64
	count, refused    int64
	name              string
	first, last       evidence.Time
	quotes            []evidence.Quote
}

// pool is a client that asked for a mining pool's name.
type pool struct {
	client, name string
	count        int64
	first, last  evidence.Time
	quotes       []evidence.Quote
}

// domain is one below which long names were asked for.
type domain struct {
	name, client  string
	clients       int // 1, or more
	count, length int64
	odd           int64      // of types that carry text
	packed        int64      // with labels that no host name has
	seen          [64]uint64 // which names, by their hash
	first, last   evidence.Time
	quotes        []evidence.Quote
}

type fold struct {
	zones   map[string]*copier
	floods  map[string]*flood
	pools   map[uint64]*pool
	domains map[uint32]*domain
}

func (f *fold) Observe(e *event.Event) {
	name, kind := e.Get(event.DNSName), e.Get(event.DNSType)
	switch string(kind) {
	case "AXFR", "IXFR":
		f.transfer(e, name)
		return
	case "ANY", "RRSIG":
		f.flood(e, name)
	}
	if len(name) < 5 {
		return
	}
	at := registered(name)
	if isPool(name[at:]) {
		f.pool(e, name)
	}
	if at >= minLong {
		f.long(e, name, at, kind)
	}
}

// registered gives where the domain that somebody registered begins in a name: its last two labels, or three where the second is short as in co.uk.
func registered(name []byte) int {
	dot := bytes.LastIndexByte(name, '.')
	if dot < 0 {
		return 0
	}
	second := bytes.LastIndexByte(name[:dot], '.')
	if second < 0 {
		return 0
	}
	if dot-second-1 <= 3 && len(name)-dot-1 == 2 {
		return bytes.LastIndexByte(name[:second], '.') + 1
	}
	return second + 1
}

func (f *fold) transfer(e *event.Event, name []byte) {
	ip := e.Get(event.SourceIP)
	c := f.zones[string(ip)]
	if c == nil {
		if len(f.zones) >= maxClients || !detect.Outside(string(ip)) {
			return
		}
		c = &copier{}
		f.zones[string(ip)] = c
	}
	c.ever[0], c.ever[1] = evidence.Min(c.ever[0], e.At), evidence.Max(c.ever[1], e.At)
	if len(c.quotes) < maxQuotes {
		c.quotes = append(c.quotes, e.Quote())
	}
	if len(e.Get(event.AuthReason)) > 0 {
		c.refused++
		return
	}
	c.got++
	c.first, c.last = evidence.Min(c.first, e.At), evidence.Max(c.last, e.At)
	if len(c.zones) < maxNames {
		for _, z := range c.zones {
			if z == string(name) {
				return
			}
		}
		c.zones = append(c.zones, string(name))
	}
}

func (f *fold) flood(e *event.Event, name []byte) {
	ip := e.Get(event.SourceIP)
	x := f.floods[string(ip)]
	if x == nil {
		if len(f.floods) >= maxClients {
			return
		}
		x = &flood{name: string(name)}
		f.floods[string(ip)] = x
	}
	if m := e.At.Sec / 60; m != x.minute {
		x.minute, x.now = m, 0
	}
	x.now++
	x.count++
	x.most = max(x.most, x.now)
	if len(e.Get(event.AuthReason)) > 0 {
		x.refused++
	}
	x.first, x.last = evidence.Min(x.first, e.At), evidence.Max(x.last, e.At)
	if len(x.quotes) < 1 || x.now == perMinute && len(x.quotes) < maxQuotes {
		x.quotes = append(x.quotes, e.Quote())
	}
}

func (f *fold) pool(e *event.Event, name []byte) {
	ip := e.Get(event.SourceIP)
	k := uint64(detect.Hash(ip))<<32 | uint64(detect.Hash(name))
	p := f.pools[k]
	if p == nil {
		if len(f.pools) >= maxPools {
			return
		}
		p = &pool{client: string(ip), name: string(name)}
		f.pools[k] = p
	}
	p.count++
	p.first, p.last = evidence.Min(p.first, e.At), evidence.Max(p.last, e.At)
	if len(p.quotes) < maxQuotes {
		p.quotes = append(p.quotes, e.Quote())
	}
}

// long counts a long name below a domain.
func (f *fold) long(e *event.Event, name []byte, at int, kind []byte) {
	k := detect.Hash(name[at:])
	d := f.domains[k]
	if d == nil {
		if len(f.domains) >= maxDomains || service(name[at:]) {
			return
		}
		d = &domain{name: string(name[at:]), client: e.Text(event.SourceIP), clients: 1}
		f.domains[k] = d
	}
	d.count++
	d.length += int64(at)
	switch string(kind) {
	case "TXT", "NULL", "CNAME", "MX", "PRIVATE", "TYPE65399":
		d.odd++
	}
	if packed(name[:at]) {
		d.packed++
	}
	h := detect.Hash(name[:at])
	h ^= h >> 15
	d.seen[h>>6&63] |= 1 << (h & 63)
	if d.client != string(e.Get(event.SourceIP)) {
		d.clients = 2
	}
	d.first, d.last = evidence.Min(d.first, e.At), evidence.Max(d.last, e.At)
	if len(d.quotes) < maxQuotes {
		d.quotes = append(d.quotes, e.Quote())
	}
}

// packed tells labels that end in a hyphen, more than one: no host name may, and DNSteal, which carries files out by questions, cuts its load so.
func packed(name []byte) bool { return bytes.Count(name, []byte("-.")) >= 2 }

// Findings gives what was found, each kind in the order of its names.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, part := range [](func() []detect.Finding){f.mined, f.tunnels, f.copied, f.flooded} {
			for _, r := range part() {
				if ctx.Err() != nil || !yield(r) {
					return
				}
			}
		}
	}
}
