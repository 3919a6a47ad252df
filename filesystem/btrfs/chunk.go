package btrfs

import (
	"fmt"
	"sort"

	"telltale/internal/bin"
)

// Profiles of chunks and block groups (BTRFS_BLOCK_GROUP_*).
const (
	groupData     = 1 << 0
	groupSystem   = 1 << 1
	groupMetadata = 1 << 2
	groupRaid0    = 1 << 3
	groupRaid1    = 1 << 4
	groupDup      = 1 << 5
	groupRaid10   = 1 << 6
	groupRaid5    = 1 << 7
	groupRaid6    = 1 << 8
	groupRaid1C3  = 1 << 9
	groupRaid1C4  = 1 << 10
	groupProfile  = 1<<11 - 1<<3
)

const (
	chunkHead   = 48 // bytes, struct btrfs_chunk without stripes
	stripeSize  = 32 // bytes, struct btrfs_stripe
	maxStripes  = 1024
	maxChunks   = 1 << 20
	stripeAlign = 64 << 10 // bytes, BTRFS_STRIPE_LEN: the only stripe_len there is
)

// chunk maps a run of logical addresses to devices.
type chunk struct {
	logical, length int64
	flags           uint64
	sub             int64 // sub_stripes: copies within raid10
	stripes         []stripe
}

type stripe struct {
	device uint64
	off    int64
	uuid   uuid
}

// place is one spot of a device. A missing device is nil.
type place struct {
	dev *device
	off int64
}

func readChunk(logical int64, b []byte) (*chunk, error) {
	c := bin.Little(b)
	k := &chunk{logical: logical, length: int64(c.U64())}
	stripeLen := c.Skip(8).U64()
	k.flags = c.U64()
	n := int(c.Skip(12).U16())
	k.sub = int64(c.U16())
	if n > maxStripes {
		return nil, fmt.Errorf("has %d stripes", n)
	}
	for range n {
		s := stripe{device: c.U64(), off: int64(c.U64())}
		copy(s.uuid[:], c.Bytes(16))
		k.stripes = append(k.stripes, s)
		if s.off < 0 {
			return nil, fmt.Errorf("stripe begins at %d", uint64(s.off))
		}
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if stripeLen != stripeAlign {
		return nil, fmt.Errorf("stripe_len is %d", stripeLen)
	}
	return k, k.check()
}

func (k *chunk) check() error {
	n := int64(len(k.stripes))
	if k.logical < 0 || k.length <= 0 || k.length > 1<<62-k.logical {
		return fmt.Errorf("has %d bytes at %d", k.length, k.logical)
	}
	ok := n >= 1
	switch k.flags & groupProfile {
	case 0:
		ok = n == 1
	case groupDup, groupRaid1, groupRaid1C3, groupRaid1C4, groupRaid0:
	case groupRaid10:
		ok = k.sub > 0 && n >= k.sub && n%k.sub == 0
	case groupRaid5:
		ok = n >= 2
	case groupRaid6:
		ok = n >= 3
	default:
		return fmt.Errorf("has unknown profile %#x", k.flags&groupProfile)
	}
	if !ok {
		return fmt.Errorf("has %d stripes, which does not fit its profile %#x", n, k.flags&groupProfile)
	}
	return nil
}

// parity gives how many stripes of each row hold no data.
func (k *chunk) parity() int64 {
	switch {
	case k.flags&groupRaid5 != 0:
		return 1
	case k.flags&groupRaid6 != 0:
		return 2
	}
	return 0
}

// columns gives how many stripes of each row hold different data.
func (k *chunk) columns() int64 {
	n := int64(len(k.stripes))
	switch k.flags & groupProfile {
	case groupRaid0:
		return n
	case groupRaid10:
		return n / k.sub
	case groupRaid5, groupRaid6:
		return n - k.parity()
	}
	return 1
}

// mirrors gives in how many ways each byte can be had; parity counts as one each.
func (k *chunk) mirrors() int {
	switch k.flags & groupProfile {
	case groupDup, groupRaid1, groupRaid1C3, groupRaid1C4:
		return len(k.stripes)
	case groupRaid10:
		return int(k.sub)
	case groupRaid5:
		return 2
	case groupRaid6:
		return 3
	}
	return 1
}

// spot is where a logical offset lies: which stripe, and where in it.
type spot struct {
	stripe int64
	off    int64 // within the stripe of the device
	run    int64 // bytes that follow there
	row    int64 // for parity
	column int64
}

// locate finds off (from the beginning of the chunk) in copy mirror.
func (k *chunk) locate(off int64, mirror int) spot {
	n, nr, in := int64(len(k.stripes)), off/stripeAlign, off%stripeAlign
	s := spot{run: min(stripeAlign-in, k.length-off)}
	switch k.flags & groupProfile {
	case groupRaid0:
		s.stripe, s.row = nr%n, nr/n
	case groupRaid10:
		groups := n / k.sub
		s.stripe, s.row = nr%groups*k.sub+int64(mirror), nr/groups
	case groupRaid5, groupRaid6:
		data := n - k.parity()
		s.row, s.column = nr/data, nr%data
		s.stripe = (s.row + s.column) % n
	default:
		return spot{stripe: int64(mirror), off: off, run: k.length - off}
	}
	s.off = s.row*stripeAlign + in
	return s
}

// chunkMap holds the chunks in order of their logical addresses, without overlap.
type chunkMap []*chunk

// find gives the chunk that holds a logical address, nil if none does.
func (m chunkMap) find(logical int64) *chunk {
	i := sort.Search(len(m), func(i int) bool { return m[i].logical > logical })
	if i == 0 || logical-m[i-1].logical >= m[i-1].length {
		return nil
	}
	return m[i-1]
}

// add puts a chunk in its place, and tells whether there was room for it.
func (m *chunkMap) add(k *chunk) bool {
	i := sort.Search(len(*m), func(i int) bool { return (*m)[i].logical >= k.logical })
	switch {
	case len(*m) >= maxChunks:
		return false
	case i < len(*m) && (*m)[i].logical-k.logical < k.length:
		return false
	case i > 0 && k.logical-(*m)[i-1].logical < (*m)[i-1].length:
		return false
	}
	*m = append(*m, nil)
	copy((*m)[i+1:], (*m)[i:])
	(*m)[i] = k
	return true
}
