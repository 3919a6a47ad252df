package mdraid

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/internal/bin"
	"telltale/volume"
)

const (
	sector = 512        // bytes
	magic  = 0xa92b4efc // MD_SB_MAGIC

	superSize  = 4096      // bytes read for a superblock: MD_SB_BYTES, and the most a 1.x one takes
	reserved90 = 64 << 10  // MD_RESERVED_BYTES: where 0.90's superblock stands, from the end
	fixed1     = 256       // bytes of struct mdp_superblock_1 before dev_roles
	maxRoles   = 1920      // MD_SB_DISKS of version 1: what fits behind them
	maxBBLog   = 128 << 10 // bytes of a bad block list: bblog_size counts up to 255 sectors
	words90    = 1024      // 32-bit words of a 0.90 superblock
	maxDisks90 = 27        // MD_SB_DISKS of version 0
)

// Bits of feature_map (md_p.h).
const (
	featureBitmap        = 1 << 0
	featureRecovery      = 1 << 1
	featureReshape       = 1 << 2
	featureBadBlocks     = 1 << 3
	featureReplacement   = 1 << 4
	featureBackwards     = 1 << 5
	featureNewOffset     = 1 << 6
	featureRecoverBitmap = 1 << 7
	featureClustered     = 1 << 8
	featureJournal       = 1 << 9
	featurePPL           = 1 << 10
	featureMultiplePPLs  = 1 << 11
	featureRaid0Layout   = 1 << 12
	featuresKnown        = 1<<13 - 1
)

// Roles that are not a place in the array (MD_DISK_ROLE_*).
const (
	roleSpare   = 0xffff
	roleFaulty  = 0xfffe
	roleJournal = 0xfffd
)

// errChecksum says that a superblock was damaged or changed by hand.
var errChecksum = errors.New("the superblock does not match its checksum")

// super is what a superblock says.
type super struct {
	at       int64  // where it stands
	version  string // "0.90", "1.0", "1.1", "1.2"
	uuid     [16]byte
	name     string
	created  evidence.Time
	updated  evidence.Time
	level    int
	layout   uint32
	chunk    int64 // bytes
	size     int64 // bytes used of each member; 0 where the level uses all
	disks    int
	events   uint64
	role     int // place in the array or one of role*
	features uint32
	dirty    bool // it was not stopped in order

	dataOff, dataSize int64 // bytes
	recovered         int64 // bytes of the data that are in sync, where featureRecovery is set

	reshape    int64 // position in bytes of the array
	delta      int   // disks is the number after the reshape, disks-delta that before
	newOffset  int64 // bytes from dataOff to where the data lie after the reshape
	newLayout  uint32
	newChunk   int64
	newLevel   int
	badLogAt   int64 // bytes
	badLogSize int64
	badShift   uint8
}

// find looks for a superblock where the versions keep theirs.
func find(m volume.Member) (*super, error) {
	var broken *super
	for _, at := range []int64{8 * sector, 0, (m.Size/sector - 16) &^ 7 * sector, (m.Size &^ (reserved90 - 1)) - reserved90} {
		if at < 0 || m.Size < at || m.Size-at < superSize {
			continue
		}
		b := make([]byte, superSize)
		if n, err := m.ReadAt(b, at); n < len(b) && !errors.Is(err, io.EOF) || n < fixed1 {
			continue
		}
		s, err := parse(b, at, m)
		if err == nil {
			return s, nil
		}
		if errors.Is(err, errChecksum) && broken == nil {
			broken = s
		}
	}
	if broken != nil {
		return broken, errChecksum
	}
	return nil, errNone
}

var errNone = errors.New("no superblock")

func parse(b []byte, at int64, m volume.Member) (*super, error) {
	little, big := binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b)
	major := binary.LittleEndian.Uint32(b[4:])
	switch {
	case little == magic && major == 1:
		return parse1(b, at)
	case little == magic && major == 0 && at > 0 && at%reserved90 == 0:
		return parse90(b, at, m, bin.Little)
	case big == magic && at > 0 && at%reserved90 == 0 && binary.BigEndian.Uint32(b[4:]) == 0:
		return parse90(b, at, m, bin.Big)
	}
	return nil, errNone
}

// parse1 reads versions 1.x, which are little-endian everywhere.
func parse1(b []byte, at int64) (*super, error) {
	c := bin.Little(b).Skip(8)
	s := &super{at: at, features: c.U32()}
	copy(s.uuid[:], c.Skip(4).Bytes(16))
	s.name = string(c.CString(32))
	s.created = when(c.U64())
	s.level, s.layout = int(int32(c.U32())), c.U32()
	s.size, s.chunk, s.disks = sectors(c.U64()), sectors(uint64(c.U32())), int(int32(c.U32()))
	s.newLevel = int(int32(c.Skip(4).U32()))
	s.reshape, s.delta = sectors(c.U64()), int(int32(c.U32()))
	s.newLayout, s.newChunk = c.U32(), sectors(uint64(c.U32()))
	s.newOffset = int64(int32(c.U32())) * sector
	s.dataOff, s.dataSize = sectors(c.U64()), sectors(c.U64())
	own := c.U64()
	s.recovered = sectors(c.U64())
	number := c.U32()
	s.badShift = c.Seek(185).U8()
	s.badLogSize = int64(c.U16()) * sector
	s.badLogAt = at + int64(int32(c.U32()))*sector
	s.updated = when(c.U64())
	s.events = c.U64()
	s.dirty = c.U64() != 1<<64-1 // resync_offset
	sum, roles := c.U32(), c.U32()
	// A superblock at the end of a disk may be that of its last partition.
	if own != uint64(at/sector) || roles > maxRoles {
		return nil, errNone
	}
	s.version = map[int64]string{0: "1.1", 8 * sector: "1.2"}[at]
	if s.version == "" {
		s.version = "1.0"
	}
	s.role = roleSpare
	if number < roles {
		s.role = int(c.Seek(fixed1 + int(number)*2).U16())
	}
	if c.Err() != nil || sum1(b[:fixed1+2*roles]) != sum {
		return s, errChecksum
	}
	return s, nil
}

