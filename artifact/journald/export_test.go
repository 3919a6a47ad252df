package journald

import "encoding/binary"

// HashOf is the hash of a field's content, for the tests' writer.
func HashOf(keyed bool, id [16]byte, b []byte) uint64 {
	h := header{keyed: keyed, key: [2]uint64{binary.LittleEndian.Uint64(id[:]), binary.LittleEndian.Uint64(id[8:])}}
	return h.hash(b)
}
