package evidence

import (
	"cmp"
	"time"
)

// Time is an instant in UTC with its resolution. Seconds count from 1970, may be
// negative and go past the year 2262, where int64 nanoseconds end (ext4 reaches
// 2446). The zero Time means "not known".
type Time struct {
	Sec  int64
	Nsec int32         // 0 to 999,999,999
	Step time.Duration // resolution of the source: 1s, 1us, 1ns; 0 for an unknown time
}

// At gives the Time of t, known to step.
func At(t time.Time, step time.Duration) Time {
	return Time{Sec: t.Unix(), Nsec: int32(t.Nanosecond()), Step: step}
}

// Unix gives the Time of a count of seconds and nanoseconds, known to step.
func Unix(sec, nsec int64, step time.Duration) Time {
	t := time.Unix(sec, nsec)
	return Time{Sec: t.Unix(), Nsec: int32(t.Nanosecond()), Step: step}
}

// Known tells whether t is a time at all.
func (t Time) Known() bool { return t != Time{} }

// Std gives t in the standard library's form, UTC.
func (t Time) Std() time.Time { return time.Unix(t.Sec, int64(t.Nsec)).UTC() }

// Before tells whether t lies before u. Unknown times lie nowhere: the caller
// asks Known first.
func (t Time) Before(u Time) bool {
	return t.Sec < u.Sec || t.Sec == u.Sec && t.Nsec < u.Nsec
}

// Compare is -1, 0 or 1 where t lies before, at or after u, for sorting.
func (t Time) Compare(u Time) int {
	return cmp.Or(cmp.Compare(t.Sec, u.Sec), cmp.Compare(t.Nsec, u.Nsec))
}

// After tells whether t lies after u.
func (t Time) After(u Time) bool { return u.Before(t) }

// Sub gives t-u, saturated at the ends of time.Duration.
func (t Time) Sub(u Time) time.Duration { return t.Std().Sub(u.Std()) }

// Add gives t moved by d, with the same Step.
func (t Time) Add(d time.Duration) Time {
	v := At(t.Std().Add(d), t.Step)
	return v
}

// String gives RFC 3339 in UTC, with as many digits as Step deserves, or "" for
// an unknown time.
func (t Time) String() string {
	if !t.Known() {
		return ""
	}
	switch {
	case t.Step >= time.Second || t.Step == 0:
		return t.Std().Format("2006-01-02T15:04:05Z")
	case t.Step >= time.Millisecond:
		return t.Std().Format("2006-01-02T15:04:05.000Z")
	case t.Step >= time.Microsecond:
		return t.Std().Format("2006-01-02T15:04:05.000000Z")
	}
	return t.Std().Format("2006-01-02T15:04:05.000000000Z")
}

// Min gives the earlier of two times; an unknown one never wins.
func Min(t, u Time) Time {
	if !t.Known() || u.Known() && u.Before(t) {
		return u
	}
	return t
}

// Max gives the later of two times; an unknown one never wins.
func Max(t, u Time) Time {
	if !t.Known() || u.Known() && u.After(t) {
		return u
	}
	return t
}
