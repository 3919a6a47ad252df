package luks

import (
	"fmt"

	"telltale/internal/bin"
	"telltale/volume"
)

const (
	magic       = "LUKS\xba\xbe" // LUKS_MAGIC
	headerSize1 = 592            // bytes of struct luks_phdr
	slots1      = 8              // LUKS_NUMKEYS
	slotActive  = 0x00ac71f3     // LUKS_KEY_ENABLED
	digestSize1 = 20             // LUKS_DIGESTSIZE
	saltSize1   = 32             // LUKS_SALTSIZE
)

// read1 reads a LUKS1 header, which is big-endian.
func read1(m volume.Member) (*header, error) {
	b := make([]byte, headerSize1)
	if n, err := m.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	c := bin.Big(b).Skip(8)
	name, mode, hash := string(c.CString(32)), string(c.CString(32)), string(c.CString(32))
	payload, keySize := c.U32(), c.U32()
	d := digest{hash: hash, sum: c.Bytes(digestSize1), salt: c.Bytes(saltSize1), iterations: int(c.U32() & (1<<31 - 1))}
	h := &header{version: "LUKS1", uuid: printable(string(c.CString(40))), digests: []digest{d}}
	cipher := name + "-" + mode
	h.segments = []segment{{off: int64(payload) * sector, size: -1, cipher: cipher, sectorSize: sector}}
	for i := range slots1 {
		active, iterations := c.U32(), c.U32()
		salt, off, stripes := c.Bytes(saltSize1), c.U32(), c.U32()
		if active != slotActive {
			continue
		}
		s := slot{name: fmt.Sprint(i), hash: hash, stripes: int(stripes & (1<<31 - 1)), keySize: int(keySize & (1<<31 - 1)), off: int64(off) * sector, cipher: cipher, areaKey: int(keySize & (1<<31 - 1))}
		s.kdf = kdf{kind: "pbkdf2", hash: hash, iterations: int64(iterations), salt: salt}
		s.err = s.check(m.Size)
		h.slots = append(h.slots, s)
	}
	return h, c.Err()
}

// printable keeps an id fit for a name.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c <= ' ' || c > '~' || c == '/' {
			b[i] = '_'
		}
	}
	return string(b)
}
