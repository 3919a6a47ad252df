package web

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// dump is a file that looks like a copy of data, which the server gave away.
type dump struct {
	path        string
	size        int64 // the largest answer
	count       int64
	clients     map[string]int64
	first, last evidence.Time
	quotes      []evidence.Quote
}

const (
	maxDumps       = 1000
	maxDumpClients = 64

	minDump    = 2 << 10   // bytes: an empty answer, or a page that says no, is smaller
	minArchive = 100 << 10 // the same, of what may be anybody's download
	sameSize   = 3         // answers of one size to different names are one page for all
)

// dumpEndings are how names of dumps and archives end; data is true where nothing else is named so.
var dumpEndings = []struct {
	ending string
	data   bool
}{{".sql", true}, {".sql.gz", true}, {".sql.zip", true}, {".sql.bz2", true}, {".sql.xz", true}, {".sqlite", true}, {".bak", true}, {".zip", false}, {".tar.gz", false}, {".tgz", false}, {".tar", false}, {".rar", false}, {".tar.bz2", false}, {".tar.xz", false}, {".gz", false}}

// isDump tells names of dumps and archives. It is asked for every request that was answered.
func isDump(p []byte) (is, data bool) {
	if len(p) < 6 {
		return false, false
	}
	switch p[len(p)-1] | 0x20 {
	case 'l', 'k', 'z', 'p', 'r', '2', 'e', '7':
	default:
		return false, false
	}
	for _, x := range dumpEndings {
		if len(p) > len(x.ending) && bytes.EqualFold(p[len(p)-len(x.ending):], []byte(x.ending)) {
			return true, x.data
		}
	}
	return false, false
}

// fetched keeps an answer of 200 to a request for a dump.
func (f *fold) fetched(ip, p []byte, e *event.Event) {
	is, data := isDump(p)
	if !is {
		return
	}
	size, ok := e.Int(event.HTTPBytes)
	if !ok || size < minDump || !data && size < minArchive {
		return
	}
	d := f.dumps[string(p)]
	if d == nil {
		if len(f.dumps) >= maxDumps {
			return
		}
		d = &dump{path: string(p), clients: map[string]int64{}}
		f.dumps[d.path] = d
	}
	d.size = max(d.size, size)
	d.count++
	d.first, d.last = evidence.Min(d.first, e.At), evidence.Max(d.last, e.At)
	if n, ok := d.clients[string(ip)]; ok || len(d.clients) < maxDumpClients {
		d.clients[string(ip)] = n + 1
	}
	if len(d.quotes) < maxQuotes {
		d.quotes = append(d.quotes, e.Quote())
	}
}

// hostile tells a client that attacked or scanned beside.
func (c *client) hostile() bool {
	return len(c.attacks) > 0 || c.missing >= 20 && c.missing*2 >= c.count
}

// named tells archives that are named like a copy of a site or of its data.
func named(p string) bool {
	base := strings.ToLower(path.Base(p))
	for _, w := range []string{"backup", "dump", "bak.", "database", "db.", "wwwroot", "public_html", "htdocs", "site.", "www.", "mysql", "wp-content"} {
		if strings.Contains(base, w) {
			return true
		}
	}
	return false
}

// leaks gives the dumps that somebody from outside got.
func (f *fold) leaks() (out []detect.Finding) {
	sizes := map[int64]int{}
	for _, d := range f.dumps {
		sizes[d.size]++
	}
	for _, p := range slices.Sorted(maps.Keys(f.dumps)) {
		d := f.dumps[p]
		if sizes[d.size] >= sameSize {
			continue
		}
		var who, foes []string
		for _, ip := range slices.Sorted(maps.Keys(d.clients)) {
			if !detect.Outside(ip) {
				continue
			}
			who = append(who, ip)
			if c := f.clients[ip]; c != nil && c.hostile() {
				foes = append(foes, ip)
			}
		}
		_, data := isDump([]byte(p))
		if len(who) == 0 || !data && !(named(p) && len(foes) > 0) || len(who) >= maxDumpClients/2 {
			continue // a download for all is meant to be one
		}
		r := detect.Finding{Detection: "D77", What: detect.DataFetched, Level: detect.Medium, Rung: evidence.Accepted, Service: "web", Path: p, Source: who[0], Sources: who, First: d.first, Last: d.last, Count: d.count, For: d.quotes, Attack: []string{"T1567"},
			Title:  fmt.Sprintf("the web server gave %s, up to %d bytes, to %s", p, d.size, detect.Plural(int64(len(who)), "address", "addresses")),
			Detail: "none of them attacked it beside; whoever makes copies there may have fetched it"}
		if len(foes) > 0 {
			r.Level, r.Source, r.Sources = detect.High, foes[0], foes
			r.Detail = fmt.Sprintf("%s attacked or scanned the site beside", strings.Join(foes[:min(len(foes), 5)], ", "))
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b detect.Finding) int { return cmp.Compare(b.Level, a.Level) })
	return out[:min(len(out), 100)]
}
