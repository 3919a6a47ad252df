package examine

import (
	"fmt"
	"hash/maphash"
	"math"
	"time"

	"telltale/artifact"
	"telltale/casefile"
	"telltale/event"
	"telltale/host"
	"telltale/internal/logclock"
)

// daemonLog is a log that one daemon writes by itself, with its rotations. Its zone is the daemon's: of its environment, its configuration or its
// container, and not always the host's.
type daemonLog struct {
	host   int
	family string
}

// ownZone is the zone of such a log, where it differs from the host's, and how that is known.
type ownZone struct {
	zone  *time.Location
	basis string
}

// daemons notes when an address was seen in each daemon's own log and in the logs of its host whose time is certain. Two logs that tell of one client tell of the
// same moment; zones differ by whole quarters of an hour, so that the moment within the quarter is the same in both.
type daemons struct {
	seed  maphash.Seed
	logs  map[daemonLog]*sightings
	sure  map[int]*sightings // by host
	label map[daemonLog][2]string
}

// sightings are the times at which addresses were seen, by the second within the quarter.
type sightings struct {
	at   map[sighting][]int64
	mask uint64 // only addresses whose hash has these bits zero are kept
}

type sighting struct {
	address uint64
	second  int64 // within the quarter
}

const (
	maxSightings = 50_000
	maxAtOnce    = 4 // times with the same second of a quarter, for one address
	enoughPairs  = 5 // sightings that fit before a zone is believed
	enoughOthers = 3 // addresses that they are of: one visitor may come at hours of his choice
	clearly      = 4 // times as many as fit the host's zone
	farthest     = 26 * 3600
	together     = 2 // seconds within which two logs tell of one moment
)

// zoneless tells the logs that are a daemon's own and may have stamps without an offset.
func zoneless(a *artifact.Artifact) bool {
	switch a.Name {
	case "accesslog", "jsonaccess", "auditd", "container-log", "wtmp", "lastlog", "wtmpdb", "lastlog2":
		return false
	}
	return a.Log && !carrier(a)
}

// newDaemons gives a notebook where there is a daemon's own log, and nil where there is nothing to compare.
func newDaemons(hosts []*seenHost) *daemons {
	for _, h := range hosts {
		for _, j := range h.jobs {
			if zoneless(j.art) {
				return &daemons{seed: maphash.MakeSeed(), logs: map[daemonLog]*sightings{}, sure: map[int]*sightings{}, label: map[daemonLog][2]string{}}
			}
		}
	}
	return nil
}

// note keeps that an address was seen.
func (d *daemons) note(h *seenHost, j *job, c *logclock.Clock, e *event.Event) {
	switch e.Kind {
	case event.HTTPRequest, event.HTTPError, event.ChildOutput, event.AuthFailed, event.AuthAccepted, event.ConnectionSeen, event.FileUploaded, event.FileDownloaded, event.MailReceived, event.MailRejected, event.DatabaseCommand:
	default:
		return
	}
	ip := e.Get(event.SourceIP)
	if len(ip) == 0 || !e.At.Known() {
		return
	}
	var s *sightings
	switch {
	case zoneless(j.art) && c.Zoneless && !c.Yearless:
		log := daemonLog{h.number, j.family}
		if s = d.logs[log]; s == nil {
			s = &sightings{at: map[sighting][]int64{}}
			d.logs[log], d.label[log] = s, [2]string{h.Source, j.entry.Path}
		}
	case !c.Zoneless || carrier(j.art) && h.ZoneFrom != host.ZoneAssumed:
		if s = d.sure[h.number]; s == nil {
			s = &sightings{at: map[sighting][]int64{}}
			d.sure[h.number] = s
		}
	default:
		return
	}
	s.put(maphash.Bytes(d.seed, ip), e.At.Sec)
}

