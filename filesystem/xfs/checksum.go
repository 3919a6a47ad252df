package xfs

import (
	"encoding/binary"
	"hash/crc32"
	"sync"
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

// maxMismatches is how many places of each kind are remembered, so that one read
// twice is counted once.
const maxMismatches = 10_000

// mismatches counts the places whose checksum does not match, and damaged block maps.
type mismatches struct {
	mu     sync.Mutex
	places [structures]map[int64]struct{}
}

func (m *mismatches) add(s structure, off int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.places[s] == nil {
		m.places[s] = make(map[int64]struct{})
	}
	if len(m.places[s]) < maxMismatches {
		m.places[s][off] = struct{}{}
	}
}

func (m *mismatches) count(s structure) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.places[s])
}

// has tells whether the place was counted.
func (m *mismatches) has(s structure, off int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.places[s][off]
	return ok
}
