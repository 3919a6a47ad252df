package btrfs

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"telltale/filesystem"
	"telltale/internal/bin"
)

// The superblock (struct btrfs_super_block).
const (
	superSize     = 4096 // bytes
	superMagicAt  = 0x40
	superDevAt    = 0xc9
	superLabelAt  = 0x12b
	superChunksAt = 0x32b
	superChunks   = 2048 // bytes of sys_chunk_array, BTRFS_SYSTEM_CHUNK_ARRAY_SIZE
	superBackupAt = 0xb2b
	backupSize    = 168 // bytes, struct btrfs_root_backup
	backups       = 4
	superMagic    = "_BHRfS_M"
	csumSize      = 32 // bytes, BTRFS_CSUM_SIZE
	maxNodeSize   = 64 << 10
	maxSectorSize = 64 << 10
	maxDevices    = 4096
)

// Where the superblock and its copies lie on every device (btrfs_sb_offset).
var superOffsets = [...]int64{64 << 10, 64 << 20, 256 << 30}

// errNoSuper says that the bytes are no superblock, or one that makes no sense.
var errNoSuper = errors.New("no usable superblock")

type uuid [16]byte

func (u uuid) String() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// text gives "" for none.
func (u uuid) text() string {
	if u == (uuid{}) {
		return ""
	}
	return u.String()
}

// pointer leads to the root node of a tree.
type pointer struct {
	at         int64 // logical
	generation uint64
	level      uint8
}

// backup is one of the four sets of older roots that a superblock keeps.
type backup struct {
	root, chunk pointer
}

type superblock struct {
	off        int64 // where it was found on its device
	fsid       uuid
	metadata   uuid // that tree nodes bear
	flags      uint64
	generation uint64
	root       pointer
	chunk      pointer
	log        pointer
	total      uint64 // bytes of all devices
	rootDir    uint64
	devices    uint64
	sector     int64
	node       int64
	compatRO   uint64
	incompat   uint64
	csum       csumType
	label      string
	system     []byte // sys_chunk_array
	backups    [backups]backup
	device     deviceItem
}

// deviceItem tells of one device (struct btrfs_dev_item).
type deviceItem struct {
	id, total uint64
	uuid      uuid
}

const deviceItemSize = 98 // bytes

func readDeviceItem(c *bin.Cursor) (d deviceItem) {
	d.id, d.total = c.U64(), c.U64()
	copy(d.uuid[:], c.Skip(50).Bytes(16))
	c.Skip(16)
	return d
}

// readSuper reads the superblock's copy at off.
func readSuper(r io.ReaderAt, size, off int64) (*superblock, error) {
	if off > size-superSize {
		return nil, fmt.Errorf("superblock at byte %d lies beyond the end of the source at %d: %w", off, size, errNoSuper)
	}
	raw := make([]byte, superSize)
	if n, err := r.ReadAt(raw, off); n < len(raw) {
		return nil, fmt.Errorf("read superblock at byte %d: %w", off, err)
	}
	s, err := parseSuper(raw, off)
	if err != nil {
		return s, fmt.Errorf("superblock at byte %d: %w", off, err)
	}
	return s, nil
}

func parseSuper(b []byte, off int64) (*superblock, error) {
	c := bin.Little(b)
	if string(c.Seek(superMagicAt).Bytes(8)) != superMagic {
		return nil, fmt.Errorf("no magic number: %w", errNoSuper)
	}
	s := &superblock{off: off}
	copy(s.fsid[:], c.Seek(0x20).Bytes(16))
	at := c.U64()
	s.flags = c.U64()
	s.generation = c.Skip(8).U64()
	s.root = pointer{at: int64(c.U64()), generation: s.generation}
	s.chunk.at, s.log.at = int64(c.U64()), int64(c.U64())
	s.total = c.Skip(8).U64()
	s.rootDir = c.Skip(8).U64()
	s.devices = c.U64()
	s.sector, s.node = int64(c.U32()), int64(c.U32())
	system := c.Skip(8).U32()
	s.chunk.generation = c.U64()
	s.compatRO = c.Skip(8).U64()
	s.incompat = c.U64()
	s.csum = csumType(c.U16())
	s.root.level, s.chunk.level, s.log.level = c.U8(), c.U8(), c.U8()
	s.device = readDeviceItem(c)
	s.label = string(c.Seek(superLabelAt).CString(256))
	s.metadata = s.fsid
	if meta := c.Seek(0x23b).Bytes(16); s.incompat&incompatMetadataUUID != 0 {
		copy(s.metadata[:], meta)
	}
	chunks := c.Seek(superChunksAt).Bytes(superChunks)
	for i := range s.backups {
		s.backups[i] = readBackup(c.Seek(superBackupAt + i*backupSize))
	}
	switch {
	case c.Err() != nil:
		return nil, c.Err()
	case int(s.csum) >= len(csumSizes):
		return nil, fmt.Errorf("csum_type %d: %w", s.csum, filesystem.ErrNotSupported)
	case !s.csum.matches(b):
		return nil, fmt.Errorf("does not match its checksum: %w", errNoSuper)
	case at != uint64(off):
		return nil, fmt.Errorf("says it lies at byte %d: %w", at, errNoSuper)
	case system > superChunks:
		return nil, fmt.Errorf("sys_chunk_array_size is %d: %w", system, errNoSuper)
	}
	s.system = chunks[:system]
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, s.supported()
}

func readBackup(c *bin.Cursor) (k backup) {
	k.root = pointer{at: int64(c.U64()), generation: c.U64()}
	k.chunk = pointer{at: int64(c.U64()), generation: c.U64()}
	c.Skip(64 + 24 + 32)
	k.root.level, k.chunk.level = c.U8(), c.U8()
	return k
}

func (s *superblock) check() error {
	bad := func(what string, v any) error { return fmt.Errorf("%s is %v: %w", what, v, errNoSuper) }
	power := func(n, least, most int64) bool { return n >= least && n <= most && n&(n-1) == 0 }
	switch {
	case !power(s.sector, 512, maxSectorSize):
		return bad("sectorsize", s.sector)
	case !power(s.node, 4096, maxNodeSize) || s.node < s.sector:
		return bad("nodesize", s.node)
	case s.root.level >= maxLevel || s.chunk.level >= maxLevel || s.log.level >= maxLevel:
		return bad("level of a root", max(s.root.level, s.chunk.level, s.log.level))
	case s.devices == 0 || s.devices > maxDevices:
		return bad("num_devices", s.devices)
	}
	return nil
}

// newest gives a device's best superblock: the first, or a copy where the first is
// broken or older. The note says why.
func newest(r io.ReaderAt, size int64) (best *superblock, note string, err error) {
	var first error
	for i, off := range superOffsets {
		s, err := readSuper(r, size, off)
		if i == 0 {
			first = err
		}
		switch {
		case s != nil && err != nil && i == 0: // sound, but with features that are not read
			return nil, "", err
		case err != nil:
			continue
		case best == nil:
			best = s
			if i > 0 {
				note = fmt.Sprintf("the first superblock is broken (%v): its copy at byte %d is used", first, off)
			}
		case s.generation > best.generation && s.fsid == best.fsid:
			note = fmt.Sprintf("the superblock's copy at byte %d is newer (generation %d) than that at byte %d (%d): it is used", off, s.generation, best.off, best.generation)
			best = s
		}
	}
	if best == nil {
		return nil, "", first
	}
	return best, note, nil
}
