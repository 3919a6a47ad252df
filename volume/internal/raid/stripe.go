package raid

import "sort"

// zone is a part of a level 0 array that lies on the same legs throughout.
type zone struct {
	start, size int64 // bytes of the array
	legStart    int64 // where it begins on each of its legs
	legs        []Leg
}

// Stripe puts chunks on the legs in turn. Where the legs are of several sizes there are zones: what is
// beyond the end of the smallest leg lies on the others alone. original tells that the chunks of later
// zones are dealt by their number in the whole array, as Linux did before 3.14, and not by that in
// their zone. The size of a missing leg must be known, too.
func Stripe(name string, legs []Leg, chunk int64, original bool) (*Array, error) {
	if err := check(legs, chunk, 0); err != nil {
		return nil, err
	}
	zones := zonesOf(legs, chunk)
	a := &Array{name: name}
	for _, z := range zones {
		a.Size = z.start + z.size
	}
	a.piece = func(p []byte, off int64) (int, error) {
		i := sort.Search(len(zones), func(i int) bool { return zones[i].start+zones[i].size > off })
		z := zones[i]
		in, n := off-z.start, int64(len(z.legs))
		turn := in / chunk
		if original {
			turn = off / chunk
		}
		run := min(int64(len(p)), chunk-in%chunk)
		return z.legs[turn%n].some(p[:run], z.legStart+in/(chunk*n)*chunk+in%chunk)
	}
	return a, nil
}

func zonesOf(legs []Leg, chunk int64) (zones []zone) {
	ends := make([]int64, len(legs))
	for i, l := range legs {
		ends[i] = l.Size / chunk * chunk
	}
	sorted := append([]int64(nil), ends...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i] < sorted[j] })
	var start, at int64
	for _, end := range sorted {
		if end == at {
			continue
		}
		z := zone{start: start, legStart: at}
		for i, l := range legs {
			if ends[i] > at {
				z.legs = append(z.legs, l)
			}
		}
		z.size = (end - at) * int64(len(z.legs))
		zones = append(zones, z)
		start, at = start+z.size, end
	}
	return zones
}
