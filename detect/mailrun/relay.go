package mailrun

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// domain is one that mail of clients who did not log in went to. Where several clients send to it, it is one that this server forwards for.
type domain struct {
	by     *submitter
	shared bool
}

const (
	maxDomains = 50_000
	maxOwn     = 64     // domains kept of one client
	maxDenied  = 20_000 // addresses that were refused

	minRelayed = 10 // mails that went out for a stranger
	minDomains = 5  // to domains that only this client sent to
	manyNets   = 3  // networks of such clients: no longer one that somebody set up
)

// relayed counts what went elsewhere for a client that did not log in. Forwarding sends to few places, and always the same.
func (f *fold) relayed(s *submitter, e *event.Event) {
	relay := e.Get(event.MailRelay)
	if elsewhere := bytes.IndexByte(relay, '[') > 0; !elsewhere || !bytes.Equal(e.Get(event.MailStatus), []byte("sent")) {
		if !elsewhere {
			s.local++
		}
		return
	}
	if local := bytes.Contains(relay, []byte("[127.")) || bytes.Contains(relay, []byte("[::1]")); local { // to a filter, and back
		return
	}
	s.relayed++
	if s.relayed%4 == 1 && len(s.relays) < 3 {
		s.relays = append(s.relays, e.Quote())
	}
	to := e.Get(event.MailTo)
	h := detect.Hash(bytes.ToLower(to[bytes.LastIndexByte(to, '@')+1:]))
	d := f.domains[h]
	switch {
	case d == nil && len(f.domains) < maxDomains:
		f.domains[h] = &domain{by: s}
	case d != nil && d.by != s:
		d.shared = true
	}
	if len(s.domains) < maxOwn && !slices.Contains(s.domains, h) {
		s.domains = append(s.domains, h)
	}
}

// refused counts who asked to relay and was refused.
func (f *fold) refused(e *event.Event) {
	why := e.Get(event.MailReason)
	if !bytes.Contains(why, []byte("elay")) || !bytes.Contains(why, []byte("elay access denied")) && !bytes.Contains(why, []byte("elaying denied")) && !bytes.Contains(why, []byte("elay not permitted")) {
		return
	}
	if string(e.Get(event.Transport)) == "journal" {
		f.deniedCount[1]++
	} else {
		f.deniedCount[0]++
	}
	f.deniedTimes[0], f.deniedTimes[1] = evidence.Min(f.deniedTimes[0], e.At), evidence.Max(f.deniedTimes[1], e.At)
	if ip := e.Get(event.SourceIP); len(ip) > 0 {
		if n, ok := f.denied[string(ip)]; ok || len(f.denied) < maxDenied {
			f.denied[string(ip)] = n + 1
		}
	}
	if len(f.deniedQuotes) < 3 {
		f.deniedQuotes = append(f.deniedQuotes, e.Quote())
	}
}

// relays gives the mail of strangers for strangers, and who asked for it in vain.
func (f *fold) relays(keys []string) (out []detect.Finding) {
	nets := map[string]bool{}
	for _, k := range keys {
		s := f.by[k]
		if s.kind != "client" || s.relayed < minRelayed || s.relayed <= s.local || !detect.Outside(s.name) || len(out) >= 100 {
			continue
		}
		own := 0
		for _, h := range s.domains {
			if d := f.domains[h]; d != nil && !d.shared {
				own++
			}
		}
		if own < minDomains {
			continue
		}
		nets[cmp.Or(detect.Network(s.name), s.name)] = true
		out = append(out, detect.Finding{Detection: "D12", What: detect.Relayed, Level: detect.Medium, Rung: evidence.Effect, Service: "smtp", Source: s.name, Sources: []string{s.name}, First: s.first, Last: s.last, Count: s.relayed, Attack: []string{"T1584"},
			For: append(append([]evidence.Quote{}, s.quotes...), s.relays...), Title: fmt.Sprintf("%d mails of %s were sent on to others, and it had not logged in", s.relayed, s.name),
			Detail: fmt.Sprintf("to %d domains that nobody else sent to; if the address is none of yours, this is an open relay", own)})
	}
	for i := range out {
		if len(nets) >= manyNets {
			out[i].Level = detect.High
			out[i].Detail += fmt.Sprintf("; so did clients of %d networks", len(nets))
		}
	}
	if n := max(f.deniedCount[0], f.deniedCount[1]); n >= minRelayed {
		r := detect.Finding{Detection: "D12", What: detect.Relayed, Level: detect.Low, Rung: evidence.Attempt, Service: "smtp", First: f.deniedTimes[0], Last: f.deniedTimes[1], Count: n, Attack: []string{"T1595"}, For: f.deniedQuotes,
			Title: fmt.Sprintf("the mail server refused to send on mail of strangers for %s", detect.Plural(int64(len(f.denied)), "address", "addresses")), Detail: fmt.Sprintf("%d times", n)}
		out = append(out, r)
	}
	return out
}
