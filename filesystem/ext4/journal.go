package ext4

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/bin"
)

// The journal (jbd2) is a ring of blocks, kept in an inode of the filesystem. All of its own numbers are
// big-endian. A transaction is descriptor blocks, each followed by the blocks that it describes; revoke
// blocks; and a commit block. Source: include/linux/jbd2.h, fs/jbd2/recovery.c (6.12).
const (
	journalMagic  = 0xc03b3998
	journalHead   = 12 // bytes, journal_header_t
	journalInode  = 8  // EXT4_JOURNAL_INO
	journalSuper  = 1024
	journalCRCAt  = 0xfc
	maxJournal    = 1 << 22 // blocks that are taken in: 16 GiB of 4 KiB, far more than mke2fs makes
	minFastBlocks = 256     // JBD2_DEFAULT_FAST_COMMIT_BLOCKS

	journalDescriptor = 1
	journalCommit     = 2
	journalSuperV1    = 3
	journalSuperV2    = 4
	journalRevoke     = 5

	journalRevokes  = 0x1 // feature bits
	journal64Bit    = 0x2
	journalAsync    = 0x4
	journalCsum2    = 0x8
	journalCsum3    = 0x10
	journalFast     = 0x20
	journalIncompat = journalRevokes | journal64Bit | journalAsync | journalCsum2 | journalCsum3 | journalFast

	tagEscape   = 1 // the block began with the journal's magic, which was put to zero
	tagSameUUID = 2
	tagLast     = 8
)

var errNoJournal = errors.New("no journal")

// journal is the ring, with what its superblock says.
type journal struct {
	f        *FS
	runs     []run // of the journal's inode
	blocks   int64 // of the ring, the superblock's included
	first    int64 // of the log
	end      int64 // behind the log: the blocks for fast commits lie behind it
	start    int64 // where replaying begins, 0 for a clean one
	sequence uint32
	incompat uint32
	seed     uint32
}

// openJournal reads the journal's superblock.
func (f *FS) openJournal() (*journal, error) {
	if f.sb.compat&compatHasJournal == 0 {
		return nil, errNoJournal
	}
	in, err := f.journalRecord()
	if err != nil {
		return nil, err
	}
	m := f.mapRecord(in)
	j := &journal{f: f, runs: m.runs, blocks: in.size / f.blockSize}
	b := make([]byte, f.blockSize)
	if _, err := j.read(0, b); err != nil {
		return nil, fmt.Errorf("journal superblock: %w", err)
	}
	return j, j.super(b)
}

// journalRecord gives the journal's inode, or the copy of its map that the superblock keeps.
func (f *FS) journalRecord() (*inode, error) {
	if f.sb.journalInode == 0 {
		return nil, fmt.Errorf("the journal lies on another device: %w", filesystem.ErrNotSupported)
	}
	in, err := f.inode(filesystem.Inode(f.sb.journalInode))
	if err == nil && in.fileType() == filesystem.Regular && in.size >= 2*f.blockSize {
		return &in, nil
	}
	c := bin.Little(f.sb.journalBackup)
	c.Skip(15 * 4)
	high, low := c.U32(), c.U32()
	size := int64(high)<<32 | int64(low)
	if c.Err() != nil || size < 2*f.blockSize || size > maxJournal*f.blockSize {
		return nil, fmt.Errorf("inode %d is no journal, and the superblock's copy of it neither: %w", f.sb.journalInode, errNoJournal)
	}
	in = inode{number: f.sb.journalInode, raw: make([]byte, oldInodeSize), size: size, mode: 8 << 12}
	copy(in.raw[iBlockAt:], f.sb.journalBackup[:iBlockSize])
	if bin.Little(in.iblock()).U16() == extentMagic {
		in.flags = flagExtents
	}
	return &in, nil
}

func (j *journal) super(b []byte) error {
	c := bin.Big(b)
	magic, kind := c.U32(), c.U32()
	if magic != journalMagic || kind != journalSuperV1 && kind != journalSuperV2 {
		return fmt.Errorf("its superblock has no magic number: %w", errNoJournal)
	}
	size, length, first := int64(c.Skip(4).U32()), int64(c.U32()), int64(c.U32())
	j.sequence, j.start = c.U32(), int64(c.U32())
	if kind == journalSuperV2 {
		j.incompat = c.Seek(0x28).U32()
		j.seed = crc32c(^uint32(0), b[0x30:0x40])
	}
	if size != j.f.blockSize {
		return fmt.Errorf("the journal's blocks have %d bytes, the filesystem's %d: %w", size, j.f.blockSize, errNoJournal)
	}
	if rest := j.incompat &^ journalIncompat; rest != 0 {
		return fmt.Errorf("journal: incompatible features %#x: %w", rest, filesystem.ErrNotSupported)
	}
	j.blocks = min(j.blocks, length, maxJournal)
	j.first, j.end = max(first, 1), j.blocks
	if j.incompat&journalFast != 0 {
		n := int64(c.Seek(0x54).U32())
		if n == 0 {
			n = minFastBlocks
		}
		j.end -= min(n, j.blocks)
	}
	if j.end <= j.first || j.start >= j.end {
		return fmt.Errorf("the journal has %d blocks, begins at %d and is to be replayed from %d: %w", j.blocks, j.first, j.start, errNoJournal)
	}
	return nil
}

