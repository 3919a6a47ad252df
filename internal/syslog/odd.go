package syslog

import (
	"bytes"
	"time"

	"telltale/evidence"
	"telltale/internal/logclock"
)

// odd reads stamps that no daemon writes unless it is told to: "2006 Jan _2 15:04:05" (a template of syslog-ng's, and what network devices send), "Mon Jan _2 15:04:05 2006", and seconds since 1970. The last two are
// taken only where a program with its process id follows the host, for many other logs begin so. n is 0 where it is none of them.
func odd(c *logclock.Clock, b []byte) (at evidence.Time, n int) {
	if b[0] < '0' || b[0] > '9' {
		if at, n = c.Asctime(b); n == 0 || n+1 >= len(b) || !tagged(b[n+1:]) {
			return at, 0
		}
		return at, n
	}
	digits := 0
	for digits < len(b) && digits < 11 && b[digits] >= '0' && b[digits] <= '9' {
		digits++
	}
	switch {
	case digits == 4 && len(b) > 20 && b[4] == ' ':
		day := bytes.TrimLeft(b[9:11], " ")
		if b[8] != ' ' || b[11] != ' ' || b[14] != ':' || b[17] != ':' {
			return at, 0
		}
		at, ok := c.Local(logclock.Digits(b[:4]), logclock.Month(b[5:8]), logclock.Digits(day), logclock.Digits(b[12:14]), logclock.Digits(b[15:17]), logclock.Digits(b[18:20]), 0, time.Second)
		if !ok {
			return at, 0
		}
		return at, 20
	case digits == 10 && len(b) > 12 && b[10] == ' ':
		if !tagged(b[11:]) {
			return at, 0
		}
		return evidence.Time{Sec: int64(logclock.Digits(b[:9]))*10 + int64(b[9]-'0'), Step: time.Second}, 10
	}
	return at, 0
}

// needsTag tells the stamps of odd that are taken for one by what follows them.
func needsTag(b []byte) bool {
	return len(b) > 10 && (b[3] == ' ' && b[7] == ' ' || b[10] == ' ' && logclock.Digits(b[:5]) >= 0 && logclock.Digits(b[5:10]) >= 0)
}

// tagged tells "host program[pid]: ".
func tagged(b []byte) bool {
	_, rest := word(b)
	name, _ := word(rest)
	i := bytes.IndexByte(name, '[')
	return i > 0 && bytes.HasSuffix(name, []byte("]:")) && digits(name[i+1:len(name)-2])
}
