package kernel

import (
	"telltale/internal/cache"
	"telltale/memory"
)

// Bits of the page tables' entries that both processors have (Intel SDM, volume 3, 4.5; Arm ARM, D8.3), and where their kernels lie.
const (
	present  = 1 << 0
	highHalf = 0xff00_0000_0000_0000 // no address of the kernel is below, with four or five levels
)

// processor is how a kind of processor keeps its page tables, in pages of 4 KiB.
type processor struct {
	name     string
	levels   []int  // that it may have, in the order in which they are tried
	addrMask uint64 // of an entry's address
	whole    uint64 // the bit that tells an entry for more than a page
	set      bool   // and whether that bit is set in one, or not
	upper    int    // from which entry of the first table on addresses are of the kernel
	low      uint64 // where modules lie (Documentation/arch/x86/x86_64/mm.rst); 0 for around the kernel's image
	high     uint64
}

var (
	amd64 = processor{"amd64", []int{4, 5}, 0x000f_ffff_ffff_f000, 1 << 7, true, 256, 0xffff_ffff_a000_0000, 0xffff_ffff_ff00_0000}
	arm64 = processor{"arm64", []int{4, 3}, 0x0000_ffff_ffff_f000, 1 << 1, false, 0, 0, 0}
)

// large tells whether an entry above the last level is for all that lies below it.
func (p *processor) large(entry uint64) bool { return entry&p.whole != 0 == p.set }

// space is an address space.
type space struct {
	k      *Kernel
	cpu    *processor
	root   uint64 // physical
	levels int
	known  *cache.Cache[uint64, uint64]
}

func (k *Kernel) newSpace(root uint64, levels int) *space {
	return &space{k: k, cpu: k.cpu, root: root & k.cpu.addrMask, levels: levels, known: cache.New[uint64, uint64](keptSpaces)}
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
			return 0, ErrUnread // often: nothing is made of it
		}
		if level == 1 || level <= 3 && s.cpu.large(e) {
			in := uint64(1)<<shift - 1
			pa := e&s.cpu.addrMask&^in | page&in
			s.known.Put(page, pa, 1)
			return pa | addr&(memory.PageSize-1), nil
		}
		table = e & s.cpu.addrMask
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
		if level == s.levels && i >= uint64(s.cpu.upper) {
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
		case level <= 3 && s.cpu.large(e):
			for p := max(at, low); p <= min(at+(1<<shift-1), high); p += memory.PageSize {
				if !f(p) {
					return false
				}
			}
		default:
			if !s.tables(e&s.cpu.addrMask, level-1, low, high, at, f) {
				return false
			}
		}
	}
	return true
}
