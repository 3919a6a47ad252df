package tamper

import (
	"fmt"
	"slices"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// What makes the beat of a monitor: so many logins, at least a minute apart, of which three in four keep the same distance, give or take a tenth.
const (
	minBeats  = 8
	minGap    = 60 // seconds
	tolerance = 10 // a part of the gap
)

// beats tells whether the times, the first ones of an address, are those of a program that comes again and again.
func (t times) beats() bool {
	if len(t) < minBeats {
		return false
	}
	sorted := slices.Sorted(slices.Values(t))
	gaps := make([]int64, 0, len(sorted))
	for i := 1; i < len(sorted); i++ {
		if d := sorted[i] - sorted[i-1]; d > 2 { // one login leaves several records
			gaps = append(gaps, d)
		}
	}
	if len(gaps) < minBeats-1 {
		return false
	}
	slices.Sort(gaps)
	middle, near := gaps[len(gaps)/2], 0
	for _, g := range gaps {
		if d := g - middle; d <= middle/tolerance && -d <= middle/tolerance {
			near++
		}
	}
	return middle >= minGap && near*4 >= len(gaps)*3
}

// filtered tells of an address that comes at a beat and of which the file never tells: log daemons are told to leave the logins of monitors out.
func (f *fold) filtered(ip string, told int64, by times) detect.Finding {
	return detect.Finding{Detection: "D60", What: detect.RecordsLost, Level: detect.Low, Rung: evidence.Witnessed, Source: ip, Path: f.current(f.auth), Count: told, First: evidence.Unix(by[0], 0, time.Second), Last: evidence.Unix(by[len(by)-1], 0, time.Second), For: f.sample[ip],
		Title:     fmt.Sprintf("%s tells nothing of %s", f.current(f.auth), ip),
		Detail:    fmt.Sprintf("another witness tells of at least %d logins or refusals", told),
		Explained: "it comes again and again at the same distance, as a monitor does, and not one line of it is there: log daemons and sshd can be told to leave such logins out"}
}
