package btrfs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/blake2b"
)

// csumType is the kind of all checksums of a filesystem (enum btrfs_csum_type).
type csumType uint16

const (
	csumCRC32 csumType = iota
	csumXXHash
	csumSHA256
	csumBlake2
)

// The bytes that one checksum has, by its type.
var csumSizes = [...]int{csumCRC32: 4, csumXXHash: 8, csumSHA256: 32, csumBlake2: 32}

// castagnoli is a table of constants.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (t csumType) size() int { return csumSizes[t] }

// of gives the checksum of p, appended to out.
func (t csumType) of(out, p []byte) []byte {
	switch t {
	case csumXXHash:
		return binary.LittleEndian.AppendUint64(out, xxhash.Sum64(p))
	case csumSHA256:
		s := sha256.Sum256(p)
		return append(out, s[:]...)
	case csumBlake2:
		s := blake2b.Sum256(p)
		return append(out, s[:]...)
	}
	return binary.LittleEndian.AppendUint32(out, crc32.Checksum(p, castagnoli))
}

// matches checks a superblock or tree node, whose first bytes are the checksum of the rest.
func (t csumType) matches(b []byte) bool { return t.equal(b[:t.size()], b[csumSize:]) }

func (t csumType) equal(want, p []byte) bool {
	var room [csumSize]byte
	return bytes.Equal(t.of(room[:0], p), want)
}

// nameHash is the hash that directory entries and attributes are filed under (btrfs_name_hash).
func nameHash(name []byte) uint64 { return uint64(^crc32.Update(1, castagnoli, name)) }
