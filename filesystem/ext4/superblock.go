package ext4

import (
	"errors"
	"fmt"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	superOffset  = 1024 // bytes from the beginning of the filesystem
	superSize    = 1024 // bytes, sizeof(struct ext4_super_block)
	superMagic   = 0xef53
	superCRCAt   = 0x3fc
	maxLogBlock  = 6 // 64 KiB blocks
	oldInodeSize = 128
	goodOldRev   = 0
	rootInode    = 2
	minDesc      = 32 // bytes, a group descriptor without 64bit
	minDesc64    = 64 // bytes, with it

	stateValid = 1 // s_state: unmounted cleanly
	stateError = 2 // s_state: the kernel met errors
)

// superblock holds the fields of struct ext4_super_block that reading needs.
type superblock struct {
	block                  int64 // where it stands, in blocks
	group                  uint32
	inodes                 uint32
	blocks                 uint64
	firstDataBlock         uint32
	logBlock, logCluster   uint32
	reservedGDT            uint16 // blocks for the table of groups to grow into
	blocksPerGroup         uint32
	inodesPerGroup         uint32
	state                  uint16
	revision               uint32
	inodeSize              uint16
	descSize               uint16
	compat, incompat, ro   uint32
	uuid                   [16]byte
	label, lastMounted     string
	firstMetaGroup         uint32
	backupGroups           [2]uint32
	lastOrphan, orphanFile uint32
	journalInode           uint32
	journalBackup          []byte // s_jnl_blocks: i_block and size of the journal's inode
	seed                   uint32
	mtime, wtime, mkfs     evidence.Time
	errors                 uint32
	firstError             evidence.Time
	firstErrorFunc         string
	firstErrorInode        uint32
	checksumOK             bool
}

func (s *superblock) blockSize() int64 { return 1024 << s.logBlock }

// groups gives how many block groups there are; parseSuper has checked the divisor.
func (s *superblock) groups() uint64 {
	n := s.blocks - uint64(s.firstDataBlock)
	return (n + uint64(s.blocksPerGroup) - 1) / uint64(s.blocksPerGroup)
}

var errNoSuper = errors.New("no ext superblock")

