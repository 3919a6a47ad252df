package pkgdb

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"telltale/internal/bin"
)

// Tags of rpm's headers (rpm 4.18 include/rpm/rpmtag.h).
const (
	tagHeaderImmutable = 63
	tagSigPGP          = 259
	tagSigGPG          = 262
	tagDSAHeader       = 267
	tagRSAHeader       = 268
	tagSHA1Header      = 269
	tagSHA256Header    = 273
	tagOpenPGP         = 278
	tagName            = 1000
	tagVersion         = 1001
	tagRelease         = 1002
	tagEpoch           = 1003
	tagInstallTime     = 1008
	tagVendor          = 1011
	tagArch            = 1022
	tagOldFileNames    = 1027
	tagFileSizes       = 1028
	tagFileStates      = 1029
	tagFileModes       = 1030
	tagFileDigests     = 1035
	tagFileFlags       = 1037
	tagFileUserName    = 1039
	tagFileGroupName   = 1040
	tagSourceRPM       = 1044
	tagFileVerifyFlags = 1045
	tagDirIndexes      = 1116
	tagBaseNames       = 1117
	tagDirNames        = 1118
	tagLongFileSizes   = 5008
	tagFileCaps        = 5010
	tagFileDigestAlgo  = 5011
)

// Types of a header's values.
const (
	typeInt8        = 2
	typeInt16       = 3
	typeInt32       = 4
	typeInt64       = 5
	typeString      = 6
	typeBin         = 7
	typeStringArray = 8
	typeI18N        = 9
)

// The bounds of a header. rpm itself allows 65535 entries and 256 MiB.
const (
	maxIndex  = 65535
	maxHeader = 64 << 20
	entrySize = 16 // bytes, sizeof(struct entryInfo_s)
)

// Header is one record of rpm's database: a table of tags and the values behind it, without the magic that a package file has.
type Header struct {
	tags  map[uint32]tag
	index []byte
	data  []byte
}

type tag struct {
	kind, count uint32
	off         int
}

var errHeader = errors.New("no rpm header")

// ParseHeader takes a record apart. Values are checked when they are asked for: one that is broken does not cost the others.
func ParseHeader(b []byte) (*Header, error) {
	c := bin.Big(b)
	il, dl := c.U32(), c.U32()
	if il == 0 || il > maxIndex || dl > maxHeader {
		return nil, fmt.Errorf("%d tags and %d bytes of values: %w", il, dl, errHeader)
	}
	h := &Header{tags: make(map[uint32]tag, min(il, 256))}
	h.index = c.Bytes(int(il) * entrySize)
	h.data = c.Bytes(int(dl))
	if err := c.Err(); err != nil {
		return nil, fmt.Errorf("rpm header: %w", err)
	}
	c = bin.Big(h.index)
	for range il {
		n, kind, off, count := c.U32(), c.U32(), c.U32(), c.U32()
		if off <= dl { // the last of a tag wins: rpm adds what it learns behind what was shipped
			h.tags[n] = tag{kind, count, int(off)}
		}
	}
	return h, nil
}

// text gives a string.
func (h *Header) text(n uint32) string {
	t, ok := h.tags[n]
	if !ok || t.kind != typeString && t.kind != typeI18N && t.kind != typeStringArray {
		return ""
	}
	s, _, _ := bytes.Cut(h.data[t.off:], []byte{0})
	return string(s[:min(len(s), maxWord)])
}

func (h *Header) has(n uint32) bool { _, ok := h.tags[n]; return ok }

// words reads an array of strings one by one.
type words struct {
	b    []byte
	left uint32
}

func (h *Header) words(n uint32) words {
	t, ok := h.tags[n]
	if !ok || t.kind != typeStringArray && t.kind != typeString {
		return words{}
	}
	return words{h.data[t.off:], t.count}
}

func (w *words) next() (s []byte, ok bool) {
	if w.left == 0 {
		return nil, false
	}
	i := bytes.IndexByte(w.b, 0)
	if i < 0 {
		w.left = 0
		return nil, false
	}
	s, w.b = w.b[:i], w.b[i+1:]
	w.left--
	return s, true
}

// numbers gives an array of numbers, whatever their width.
type numbers struct {
	b     []byte
	width int
}

func (h *Header) numbers(n uint32) numbers {
	t, ok := h.tags[n]
	if !ok {
		return numbers{}
	}
	width := map[uint32]int{1: 1, typeInt8: 1, typeInt16: 2, typeInt32: 4, typeInt64: 8}[t.kind]
	if width == 0 {
		return numbers{}
	}
	b := h.data[t.off:]
	if most := uint64(t.count) * uint64(width); most < uint64(len(b)) {
		b = b[:most]
	}
	return numbers{b, width}
}

func (a numbers) at(i int) (uint64, bool) {
	if a.width == 0 || i < 0 || i >= len(a.b)/a.width {
		return 0, false
	}
	b := a.b[i*a.width:]
	switch a.width {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(binary.BigEndian.Uint16(b)), true
	case 4:
		return uint64(binary.BigEndian.Uint32(b)), true
	}
	return binary.BigEndian.Uint64(b), true
}

func (h *Header) number(n uint32) (uint64, bool) { return h.numbers(n).at(0) }

// signed tells whether the record carries a signature of whoever built the package.
func (h *Header) signed() bool {
	for _, n := range []uint32{tagRSAHeader, tagDSAHeader, tagOpenPGP, tagSigGPG, tagSigPGP} {
		if h.has(n) {
			return true
		}
	}
	return false
}

// intact holds the part that was shipped against the digest that was shipped with it; known is false where there
// is no such digest. The signature is over the same bytes.
func (h *Header) intact() (ok, known bool) {
	t, found := h.tags[tagHeaderImmutable]
	if !found || t.kind != typeBin || t.count != entrySize || entrySize > len(h.data)-t.off {
		return false, false
	}
	trailer := bin.Big(h.data[t.off : t.off+entrySize])
	trailer.Skip(8)
	back := -int64(int32(trailer.U32())) // bytes of index that were shipped
	if back <= 0 || back%entrySize != 0 || back > int64(len(h.index)) {
		return false, false
	}
	region := [][]byte{{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}, binary.BigEndian.AppendUint32(nil, uint32(back/entrySize)),
		binary.BigEndian.AppendUint32(nil, uint32(t.off+entrySize)), h.index[:back], h.data[:t.off+entrySize]}
	want, sum := h.text(tagSHA256Header), sha256.New()
	if want == "" {
		want, sum = h.text(tagSHA1Header), sha1.New()
	}
	if want == "" {
		return false, false
	}
	for _, b := range region {
		sum.Write(b)
	}
	return hex.EncodeToString(sum.Sum(nil)) == want, true
}

// Package gives what the header says of its package.
func (h *Header) Package() (Package, error) {
	p := Package{Name: h.text(tagName), Version: h.text(tagVersion), Arch: h.text(tagArch), Vendor: h.text(tagVendor), Source: h.text(tagSourceRPM), Signed: h.signed()}
	if p.Name == "" {
		return p, fmt.Errorf("a record without a name: %w", errHeader)
	}
	if r := h.text(tagRelease); r != "" {
		p.Version += "-" + r
	}
	if e, ok := h.number(tagEpoch); ok && e > 0 {
		p.Version = fmt.Sprintf("%d:%s", e, p.Version)
	}
	if t, ok := h.number(tagInstallTime); ok {
		p.Installed = unix(t)
	}
	if ok, known := h.intact(); known && !ok {
		p.doubt("its record does not fit the digest that was shipped with it")
	}
	return p, nil
}
