package logclock

import (
	"strings"
	"time"

	"telltale/evidence"
)

// BSD reads the stamp of RFC 3164, "Jan _2 15:04:05", at the beginning of b, with the
// variants met in the field: a fraction behind the seconds, a year before or behind the
// time of day. n is how many bytes it takes; 0 where there is none.
func (c *Clock) BSD(b []byte) (t evidence.Time, n int) {
	if len(b) < 15 || b[3] != ' ' {
		return t, 0
	}
	month, day := Month(b), 0
	switch {
	case b[6] == ' ':
		day = Digits(b[4:6])
	case b[5] == ' ': // "Jan 2 15:04:05", as some daemons pad no day
		day = Digits(b[4:5])
		n = -1
	default:
		return t, 0
	}
	if month == 0 || day < 0 {
		return t, 0
	}
	n += 7
	year := 0
	if len(b) >= n+13 && b[n+4] == ' ' && b[n+7] == ':' { // "Jan _2 2006 15:04:05"
		year = Digits(b[n : n+4])
		n += 5
	}
	h, m, s, ok := timeOfDay(b[n:])
	if !ok {
		return t, 0
	}
	n += 8
	nsec, step, k := fraction(b[n:])
	n += k
	if year == 0 && len(b) >= n+6 && b[n] == ' ' && b[n+1] == '2' && b[n+2] == '0' && (b[n+5] == ' ' || b[n+5] == ':') {
		if y := Digits(b[n+1 : n+5]); y > 0 { // "Jan _2 15:04:05 2006 "
			year = y
			n += 5
		}
	}
	if year > 0 {
		t, ok = c.Local(year, month, day, h, m, s, nsec, step)
	} else {
		t, ok = c.NoYear(month, day, h, m, s, nsec, step)
	}
	if !ok {
		return t, 0
	}
	return t, n
}

// ISO reads "2006-01-02T15:04:05", with 'T' or a blank between date and time, a fraction of any
// length behind '.' or ',', and "Z", "+01:00", "+0100" or no zone at all. n is how many bytes it takes.
func (c *Clock) ISO(b []byte) (t evidence.Time, n int) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != ' ' {
		return t, 0
	}
	year, month, day := Digits(b[:4]), Digits(b[5:7]), Digits(b[8:10])
	h, m, s, ok := timeOfDay(b[11:])
	if !ok {
		return t, 0
	}
	nsec, step, k := fraction(b[19:])
	n = 19 + k
	if off, k := offset(b[n:]); k > 0 {
		n += k
		t, ok = Offset(year, time.Month(month), day, h, m, s, nsec, off, step)
	} else {
		t, ok = c.Local(year, time.Month(month), day, h, m, s, nsec, step)
	}
	if !ok {
		return t, 0
	}
	return t, n
}

// CLF reads "02/Jan/2006:15:04:05 +0100", the stamp of web access logs; some write a day below ten without its zero.
func CLF(b []byte) (t evidence.Time, n int) {
	d := 2
	if len(b) > 1 && b[1] == '/' {
		d = 1
	}
	if len(b) < d+24 || b[d] != '/' || b[d+4] != '/' || b[d+9] != ':' || b[d+18] != ' ' {
		return t, 0
	}
	h, m, s, ok := timeOfDay(b[d+10:])
	off, k := offset(b[d+19:])
	if !ok || k != 5 {
		return t, 0
	}
	t, ok = Offset(Digits(b[d+5:d+9]), Month(b[d+1:d+4]), Digits(b[:d]), h, m, s, 0, off, time.Second)
	if !ok {
		return t, 0
	}
	return t, d + 24
}

// TAI64N reads the stamp of multilog(8), '@' and 24 hexadecimal digits: seconds of the atomic time TAI since 1970 plus 2^62, and nanoseconds.
// It counts the ten seconds by which TAI was ahead in 1970 and no leap seconds, as the tool that writes it does.
func TAI64N(b []byte) (t evidence.Time, n int) {
	if len(b) < 25 || b[0] != '@' {
		return t, 0
	}
	var sec, nsec uint64
	for i, c := range b[1:25] {
		d := strings.IndexByte("0123456789abcdef", c)
		if d < 0 {
			return t, 0
		}
		if i < 16 {
			sec = sec<<4 | uint64(d)
		} else {
			nsec = nsec<<4 | uint64(d)
		}
	}
	const zero = 1<<62 + 10
	if sec < zero || sec > zero+1<<33 || nsec >= 1e9 {
		return t, 0
	}
	return evidence.Time{Sec: int64(sec - zero), Nsec: int32(nsec), Step: time.Nanosecond}, 25
}

// Asctime reads "Mon Jan _2 15:04:05 2006", and with a fraction "Mon Jan _2 15:04:05.000000 2006"; the blank before a day of one digit is
// lost where somebody joined words by one blank.
func (c *Clock) Asctime(b []byte) (t evidence.Time, n int) {
	if len(b) < 23 || b[3] != ' ' || b[7] != ' ' {
		return t, 0
	}
	end := 10 // of the day
	if b[9] == ' ' && b[8] != ' ' {
		end = 9
	}
	h, m, s, ok := timeOfDay(b[end+1:])
	if !ok || b[end] != ' ' {
		return t, 0
	}
	nsec, step, k := fraction(b[end+9:])
	n = end + 9 + k
	if len(b) < n+5 || b[n] != ' ' {
		return t, 0
	}
	t, ok = c.Local(Digits(b[n+1:n+5]), Month(b[4:7]), Digits(b[8:end]), h, m, s, nsec, step)
	if !ok {
		return t, 0
	}
	return t, n + 5
}

func timeOfDay(b []byte) (h, m, s int, ok bool) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, 0, 0, false
	}
	h, m, s = Digits(b[:2]), Digits(b[3:5]), Digits(b[6:8])
	return h, m, s, h >= 0 && m >= 0 && s >= 0
}

// fraction reads ".123456"; step tells how fine it is.
func fraction(b []byte) (nsec int32, step time.Duration, n int) {
	if len(b) < 2 || b[0] != '.' && b[0] != ',' {
		return 0, time.Second, 0
	}
	step = time.Second
	n = 1
	for ; n < len(b) && b[n] >= '0' && b[n] <= '9'; n++ {
		if n <= 9 {
			step /= 10
			nsec += int32(b[n]-'0') * int32(step)
		}
	}
	if n == 1 {
		return 0, time.Second, 0
	}
	return nsec, max(step, 1), n
}

// offset reads "Z", "+01:00" or "+0100", in seconds east of UTC.
func offset(b []byte) (seconds, n int) {
	if len(b) > 0 && b[0] == 'Z' {
		return 0, 1
	}
	if len(b) < 5 || b[0] != '+' && b[0] != '-' {
		return 0, 0
	}
	n = 5
	mm := b[3:5]
	if b[3] == ':' {
		if len(b) < 6 {
			return 0, 0
		}
		n, mm = 6, b[4:6]
	}
	h, m := Digits(b[1:3]), Digits(mm)
	if h < 0 || m < 0 {
		return 0, 0
	}
	seconds = h*3600 + m*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, n
}
