package luks

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/xts"

	"telltale/volume"
)

// mode decrypts sectors in place; it is safe for concurrent use.
type mode interface {
	decrypt(p []byte, number uint64)
}

// known tells whether a cipher can be read.
func known(spec string) error {
	switch spec {
	case "aes-xts-plain64", "aes-xts-plain", "aes-cbc-essiv:sha256", "aes-cbc-plain", "aes-cbc-plain64":
		return nil
	}
	return fmt.Errorf("cipher %.60q: %w", spec, errNotSupported)
}

// newMode makes a mode of a cipher as dm-crypt names it.
func newMode(spec string, key []byte) (mode, error) {
	if err := known(spec); err != nil {
		return nil, err
	}
	narrow := strings.HasSuffix(spec, "-plain")
	if strings.HasPrefix(spec, "aes-xts-") {
		c, err := xts.NewCipher(aes.NewCipher, key)
		if err != nil {
			return nil, fmt.Errorf("a key of %d bytes for %s", len(key), spec)
		}
		return &xtsMode{c, narrow}, nil
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("a key of %d bytes for %s", len(key), spec)
	}
	m := &cbcMode{block: c, narrow: narrow}
	if strings.HasSuffix(spec, "-essiv:sha256") {
		salt := sha256.Sum256(key)
		if m.essiv, err = aes.NewCipher(salt[:]); err != nil {
			return nil, err
		}
		clear(salt[:])
	}
	return m, nil
}

// number gives a sector's number as "plain" has it, with 32 bits, or as "plain64".
func number(n uint64, narrow bool) uint64 {
	if narrow {
		return uint64(uint32(n))
	}
	return n
}

type xtsMode struct {
	c      *xts.Cipher
	narrow bool
}

func (m *xtsMode) decrypt(p []byte, n uint64) { m.c.Decrypt(p, p, number(n, m.narrow)) }

type cbcMode struct {
	block, essiv cipher.Block
	narrow       bool
}

func (m *cbcMode) decrypt(p []byte, n uint64) {
	var iv [aes.BlockSize]byte
	binary.LittleEndian.PutUint64(iv[:], number(n, m.narrow))
	if m.essiv != nil {
		m.essiv.Encrypt(iv[:], iv[:])
	}
	cipher.NewCBCDecrypter(m.block, iv[:]).CryptBlocks(p, p)
}

// decrypted is a segment as it is read.
type decrypted struct {
	src        volume.Member
	off, size  int64
	name       string
	sectorSize int64
	tweak      uint64
	mode       mode // nil: not encrypted
}

// ReadAt decrypts whole sectors in place where p has room for them, and those at its ends apart.
func (d *decrypted) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= d.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), d.size-off)]
	for n < len(want) {
		at := off + int64(n)
		in := at % d.sectorSize
		whole := int64(len(want)-n) / d.sectorSize * d.sectorSize
		if in == 0 && whole > 0 {
			m, err := d.sectors(want[n:n+int(whole)], at)
			if n += m; err != nil {
				return n, err
			}
			continue
		}
		var room [4096]byte
		b := room[:d.sectorSize]
		m, err := d.sectors(b, at-in)
		if int64(m) > in {
			n += copy(want[n:], b[in:m])
		}
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// sectors reads whole sectors, as many as there are.
func (d *decrypted) sectors(p []byte, at int64) (int, error) {
	got, err := d.src.ReadAt(p, d.off+at)
	n := int64(got) / d.sectorSize * d.sectorSize
	if d.mode != nil {
		for i := int64(0); i < n; i += d.sectorSize {
			d.mode.decrypt(p[i:i+d.sectorSize], d.tweak+uint64((at+i)/sector))
		}
	}
	if got == len(p) {
		return got, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return int(n), lost(d.name, at+n, fmt.Sprintf("read %s: %v", d.src.Name, err))
}
