package iso9660

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"telltale/evidence"
	"telltale/internal/bin"
)

// A directory record (ECMA-119 9.1).
const (
	minRecord = 34 // bytes

	flagDirectory = 0x02
	flagMore      = 0x80 // the file goes on in the next record
)

// record is a directory record, taken apart.
type record struct {
	at, length  int64
	extent      int64 // block of the content, behind its extended attributes
	size        int64
	time        evidence.Time
	flags       byte
	interleaved bool
	name        []byte // as it stands
	use         []byte // system use
}

func parseRecord(b []byte, at int64) (r record, ok bool) {
	if len(b) < minRecord-1 || int(b[0]) > len(b) || int(b[0]) < minRecord-1 {
		return r, false
	}
	b = b[:b[0]]
	c := bin.Little(b)
	r = record{at: at, length: int64(len(b))}
	r.extent = int64(c.Seek(2).U32()) + int64(b[1])
	r.size = int64(c.Seek(10).U32())
	r.time = shortTime(b[18:25])
	r.flags = b[25]
	r.interleaved = b[26] != 0 || b[27] != 0
	n := int(b[32])
	if 33+n > len(b) {
		return r, false
	}
	r.name = b[33 : 33+n]
	if at := 33 + n + (n+1)%2; at < len(b) {
		r.use = b[at:]
	}
	return r, true
}

// dots tells the records of the directory itself and of its parent.
func (r *record) dots() bool { return len(r.name) == 1 && r.name[0] <= 1 }

// plainName gives a name without the version that the standard puts behind it.
func (r *record) plainName(joliet bool) string {
	s := string(r.name)
	if joliet {
		s = ucs2(r.name)
	}
	if i := strings.LastIndexByte(s, ';'); i > 0 {
		if _, err := strconv.ParseUint(s[i+1:], 10, 16); err == nil {
			s = s[:i]
		}
	}
	if len(s) > 1 && !joliet {
		s = strings.TrimSuffix(s, ".")
	}
	return s
}

// ucs2 decodes big-endian text, which may hold surrogates.
func ucs2(b []byte) string {
	u := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		u = append(u, uint16(b[0])<<8|uint16(b[1]))
	}
	return strings.TrimRight(string(utf16.Decode(u)), " \x00")
}

// shortTime reads seven bytes: years since 1900, month, day, hour, minute, second, zone in quarters of an hour (9.1.5).
func shortTime(b []byte) evidence.Time {
	if len(b) < 7 || b[1] == 0 || b[2] == 0 {
		return evidence.Time{}
	}
	return when(1900+int(b[0]), int(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, int8(b[6]), time.Second)
}

// longTime reads sixteen digits and the zone (8.4.26.1). All zeros mean that the time is not recorded.
func longTime(b []byte) evidence.Time {
	if len(b) < 17 {
		return evidence.Time{}
	}
	var v [7]int
	for i, p := range [][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 12}, {12, 14}, {14, 16}} {
		n, err := strconv.ParseUint(string(b[p[0]:p[1]]), 10, 16)
		if err != nil {
			return evidence.Time{}
		}
		v[i] = int(n)
	}
	if v[1] == 0 || v[2] == 0 {
		return evidence.Time{}
	}
	return when(v[0], v[1], v[2], v[3], v[4], v[5], v[6]*int(10*time.Millisecond), int8(b[16]), 10*time.Millisecond)
}

// when takes a zone that cannot be for none: genisoimage writes -24 hours beside times after its own, and means UTC.
func when(y, mo, d, h, mi, s, ns int, zone int8, step time.Duration) evidence.Time {
	const west, east = -48, 52 // quarters of an hour
	if zone < west || zone > east {
		zone = 0
	}
	t := time.Date(y, time.Month(mo), d, h, mi, s, ns, time.UTC).Add(-time.Duration(zone) * 15 * time.Minute)
	return evidence.At(t, step)
}
