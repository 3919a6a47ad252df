// Package luks opens volumes encrypted with LUKS1 and LUKS2, given a passphrase or the content of a key
// file, and decrypts their sectors as they are read. Headers that lie apart from their data, hardware
// keys (tokens), authenticated encryption and a re-encryption under way are named and not read. Neither
// passphrases nor keys ever stand in notes or errors. Sizes and offsets are in bytes.
//
// Source: LUKS On-Disk Format Specification 1.2.3; LUKS2 On-Disk Format Specification 1.1.1; Linux 6.1,
// drivers/md/dm-crypt.c.
package luks

import (
	"context"
	"errors"
	"fmt"

	"telltale/evidence"
	"telltale/internal/limit"
	"telltale/volume"
	"telltale/volume/internal/raid"
)

const (
	sector   = 512 // bytes, in which offsets and initial vectors count
	maxTries = 16  // passphrases and key files asked for: the one who is asked stops earlier
)

var (
	errNone         = errors.New("no LUKS header")
	errNotSupported = errors.New("not supported")
	errWrongKey     = errors.New("no key slot opens with it")
)

// header is what LUKS1 and LUKS2 have in common.
type header struct {
	version  string // "LUKS1", "LUKS2"
	uuid     string
	label    string
	slots    []slot
	digests  []digest
	segments []segment
	notes    []string
}

// slot holds a volume key, encrypted with a key made from a passphrase.
type slot struct {
	name    string
	kdf     kdf
	hash    string // of the anti-forensic merge
	stripes int
	keySize int    // bytes of the volume key
	off     int64  // of the key material
	cipher  string // "aes-xts-plain64", of the key material
	areaKey int    // bytes of the key of the key material
	digests []int  // those that check its key; nil: all
	err     error  // why it cannot be used
}

// digest checks a volume key.
type digest struct {
	hash       string
	iterations int
	salt, sum  []byte
}

// segment is a run of encrypted bytes.
type segment struct {
	off, size  int64 // size -1: to the end
	cipher     string
	sectorSize int
	tweak      uint64 // added to the sectors' numbers
	digest     int    // of its key; -1 for bytes that are not encrypted
}

// Manager describes the member.
func Manager() volume.Manager {
	return volume.Manager{Name: "luks", Doc: "encrypted volumes (LUKS1, LUKS2)", Probe: probe, Make: open}
}

func probe(m volume.Member) bool {
	_, err := find(m)
	return !errors.Is(err, errNone)
}

// find looks for either version's header.
func find(m volume.Member) (*raw, error) {
	var head [8]byte
	if n, _ := m.ReadAt(head[:], 0); n == len(head) && string(head[:6]) == magic && head[6] == 0 && head[7] == 1 { // what cannot be read is none
		return &raw{version: 1}, nil
	}
	return find2(m)
}

func open(ctx context.Context, ms []volume.Member, o volume.Options) (vs []volume.Volume, notes []string, err error) {
	for _, m := range ms {
		if err := ctx.Err(); err != nil {
			return vs, notes, err
		}
		h, err := read(m, o.Budget)
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s is encrypted, and its header cannot be used: %v", m.Name, err))
			continue
		}
		v, err := h.unlock(ctx, m, o)
		if err != nil {
			notes = append(notes, append(h.notes, fmt.Sprintf("%s is encrypted (%s, %s%s): %v", m.Name, h.version, h.count(), h.unusable(), err))...)
			continue
		}
		vs = append(vs, v)
	}
	return vs, notes, nil
}

func read(m volume.Member, b *limit.Budget) (*header, error) {
	r, err := find(m)
	if err != nil {
		return nil, err
	}
	if r.version == 1 {
		return read1(m)
	}
	return read2(m, r, b)
}

func (h *header) count() string {
	if len(h.slots) == 1 {
		return "1 key slot"
	}
	return fmt.Sprintf("%d key slots", len(h.slots))
}

// unusable tells of key slots that no passphrase can open here.
func (h *header) unusable() (s string) {
	for _, k := range h.slots {
		if k.err != nil {
			s += fmt.Sprintf("; slot %s: %v", k.name, k.err)
		}
	}
	return s
}

