package firewall

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"telltale/acquire/netlink"
)

// set is a set of nftables with what is in it.
type set struct {
	name     string
	elements []element
	more     bool // there are more elements than are kept, or not all could be read
}

type element struct{ from, to []byte } // to is nil for a single one

// anonymous tells a set that was written out in its rule: the kernel names them so.
func (s *set) anonymous() bool { return strings.HasPrefix(s.name, "__set") }

// Attributes of a set's elements, include/uapi/linux/netfilter/nf_tables.h.
const (
	elemsTable, elemsSet, elemsList = 1, 2, 3
	elemKey, elemFlags, elemKeyEnd  = 1, 3, 10
	flagEnd                         = 1 // NFT_SET_ELEM_INTERVAL_END
)

// raw is an element as it comes: a range is two of them, the second of which is behind its end.
type raw struct {
	key, last []byte
	end       bool
}

// parseElements reads one answer about the elements of a set.
func parseElements(b []byte) (all []raw) {
	if len(b) < nfgenSize {
		return nil
	}
	netlink.Attrs(attributes(b[nfgenSize:])[elemsList], func(typ uint16, v []byte) {
		e := attributes(v)
		key := attributes(e[elemKey])[dataValue]
		if typ != listElem || len(key) == 0 || len(all) > 2*maxElements {
			return
		}
		all = append(all, raw{bytes.Clone(key), bytes.Clone(attributes(e[elemKeyEnd])[dataValue]), netlink.Net32(e[elemFlags])&flagEnd != 0})
	})
	return all
}

// join makes elements of what came: of a set of ranges the kernel gives where each begins and where the next that is not in it does.
func (s *set) join(all []raw) {
	if len(all) > 2*maxElements {
		s.more = true
		return
	}
	slices.SortStableFunc(all, func(a, b raw) int { return bytes.Compare(a.key, b.key) })
	for i, r := range all {
		switch {
		case r.end:
			continue
		case len(r.last) > 0:
			s.elements = append(s.elements, element{r.key, r.last})
		case i+1 < len(all) && all[i+1].end:
			e := element{r.key, before(all[i+1].key)}
			if bytes.Equal(e.from, e.to) {
				e.to = nil
			}
			s.elements = append(s.elements, e)
		default:
			s.elements = append(s.elements, element{from: r.key})
		}
	}
	if len(s.elements) > maxElements {
		s.elements, s.more = s.elements[:maxElements], true
	}
}

// before gives the number before one, in network order.
func before(b []byte) []byte {
	b = bytes.Clone(b)
	for i := len(b) - 1; i >= 0; i-- {
		b[i]--
		if b[i] != 0xff {
			break
		}
	}
	return b
}

// native reads a number in the machine's own order.
func native(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }

func sorted(s []string) []string { slices.Sort(s); return s }
