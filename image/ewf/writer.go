package ewf

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/adler32"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zlib"
)

// Compression says how hard a Writer works.
type Compression uint8

// The levels, as EnCase has them. Chunks of zeros are always stored compressed.
const (
	None Compression = iota
	Fast
	Best
)

// Options say what a Writer writes. Size is the disk's, in bytes; it must be known, because the first
// segment begins with it and nothing is written twice.
type Options struct {
	Name        string // of the first segment without its extension: "case" for case.E01
	Version2    bool   // write Ex01, as EnCase 7 does
	Size        int64  // bytes, a multiple of SectorSize
	SectorSize  int    // bytes; 0: 512
	ChunkSize   int    // bytes, SectorSize times a power of two; 0: 32 KiB
	SegmentSize int64  // bytes that a segment file does not go beyond; 0: 1.5 GiB; at least 1 MiB and four chunks
	Compression Compression
	Physical    bool // a whole disk, not a volume
	Removable   bool

	Description, CaseNumber, EvidenceNumber, Examiner, Notes string
	Model, SerialNumber, OS                                  string
	Version                                                  string    // of the program that acquires; EnCase shows 11 bytes
	Acquired                                                 time.Time // zero: left out
	SetID                                                    [16]byte  // the same in all segments; zero is allowed
}

const (
	writeSectorSize   = 512
	writeChunkSize    = 32 << 10
	writeSegmentSize  = 1536 << 20
	minSegmentSize    = 1 << 20
	maxSegmentSize    = 1 << 31 // EnCase 5 and others take offsets as 31 bits
	sectionChunkBytes = 16 << 20
	tableChunks       = 16375 // the most that old EnCase reads
)

// Writer makes E01 segments as EnCase 6 writes them, or Ex01 segments. Write the disk's bytes in order, then Close.
// It holds about 20 MiB and writes front to back, so that segments can go anywhere.
type Writer struct {
	o      Options
	create func(segment string) (io.WriteCloser, error)
	out    io.WriteCloser
	number int   // of the open segment
	at     int64 // bytes of it that are written

	batch   []byte // bytes not yet packed
	chunks  int    // in a whole batch
	packers []*packer
	chunk   [][]byte // packed chunks of the batch

	data    bytes.Buffer // chunks of the section that is being gathered
	entries []uint32     // their offsets in it, with packedBit
	two     *layout2     // for version 2, else nil

	written   int64
	md5, sha1 hash.Hash
	errors    []sectors
	err       error // the first failure; nothing is written after it
	closed    bool
}

// NewWriter begins a set of segments. create is called with each segment's file name when it is begun;
// the Writer closes what it gives.
func NewWriter(create func(segment string) (io.WriteCloser, error), o Options) (*Writer, error) {
	if o.SectorSize == 0 {
		o.SectorSize = writeSectorSize
	}
	if o.ChunkSize == 0 {
		o.ChunkSize = writeChunkSize
	}
	if o.SegmentSize == 0 {
		o.SegmentSize = writeSegmentSize
	}
	spc := o.ChunkSize / max(1, o.SectorSize)
	switch {
	case o.SectorSize < 1 || o.SectorSize > maxSectorSize || o.ChunkSize > maxChunk || spc*o.SectorSize != o.ChunkSize || spc < 1 || spc&(spc-1) != 0:
		return nil, fmt.Errorf("write EWF: chunks of %d bytes with sectors of %d", o.ChunkSize, o.SectorSize)
	case o.Size < 0 || o.Size%int64(o.SectorSize) != 0:
		return nil, fmt.Errorf("write EWF: %d bytes are no whole sectors of %d", o.Size, o.SectorSize)
	case o.Size/int64(o.ChunkSize) >= 1<<32-1:
		return nil, fmt.Errorf("write EWF: %d bytes are too many for chunks of %d", o.Size, o.ChunkSize)
	case o.SegmentSize < max(minSegmentSize, 4*int64(o.ChunkSize)) || o.SegmentSize > maxSegmentSize:
		return nil, fmt.Errorf("write EWF: segments of %d bytes", o.SegmentSize)
	}
	w := &Writer{o: o, create: create, md5: md5.New(), sha1: sha1.New()}
	if o.Version2 {
		w.two = &layout2{}
	}
	workers := runtime.GOMAXPROCS(0)
	w.chunks = max(workers, min(64, (2<<20)/o.ChunkSize))
	w.batch = make([]byte, 0, w.chunks*o.ChunkSize)
	w.chunk = make([][]byte, w.chunks)
	for range workers {
		p, err := newPacker(o)
		if err != nil {
			return nil, err
		}
		w.packers = append(w.packers, p)
	}
	return w, nil
}

