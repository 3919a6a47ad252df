package campaigns

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sort"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// sketch counts distinct names in a fixed room: each sets one bit, and the bits tell how many there were.
type sketch [sketchBits / 64]uint64

const sketchBits = 4096

func (s *sketch) add(h uint32) {
	h ^= h >> 15
	s[h%sketchBits/64] |= 1 << (h % 64)
}

func (s *sketch) set() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// count is about how many names were added.
func (s *sketch) count() int {
	free := max(sketchBits-s.set(), 1)
	return int(math.Round(-sketchBits * math.Log(float64(free)/sketchBits)))
}

// share is about which part of the names of s was also added to t.
func (s *sketch) share(t *sketch) float64 {
	both, n := 0, s.set()
	for i := range s {
		both += bits.OnesCount64(s[i] & t[i])
	}
	chance := float64(t.set()) / sketchBits
	if n == 0 || chance > 0.95 {
		return 0
	}
	return max(0, (float64(both)/float64(n)-chance)/(1-chance))
}

// service is one service that asks for accounts, by the hours in which somebody was refused.
type service struct {
	name    string
	counted bool
	known   sketch // accounts that were let in
	hours   []*hour
	at      int // of the hour that was used last
}

// hour is one hour of refusals.
type hour struct {
	hour                int64
	tries               [2]int64 // as files and as the journal tell them
	accounts, addresses sketch
	first, last         evidence.Time
	quote               evidence.Quote
}

// maxHours is how many hours with refusals are kept of a service.
const maxHours = 3000

// service gives what is kept of a service. Every exposed ssh server has hours of many accounts; package logins tells them.
func (f *fold) service(name []byte) *service {
	for _, s := range f.services {
		if s.name == string(name) {
			return s
		}
	}
	if len(name) == 0 || len(f.services) >= maxServices {
		return nil
	}
	s := &service{name: string(name)}
	switch s.name {
	case "sshd", "dropbear", "login", "sudo", "su", "telnetd":
	default:
		s.counted = true
	}
	f.services = append(f.services, s)
	return s
}

func (s *service) tried(account, address uint32, e *event.Event) {
	if !e.At.Known() {
		return
	}
	at := e.At.Sec / 3600
	if s.at >= len(s.hours) || s.hours[s.at].hour != at {
		i := sort.Search(len(s.hours), func(i int) bool { return s.hours[i].hour >= at })
		if i == len(s.hours) || s.hours[i].hour != at {
			if len(s.hours) >= maxHours {
				return
			}
			s.hours = slices.Insert(s.hours, i, &hour{hour: at, quote: e.Quote()})
		}
		s.at = i
	}
	h := s.hours[s.at]
	if string(e.Get(event.Transport)) == "journal" {
		h.tries[1]++
	} else {
		h.tries[0]++
	}
	h.accounts.add(account)
	h.addresses.add(address)
	h.first, h.last = evidence.Min(h.first, e.At), evidence.Max(h.last, e.At)
}

// When an hour is one of stuffing: many accounts, each a few times, and far more of them than in the service's usual hour.
const (
	manyAccounts = 30
	fewTries     = 4
	timesUsual   = 5
	mostKnown    = 0.5 // of the accounts, those that the service lets in: if its own users are refused, it is the service that fails
)

// stuffed gives the runs of such hours.
func (f *fold) stuffed() (out []detect.Finding) {
	for _, s := range f.services {
		usual := s.usual()
		var r *detect.Finding
		var before int64
		for _, h := range s.hours {
			n := h.accounts.count()
			if n < manyAccounts || n < timesUsual*usual || max(h.tries[0], h.tries[1]) > fewTries*int64(n) || h.accounts.share(&s.known) > mostKnown {
				continue
			}
			if r == nil || h.hour-before > 6 {
				if len(out) >= maxListed {
					return out
				}
				out = append(out, detect.Finding{Detection: "D08", What: detect.Campaign, Level: detect.Low, Rung: evidence.Attempt, Service: s.name, Attack: []string{"T1110.004"}, First: h.first})
				r = &out[len(out)-1]
			}
			before = h.hour
			r.Count += max(h.tries[0], h.tries[1])
			r.Last = h.last
			if len(r.For) < maxQuotes {
				r.For = append(r.For, h.quote)
			}
			r.Title = fmt.Sprintf("%s refused %d tries for many accounts, a few for each", s.name, r.Count)
			r.Detail = fmt.Sprintf("in the last such hour about %d accounts from about %d addresses; a usual hour with refusals has %d accounts", n, h.addresses.count(), usual)
		}
	}
	return out
}

// usual is the number of accounts in the median of the hours with refusals; a log of few hours has no usual one.
func (s *service) usual() int {
	if len(s.hours) < 6 {
		return 0
	}
	all := make([]int, 0, len(s.hours))
	for _, h := range s.hours {
		all = append(all, h.accounts.count())
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// unknownRecipient tells the words by which mail servers say that a recipient does not exist.
func unknownRecipient(why []byte) bool {
	for _, w := range [...]string{"ser unknown", "nknown user", "5.1.1", "o such user", "nrouteable address", "nknown recipient", "does not exist", "no mailbox"} {
		if bytes.Contains(why, []byte(w)) {
			return true
		}
	}
	return false
}
