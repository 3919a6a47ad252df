package btrfs_test

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"testing"
	"time"

	"telltale/filesystem"
	"telltale/filesystem/btrfs"
	"telltale/filesystem/fstest"
)

const block = 4096 // bytes of a node, and of the superblock, of the samples

// patched is an image with some blocks changed: fuzzing whole images would spend its time on zeros.
type edited struct {
	raw    []byte
	blocks map[int64][]byte
}

func (p *edited) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(p.raw)) {
		return 0, io.EOF
	}
	n := copy(b, p.raw[off:])
	for at, x := range p.blocks {
		if from := at - off; from < int64(n) && from > -block {
			copy(b[max(0, from):n], x[max(0, -from):])
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// edit changes bytes, and makes the checksum of their block right again: else every edit would end there.
func (p *edited) edit(off int64, v []byte) {
	at := off / block * block
	x := p.blocks[at]
	if x == nil {
		x = append([]byte{}, p.raw[at:at+block]...)
		p.blocks[at] = x
	}
	copy(x[off-at:], v)
	if string(x[32:48]) == string(p.raw[64<<10+32:64<<10+48]) {
		binary.LittleEndian.PutUint32(x, crc32.Checksum(x[32:], crc32.MakeTable(crc32.Castagnoli)))
	}
}

// busy gives the offsets of the 16-byte lines of metadata that are not zero.
func busy(raw []byte) (list []int64) {
	for at := int64(0); at+block <= int64(len(raw)); at += block {
		if string(raw[at+32:at+48]) != string(raw[64<<10+32:64<<10+48]) {
			continue
		}
		for i := at; i < at+block; i += 16 {
			if binary.LittleEndian.Uint64(raw[i:])|binary.LittleEndian.Uint64(raw[i+8:]) != 0 {
				list = append(list, i)
			}
		}
	}
	return list
}

// What reading one hostile image may cost.
const maxTime = 10 * time.Second

// FuzzRead reads samples that are damaged by the fuzzer: edits is a row of seven-byte
// groups, where (an index into the lines in use, and a place there) and what.
func FuzzRead(f *testing.F) {
	var images [][]byte
	var lines [][]int64
	for i, path := range samples(f) {
		raw := unpack(f, path)
		images = append(images, raw)
		lines = append(lines, busy(raw))
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{3, 0, 1, 0xff, 0xff, 0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, which uint8, edits []byte) {
		i := int(which) % len(images)
		src := &edited{images[i], make(map[int64][]byte)}
		for n := 0; len(edits) >= 7 && n < 32; n++ {
			line := lines[i][int(binary.LittleEndian.Uint16(edits))*7%len(lines[i])]
			src.edit(line+int64(edits[2]&3)*4, edits[3:7])
			edits = edits[7:]
		}
		readHostile(t, src)
	})
}

// readHostile reads all that there is within bounds.
func readHostile(t *testing.T, src *edited) {
	start, size := time.Now(), int64(len(src.raw))
	v, err := btrfs.Open([]filesystem.Device{{ReaderAt: src, Size: size}})
	if err != nil {
		return
	}
	readView(t, v, size)
	if r, _, err := v.Replay(t.Context()); err == nil && r != nil {
		readView(t, r, size)
	}
	if took := time.Since(start); took > maxTime {
		t.Fatalf("took %v", took)
	}
}

func readView(t *testing.T, v filesystem.FS, size int64) {
	r := &fstest.Reader{FS: v, Budget: 4 << 20}
	r.Stop = func() bool { return r.Names > 2000 }
	r.All()
	fstest.CheckRefs(t, v, &r.Out, size)
	for n := filesystem.Inode(250); n < 300; n++ {
		v.Stat(n)
		v.Readlink(n)
	}
	for range v.(filesystem.Orphaner).Orphans(t.Context()) {
	}
	n := 0
	for range v.(filesystem.FreeSpacer).FreeSpace(t.Context()) {
		if n++; n > 10_000 {
			break
		}
	}
	v.(filesystem.Subvolumer).Subvolumes(t.Context())
	_, list := v.(filesystem.Undeleter).Deleted(t.Context())
	n = 0
	var buf [8192]byte
	for r, err := range list {
		if n++; n > 2000 {
			break
		}
		if err == nil {
			r.Content.ReadAt(buf[:], 0)
		}
	}
	v.Info()
}
