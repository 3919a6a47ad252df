package kernel

import (
	"fmt"

	"telltale/internal/cache"
	"telltale/memory"
)

// Bits of the page tables' entries (Intel SDM, volume 3, 4.5; include/asm/pgtable_types.h).
const (
	present  = 1 << 0
	large    = 1 << 7
	addrMask = 0x000ffffffffff000
	highHalf = 0xff00_0000_0000_0000 // no address of the kernel is below, with four or five levels
)

// space is an address space.
type space struct {
	k      *Kernel
	root   uint64 // physical
	levels int
	known  *cache.Cache[uint64, uint64]
}

func (k *Kernel) newSpace(root uint64, levels int) *space {
	return &space{k: k, root: root & addrMask, levels: levels, known: cache.New[uint64, uint64](keptSpaces)}
}

// translate gives the physical address.
func (s *space) translate(addr uint64) (uint64, error) {
	page := addr &^ (memory.PageSize - 1)
	if pa, ok := s.known.Get(page); ok {
		return pa | addr&(memory.PageSize-1), nil
	}
	table := s.root
	for level := s.levels; level > 0; level-- {
		shift := 12 + 9*(level-1)
		var b [8]byte
		if err := s.k.phys(b[:], table+addr>>shift&511*8); err != nil {
			return 0, err
		}
		e := le.Uint64(b[:])
		if e&present == 0 {
			return 0, fmt.Errorf("address %#x: %w", addr, ErrUnread)
		}
		if level == 1 || level <= 3 && e&large != 0 {
			in := uint64(1)<<shift - 1
			pa := e&addrMask&^in | page&in
			s.known.Put(page, pa, 1)
			return pa | addr&(memory.PageSize-1), nil
		}
		table = e & addrMask
	}
	return 0, ErrUnread
}

// read reads at an address of the space.
func (s *space) read(p []byte, addr uint64) error {
	for len(p) > 0 {
		pa, err := s.translate(addr)
		if err != nil {
			return err
		}
		n := min(uint64(len(p)), memory.PageSize-addr%memory.PageSize)
		if err := s.k.phys(p[:n], pa); err != nil {
			return err
		}
		p, addr = p[n:], addr+n
	}
	return nil
}

// mapped calls f for each page that the space maps from low to high, in order, as long as f says to go on.
func (s *space) mapped(low, high uint64, f func(addr uint64) bool) {
	s.tables(s.root, s.levels, low, high, 0, f)
}

func (s *space) tables(table uint64, level int, low, high, base uint64, f func(uint64) bool) bool {
	shift := 12 + 9*(level-1)
	var b [memory.PageSize]byte
	if s.k.phys(b[:], table) != nil {
		return true
	}
	for i := range uint64(512) {
		at := base | i<<shift
		if level == s.levels && i >= 256 { // the upper half
			at |= ^uint64(0) << (shift + 9)
		}
		if at+(1<<shift-1) < low || at > high {
			continue
		}
		e := le.Uint64(b[i*8:])
		switch {
		case e&present == 0:
		case level == 1:
			if !f(at) {
				return false
			}
		case level <= 3 && e&large != 0:
			for p := max(at, low); p <= min(at+(1<<shift-1), high); p += memory.PageSize {
				if !f(p) {
					return false
				}
			}
		default:
			if !s.tables(e&addrMask, level-1, low, high, at, f) {
				return false
			}
		}
	}
	return true
}
