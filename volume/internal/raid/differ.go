package raid

import "bytes"

// Where a mirror is looked at: its start, which filesystems write most, and places evenly spread.
const (
	startPlaces  = 16
	spreadPlaces = 48
	Places       = startPlaces + spreadPlaces
)

// Differ looks at some places of a mirror, of probeSize bytes each, and counts those where two legs that can
// be read hold different bytes; at is the first of them. A mirror that was stopped in order differs nowhere,
// but where it was never written and never synchronised.
func Differ(legs []Leg, size int64) (n int, at int64) {
	if size < probeSize {
		return 0, 0
	}
	one, other := make([]byte, probeSize), make([]byte, probeSize)
	for i := range int64(Places) {
		off := i * probeSize
		if i >= startPlaces {
			off = size / spreadPlaces / probeSize * probeSize * (i - startPlaces)
			if off < startPlaces*probeSize {
				continue // it was looked at
			}
		}
		if off > size-probeSize || !differ(legs, off, one, other) {
			continue
		}
		if n++; n == 1 {
			at = off
		}
	}
	return n, at
}

func differ(legs []Leg, off int64, one, other []byte) bool {
	first := true
	for _, l := range legs {
		if first {
			first = l.read(one, off) != nil
		} else if l.read(other, off) == nil && !bytes.Equal(one, other) {
			return true
		}
	}
	return false
}
