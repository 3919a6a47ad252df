package xfs

import "encoding/binary"

// Reseal puts the right checksum into b at crcAt.
func Reseal(b []byte, crcAt int) { binary.LittleEndian.PutUint32(b[crcAt:], checksum(b, crcAt)) }