// ReadError tells that count sectors from first on could not be read; their bytes are still to be
// written, as zeros.
func (w *Writer) ReadError(first, count int64) { w.errors = append(w.errors, sectors{first, count}) }

// Write takes the next bytes of the disk.
func (w *Writer) Write(p []byte) (n int, err error) {
	if w.closed {
		return 0, errors.New("write EWF: closed")
	}
	if int64(len(p)) > w.o.Size-w.written-int64(len(w.batch)) {
		return 0, fmt.Errorf("write EWF: more than the %d bytes that were announced", w.o.Size)
	}
	for len(p) > 0 && w.err == nil {
		m := min(len(p), cap(w.batch)-len(w.batch))
		w.batch = append(w.batch, p[:m]...)
		p, n = p[m:], n+m
		if len(w.batch) == cap(w.batch) {
			w.flush()
		}
	}
	return n, w.err
}

// Close writes the digests and ends the last segment. A disk that is shorter than announced is an error;
// the segments that are there can still be read.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err == nil {
		w.flush()
	}
	if w.err == nil && w.written != w.o.Size {
		w.err = fmt.Errorf("write EWF: %d bytes were written, %d were announced", w.written, w.o.Size)
	}
	w.do(w.begin)
	w.do(w.endSection)
	w.do(w.tail)
	if w.out != nil {
		if err := w.out.Close(); err != nil && w.err == nil {
			w.err = fmt.Errorf("close segment %d: %w", w.number, err)
		}
	}
	return w.err
}

// Sums gives the MD5 and SHA1 of all bytes; it is right after Close.
func (w *Writer) Sums() (md5sum [16]byte, sha1sum [20]byte) {
	return [16]byte(w.md5.Sum(nil)), [20]byte(w.sha1.Sum(nil))
}

func (w *Writer) do(f func() error) {
	if w.err == nil {
		w.err = f()
	}
}

// flush packs a batch on all processors while it is hashed, then writes it in order.
func (w *Writer) flush() {
	if len(w.batch) == 0 {
		return
	}
	size := w.o.ChunkSize
	n := (len(w.batch) + size - 1) / size
	var wg sync.WaitGroup
	wg.Go(func() { w.md5.Write(w.batch) })
	wg.Go(func() { w.sha1.Write(w.batch) })
	var next atomic.Int64
	for _, p := range w.packers {
		p.reset()
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				w.chunk[i] = p.pack(w.batch[i*size : min(len(w.batch), (i+1)*size)])
			}
		})
	}
	wg.Wait()
	for _, c := range w.chunk[:n] {
		w.do(func() error { return w.add(c) })
	}
	w.written += int64(len(w.batch))
	w.batch = w.batch[:0]
}

// gathered gives how many chunks are not yet written.
func (w *Writer) gathered() int {
	if w.two != nil {
		return len(w.two.entries) / entrySize2
	}
	return len(w.entries)
}

// room is what a section of n chunks takes besides them, and what ends a segment.
func (w *Writer) room(n int) int64 {
	if w.two != nil {
		return w.room2(n)
	}
	return 3*descriptorSize1 + 2*(tableHeader1+4+int64(n)*entrySize1) + descriptorSize1
}

// add appends a packed chunk, whose first byte says whether it is compressed. It is told by a byte of its
// own because a stored chunk may look like anything.
func (w *Writer) add(c []byte) error {
	if err := w.begin(); err != nil {
		return err
	}
	packed, c := c[0] != 0, c[1:]
	after := int64(w.data.Len()+len(c)) + w.room(w.gathered()+1)
	full := w.at+after > w.o.SegmentSize
	if full || w.gathered() == tableChunks || w.data.Len()+len(c) > max(sectionChunkBytes, len(c)) {
		if err := w.endSection(); err != nil {
			return err
		}
	}
	if full {
		if err := w.nextSegment(); err != nil {
			return err
		}
	}
	if w.two != nil {
		w.add2(c, packed)
		return nil
	}
	e := uint32(w.data.Len())
	if packed {
		e |= packedBit
	}
	w.entries = append(w.entries, e)
	w.data.Write(c)
	return nil
}

// begin opens the first segment.
func (w *Writer) begin() error {
	if w.out != nil {
		return nil
	}
	return w.nextSegment()
}

