package xfs

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"

	"telltale/filesystem"
	"telltale/internal/bin"
)

const (
	superMagic   = 0x58465342 // "XFSB"
	agfMagic     = 0x58414746 // "XAGF"
	agiMagic     = 0x58414749 // "XAGI"
	superSize    = 512        // bytes of it that are decoded; the smallest sector
	superCRC     = 224
	minBlockLog  = 9
	maxBlockLog  = 16
	maxSectorLog = 15
	agLogMax     = 31 // bits of a block number within a group
)

var errNoSuper = errors.New("no XFS superblock")

// superblock is struct xfs_dsb, as far as it steers the reading.
type superblock struct {
	off         int64 // where it was read
	blockLog    uint  // of the block size
	blocks      uint64
	uuid        [16]byte
	metaUUID    [16]byte // what metadata bear
	logStart    uint64   // 0: the log lies on another device
	root        uint64
	agBlocks    uint32
	agCount     uint32
	logBlocks   uint32
	versionnum  uint16
	sector      int64
	inodeLog    uint
	agLog       uint // bits of a block number within its group
	label       string
	inProgress  bool
	inodeAlign  uint32 // blocks that chunks of inodes are aligned to, 0 for none
	dirLog      uint   // of blocks in a directory block
	logSector   int64
	logUnit     uint32
	features2   uint32
	ro          uint32
	incompat    uint32
	logIncompat uint32
	rtBlocks    uint64
	checksumOK  bool
}

func (s *superblock) version() int     { return int(s.versionnum & versionMask) }
func (s *superblock) v5() bool         { return s.version() == version5 }
func (s *superblock) blockSize() int64 { return 1 << s.blockLog }
func (s *superblock) inodeSize() int64 { return 1 << s.inodeLog }
func (s *superblock) inopbLog() uint   { return s.blockLog - s.inodeLog }
func (s *superblock) agBytes() int64   { return int64(s.agBlocks) << s.blockLog }

// hasFtype tells whether directory entries bear the file's type.
func (s *superblock) hasFtype() bool {
	return s.v5() && s.incompat&incompatFtype != 0 || !s.v5() && s.versionnum&versionMore != 0 && s.features2&features2Ftype != 0
}

// readSuper reads the superblock at off. It gives it together with an error that
// wraps filesystem.ErrNotSupported where it is sound but asks for what is not read.
func readSuper(r io.ReaderAt, size, off int64) (*superblock, error) {
	if off < 0 || off > size-superSize {
		return nil, fmt.Errorf("superblock at byte %d lies beyond the end of the source at %d: %w", off, size, errNoSuper)
	}
	raw := make([]byte, 1<<maxSectorLog)
	n, err := r.ReadAt(raw[:min(int64(len(raw)), size-off)], off)
	if n < superSize {
		return nil, fmt.Errorf("read superblock at byte %d: %w", off, err)
	}
	s, err := parseSuper(raw[:n])
	if s != nil {
		s.off = off
	}
	return s, err
}

func parseSuper(raw []byte) (*superblock, error) {
	c := bin.Big(raw)
	if m := c.U32(); m != superMagic {
		return nil, fmt.Errorf("magic number %#08x: %w", m, errNoSuper)
	}
	s := &superblock{}
	blockSize := c.U32()
	s.blocks, s.rtBlocks = c.U64(), c.U64()
	copy(s.uuid[:], c.Seek(32).Bytes(16))
	s.logStart, s.root = c.U64(), c.U64()
	s.agBlocks, s.agCount = c.Seek(84).U32(), c.U32()
	s.logBlocks = c.Skip(4).U32()
	s.versionnum, s.sector = c.U16(), int64(c.U16())
	inodeSize := c.U16()
	s.label = string(c.Seek(108).CString(12))
	s.blockLog = uint(c.U8())
	s.inodeLog = uint(c.Skip(1).U8())
	s.agLog = uint(c.Skip(1).U8())
	s.inProgress = c.Seek(126).U8() != 0
	s.inodeAlign = c.Seek(180).U32()
	s.dirLog = uint(c.Seek(192).U8())
	s.logSector = int64(c.Skip(1).U16())
	s.logUnit = c.U32()
	s.features2 = c.U32()
	s.metaUUID = s.uuid
	if s.v5() {
		s.ro, s.incompat, s.logIncompat = c.Seek(212).U32(), c.U32(), c.U32()
		if s.incompat&incompatMetaUUID != 0 {
			copy(s.metaUUID[:], c.Seek(248).Bytes(16))
		}
	}
	if err := c.Err(); err != nil {
		return nil, fmt.Errorf("superblock: %w", err)
	}
	if err := s.check(blockSize, inodeSize); err != nil {
		return nil, err
	}
	s.checksumOK = !s.v5() || s.sector <= int64(len(raw)) && checksumOK(raw[:s.sector], superCRC)
	return s, s.supported()
}

// check refuses geometry that cannot be.
func (s *superblock) check(blockSize uint32, inodeSize uint16) error {
	bad := func(what string, v any) error { return fmt.Errorf("superblock: %s is %v: %w", what, v, errNoSuper) }
	switch {
	case s.blockLog < minBlockLog || s.blockLog > maxBlockLog || blockSize != 1<<s.blockLog:
		return bad("block size", blockSize)
	case s.sector < 512 || s.sector > 1<<maxSectorLog || s.sector&(s.sector-1) != 0 || s.sector > s.blockSize():
		return bad("sector size", s.sector)
	case s.inodeLog < 8 || s.inodeLog > 11 || inodeSize != 1<<s.inodeLog || s.inodeLog > s.blockLog:
		return bad("inode size", inodeSize)
	case s.agBlocks == 0 || s.agCount == 0 || s.agLog > agLogMax || s.agLog != uint(bits.Len32(s.agBlocks-1)):
		return bad("group size", s.agBlocks)
	case s.agBytes() < 4*s.sector:
		return bad("group size", s.agBlocks)
	case s.blocks > uint64(s.agBlocks)*uint64(s.agCount) || s.blocks <= uint64(s.agBlocks)*uint64(s.agCount-1):
		return bad("number of blocks", s.blocks)
	case s.blocks > 1<<62>>s.blockLog:
		return bad("number of blocks", s.blocks)
	case s.dirLog > maxBlockLog-s.blockLog:
		return bad("directory block size", int64(1)<<min(s.dirLog, 30)*s.blockSize())
	}
	return nil
}

func (s *superblock) supported() error {
	if v := s.version(); v != version4 && v != version5 {
		return fmt.Errorf("XFS version %d: %w", v, filesystem.ErrNotSupported)
	}
	if !s.v5() && s.versionnum&versionDirV2 == 0 {
		return fmt.Errorf("directories of version 1: %w", filesystem.ErrNotSupported)
	}
	if list := s.unknownIncompat(); len(list) > 0 {
		return fmt.Errorf("incompatible features %s: %w", strings.Join(list, " "), filesystem.ErrNotSupported)
	}
	return nil
}
