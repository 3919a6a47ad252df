package servicelog

import (
	"bytes"
	"time"

	"telltale/artifact/internal/said"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// stamped reads the time at a line's beginning: in brackets or not, behind a name as in logfmt ("t=", "time="), behind "time":" in an object, or behind a zone's name.
func stamped(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	t = bytes.TrimLeft(t, " [<")
	if len(t) > 0 && t[0] == '{' {
		for _, name := range []string{`requestReceivedTimestamp":"`, `time":"`, `timestamp":"`, `timestamp": "`, `ts":"`} {
			if i := bytes.Index(t, []byte(name)); i >= 0 {
				at, n := c.ISO(t[i+len(name):])
				return at, n > 0
			}
		}
		return evidence.Time{}, false
	}
	if said.BeginsAny(t, []string{"level=", "lvl="}) { // logfmt in another order
		for _, name := range []string{" ts=", " time=", " t="} {
			if _, rest, ok := said.Cut(t, name); ok {
				t = rest
				break
			}
		}
	}
	for _, name := range []string{"t=", "ts=", "time=", "date=", "W>", "co ts=", "L ", "=INFO REPORT==== ", "=ERROR REPORT==== ", "=WARNING REPORT==== "} {
		if rest, ok := said.Rest(t, name); ok {
			t = bytes.TrimLeft(rest, "\" ")
			break
		}
	}
	for _, read := range []func(*logclock.Clock, []byte) (evidence.Time, bool){iso, named, slashed, dotted, counted, compact, rfc1123, ofJava, zoned} {
		if at, ok := read(c, t); ok {
			return at, true
		}
	}
	if i := bytes.IndexByte(t[:min(len(t), 40)], ' '); i > 0 { // a word before it: a zone, an address, a number of a request
		for j := i + 1; j+19 <= len(t) && j < 60; j++ {
			if t[j-1] != ' ' || t[j] < '0' || t[j] > '3' {
				continue
			}
			if at, ok := iso(c, t[j:]); ok && t[j] == '2' {
				return at, true
			}
			if at, ok := slashed(c, t[j:]); ok && t[j-2] == ']' { // Domino puts the thread before it
				return at, true
			}
		}
	}
	return evidence.Time{}, false
}

func iso(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	at, n := c.ISO(t)
	if n >= 19 && n < 30 && len(t) > n+5 && t[n] == ' ' && (t[n+1] == '+' || t[n+1] == '-') { // "2019-11-26 01:04:49.008 +08:00"
		var b [40]byte
		if zoned, k := c.ISO(b[:copy(b[copy(b[:], t[:n]):], t[n+1:min(len(t), n+7)])+n]); k > n {
			return zoned, true
		}
	}
	return at, n > 0
}

// named reads "Apr 13 08:49:20", "Wed Apr 14 08:11:01 2021", "18/Jan/2014 06:41:25", "18-Jan-2014 06:41:25" and "Apr-07-13 07:08:36".
func named(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	if at, n := c.BSD(t); n > 0 {
		return at, true
	}
	if at, n := c.Asctime(t); n > 0 {
		return at, true
	}
	if at, n := logclock.CLF(t); n > 0 {
		return at, true
	}
	switch {
	case len(t) >= 20 && (t[2] == '/' || t[2] == '-') && t[6] == t[2] && (t[11] == ' ' || t[11] == ':'):
		return local(c, logclock.Digits(t[7:11]), logclock.Month(t[3:6]), logclock.Digits(t[:2]), t[12:])
	case len(t) >= 18 && t[3] == '-' && t[6] == '-' && t[9] == ' ':
		return local(c, 2000+logclock.Digits(t[7:9]), logclock.Month(t[:3]), logclock.Digits(t[4:6]), t[10:])
	}
	return evidence.Time{}, false
}

// slashed reads "2011/11/21 14:29:16"; of "10/06/2013" nobody can say which is the month, unless one of them is none.
func slashed(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	if len(t) < 19 || t[10] != ' ' {
		return evidence.Time{}, false
	}
	if rest, ok := said.Rest(t[10:], " - "); ok && len(rest) >= 8 { // game servers: "01/31/2014 - 01:25:17: "
		t = append(append(make([]byte, 0, 19), t[:11]...), rest[:8]...)
	}
	if t[4] == '/' && t[7] == '/' {
		return local(c, logclock.Digits(t[:4]), time.Month(logclock.Digits(t[5:7])), logclock.Digits(t[8:10]), t[11:])
	}
	if (t[2] == '/' || t[2] == '-' || t[2] == '.') && t[5] == t[2] {
		first, second := logclock.Digits(t[:2]), logclock.Digits(t[3:5])
		if first > 12 || first == second || t[2] == '.' {
			return local(c, logclock.Digits(t[6:10]), time.Month(second), first, t[11:])
		}
		if second > 12 {
			return local(c, logclock.Digits(t[6:10]), time.Month(first), second, t[11:])
		}
	}
	return evidence.Time{}, false
}

// compact reads "20111121142916" before a bar.
func compact(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	if len(t) < 15 || t[14] != '|' || len(said.Number(t)) != 14 {
		return evidence.Time{}, false
	}
	return c.Local(logclock.Digits(t[:4]), time.Month(logclock.Digits(t[4:6])), logclock.Digits(t[6:8]), logclock.Digits(t[8:10]), logclock.Digits(t[10:12]), logclock.Digits(t[12:14]), 0, time.Second)
}

// dotted reads "2011.11.21 14:29:16".
func dotted(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	if len(t) < 19 || t[4] != '.' || t[7] != '.' || t[10] != ' ' {
		return evidence.Time{}, false
	}
	return local(c, logclock.Digits(t[:4]), time.Month(logclock.Digits(t[5:7])), logclock.Digits(t[8:10]), t[11:])
}

// counted reads seconds since 1970, with or without a fraction.
func counted(_ *logclock.Clock, t []byte) (evidence.Time, bool) {
	if len(t) < 12 || t[0] != '1' || t[10] != '.' && t[10] != ']' && t[10] != ' ' {
		return evidence.Time{}, false
	}
	sec := logclock.Digits(t[:10])
	if sec < 0 {
		return evidence.Time{}, false
	}
	return evidence.Time{Sec: int64(sec), Step: time.Second}, true
}

// local puts together a date and the time of day, "15:04:05", that follows it.
func local(c *logclock.Clock, year int, month time.Month, day int, clock []byte) (evidence.Time, bool) {
	if len(clock) < 8 || clock[2] != ':' || clock[5] != ':' {
		return evidence.Time{}, false
	}
	h, m, s := logclock.Digits(clock[:2]), logclock.Digits(clock[3:5]), logclock.Digits(clock[6:8])
	if min(h, m, s, day, year) < 0 || month < 1 {
		return evidence.Time{}, false
	}
	return c.Local(year, month, day, h, m, s, 0, time.Second)
}

// rfc1123 reads "Sat, 03 Jun 2023 06:39:10 GMT".
func rfc1123(_ *logclock.Clock, t []byte) (evidence.Time, bool) {
	const form = "Sat, 03 Jun 2023 06:39:10 GMT"
	if len(t) < len(form) || t[3] != ',' || string(t[26:29]) != "GMT" {
		return evidence.Time{}, false
	}
	day, year := logclock.Digits(t[5:7]), logclock.Digits(t[12:16])
	h, m, s := logclock.Digits(t[17:19]), logclock.Digits(t[20:22]), logclock.Digits(t[23:25])
	month := logclock.Month(t[8:11])
	if min(day, year, h, m, s) < 0 || month == 0 {
		return evidence.Time{}, false
	}
	return logclock.Offset(year, month, day, h, m, s, 0, 0, 1e9)
}
