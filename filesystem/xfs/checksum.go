package xfs

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli is a table of constants.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the CRC-32C of b with the four bytes at crcAt taken for zeros.
func checksum(b []byte, crcAt int) uint32 {
	var zero [4]byte
	sum := crc32.Update(0, castagnoli, b[:crcAt])
	sum = crc32.Update(sum, castagnoli, zero[:])
	return crc32.Update(sum, castagnoli, b[crcAt+4:])
}

// checksumOK tells whether b bears its checksum at crcAt. Checksums alone are
// little-endian in this format.
func checksumOK(b []byte, crcAt int) bool {
	return len(b) >= crcAt+4 && binary.LittleEndian.Uint32(b[crcAt:]) == checksum(b, crcAt)
}

// structure is a kind of metadata that bears a checksum.
type structure uint8

const (
	superStructure structure = iota
	agStructure
	inodeStructure
	dirStructure
	treeStructure
	xattrStructure
	symlinkStructure
	mapStructure // a file's block map, damaged in any way
	structures
)

var structureNames = [structures]string{"superblock", "allocation group header", "inode", "directory block", "tree block", "xattr block", "symlink block", "block map"}
