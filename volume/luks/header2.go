package luks

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"telltale/internal/bin"
	"telltale/internal/limit"
	"telltale/volume"
)

const (
	magic2        = "SKUL\xba\xbe" // of the second header
	binarySize    = 4096           // bytes of struct luks2_hdr_disk; the JSON text follows
	sumAt         = 448            // csum[64] in it
	minHeader     = 16 << 10       // bytes of a whole header: where the second begins is how long the first is
	maxHeader     = 4 << 20
	maxSlots      = 32 // LUKS2_KEYSLOTS_MAX
	maxSegments   = 32 // LUKS2_SEGMENT_MAX
	defaultSector = 512
)

var errChecksum = errors.New("it does not match its checksum")

// raw is a header as it lies there.
type raw struct {
	version int
	at      int64
	seqid   uint64
	uuid    string
	label   string
	text    []byte // JSON
	second  bool
	why     error // why the first was not used
}

// find2 gives the newer of the two headers of LUKS2 that is whole.
func find2(m volume.Member) (*raw, error) {
	first, firstErr := readBinary(m, 0, magic)
	second, secondErr := (*raw)(nil), errNone
	for at := int64(minHeader); at <= maxHeader && second == nil; at *= 2 {
		r, err := readBinary(m, at, magic2)
		if err == nil && (firstErr == nil || !errors.Is(firstErr, errNone) || remains(m, r.uuid)) {
			second, secondErr = r, nil
		} else if !errors.Is(err, errNone) && secondErr == errNone {
			secondErr = err
		}
	}
	switch {
	case firstErr == nil && (second == nil || second.seqid <= first.seqid):
		return first, nil
	case firstErr == nil:
		second.why = fmt.Errorf("it is older, number %d; the second is number %d", first.seqid, second.seqid)
		return second, nil
	case second != nil:
		second.why = firstErr
		return second, nil
	case errors.Is(firstErr, errNone):
		return nil, errNone
	}
	return nil, fmt.Errorf("the first header: %w; the second: %w", firstErr, secondErr)
}

// remains tells whether a lone second header still is what the source holds: the first was wiped, or only
// its magic was. Under a filesystem that was made later it is a leftover.
func remains(m volume.Member, uuid string) bool {
	b := make([]byte, binarySize)
	if n, _ := m.ReadAt(b, 0); n < len(b) { // what cannot be read is neither
		return false
	}
	const uuidAt = 168
	return bytes.Count(b, b[:1]) == len(b) || string(bin.Little(b[uuidAt:]).CString(40)) == uuid
}

// readBinary reads a header with its JSON text and checks the sum of both.
func readBinary(m volume.Member, at int64, want string) (*raw, error) {
	b := make([]byte, binarySize)
	if n, err := m.ReadAt(b, at); n < len(b) || string(b[:6]) != want {
		if n >= 6 && string(b[:6]) == want {
			return nil, fmt.Errorf("it is cut: %w", err)
		}
		return nil, errNone
	}
	c := bin.Big(b).Skip(6)
	if v := c.U16(); v != 2 {
		return nil, fmt.Errorf("version %d: %w", v, errNotSupported)
	}
	size := c.U64()
	r := &raw{version: 2, at: at, seqid: c.U64(), label: string(c.CString(48)), second: at > 0}
	alg := string(c.CString(32))
	r.uuid = string(c.Skip(64).CString(40))
	if off := c.Skip(48).U64(); off != uint64(at) {
		return nil, fmt.Errorf("it says that it stands at %d", off)
	}
	if size < minHeader || size > maxHeader || size&(size-1) != 0 || int64(size) > m.Size-at {
		return nil, fmt.Errorf("it has %d bytes", size)
	}
	var err error
	r.text, err = readText(m, at, int64(size), alg)
	return r, err
}

// readText reads a whole header, whose size is within maxHeader, and gives its JSON text.
func readText(m volume.Member, at, size int64, alg string) ([]byte, error) {
	all := make([]byte, size)
	if n, err := m.ReadAt(all, at); n < len(all) {
		return nil, err
	}
	h := hashes[alg]
	if h == nil {
		return nil, fmt.Errorf("a checksum by %q: %w", alg, errNotSupported)
	}
	sum := h()
	stored := slices.Clone(all[sumAt : sumAt+sum.Size()])
	clear(all[sumAt : sumAt+64])
	sum.Write(all)
	if !bytes.Equal(sum.Sum(nil), stored) {
		return nil, errChecksum
	}
	text := all[binarySize:]
	if end := bytes.IndexByte(text, 0); end >= 0 {
		text = text[:end]
	}
	return text, nil
}

// decimal is a number that stands in quotes: JSON's own do not reach 64 bits.
type decimal string

func (d decimal) int() (int64, error) {
	n, err := strconv.ParseInt(string(d), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%.30q is no number of bytes", string(d))
	}
	return n, nil
}

// metadata is the JSON text, as far as it is read.
type metadata struct {
	Keyslots map[string]struct {
		Type    string
		KeySize int `json:"key_size"`
		AF      struct {
			Type, Hash string
			Stripes    int
		}
		Area struct {
			Type, Encryption string
			KeySize          int `json:"key_size"`
			Offset, Size     decimal
		}
		KDF struct {
			Type, Hash                     string
			Iterations, Time, Memory, CPUs int64
			Salt                           []byte
		}
	}
	Segments map[string]struct {
		Type, Encryption string
		Offset, Size     decimal
		Tweak            decimal `json:"iv_tweak"`
		SectorSize       int     `json:"sector_size"`
		Integrity        *struct{ Type string }
		Flags            []string
	}
	Digests map[string]struct {
		Type, Hash         string
		Keyslots, Segments []string
		Iterations         int
		Salt, Digest       []byte
	}
	Tokens map[string]struct{ Type string }
	Config struct {
		Requirements struct{ Mandatory []string }
	}
}

