package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// ageChunk is how many bytes age encrypts as one (C2SP age.md, "Payload"). A chunk that is not whole cannot be decrypted.
const ageChunk = 64 << 10

// Of RFC 8878, 3.1.2: a frame that every decoder passes over.
const (
	skippableMagic  = 0x184D2A50
	skippableHeader = 8 // bytes
)

// stream compresses, and encrypts if there are recipients. Each flush ends a zstd frame, so that its checksum is there, and fills age's chunk up: without
// that up to 64 KiB of what was sealed would wait in memory.
type stream struct {
	z     *zstd.Encoder
	under *counted
	crypt io.WriteCloser // nil: not encrypted
}

func newStream(to io.Writer, recipients []age.Recipient) (*stream, error) {
	s := &stream{under: &counted{w: to}}
	if len(recipients) > 0 {
		c, err := age.Encrypt(to, recipients...)
		if err != nil {
			return nil, fmt.Errorf("encrypt the collection: %w", err)
		}
		s.crypt, s.under.w = c, c
	}
	z, err := zstd.NewWriter(s.under, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	s.z = z
	return s, err
}

func (s *stream) Write(p []byte) (int, error) { return s.z.Write(p) }

// Flush gives all that was written to the destination, as much as can be read there again.
func (s *stream) Flush() error {
	if err := errors.Join(s.z.Close(), s.under.err); err != nil {
		return err
	}
	s.z.Reset(s.under)
	if s.crypt == nil {
		return nil
	}
	// age holds a full chunk back until a byte follows, for the last one is marked.
	pad := make([]byte, max((ageChunk-s.under.n%ageChunk)%ageChunk+1, skippableHeader))
	binary.LittleEndian.PutUint32(pad, skippableMagic)
	binary.LittleEndian.PutUint32(pad[4:], uint32(len(pad)-skippableHeader))
	_, err := s.under.Write(pad)
	return err
}

// Close ends the stream, not the destination.
func (s *stream) Close() error {
	err := errors.Join(s.z.Close(), s.under.err)
	if s.crypt != nil {
		err = errors.Join(err, s.crypt.Close())
	}
	return err
}

type counted struct {
	w   io.Writer
	n   int64
	err error // the first
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// names gives the recipients as the header tells them.
func names(all []age.Recipient) string {
	var out []string
	for _, r := range all {
		name := fmt.Sprintf("%T", r)
		if s, ok := r.(fmt.Stringer); ok {
			name = s.String()
		}
		out = append(out, name)
	}
	return strings.Join(out, ",")
}
