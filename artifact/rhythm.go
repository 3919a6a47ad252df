package artifact

import (
	"math/bits"

	"telltale/evidence"
)

// Silence is a time in which a log told nothing, in seconds since 1970.
type Silence struct{ From, To int64 }

const (
	maxSilences = 32
	aSilence    = 1800 // seconds
)

// step notes how long the log was silent before a record.
func (s *Seen) step(from, to int64) {
	d := to - from
	s.steps[min(bits.Len64(uint64(d)), len(s.steps)-1)]++
	if d < aSilence {
		return
	}
	if len(s.Silences) < maxSilences {
		s.Silences = append(s.Silences, Silence{from, to})
		return
	}
	least := 0
	for i, x := range s.Silences {
		if x.To-x.From < s.Silences[least].To-s.Silences[least].From {
			least = i
		}
	}
	if x := &s.Silences[least]; x.To-x.From < d {
		*x = Silence{from, to}
	}
}

// Usual gives the seconds within which nearly every record (999 of 1000) follows the one before, and how many records that rests on.
func (s *Seen) Usual() (seconds, records int64) {
	for _, n := range s.steps {
		records += n
	}
	var sum int64
	for i, n := range s.steps {
		if sum += n; sum > 0 && sum*1000 >= records*999 {
			return 1 << i, records
		}
	}
	return 0, records
}

// Program notes who a record is of: cron runs something every hour on nearly every server, so its lines are the heartbeat of the logs that it writes to.
func (s *Seen) Program(name []byte, t evidence.Time) {
	if len(name) < 4 || name[len(name)-1]|0x20 != 'n' && name[len(name)-1]|0x20 != 'd' {
		return
	}
	switch string(name) {
	case "CRON", "cron", "crond", "CROND", "/usr/sbin/cron", "/USR/SBIN/CRON", "/usr/sbin/crond":
	default:
		return
	}
	h := t.Sec / 3600
	if t.Sec == 0 || h == s.beat {
		return
	}
	s.beat = h
	if s.Beats == nil {
		s.Beats = map[int64]bool{}
	}
	if len(s.Beats) < maxHours {
		s.Beats[h] = true
	}
}
