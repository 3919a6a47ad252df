package journald

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"
	"github.com/pierrec/lz4/v4"

	"telltale/internal/bin"
	"telltale/internal/limit"
)

// name is a field that is used, systemd.journal-fields(7).
type name uint8

const (
	unused name = iota
	message
	identifier
	command
	syslogPID
	senderPID
	senderUID
	auditSession
	hostname
	executable
)

var names = []struct {
	prefix string
	name   name
}{
	{"MESSAGE=", message}, {"SYSLOG_IDENTIFIER=", identifier}, {"_COMM=", command}, {"SYSLOG_PID=", syslogPID}, {"_PID=", senderPID}, {"_UID=", senderUID},
	{"_AUDIT_SESSION=", auditSession}, {"_HOSTNAME=", hostname}, {"_EXE=", executable},
}

type field struct {
	name  name
	value []byte
}

const (
	maxKept  = 200_000  // fields kept for the entries that share them
	maxValue = 64 << 10 // bytes of a value that are used
	flagXZ   = 1
	flagLZ4  = 2
	flagZSTD = 4
)

// field gives a data object's field; fields that are not used have the name unused.
func (r *reader) field(off int64) (field, error) {
	if f, ok := r.data[off]; ok {
		return f, nil
	}
	kind, size, ok := r.object(off)
	if !ok || kind != objectData {
		return field{}, fmt.Errorf("no data object at %d", off)
	}
	head, err := r.src.read(off, objectHeader+8)
	if err != nil {
		return field{}, err
	}
	b, whole, err := r.content(off, size, head[1], bin.Little(head[objectHeader:]).U64())
	if err != nil {
		return field{}, err
	}
	if whole.ok {
		r.verify(off, size, b, whole.hash)
	}
	f := use(b)
	if len(r.data) >= maxKept {
		clear(r.data)
	}
	if f.name != message || len(f.value) < 256 { // most are shared by many entries
		r.data[off] = f
	}
	return f, nil
}

// hashed is the hash that an object says its content has; ok is false where only the beginning of the content is at hand.
type hashed struct {
	hash uint64
	ok   bool
}

// content reads a data object's content, at most maxValue bytes of it, valid until the next read.
func (r *reader) content(off, size int64, flags byte, hash uint64) ([]byte, hashed, error) {
	at := int64(dataPayload)
	if r.header.compact {
		at = dataCompact
	}
	if size < at {
		return nil, hashed{}, fmt.Errorf("data object at %d has no content", off)
	}
	if flags == 0 {
		b, err := r.src.read(off+at, int(min(size-at, maxValue)))
		return b, hashed{hash, size-at <= maxValue}, err
	}
	b, err := r.src.read(off+at, int(size-at))
	if err != nil {
		return nil, hashed{}, err
	}
	b, err = decompress(b, flags)
	return b, hashed{hash, len(b) < maxValue}, err
}

func use(b []byte) field {
	for _, n := range names {
		if bytes.HasPrefix(b, []byte(n.prefix)) {
			return field{n.name, bytes.Clone(b[len(n.prefix):])}
		}
	}
	return field{}
}

// decompress gives the beginning of a compressed payload: no field that is used is longer than maxValue.
func decompress(b []byte, flags byte) ([]byte, error) {
	switch flags {
	case flagZSTD:
		d, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(limit.SmallFile), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		defer d.Close()
		return head(d, "zstd")
	case flagXZ:
		d, err := xz.NewReader(bytes.NewReader(b), limit.SmallFile)
		if err != nil {
			return nil, fmt.Errorf("xz: %w", err)
		}
		return head(d, "xz")
	case flagLZ4: // the size, eight bytes, then one block (compress.c, compress_blob_lz4)
		if len(b) < 9 {
			return nil, fmt.Errorf("lz4: %w", io.ErrUnexpectedEOF)
		}
		n := binary.LittleEndian.Uint64(b)
		if n > limit.SmallFile {
			return nil, fmt.Errorf("lz4: %d bytes: %w", n, limit.ErrLimit)
		}
		out := make([]byte, n)
		k, err := lz4.UncompressBlock(b[8:], out)
		if err != nil {
			return nil, fmt.Errorf("lz4: %w", err)
		}
		return out[:min(k, maxValue)], nil
	}
	return nil, fmt.Errorf("compressed in a way that is not known (flags %#x)", flags)
}

func head(r io.Reader, kind string) ([]byte, error) {
	out := make([]byte, maxValue)
	n, err := io.ReadFull(r, out)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return out[:n], nil
}