// parseSuper decodes a superblock and refuses one whose geometry cannot be.
func parseSuper(b []byte) (*superblock, error) {
	s := &superblock{}
	c := bin.Little(b)
	if c.Seek(0x38).U16() != superMagic {
		return nil, fmt.Errorf("magic number is not 0x%04x: %w", superMagic, errNoSuper)
	}
	s.inodes = c.Seek(0).U32()
	s.blocks = uint64(c.U32())
	s.firstDataBlock = c.Seek(0x14).U32()
	s.logBlock = c.U32()
	s.logCluster = c.U32()
	s.blocksPerGroup = c.U32()
	s.inodesPerGroup = c.Skip(4).U32()
	mtime, wtime := c.U32(), c.U32()
	s.state = c.Seek(0x3a).U16()
	s.revision = c.Seek(0x4c).U32()
	s.inodeSize = oldInodeSize
	s.descSize = minDesc
	if s.revision > goodOldRev {
		s.inodeSize = c.Seek(0x58).U16()
		s.group = uint32(c.U16())
		s.compat, s.incompat, s.ro = c.U32(), c.U32(), c.U32()
		copy(s.uuid[:], c.Bytes(16))
		s.label = string(c.CString(16))
		s.lastMounted = string(c.CString(64))
		s.later(c)
		s.mtime = superTime(mtime, c.Seek(0x275).U8())
		s.wtime = superTime(wtime, c.Seek(0x274).U8())
	} else {
		s.mtime, s.wtime = superTime(mtime, 0), superTime(wtime, 0)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	s.checksumOK = s.ro&roMetadataCsum == 0 || crc32c(^uint32(0), b[:superCRCAt]) == bin.Little(b).Seek(superCRCAt).U32()
	if s.incompat&incompatJournalDev != 0 {
		return nil, fmt.Errorf("external journal, not a filesystem: %w", filesystem.ErrNotSupported)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, s.supported()
}

// later decodes what came with ext3 and ext4.
func (s *superblock) later(c *bin.Cursor) {
	s.reservedGDT = c.Seek(0xce).U16()
	s.journalInode = c.Seek(0xe0).U32()
	s.lastOrphan = c.Seek(0xe8).U32()
	s.journalBackup = c.Seek(0x10c).Bytes(17 * 4)
	if s.incompat&incompat64Bit != 0 {
		s.descSize = c.Seek(0xfe).U16()
		s.blocks |= uint64(c.Seek(0x150).U32()) << 32
	}
	s.firstMetaGroup = c.Seek(0x104).U32()
	s.mkfs = superTime(c.U32(), c.Seek(0x276).U8())
	s.errors = c.Seek(0x194).U32()
	s.firstError = superTime(c.U32(), 0)
	s.firstErrorInode = c.U32()
	s.firstErrorFunc = string(c.Skip(8).CString(32))
	s.backupGroups = [2]uint32{c.Seek(0x24c).U32(), c.U32()}
	s.seed = c.Seek(0x270).U32()
	if s.incompat&incompatCsumSeed == 0 {
		s.seed = crc32c(^uint32(0), s.uuid[:])
	}
	s.orphanFile = c.Seek(0x280).U32()
}

func superTime(lo uint32, hi uint8) evidence.Time {
	if lo == 0 && hi == 0 {
		return evidence.Time{}
	}
	return evidence.Time{Sec: int64(hi)<<32 | int64(lo), Step: time.Second}
}

func (s *superblock) check() error {
	bad := func(what string, v any) error { return fmt.Errorf("superblock has %s %v: %w", what, v, errNoSuper) }
	if s.logBlock > maxLogBlock {
		return bad("s_log_block_size", s.logBlock)
	}
	bits := uint32(8 * s.blockSize()) // of one bitmap block
	clusters := s.ro&roBigalloc != 0  // then a group has more blocks than a bitmap has bits
	switch {
	case s.inodeSize < oldInodeSize || int64(s.inodeSize) > s.blockSize() || s.inodeSize&(s.inodeSize-1) != 0:
		return bad("s_inode_size", s.inodeSize)
	case s.blocksPerGroup == 0 || s.blocksPerGroup > bits && !clusters:
		return bad("s_blocks_per_group", s.blocksPerGroup)
	case s.inodesPerGroup == 0 || s.inodesPerGroup > bits:
		return bad("s_inodes_per_group", s.inodesPerGroup)
	case s.firstDataBlock > 1 || s.blocks <= uint64(s.firstDataBlock) || s.blocks > 1<<48:
		return bad("s_blocks_count", s.blocks)
	case s.groups() > 1<<32:
		return bad("groups", s.groups())
	case s.inodes < rootInode:
		return bad("s_inodes_count", s.inodes)
	case s.incompat&incompat64Bit != 0 && (s.descSize < minDesc || int64(s.descSize) > s.blockSize() || s.descSize&(s.descSize-1) != 0):
		return bad("s_desc_size", s.descSize)
	}
	return nil
}

// supported refuses what this reader would misread, by name.
func (s *superblock) supported() error {
	if rest := s.incompat &^ incompatKnown; rest != 0 {
		return fmt.Errorf("incompatible features %v: %w", featureNames(0, rest, 0), filesystem.ErrNotSupported)
	}
	return nil
}

// hasSuper tells whether group g holds a copy of the superblock (ext4_bg_has_super).
func (s *superblock) hasSuper(g uint64) bool {
	switch {
	case g == 0:
		return true
	case s.compat&compatSparseSuper2 != 0:
		return g == uint64(s.backupGroups[0]) || g == uint64(s.backupGroups[1])
	case g == 1 || s.ro&roSparseSuper == 0:
		return true
	}
	for _, base := range []uint64{3, 5, 7} {
		n := base
		for n < g {
			n *= base
		}
		if n == g {
			return true
		}
	}
	return false
}
