package luks

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"math"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/pbkdf2"
	"golang.org/x/crypto/ripemd160" // LUKS1's default hash once

	"telltale/internal/limit"
	"telltale/volume"
)

// What a header may ask for. cryptsetup's own bound of memory is four times as high; its defaults
// end at 1 GiB, and within two seconds of the machine that made the header.
const (
	maxIterations  = 100_000_000                  // of PBKDF2, a key slot's: about a minute
	maxMemory      = 1 << (18 + 2*(^uint(0)>>63)) // KiB of Argon2: 1 GiB, a quarter of it on 32-bit machines
	maxTime        = 1 << 26                      // KiB times passes of Argon2: a minute or so
	maxLanes       = 16                           // threads of Argon2; cryptsetup has four at most
	maxKeySize     = 512                          // bytes
	maxStripes     = 8192                         // all headers have 4000
	maxMaterial    = 4 << 20                      // bytes of a key slot's key material
	maxDigestSum   = 64                           // bytes
	maxDigestIters = 10_000_000
)

type newHash = func() hash.Hash

func ripemd() hash.Hash { return ripemd160.New() }

// kdf makes a key out of a passphrase.
type kdf struct {
	kind         string // "pbkdf2", "argon2i", "argon2id"
	hash         string
	iterations   int64
	time, memory int64 // memory in KiB
	lanes        int64
	salt         []byte
}

func (k *kdf) check() error {
	switch k.kind {
	case "pbkdf2":
		if hashes[k.hash] == nil {
			return fmt.Errorf("hash %.30q: %w", k.hash, errNotSupported)
		}
		if k.iterations < 1 || k.iterations > maxIterations {
			return fmt.Errorf("%d iterations of PBKDF2, of at most %d: %w", k.iterations, maxIterations, limit.ErrLimit)
		}
	case "argon2i", "argon2id":
		if k.memory < 1 || k.memory > maxMemory {
			return fmt.Errorf("%s with %d KiB of memory, of at most %d: %w", k.kind, k.memory, maxMemory, limit.ErrLimit)
		}
		if k.time < 1 || k.time > maxTime/k.memory {
			return fmt.Errorf("%s with %d passes over %d KiB: %w", k.kind, k.time, k.memory, limit.ErrLimit)
		}
		if k.lanes < 1 || k.lanes > maxLanes {
			return fmt.Errorf("%s with %d lanes: %w", k.kind, k.lanes, limit.ErrLimit)
		}
	default:
		return fmt.Errorf("key derivation %.30q: %w", k.kind, errNotSupported)
	}
	return nil
}

// derive is called after check. Argon2 takes k.memory beside the budget for as long as it runs.
func (k *kdf) derive(secret []byte, size int) []byte {
	switch k.kind {
	case "argon2i":
		return argon2.Key(secret, k.salt, uint32(k.time), uint32(k.memory), uint8(k.lanes), uint32(size))
	case "argon2id":
		return argon2.IDKey(secret, k.salt, uint32(k.time), uint32(k.memory), uint8(k.lanes), uint32(size))
	}
	return pbkdf2.Key(secret, k.salt, int(k.iterations), size, hashes[k.hash])
}

// check tells why a slot cannot be used.
func (s *slot) check(size int64) error {
	if err := s.kdf.check(); err != nil {
		return err
	}
	if err := known(s.cipher); err != nil {
		return err
	}
	if hashes[s.hash] == nil {
		return fmt.Errorf("hash %.30q: %w", s.hash, errNotSupported)
	}
	if s.keySize < 1 || s.keySize > maxKeySize || s.areaKey < 1 || s.areaKey > maxKeySize || s.stripes < 1 || s.stripes > maxStripes || s.material() > maxMaterial {
		return fmt.Errorf("keys of %d and %d bytes in %d stripes: %w", s.keySize, s.areaKey, s.stripes, limit.ErrLimit)
	}
	if s.off <= 0 || s.off > size || s.material() > size-s.off {
		return fmt.Errorf("its key material of %d bytes at %d does not lie in the source of %d", s.material(), s.off, size)
	}
	return nil
}

// material gives the bytes of the key material, which are whole sectors.
func (s *slot) material() int64 {
	return (int64(s.keySize)*int64(s.stripes) + sector - 1) / sector * sector
}

// try opens key slots with a secret, until all segments have their keys.
func (h *header) try(ctx context.Context, m volume.Member, secret []byte, keys [][]byte, b *limit.Budget) error {
	found := false
	for i := range h.slots {
		s := &h.slots[i]
		if s.err != nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		key, err := s.open(m, secret, b)
		if err != nil {
			return fmt.Errorf("key slot %s: %w", s.name, err)
		}
		fits := false
		for d := range h.digests {
			if keys[d] == nil && (s.digests == nil || contains(s.digests, d)) && h.digests[d].fits(key) {
				keys[d], fits = key, true
			}
		}
		if !fits {
			clear(key)
		}
		if found = found || fits; found && h.complete(keys) {
			return nil
		}
	}
	if !found {
		return errWrongKey
	}
	return nil
}

func contains(list []int, n int) bool {
	for _, x := range list {
		if x == n {
			return true
		}
	}
	return false
}

// open gives what a slot holds, which is the volume key where the secret is right.
func (s *slot) open(m volume.Member, secret []byte, b *limit.Budget) ([]byte, error) {
	n := s.material()
	if err := b.Take(n, "key material"); err != nil {
		return nil, err
	}
	defer b.Give(n)
	material := make([]byte, n)
	defer clear(material)
	if got, err := m.ReadAt(material, s.off); int64(got) < n {
		return nil, fmt.Errorf("read the key material: %w", err)
	}
	key := s.kdf.derive(secret, s.areaKey)
	defer clear(key)
	c, err := newMode(s.cipher, key)
	if err != nil {
		return nil, err
	}
	for i := int64(0); i < n; i += sector {
		c.decrypt(material[i:i+sector], uint64(i/sector))
	}
	return s.merge(material), nil
}

// merge puts a key together that was spread over stripes so that losing one bit of them loses it
// (AF_merge).
func (s *slot) merge(material []byte) []byte {
	key, h := make([]byte, s.keySize), hashes[s.hash]()
	for i := range s.stripes {
		subtle.XORBytes(key, key, material[i*s.keySize:])
		if i < s.stripes-1 {
			diffuse(key, h)
		}
	}
	return key
}

// diffuse replaces a block by the hashes of its parts, each behind its number.
func diffuse(b []byte, h hash.Hash) {
	var sum []byte
	for i := 0; len(b) > 0; i++ {
		n := min(h.Size(), len(b))
		h.Reset()
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(i)))
		h.Write(b[:n])
		sum = h.Sum(sum[:0])
		copy(b[:n], sum)
		b = b[n:]
	}
	clear(sum)
}

// fits tells whether a key is the one that was digested.
func (d *digest) fits(key []byte) bool {
	h := hashes[d.hash]
	if h == nil || d.iterations < 1 || d.iterations > maxDigestIters || len(d.sum) < 16 || len(d.sum) > maxDigestSum || d.iterations > math.MaxInt32 {
		return false
	}
	return subtle.ConstantTimeCompare(pbkdf2.Key(key, d.salt, d.iterations, len(d.sum), h), d.sum) == 1
}
