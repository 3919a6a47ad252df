package kdump

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"telltale/memory/memorytest"
)

// encode writes a dump with each page packed in another way.
func encode(t testing.TB, ps []memorytest.Piece) []byte {
	const page = 4096
	le := binary.LittleEndian
	last := ps[len(ps)-1]
	pages := (last.Start + uint64(len(last.Bytes))) / page
	half := (pages/8 + page) / page * page
	head := make([]byte, page)
	copy(head, signature)
	le.PutUint32(head[8:], 6)
	for i, v := range []uint32{0, page, 1, uint32(2 * half / page), uint32(pages)} {
		le.PutUint32(head[statusAt+4*i:], v)
	}
	sub := make([]byte, page)
	note := "OSRELEASE=6.1\n"
	copy(sub[1000:], note)
	le.PutUint64(sub[noteAt:], page+1000)
	le.PutUint64(sub[noteAt+8:], uint64(len(note)))
	le.PutUint64(sub[maxMapnrAt:], pages)
	bitmap := make([]byte, half)
	var descs, data []byte
	n := uint64(0)
	for _, p := range ps {
		n += uint64(len(p.Bytes) / page)
	}
	at := uint64(2*page) + 2*half + n*descSize
	i := 0
	for _, p := range ps {
		for b := p.Bytes; len(b) > 0; b = b[page:] {
			pfn := (p.Start + uint64(len(p.Bytes)-len(b))) / page
			bitmap[pfn/8] |= 1 << (pfn % 8)
			packed, flags := pack(t, b[:page], i)
			descs = le.AppendUint64(descs, at+uint64(len(data)))
			descs = le.AppendUint32(descs, uint32(len(packed)))
			descs = le.AppendUint64(le.AppendUint32(descs, flags), 0)
			data = append(data, packed...)
			i++
		}
	}
	return bytes.Join([][]byte{head, sub, bitmap, bitmap, descs, data}, nil)
}

func pack(t testing.TB, b []byte, i int) ([]byte, uint32) {
	switch i % 4 {
	case 0:
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		w.Write(b)
		w.Close()
		return z.Bytes(), packedZlib
	case 1:
		return snappy.Encode(nil, b), packedSnappy
	case 2:
		w, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return w.EncodeAll(b, nil), packedZstd
	}
	return b, 0
}

// TestLZO: a page as makedumpfile -l packs it: four letters, then what stands four bytes before, for the rest of the page.
func TestLZO(t *testing.T) {
	d := &dump{page: 4096}
	packed := append([]byte{17 + 4, 'm', 'e', 'm', 'o', 0x20}, append(make([]byte, 15), 234, 0x0c, 0, 0x11, 0, 0)...)
	b, err := d.unpack(packed, packedLZO)
	if err != nil || string(b) != strings.Repeat("memo", 1024) {
		t.Errorf("%d %q %v", len(b), b[:min(len(b), 40)], err)
	}
	if _, err := d.unpack(packed[:len(packed)-10], packedLZO); err == nil {
		t.Error("a page that is cut was unpacked")
	}
}

// flatten writes the flattened form: the header last, and once before with zeros, as makers do.
func flatten(b []byte) []byte {
	out := append([]byte(flatSignature), make([]byte, flatHeader-len(flatSignature))...)
	put := func(at int64, p []byte) {
		out = binary.BigEndian.AppendUint64(out, uint64(at))
		out = append(binary.BigEndian.AppendUint64(out, uint64(len(p))), p...)
	}
	put(0, make([]byte, 4096))
	for off := 4096; off < len(b); off += 5000 {
		if p := b[off:min(off+5000, len(b))]; len(bytes.Trim(p, "\x00")) > 0 {
			put(int64(off), p)
		}
	}
	put(0, b[:4096])
	return append(out, bytes.Repeat([]byte{0xff}, 16)...)
}

func TestReads(t *testing.T) {
	b := encode(t, memorytest.Pieces())
	for name, b := range map[string][]byte{"as it lies": b, "flattened": flatten(b)} {
		d := memorytest.Open(t, Format(), b)
		memorytest.Compare(t, d, memorytest.Pieces())
		if f := d.Facts(); string(f.VMCoreInfo) != "OSRELEASE=6.1\n" || len(f.Damage) != 0 || len(d.Ranges()) != 2 {
			t.Errorf("%s: %+v %v", name, f, d.Ranges())
		}
		if at := d.Where(0x4000 - 1); at < 0 || at > int64(len(b)) {
			t.Errorf("%s: the third page at %d", name, at)
		}
	}
}

func TestCut(t *testing.T) {
	b := encode(t, memorytest.Pieces())
	d := memorytest.Open(t, Format(), b[:len(b)-300])
	memorytest.Compare(t, d, memorytest.Pieces()[:1])
	f := flatten(b)
	if d = memorytest.Open(t, Format(), f[:len(f)-16]); len(d.Facts().Damage) != 1 {
		t.Error(d.Facts())
	}
}

func FuzzOpen(f *testing.F) {
	b := encode(f, memorytest.Pieces()[:1])
	memorytest.Fuzz(f, Format(), b, flatten(b))
}