func read2(m volume.Member, r *raw, b *limit.Budget) (*header, error) {
	const times = 8 // what is made of a text takes some times its size
	if err := b.Take(times*int64(len(r.text)), "LUKS2 metadata"); err != nil {
		return nil, err
	}
	defer b.Give(times * int64(len(r.text)))
	var d metadata
	if err := json.Unmarshal(r.text, &d); err != nil {
		return nil, fmt.Errorf("its JSON text: %w", err)
	}
	h := &header{version: "LUKS2", uuid: printable(r.uuid), label: r.label}
	if r.second {
		h.notes = append(h.notes, fmt.Sprintf("%s: the second header is used, for the first: %v", m.Name, r.why))
	}
	if h.label != "" {
		h.notes = append(h.notes, fmt.Sprintf("%s has the label %q", m.Name, h.label))
	}
	if q := d.Config.Requirements.Mandatory; len(q) > 0 {
		return nil, fmt.Errorf("it requires %.200q: %w", strings.Join(q, ", "), errNotSupported)
	}
	if len(d.Keyslots) > maxSlots || len(d.Segments) > maxSegments || len(d.Digests) > maxSlots+maxSegments {
		return nil, fmt.Errorf("%d key slots, %d segments, %d digests: %w", len(d.Keyslots), len(d.Segments), len(d.Digests), limit.ErrLimit)
	}
	for _, n := range numbered(d.Tokens) {
		h.notes = append(h.notes, fmt.Sprintf("%s: a token of type %.40q can open it", m.Name, d.Tokens[n].Type))
	}
	digests := numbered(d.Digests)
	for _, n := range digests {
		x := d.Digests[n]
		h.digests = append(h.digests, digest{hash: x.Hash, iterations: x.Iterations, salt: x.Salt, sum: x.Digest})
	}
	h.takeSlots(&d, digests, m.Size)
	return h, h.takeSegments(&d, digests)
}

// numbered gives the keys of a JSON object in the order of their numbers.
func numbered[T any](m map[string]T) (names []string) {
	for n := range m {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return names[:min(len(names), maxSlots+maxSegments)]
}

func (h *header) takeSlots(d *metadata, digests []string, size int64) {
	for _, n := range numbered(d.Keyslots) {
		x := d.Keyslots[n]
		s := slot{name: printable(fmt.Sprintf("%.10s", n)), hash: x.AF.Hash, stripes: x.AF.Stripes, keySize: x.KeySize, cipher: x.Area.Encryption, areaKey: x.Area.KeySize}
		s.kdf = kdf{kind: x.KDF.Type, hash: x.KDF.Hash, iterations: x.KDF.Iterations, time: x.KDF.Time, memory: x.KDF.Memory, lanes: x.KDF.CPUs, salt: x.KDF.Salt}
		for i, n2 := range digests {
			if slices.Contains(d.Digests[n2].Keyslots, n) {
				s.digests = append(s.digests, i)
			}
		}
		s.off, s.err = x.Area.Offset.int()
		switch {
		case s.err != nil:
		case x.Type != "luks2" || x.AF.Type != "luks1" || x.Area.Type != "raw":
			s.err = fmt.Errorf("a key slot of type %.30q, %.30q, %.30q: %w", x.Type, x.AF.Type, x.Area.Type, errNotSupported)
		case len(s.digests) == 0:
			s.err = errors.New("it is bound to no segment")
		default:
			s.err = s.check(size)
		}
		h.slots = append(h.slots, s)
	}
}

func (h *header) takeSegments(d *metadata, digests []string) error {
	for _, n := range numbered(d.Segments) {
		x := d.Segments[n]
		if slices.ContainsFunc(x.Flags, func(f string) bool { return strings.HasPrefix(f, "backup-") }) {
			continue
		}
		s := segment{size: -1, cipher: x.Encryption, sectorSize: x.SectorSize, digest: -1}
		var err error
		if s.off, err = x.Offset.int(); err != nil {
			return fmt.Errorf("segment %.10q: %w", n, err)
		}
		if x.Size != "dynamic" {
			if s.size, err = x.Size.int(); err != nil {
				return fmt.Errorf("segment %.10q: %w", n, err)
			}
		}
		switch {
		case x.Integrity != nil:
			return fmt.Errorf("segment %.10q has integrity of type %.30q: %w", n, x.Integrity.Type, errNotSupported)
		case x.Type == "linear":
			s.sectorSize = defaultSector
		case x.Type != "crypt":
			return fmt.Errorf("segment %.10q is of type %.30q: %w", n, x.Type, errNotSupported)
		case s.sectorSize < 512 || s.sectorSize > 4096 || s.sectorSize&(s.sectorSize-1) != 0:
			return fmt.Errorf("segment %.10q has sectors of %d bytes: %w", n, s.sectorSize, errNotSupported)
		default:
			tweak, err := x.Tweak.int()
			if err != nil {
				return fmt.Errorf("segment %.10q: %w", n, err)
			}
			s.tweak = uint64(tweak)
			s.digest = slices.IndexFunc(digests, func(n2 string) bool { return slices.Contains(d.Digests[n2].Segments, n) })
			if s.digest < 0 {
				return fmt.Errorf("segment %.10q has no digest", n)
			}
		}
		h.segments = append(h.segments, s)
	}
	return nil
}

// hashes are those that headers may name. Whirlpool and others are refused by name.
var hashes = map[string]newHash{"sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New, "ripemd160": ripemd}