func (s *sightings) put(address uint64, at int64) {
	if address&s.mask != 0 {
		return
	}
	k := sighting{address, phase(at)}
	list := s.at[k]
	if len(list) >= maxAtOnce || len(list) > 0 && list[len(list)-1] == at {
		return
	}
	s.at[k] = append(list, at)
	for len(s.at) > maxSightings && s.mask != math.MaxUint64 {
		s.mask = s.mask<<1 | 1
		for x := range s.at {
			if x.address&s.mask != 0 {
				delete(s.at, x)
			}
		}
	}
}

// phase gives the second within the quarter of an hour.
func phase(at int64) int64 { return ((at % quarter) + quarter) % quarter }

// compare gives the logs whose daemon lives in another zone than its host, and what the report says of them.
func (d *daemons) compare(hosts []*seenHost) (zones map[daemonLog]ownZone, told []casefile.Clock) {
	if d == nil {
		return nil, nil
	}
	zones = map[daemonLog]ownZone{}
	for log, s := range d.logs {
		h, ref := hosts[log.host], d.sure[log.host]
		if ref == nil || h.Zone == nil {
			continue
		}
		zone, ahead, pairs, ok := s.zone(ref, h.Zone)
		if !ok {
			continue
		}
		l := d.label[log]
		zones[log] = ownZone{zone, fmt.Sprintf("%s, by %d moments at which other logs of this host tell of the same addresses", zone, pairs)}
		told = append(told, casefile.Clock{Source: l[0], Zone: zone.String(), From: casefile.PairedEvents, Skew: float64(ahead), Error: together, Pairs: pairs, Clock: l[1], Against: "other logs of " + h.label()})
	}
	return zones, told
}

// inUTC stands among the shifts for "as UTC wants", which is another number of seconds in summer than in winter.
const inUTC = math.MaxInt64

// zone finds the one zone that makes a log's times fit those of the reference: UTC, or one with another fixed offset. ahead is by how many seconds the host's zone makes
// the log's times too late. Where a second zone fits half as often, nothing is said.
func (s *sightings) zone(ref *sightings, own *time.Location) (zone *time.Location, ahead int64, pairs int, ok bool) {
	votes := map[int64]int{} // by how many seconds the log's time must be moved
	voters := map[int64]map[uint64]bool{}
	var newest int64
	for k, times := range s.at {
		fits := map[int64]bool{}
		for _, at := range times {
			newest = max(newest, at)
			for _, t := range ref.near(k) {
				if q, ok := shift(at, t, own); ok {
					fits[q] = true
				}
			}
		}
		for q := range fits {
			votes[q]++
			if voters[q] == nil {
				voters[q] = map[uint64]bool{}
			}
			voters[q][k.address] = true
		}
	}
	best := int64(0)
	for q, n := range votes {
		if n > votes[best] || n == votes[best] && q > best {
			best = q
		}
	}
	for q, n := range votes {
		if q != best && n*2 > votes[best] {
			return nil, 0, 0, false
		}
	}
	if best == 0 || len(voters[best]) < enoughOthers || votes[best] < enoughPairs || votes[best] < clearly*(votes[0]+1) {
		return nil, 0, 0, false
	}
	_, offset := time.Unix(newest, 0).In(own).Zone()
	if best == inUTC {
		return time.UTC, -int64(offset), votes[best], true
	}
	there := int64(offset) - best
	return time.FixedZone(fmt.Sprintf("UTC%+03d:%02d", there/3600, max(there%3600, -(there%3600))/60), int(there)), -best, votes[best], true
}

// shift gives by how many whole quarters of an hour a log's time must be moved to be that of another log.
func shift(at, to int64, own *time.Location) (int64, bool) {
	q := int64(math.Round(float64(to-at)/quarter)) * quarter
	if off := to - at - q; off > together || -off > together || q > farthest || -q > farthest {
		return 0, false
	}
	if _, offset := time.Unix(at, 0).In(own).Zone(); q == int64(offset) && q != 0 {
		return inUTC, true
	}
	return q, true
}

// near gives the times at which an address was seen in the same second of a quarter, or just beside it.
func (s *sightings) near(k sighting) (out []int64) {
	for d := int64(-together); d <= together; d++ {
		out = append(out, s.at[sighting{k.address, phase(k.second + d)}]...)
	}
	return out
}