// unlock asks for secrets until all segments have their keys.
func (h *header) unlock(ctx context.Context, m volume.Member, o volume.Options) (volume.Volume, error) {
	if err := h.check(m.Size); err != nil {
		return volume.Volume{}, err
	}
	keys := make([][]byte, len(h.digests))
	defer func() {
		for _, k := range keys {
			clear(k)
		}
	}()
	for try := 0; !h.complete(keys); try++ {
		if o.Secret == nil || try == maxTries {
			return volume.Volume{}, refusal(try)
		}
		secret, err := o.Secret(fmt.Sprintf("%s (%s %s)", m.Name, h.version, h.uuid), try)
		if errors.Is(err, volume.ErrNoSecret) || err == nil && secret == nil {
			return volume.Volume{}, refusal(try)
		}
		if err != nil {
			return volume.Volume{}, err
		}
		err = h.try(ctx, m, secret, keys, o.Budget)
		clear(secret)
		if err != nil && !errors.Is(err, errWrongKey) {
			return volume.Volume{}, err
		}
	}
	return h.volume(m, keys)
}

func refusal(tries int) error {
	if tries == 0 {
		return volume.ErrNoSecret
	}
	return fmt.Errorf("%w (of %d given)", errWrongKey, tries)
}

// complete tells whether all segments have their keys.
func (h *header) complete(keys [][]byte) bool {
	for _, s := range h.segments {
		if s.digest >= 0 && keys[s.digest] == nil {
			return false
		}
	}
	return true
}

// check refuses what cannot be read whatever the passphrase is, before anybody is asked for it.
func (h *header) check(size int64) error {
	if len(h.segments) == 0 {
		return fmt.Errorf("its header names no data: %w", errNotSupported)
	}
	for i, s := range h.segments {
		if s.digest >= len(h.digests) {
			return fmt.Errorf("segment %d has no digest", i)
		}
		if s.digest >= 0 {
			if err := known(s.cipher); err != nil {
				return err
			}
		}
		if s.off <= 0 || s.off >= size {
			return fmt.Errorf("its data begin at byte %d of %d: the header lies apart from them (detached): %w", s.off, size, errNotSupported)
		}
		if s.size < 0 && i < len(h.segments)-1 {
			return fmt.Errorf("segment %d has no size and is not the last", i)
		}
	}
	return nil
}

// volume puts the segments together.
func (h *header) volume(m volume.Member, keys [][]byte) (volume.Volume, error) {
	name := "luks-" + h.uuid
	v := volume.Volume{Name: name, Notes: append(h.notes, fmt.Sprintf("%s was encrypted (%s, %s)", m.Name, h.version, h.segments[0].cipher))}
	var legs []raid.Leg
	for _, s := range h.segments {
		size := s.size
		if size < 0 {
			size = (m.Size - s.off) / int64(s.sectorSize) * int64(s.sectorSize)
		}
		if size > m.Size-s.off {
			v.Notes = append(v.Notes, fmt.Sprintf("%s is cut: its data should go to byte %d of %d", m.Name, s.off+size, m.Size))
		}
		d := &decrypted{src: m, off: s.off, size: size, name: name, sectorSize: int64(s.sectorSize), tweak: s.tweak}
		if s.digest >= 0 {
			var err error
			if d.mode, err = newMode(s.cipher, keys[s.digest]); err != nil {
				return v, err
			}
		}
		legs = append(legs, raid.Leg{ReaderAt: d, Size: size})
	}
	if len(legs) == 1 {
		v.ReaderAt, v.Size = legs[0], legs[0].Size
		return v, nil
	}
	a, err := raid.Linear(name, legs)
	if err != nil {
		return v, err
	}
	v.ReaderAt, v.Size = a, a.Size
	return v, nil
}

// lost is damage in a volume.
func lost(name string, off int64, reason string) error {
	return &evidence.Damage{Ref: evidence.Ref{Path: name, Off: off}, Reason: reason}
}
