package ewf_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zlib"

	"telltale/image"
	"telltale/image/ewf"
	"telltale/image/imagetest"
)

// ex01 builds version 2 segments after the specification: no tool at hand writes them.
type ex01 struct {
	method uint16
	pack   func([]byte) []byte
	b      []byte
	prev   int64
	flags  uint32
}

func (x *ex01) begin(n int) {
	x.b = append([]byte("EVF2\x0d\x0a\x81\x00"), 2, 1, byte(x.method), 0, byte(n), 0, 0, 0)
	x.b = append(x.b, "0123456789abcdef"...)
	x.prev = 0
}

func (x *ex01) section(kind uint32, data []byte) {
	pad := -len(data) & 15
	data = append(slices.Clone(data), make([]byte, pad)...)
	sum := md5.Sum(data)
	at := int64(len(x.b) + len(data))
	d := binary.LittleEndian.AppendUint32(nil, kind)
	d = binary.LittleEndian.AppendUint32(d, 1|x.flags)
	d = binary.LittleEndian.AppendUint64(d, uint64(x.prev))
	d = binary.LittleEndian.AppendUint64(d, uint64(len(data)))
	d = binary.LittleEndian.AppendUint32(d, 64)
	d = binary.LittleEndian.AppendUint32(d, uint32(pad))
	d = append(append(d, sum[:]...), make([]byte, 12)...)
	d = binary.LittleEndian.AppendUint32(d, adler32.Checksum(d))
	x.b = append(append(x.b, data...), d...)
	x.prev = at
}

func sum32(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, adler32.Checksum(b)) }

func (x *ex01) text(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return x.pack(b)
}

const exChunk = 64 * 512

// set writes content as segments of a few chunks each.
func (x *ex01) set(content []byte, perSegment int) map[string][]byte {
	folder := map[string][]byte{}
	chunks := (len(content) + exChunk - 1) / exChunk
	for n, c := 1, 0; c < chunks; n++ {
		x.begin(n)
		x.section(1, x.text(fmt.Sprintf("1\nmain\nsn\tmd\tts\tbp\tdt\tph\nS17\tdisk\t%d\t512\tf\t1\n\n", len(content)/512)))
		x.section(2, x.text(fmt.Sprintf("1\nmain\nnm\tcn\tex\ttb\tcp\tsb\ttt\nweb\t17\tK. Hölm\t%d\t1\t64\t1700000000\n\n", chunks)))
		count := min(perSegment, chunks-c)
		table := binary.LittleEndian.AppendUint64(nil, uint64(c))
		table = append(sum32(binary.LittleEndian.AppendUint64(table, uint64(count))), make([]byte, 12)...)
		var data, entries []byte
		for range count {
			p := content[c*exChunk : min(len(content), (c+1)*exChunk)]
			data, entries = x.chunk(p, data, entries)
			c++
		}
		x.section(3, data)
		x.section(4, append(table, append(sum32(entries), make([]byte, 12)...)...))
		if c < chunks {
			x.section(0x0d, nil)
		} else {
			e := append(sum32(append(binary.LittleEndian.AppendUint32(nil, 1), make([]byte, 12)...)), make([]byte, 12)...)
			x.section(5, append(e, 5, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0))
			m, s := md5.Sum(content), sha1.Sum(content)
			x.section(8, append(sum32(m[:]), make([]byte, 12)...))
			x.section(9, append(sum32(s[:]), make([]byte, 8)...))
			x.section(0x0f, nil)
		}
		folder[fmt.Sprintf("case.Ex%02d", n)] = x.b
	}
	return folder
}

func (x *ex01) chunk(p, data, entries []byte) ([]byte, []byte) {
	off, size, flags := uint64(len(x.b)+len(data)), 0, uint32(0)
	if bytes.Equal(p, bytes.Repeat(p[:8], len(p)/8)) {
		off, flags = binary.LittleEndian.Uint64(p), 1|4
	} else if z := x.pack(p); len(z) < len(p) {
		data, size, flags = append(data, z...), len(z), 1
	} else {
		data, size, flags = append(data, sum32(slices.Clone(p))...), len(p)+4, 2
	}
	data = append(data, make([]byte, -len(data)&15)...)
	entries = binary.LittleEndian.AppendUint64(entries, off)
	entries = binary.LittleEndian.AppendUint32(entries, uint32(size))
	return data, binary.LittleEndian.AppendUint32(entries, flags)
}

func deflate(p []byte) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	z.Write(p)
	z.Close()
	return out.Bytes()
}

func TestReadsVersion2(t *testing.T) {
	content := imagetest.Content(11, 3_000_000/512*512)
	bzip := func(p []byte) []byte {
		cmd := exec.Command("bzip2", "-c")
		cmd.Stdin = bytes.NewReader(p)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tc := range []struct {
		name   string
		method uint16
		pack   func([]byte) []byte
	}{{"zlib", 1, deflate}, {"bzip2", 2, bzip}} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.method == 2 {
				imagetest.Need(t, "bzip2")
			}
			folder := (&ex01{method: tc.method, pack: tc.pack}).set(content, 30)
			d := open(t, imagetest.Mem(folder, "case.Ex01"))
			imagetest.Compare(t, d, content)
			verifies(t, d, content)
			f := facts(d)
			if f["examiner"] != "K. Hölm" || f["serial number"] != "S17" || d.(image.Describer).Info().Made.Sec != 1_700_000_000 {
				t.Errorf("%q", f)
			}
			if n := notes(d); len(n) != 1 || !strings.Contains(n[0], "2 sectors from 5 on") {
				t.Errorf("%q", n)
			}
		})
	}
}

func TestVersion2Damage(t *testing.T) {
	content := imagetest.Content(12, 90*exChunk)
	folder := (&ex01{method: 1, pack: deflate}).set(content, 30)
	middle := folder["case.Ex02"]
	delete(folder, "case.Ex02")
	_, lost := imagetest.Salvage(t, open(t, imagetest.Mem(folder, "case.Ex01")))
	if len(lost) != 1 || lost[0].Ref.Off != 30*exChunk || lost[0].Ref.Len != 30*exChunk {
		t.Errorf("a missing segment: %+v", lost)
	}
	// What is behind the sector table is cut off: the table is found by searching.
	folder["case.Ex02"] = middle[:len(middle)-64]
	imagetest.Compare(t, open(t, imagetest.Mem(folder, "case.Ex01")), content)
	folder["case.Ex02"] = middle[:len(middle)-37]
	imagetest.Compare(t, open(t, imagetest.Mem(folder, "case.Ex01")), content)
}

func TestEncryptedVersion2IsRefused(t *testing.T) {
	folder := (&ex01{method: 1, pack: deflate, flags: 2}).set(make([]byte, exChunk), 1)
	_, err := ewf.Format().Open(t.Context(), imagetest.Mem(folder, "case.Ex01"), nil)
	if !errors.Is(err, image.ErrEncrypted) {
		t.Errorf("%v", err)
	}
}
