// Package initramfs reads the first root file system of Linux: archives of cpio's form newc one behind another, each plain or compressed, with zeros
// between them (Documentation/driver-api/early-userspace/buffer-format.rst of Linux 6.12). The first often holds microcode alone. It gives regular files as
// they come and keeps nothing; what an archive asks for is bounded.
package initramfs

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"telltale/internal/limit"
	"telltale/internal/unpack"
)

// ErrForm says that what comes is no archive of cpio.
var ErrForm = errors.New("not formed as a cpio archive of the form newc")

// ErrPacked says that what comes is compressed by a method that is not known here.
var ErrPacked = errors.New("compressed by a method that is not read")

// Limits of one image.
const (
	maxEntries  = 500_000
	maxSize     = 4 << 30 // bytes of all that comes out of it
	maxName     = 4096
	maxSegments = 64
	headerSize  = 110
)

// File is one regular file of an image.
type File struct {
	Name    string // as in the image, without "/" or "./" before it
	Mode    uint32
	Size    int64
	ModTime int64  // seconds since 1970
	Packed  string // how its archive is compressed, "" for none
}

// Read gives each regular file; r is valid during the call. It ends with the first error of each, or with what is wrong with the image: what came before
// holds.
func Read(r io.Reader, each func(f *File, r io.Reader) error) error {
	w := &reader{each: each}
	return w.segments(bufio.NewReaderSize(r, 64<<10), "", 0)
}

type reader struct {
	each    func(f *File, r io.Reader) error
	entries int
	bytes   int64
	parts   int
}

// segments reads archive after archive.
func (w *reader) segments(b *bufio.Reader, packed string, depth int) error {
	for {
		err := zeros(b)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if w.parts++; w.parts > maxSegments {
			return fmt.Errorf("more than %d archives: %w", maxSegments, limit.ErrLimit)
		}
		head, _ := b.Peek(16)
		if bytes.HasPrefix(head, []byte("07070")) {
			if err := w.archive(b, packed); err != nil {
				return err
			}
			continue
		}
		if depth > 0 {
			return ErrForm
		}
		next, err := w.compressed(b, head, depth)
		if err != nil || next == nil {
			return err
		}
		b = next
	}
}

// zeros skips zeros; io.EOF where nothing else comes.
func zeros(b *bufio.Reader) error {
	for {
		c, err := b.ReadByte()
		if err != nil {
			return err
		}
		if c != 0 {
			return b.UnreadByte()
		}
	}
}

// legacyLZ4 begins what lz4 -l writes, which is the only form of it that the kernel reads.
const legacyLZ4 = 0x184C2102

// compressed reads a compressed archive. Behind one of gzip or zstandard others may stand, which the kernel unpacks over it: next goes on there. Behind
// other compressions an error tells that something stands there.
func (w *reader) compressed(b *bufio.Reader, head []byte, depth int) (next *bufio.Reader, err error) {
	inner := func(r io.Reader, kind string) error {
		return w.segments(bufio.NewReaderSize(io.LimitReader(r, maxSize), 64<<10), kind, depth+1)
	}
	switch kind := unpack.Kind(head); {
	case kind == "gzip":
		z, err := gzip.NewReader(b) // it takes no byte beyond its end, since b gives single bytes
		if err != nil {
			return nil, err
		}
		z.Multistream(false)
		return b, inner(z, kind)
	case kind == "zstd":
		return w.zstd(b, inner)
	case len(head) >= 4 && binary.LittleEndian.Uint32(head) == legacyLZ4:
		return nil, inner(lz4.NewReader(b), "lz4")
	case kind != "":
		d, _, err := unpack.Reader(b)
		if err != nil {
			return nil, err
		}
		defer d.Close()
		return nil, inner(d, kind)
	case len(head) > 5 && head[0] == 0x5d && head[1] == 0 && head[2] == 0:
		return nil, fmt.Errorf("lzma: %w", ErrPacked)
	case bytes.HasPrefix(head, []byte("\x89LZO")):
		return nil, fmt.Errorf("lzo: %w", ErrPacked)
	}
	return nil, ErrForm
}

// zstd reads frames until something else comes. The decoder finds that out by the four bytes of a magic number, which are given back.
func (w *reader) zstd(b *bufio.Reader, inner func(io.Reader, string) error) (*bufio.Reader, error) {
	last := &tail{r: b}
	z, err := zstd.NewReader(last, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	if err := inner(z, "zstd"); !errors.Is(err, zstd.ErrMagicMismatch) {
		return b, err
	}
	return bufio.NewReaderSize(io.MultiReader(bytes.NewReader(last.b[:]), b), 64<<10), nil
}

// tail keeps the last four bytes that were read.
type tail struct {
	r io.Reader
	b [4]byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	for _, c := range p[max(0, n-4):n] {
		t.b = [4]byte{t.b[1], t.b[2], t.b[3], c}
	}
	return n, err
}

// archive reads entries up to the one that ends the archive. Sizes are eight hexadecimal digits each; names and contents are filled up to four bytes.
func (w *reader) archive(b *bufio.Reader, packed string) error {
	h := make([]byte, headerSize)
	for {
		if _, err := io.ReadFull(b, h); err != nil {
			return fmt.Errorf("read an entry: %w", err)
		}
		if m := string(h[:6]); m != "070701" && m != "070702" {
			return ErrForm
		}
		var v [13]int64
		for i := range v {
			n, err := strconv.ParseUint(string(h[6+8*i:14+8*i]), 16, 32)
			if err != nil {
				return fmt.Errorf("%w: a number %q", ErrForm, h[6+8*i:14+8*i])
			}
			v[i] = int64(n)
		}
		mode, mtime, size, nameSize := uint32(v[1]), v[5], v[6], v[11]
		if nameSize < 1 || nameSize > maxName {
			return fmt.Errorf("%w: a name of %d bytes", ErrForm, nameSize)
		}
		name := make([]byte, nameSize+(4-(headerSize+nameSize)%4)%4)
		if _, err := io.ReadFull(b, name); err != nil {
			return fmt.Errorf("read a name: %w", err)
		}
		if end := bytes.IndexByte(name, 0); end >= 0 {
			name = name[:end]
		}
		if string(name) == "TRAILER!!!" {
			return nil
		}
		w.entries++
		if w.bytes += size; w.entries > maxEntries || w.bytes > maxSize {
			return fmt.Errorf("%d files of %d bytes: %w", w.entries, w.bytes, limit.ErrLimit)
		}
		if err := w.file(b, string(name), mode, mtime, size, packed); err != nil {
			return err
		}
	}
}

func (w *reader) file(b *bufio.Reader, name string, mode uint32, mtime, size int64, packed string) error {
	body := &io.LimitedReader{R: b, N: size}
	const typeMask, regular = 0o170000, 0o100000
	if mode&typeMask == regular && size > 0 {
		f := &File{Name: strings.TrimPrefix(path.Clean("/"+name), "/"), Mode: mode & 0o7777, Size: size, ModTime: mtime, Packed: packed}
		if err := w.each(f, body); err != nil {
			return err
		}
	}
	if _, err := io.CopyN(io.Discard, b, body.N+(4-size%4)%4); err != nil {
		return fmt.Errorf("read %q: %w", name, err)
	}
	return nil
}