// place gives the filesystem's block at which a block of the ring lies, 0 where it cannot be told.
func (j *journal) place(n int64) int64 {
	m := blockMap{runs: j.runs}
	i := m.find(n)
	if i >= len(j.runs) || int64(j.runs[i].first) > n || j.runs[i].phys < 0 {
		return 0
	}
	return j.runs[i].phys + n - int64(j.runs[i].first)
}

// read fills b with the block n of the ring and gives where it lies.
func (j *journal) read(n int64, b []byte) (int64, error) {
	p := j.place(n)
	if p <= 0 || p >= j.f.blocks {
		return 0, damage(0, 0, "block %d of the journal has no place in the filesystem", n)
	}
	return p, j.f.readAt(b, p*j.f.blockSize)
}

// next goes on in the ring.
func (j *journal) next(n int64) int64 {
	if n++; n >= j.end {
		return j.first
	}
	return n
}

// header reads what the ring's own blocks begin with.
func header(b []byte) (kind, sequence uint32, ok bool) {
	if len(b) < journalHead || binary.BigEndian.Uint32(b) != journalMagic {
		return 0, 0, false
	}
	return binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:]), true
}

// tag is an entry of a descriptor: the block of the filesystem whose new content follows.
type tag struct {
	block    int64
	checksum uint32
	flags    uint32
}

func (t tag) escaped() bool { return t.flags&tagEscape != 0 }

func (j *journal) csum() bool { return j.incompat&(journalCsum2|journalCsum3) != 0 }

// tags reads a descriptor block (do_one_pass, read_tag_block).
func (j *journal) tags(b []byte, list []tag) []tag {
	const tail = 4 // bytes, jbd2_journal_block_tail
	end := len(b)
	if j.csum() {
		end -= tail
	}
	for c := bin.Big(b[:end]).Seek(journalHead); ; {
		var t tag
		var high uint32
		if t.block = int64(c.U32()); j.incompat&journalCsum3 != 0 {
			t.flags, high, t.checksum = c.U32(), c.U32(), c.U32()
		} else {
			t.checksum, t.flags = uint32(c.U16()), uint32(c.U16())
			if j.incompat&journal64Bit != 0 {
				high = c.U32()
			}
			if j.incompat&journalCsum2 != 0 {
				c.Skip(2)
			}
		}
		if j.incompat&journal64Bit != 0 {
			t.block |= int64(high&0xffff) << 32 // more has no filesystem
		}
		if t.flags&tagSameUUID == 0 {
			c.Skip(16)
		}
		if c.Err() != nil {
			return list
		}
		if list = append(list, t); t.flags&tagLast != 0 {
			return list
		}
	}
}

// tailOK checks the checksum at the end of a descriptor or revoke block.
func (j *journal) tailOK(b []byte) bool {
	if !j.csum() {
		return true
	}
	end := len(b) - 4
	sum := crc32c(j.seed, b[:end])
	return crc32c(sum, []byte{0, 0, 0, 0}) == binary.BigEndian.Uint32(b[end:])
}

// blockOK checks a logged block, as it lies in the ring, against its tag.
func (j *journal) blockOK(t tag, sequence uint32, b []byte) bool {
	if !j.csum() {
		return true
	}
	var seq [4]byte
	binary.BigEndian.PutUint32(seq[:], sequence)
	sum := crc32c(crc32c(j.seed, seq[:]), b)
	if j.incompat&journalCsum3 != 0 {
		return sum == t.checksum
	}
	return sum&0xffff == t.checksum
}

// commitOK checks a commit block's own checksum.
func (j *journal) commitOK(b []byte) bool {
	if !j.csum() {
		return true
	}
	const at = 0x10 // h_chksum[0], taken as zero
	sum := crc32c(j.seed, b[:at])
	sum = crc32c(crc32c(sum, []byte{0, 0, 0, 0}), b[at+4:])
	return sum == binary.BigEndian.Uint32(b[at:])
}

// commitTime gives when a transaction was committed, by its commit block.
func commitTime(b []byte) evidence.Time {
	c := bin.Big(b).Seek(0x30)
	sec, nsec := c.U64(), c.U32()
	if c.Err() != nil || sec == 0 || sec > math.MaxInt32<<2 || nsec >= 1e9 {
		return evidence.Time{}
	}
	return evidence.Time{Sec: int64(sec), Nsec: int32(nsec), Step: time.Nanosecond}
}

// revoked gives the blocks that a revoke block names.
func (j *journal) revoked(b []byte, f func(block int64)) {
	c := bin.Big(b).Seek(journalHead)
	n := int(c.U32())
	if n < journalHead+4 || n > len(b) {
		return
	}
	for c.Off() < n && c.Err() == nil {
		if j.incompat&journal64Bit != 0 {
			f(int64(c.U64()))
		} else {
			f(int64(c.U32()))
		}
	}
}

// before tells whether a sequence number comes before another; they wrap (tid_gt).
func before(a, b uint32) bool { return int32(a-b) < 0 }
