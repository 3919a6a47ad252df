package xfs

import (
	"encoding/binary"
	"math"
)

// stamp says where a kind of metadata of version 5 keeps its checksum, its LSN (of the
// last change that was written) and the filesystem's id. lsn is 0 where it keeps none.
type stamp struct{ crc, lsn, uuid int }

// stamps are told by the first four bytes.
var stamps = map[uint32]stamp{
	superMagic: {superCRC, 240, 32}, agfMagic: {agfCRC, 208, 64}, agiMagic: {agiCRC, 320, 296}, 0x5841464c: {32, 24, 8}, // XAFL
	bnoMagic5: {shortCRC, 24, 32}, 0x41423343: {shortCRC, 24, 32}, inoMagic5: {shortCRC, 24, 32}, // AB3C
	0x46494233: {shortCRC, 24, 32}, 0x524d4233: {shortCRC, 24, 32}, 0x52334643: {shortCRC, 24, 32}, // FIB3 RMB3 R3FC
	bmapMagic5: {longCRC, 32, 40}, symlinkMagic: {symlinkCRC, 48, 16},
	dirBlockMagic5: {dirCRC, 16, 24}, dirDataMagic5: {dirCRC, 16, 24}, 0x58444633: {dirCRC, 16, 24}, // XDF3
	remoteMagic: {remoteCRC, 0, 16},
}

// daStamps are told by the two bytes behind the siblings: leaves and nodes of
// directories and attributes.
var daStamps = map[uint16]stamp{0x3df1: {daCRC, 24, 32}, 0x3dff: {daCRC, 24, 32}, daNodeMagic5: {daCRC, 24, 32}, attrLeafMagic5: {daCRC, 24, 32}}

func stampOf(b []byte) (stamp, bool) {
	if len(b) < basicBlock {
		return stamp{}, false
	}
	s, ok := stamps[binary.BigEndian.Uint32(b)]
	if !ok {
		s, ok = daStamps[binary.BigEndian.Uint16(b[daMagicAt:])]
	}
	return s, ok
}

// newerThan tells whether a buffer on disk was written after the change with lsn.
func (f *FS) newerThan(b []byte, lsn uint64) bool {
	if !f.sb.v5() {
		return false
	}
	s, ok := stampOf(b)
	if !ok || s.lsn == 0 {
		return false
	}
	id := f.sb.metaUUID
	if s == stamps[superMagic] {
		id = f.sb.uuid
	}
	on := binary.BigEndian.Uint64(b[s.lsn:])
	return [16]byte(b[s.uuid:s.uuid+16]) == id && on != 0 && on != math.MaxUint64 && on >= lsn
}

// seal gives a buffer the checksum that the kernel would give it when it writes it.
func (f *FS) seal(b []byte) {
	if !f.sb.v5() || len(b) < basicBlock {
		return
	}
	if binary.BigEndian.Uint16(b) == inodeMagic {
		for size := int(f.sb.inodeSize()); len(b) >= size; b = b[size:] {
			sealInode(b[:size])
		}
		return
	}
	s, ok := stampOf(b)
	if !ok {
		return
	}
	piece := len(b)
	if s == stamps[remoteMagic] {
		piece = int(f.blockSize)
	}
	for ; len(b) >= piece; b = b[piece:] {
		binary.LittleEndian.PutUint32(b[s.crc:], checksum(b[:piece], s.crc))
	}
}

func sealInode(rec []byte) {
	if len(rec) >= coreV3 && binary.BigEndian.Uint16(rec) == inodeMagic && rec[4] >= 3 {
		binary.LittleEndian.PutUint32(rec[inodeCRC:], checksum(rec, inodeCRC))
	}
}