// sum1 is calc_sb_1_csum: 32-bit words added, the carries too; sb_csum counts as zero.
func sum1(b []byte) uint32 {
	const sumAt = 216
	sum := -uint64(binary.LittleEndian.Uint32(b[sumAt:]))
	for ; len(b) >= 4; b = b[4:] {
		sum += uint64(binary.LittleEndian.Uint32(b))
	}
	if len(b) == 2 {
		sum += uint64(binary.LittleEndian.Uint16(b))
	}
	return uint32(sum) + uint32(sum>>32)
}

// parse90 reads version 0.90, which is in the order of the machine that wrote it.
func parse90(b []byte, at int64, m volume.Member, order func([]byte) *bin.Cursor) (*super, error) {
	const sumAt = 38
	word := func(i int) *bin.Cursor { return order(b).Seek(i * 4) }
	if word(2).U32() < 90 {
		return nil, errNone
	}
	s := &super{at: at, version: "0.90", dataSize: at}
	copy(s.uuid[:], word(5).Bytes(4))
	copy(s.uuid[4:], word(13).Bytes(12))
	s.created, s.updated = evidence.Unix(int64(word(6).U32()), 0, time.Second), evidence.Unix(int64(word(32).U32()), 0, time.Second)
	s.level, s.size, s.disks = int(int32(word(7).U32())), int64(word(8).U32())*1024, int(int32(word(10).U32()))
	s.name = fmt.Sprint(word(11).U32())
	s.dirty = word(33).U32()&1 == 0
	s.events = word(39).U64()
	if word(2).U32() >= 91 { // 0.91: a reshape is on its way
		s.features |= featureReshape
		s.reshape, s.newLevel, s.delta = sectors(word(44).U64()), int(int32(word(46).U32())), int(int32(word(47).U32()))
		s.newLayout, s.newChunk = word(48).U32(), int64(word(49).U32())
	}
	s.layout, s.chunk = word(64).U32(), int64(word(65).U32())
	s.role = role90(word(995).U32(), word(996).U32())
	if s.foreign(m) {
		return nil, errNone
	}
	sum := -uint64(word(sumAt).U32())
	for i := range words90 {
		sum += uint64(word(i).U32())
	}
	if uint32(sum)+uint32(sum>>32) != word(sumAt).U32() {
		return s, errChecksum
	}
	return s, nil
}

// role90 gives the place of the member whose raid_disk and state are given.
func role90(disk, state uint32) int {
	const faulty, active, sync = 1 << 0, 1 << 1, 1 << 2 // MD_DISK_*
	switch {
	case state&faulty != 0:
		return roleFaulty
	case state&(active|sync) == active|sync && disk < maxDisks90:
		return int(disk)
	}
	return roleSpare
}

// foreign tells that a 0.90 superblock at the end of a partitioned disk is that of its last partition:
// it does not say where it stands, but how much is used before it.
func (s *super) foreign(m volume.Member) bool {
	var b [sector]byte
	if n, _ := m.ReadAt(b[:], 0); n < len(b) || b[510] != 0x55 || b[511] != 0xaa { // what cannot be read is no table
		return false
	}
	const firstPartition = 63 * sector
	return s.size > 0 && s.at-s.size >= firstPartition+max(s.chunk, reserved90)
}

// when gives a time of version 1: seconds in 40 bits, microseconds above them.
func when(v uint64) evidence.Time {
	if v == 0 {
		return evidence.Time{}
	}
	return evidence.Unix(int64(v&(1<<40-1)), int64(v>>40)%1e6*1000, time.Second)
}

// sectors gives bytes; what is beyond all sources becomes a number that fails every check.
func sectors(n uint64) int64 {
	const most = 1 << 53
	return int64(min(n, most)) * sector
}

// volumeName gives the array's name as its device is called: md0, md/root. mdadm puts the name of the
// host that made the array before it.
func (s *super) volumeName() string {
	name := s.name
	if _, own, ok := strings.Cut(name, ":"); ok && s.version != "0.90" {
		name = own
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == '/' || r == 0x7f {
			return '_'
		}
		return r
	}, name)
	if name == "" {
		return fmt.Sprintf("md/%x", s.uuid)
	}
	if strings.Trim(name, "0123456789") == "" {
		return "md" + name
	}
	return "md/" + name
}

func (s *super) levelName() string {
	switch s.level {
	case levelLinear:
		return "linear"
	case levelContainer:
		return "container"
	}
	return fmt.Sprintf("raid%d", s.level)
}

// places gives how many members the array has, before a reshape or after it.
func (s *super) places() int {
	if s.features&featureReshape == 0 || s.delta > 0 && s.delta < s.disks {
		return s.disks
	}
	if s.delta > 0 || s.delta < -maxRoles {
		return maxRoles + 1
	}
	return s.disks - s.delta
}