func (w *Writer) nextSegment() error {
	if w.out != nil {
		if err := w.next(); err != nil {
			return err
		}
		if err := w.out.Close(); err != nil {
			return fmt.Errorf("close segment %d: %w", w.number, err)
		}
		w.out = nil
	}
	w.number++
	name := segmentName(w.o.Name+map[bool]string{false: ".E01", true: ".Ex01"}[w.two != nil], w.number)
	if name == "" {
		return fmt.Errorf("write EWF: more than %d segments", w.number-1)
	}
	out, err := w.create(name)
	if err != nil {
		return fmt.Errorf("create segment %q: %w", name, err)
	}
	w.out, w.at = out, 0
	if w.two != nil {
		w.two.prev = 0
		if err := w.put(w.head2()); err != nil {
			return err
		}
		return w.headers2()
	}
	head := append([]byte(signature1), 1, 0, 0, 0, 0)
	binary.LittleEndian.PutUint16(head[9:], uint16(w.number))
	if err := w.put(head); err != nil {
		return err
	}
	if w.number > 1 {
		return w.section("data", w.volume(), false)
	}
	return w.headers()
}

// next ends a segment that another one follows.
func (w *Writer) next() error {
	if w.two != nil {
		return w.section2(typeNext, nil)
	}
	return w.section("next", nil, true)
}

func (w *Writer) put(b []byte) error {
	n, err := w.out.Write(b)
	w.at += int64(n)
	if err != nil {
		return fmt.Errorf("write segment %d: %w", w.number, err)
	}
	return nil
}

// section writes a descriptor and what belongs to it. The last section of a segment leads to itself.
func (w *Writer) section(kind string, data []byte, last bool) error {
	if err := w.descriptor(kind, int64(len(data)), last); err != nil {
		return err
	}
	return w.put(data)
}

func (w *Writer) descriptor(kind string, size int64, last bool) error {
	b := make([]byte, descriptorSize1)
	copy(b, kind)
	size += descriptorSize1
	next := w.at + size
	if last {
		next = w.at
		size = 0
	}
	binary.LittleEndian.PutUint64(b[16:], uint64(next))
	binary.LittleEndian.PutUint64(b[24:], uint64(size))
	binary.LittleEndian.PutUint32(b[72:], adler32.Checksum(b[:72]))
	return w.put(b)
}

// endSection writes the chunks that were gathered, and where they lie, twice.
func (w *Writer) endSection() error {
	if w.two != nil {
		return w.endSection2()
	}
	if len(w.entries) == 0 {
		return nil
	}
	base := w.at + descriptorSize1
	if err := w.section("sectors", w.data.Bytes(), false); err != nil {
		return err
	}
	b := make([]byte, tableHeader1, tableHeader1+len(w.entries)*entrySize1+4)
	binary.LittleEndian.PutUint32(b, uint32(len(w.entries)))
	binary.LittleEndian.PutUint64(b[8:], uint64(base))
	binary.LittleEndian.PutUint32(b[20:], adler32.Checksum(b[:20]))
	for _, e := range w.entries {
		b = binary.LittleEndian.AppendUint32(b, e)
	}
	b = binary.LittleEndian.AppendUint32(b, adler32.Checksum(b[tableHeader1:]))
	w.data.Reset()
	w.entries = w.entries[:0]
	if err := w.section("table", b, false); err != nil {
		return err
	}
	return w.section("table2", b, false)
}

// packer compresses chunks; its output lives until reset.
type packer struct {
	level Compression
	whole int    // bytes of a chunk that the end of the disk does not cut
	zeros []byte // such a chunk of zeros, packed
	z     *zlib.Writer
	out   bytes.Buffer
	arena []byte
}

func newPacker(o Options) (*packer, error) {
	level := zlib.BestSpeed
	if o.Compression == Best {
		level = zlib.BestCompression
	}
	p := &packer{level: o.Compression, whole: o.ChunkSize}
	z, err := zlib.NewWriterLevel(&p.out, level)
	if err != nil {
		return nil, fmt.Errorf("write EWF: %w", err)
	}
	p.z = z
	p.zeros = append([]byte(nil), p.deflate(make([]byte, o.ChunkSize))...)
	return p, nil
}

func (p *packer) reset() { p.arena = p.arena[:0] }

func (p *packer) deflate(chunk []byte) []byte {
	p.out.Reset()
	p.z.Reset(&p.out)
	p.z.Write(chunk) // into memory: cannot fail
	p.z.Close()
	return p.out.Bytes()
}

// pack gives 1 and the compressed chunk, or 0, the chunk and its checksum, whichever is shorter.
func (p *packer) pack(chunk []byte) []byte {
	var packed []byte
	switch empty := zero(chunk); {
	case empty && len(chunk) == p.whole:
		packed = p.zeros
	case empty || p.level != None:
		packed = p.deflate(chunk)
	}
	start := len(p.arena)
	if packed != nil && len(packed) < len(chunk)+4 {
		p.arena = append(append(p.arena, 1), packed...)
	} else {
		p.arena = append(append(p.arena, 0), chunk...)
		p.arena = binary.LittleEndian.AppendUint32(p.arena, adler32.Checksum(chunk))
	}
	return p.arena[start:len(p.arena):len(p.arena)]
}
