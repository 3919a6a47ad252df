package ext4

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli is a table of constants.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc32c is the kernel's form: no inversion before or after.
func crc32c(crc uint32, p []byte) uint32 { return ^crc32.Update(^crc, castagnoli, p) }

func crc32c32(crc, v uint32) uint32 {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], v)
	return crc32c(crc, b[:])
}

func crc32c64(crc uint32, v uint64) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	return crc32c(crc, b[:])
}

// crc16 is CRC-16/ARC over p (lib/crc16.c), for group descriptors of uninit_bg.
func crc16(crc uint16, p []byte) uint16 {
	for _, x := range p {
		crc ^= uint16(x)
		for range 8 {
			low := crc & 1
			crc >>= 1
			if low != 0 {
				crc ^= 0xa001
			}
		}
	}
	return crc
}

// structure is a kind of metadata that bears a checksum.
type structure uint8

const (
	superStructure structure = iota
	groupStructure
	inodeStructure
	dirStructure
	extentStructure
	xattrStructure
	orphanStructure
	mapStructure // a file's block map, damaged in any way
	structures
)

var structureNames = [structures]string{"superblock", "group descriptor", "inode", "directory block", "extent block", "xattr block", "orphan file block", "block map"}
