package vfat

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"

	"telltale/filesystem"
)

type kind uint8

const (
	fat12 kind = iota
	fat16
	fat32
	exFAT
)

func (k kind) String() string { return [...]string{"fat12", "fat16", "fat32", "exfat"}[k] }

// bootSize is how much of the boot sector is looked at, whatever sectors are.
const bootSize = 512 // bytes

// geometry is where things lie. Offsets and lengths are in bytes.
type geometry struct {
	kind     kind
	cluster  int64  // bytes of one
	clusters uint32 // how many
	data     int64  // where cluster 2 lies
	fat      int64
	fatLen   int64
	root     uint32 // first cluster; 0: at rootAt
	rootAt   int64
	rootLen  int64
	serial   uint32
	label    string
	dirty    bool
}

var errNoFAT = fmt.Errorf("no FAT: %w", filesystem.ErrNotSupported)

// parseBoot reads a boot sector. It is strict, for sectors of other filesystems and of partition tables look alike:
// all begin with a jump and end with the same two bytes. Every number must fit the others.
func parseBoot(b []byte) (geometry, error) {
	if len(b) < bootSize || b[510] != 0x55 || b[511] != 0xaa || !(b[0] == 0xeb && b[2] == 0x90 || b[0] == 0xe9) {
		return geometry{}, errNoFAT
	}
	switch string(b[3:11]) {
	case "EXFAT   ":
		return parseExFAT(b)
	case "NTFS    ", "-FVE-FS-", "ReFS\x00\x00\x00\x00":
		return geometry{}, errNoFAT
	}
	sector, per, reserved, fats := le16(b, 11), int64(b[13]), le16(b, 14), int64(b[16])
	rootEntries, media := le16(b, 17), b[21]
	total, fatLen := le16(b, 19), le16(b, 22)
	if total == 0 {
		total = le32(b, 32)
	}
	g := geometry{kind: fat16}
	if fatLen == 0 {
		g.kind, fatLen = fat32, le32(b, 36)
	}
	switch {
	case sector < 512 || sector > 4096 || bits.OnesCount64(uint64(sector)) != 1,
		per == 0 || bits.OnesCount64(uint64(per)) != 1,
		reserved == 0, fats == 0 || fats > 2, media < 0xf8 && media != 0xf0, fatLen == 0,
		(g.kind == fat32) != (rootEntries == 0), rootEntries*entrySize%sector != 0,
		g.kind == fat32 && le16(b, 42) != 0: // a version that nobody made
		return geometry{}, errNoFAT
	}
	g.fat, g.fatLen = reserved*sector, fatLen*sector
	g.rootAt, g.rootLen = g.fat+fats*g.fatLen, rootEntries*entrySize
	g.data, g.cluster = g.rootAt+g.rootLen, per*sector
	n := (total*sector - g.data) / g.cluster
	if n <= 0 || n > 0x0fff_fff5 {
		return geometry{}, errNoFAT
	}
	g.clusters = uint32(n)
	width := int64(32)
	if g.kind != fat32 {
		if width = 16; n < 4085 {
			g.kind, width = fat12, 12
		}
	}
	if g.fatLen*8/width < n+2 {
		return geometry{}, errNoFAT
	}
	ext := 36 // where what FAT32 and the others have in common begins
	if g.kind == fat32 {
		ext, g.root = 64, uint32(le32(b, 44))
	}
	g.dirty = b[ext+1]&1 != 0
	if b[ext+2] == 0x29 {
		g.serial = binary.LittleEndian.Uint32(b[ext+3:])
		if g.label = strings.TrimRight(string(b[ext+7:ext+18]), " \x00"); g.label == "NO NAME" {
			g.label = ""
		}
	}
	return g, nil
}

// parseExFAT reads exFAT's boot sector (3.1).
func parseExFAT(b []byte) (geometry, error) {
	for _, x := range b[11:64] { // where FAT has its numbers
		if x != 0 {
			return geometry{}, errNoFAT
		}
	}
	shift, per := uint(b[108]), uint(b[109])
	if shift < 9 || shift > 12 || per > 25-shift || b[110] == 0 || b[110] > 2 {
		return geometry{}, errNoFAT
	}
	length := binary.LittleEndian.Uint64(b[72:])
	g := geometry{kind: exFAT, cluster: 1 << (shift + per), fat: le32(b, 80) << shift, fatLen: le32(b, 84) << shift,
		data: le32(b, 88) << shift, clusters: uint32(le32(b, 92)), root: uint32(le32(b, 96)), serial: uint32(le32(b, 100)), dirty: b[106]&2 != 0}
	if b[110] == 2 && b[106]&1 != 0 {
		g.fat += g.fatLen
	}
	end := g.data + int64(g.clusters)*g.cluster
	if length == 0 || length > 1<<54 || g.clusters == 0 || g.clusters > 0xffff_fff5 || end>>shift > int64(length) || g.fat == 0 || g.fat >= g.data || g.fatLen/4 < int64(g.clusters)+2 {
		return geometry{}, errNoFAT
	}
	if b[105] != 1 {
		return geometry{}, fmt.Errorf("exFAT %d.%d: %w", b[105], b[104], filesystem.ErrNotSupported)
	}
	return g, nil
}
