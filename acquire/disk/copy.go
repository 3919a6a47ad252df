package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"telltale/acquire/chain"
	"telltale/acquire/custody"
	"telltale/acquire/pipe"
	"telltale/acquire/rescue"
)

// The optional abilities of what is written to.
type (
	// Settler is a file that can be gone on with: Settle makes sure that its first n bytes are on the medium, and
	// with cut that it ends there.
	Settler interface {
		Settle(n int64, cut bool) error
	}
	// ErrorTaker is a format that keeps what could not be read: count sectors from first on.
	ErrorTaker interface{ ReadError(first, count int64) }
	// Summer is a format that keeps digests of its own; asked after Close.
	Summer interface {
		Sums() (md5 [16]byte, sha1 [20]byte)
	}
)

// Options say how a copy is made.
type Options struct {
	Retries  int
	Every    time.Duration           // how often the record is written meanwhile; 0: 30 s
	Save     func() error            // writes the record and the map; nil: nowhere
	Progress func(done, total int64) // may be nil
}

const saveEvery = 30 * time.Second // what is read again after a crash; each costs a flush of the copy

// Copy copies the device to w and closes it. It goes on behind the record's links, of which w must have the bytes.
// The record is kept up to date: after an error, too, it says how far the copy got.
func Copy(ctx context.Context, d *Device, w io.WriteCloser, rec *custody.Record, o Options) error {
	c, err := newCopy(d, w, rec, o)
	if err != nil {
		w.Close()
		return err
	}
	err = pipe.Run(ctx, c.r.Next, func(p []byte) error { c.h.Write(p); return nil }, c.write)
	if err == nil && c.written != d.Facts.Size {
		err = fmt.Errorf("%d bytes were written of %d: %w", c.written, d.Facts.Size, io.ErrShortWrite)
	}
	if err != nil {
		return c.broken(err)
	}
	return c.finish()
}

// copying is a copy under way.
type copying struct {
	d       *Device
	w       io.WriteCloser
	rec     *custody.Record
	o       Options
	r       *rescue.Reader
	h       *chain.Hash
	written int64
	began   time.Time
	before  time.Duration // that earlier runs took
	saved   time.Time
}

func newCopy(d *Device, w io.WriteCloser, rec *custody.Record, o Options) (*copying, error) {
	if o.Every == 0 {
		o.Every = saveEvery
	}
	h, err := chain.Resume(rec.Copy.Links)
	if err != nil {
		return nil, err
	}
	c := &copying{d: d, w: w, rec: rec, o: o, h: h, began: time.Now(), before: rec.Duration, written: int64(len(rec.Copy.Links)) * chain.Piece}
	c.r = &rescue.Reader{R: d.r, Size: d.Facts.Size, Unit: d.Facts.Sector, Retries: o.Retries, Again: d.again, Give: ofPlace, Alive: d.alive, At: c.written}
	c.r.Lost(rec.Bad)
	rec.Copy.Size, rec.Copy.Piece = d.Facts.Size, chain.Piece
	c.saved = c.began
	if _, ok := w.(Settler); ok || o.Save == nil {
		return c, c.save(false)
	}
	return c, c.keep(0) // nothing of it can be gone on with
}

// write writes a block, and the record when it is due: at the end of a piece, where it can be gone on from.
func (c *copying) write(p []byte) error {
	n, err := c.w.Write(p)
	c.written += int64(n)
	if err != nil {
		return fmt.Errorf("write the copy at %d: %w", c.written, err)
	}
	if c.o.Progress != nil {
		c.o.Progress(c.written, c.d.Facts.Size)
	}
	if _, ok := c.w.(Settler); ok && c.written%chain.Piece == 0 && time.Since(c.saved) >= c.o.Every {
		return c.save(false)
	}
	return nil
}

// save writes the record as far as the copy is on the medium.
func (c *copying) save(cut bool) error {
	links := c.h.Links()
	links = links[:min(int64(len(links)), c.written/chain.Piece)]
	at := int64(len(links)) * chain.Piece
	if s, ok := c.w.(Settler); ok && (at > 0 || cut) {
		if err := s.Settle(at, cut); err != nil {
			return fmt.Errorf("write the copy: %w", err)
		}
	}
	c.rec.Copy.Links = links
	c.saved = time.Now()
	return c.keep(at)
}

// keep writes the record for a copy of at bytes.
func (c *copying) keep(at int64) error {
	c.rec.Duration = c.before + time.Since(c.began)
	c.rec.Bad = []rescue.Range{}
	for _, b := range c.r.Bad() {
		if b.Length = min(b.Length, at-b.Offset); b.Length > 0 {
			c.rec.Bad = append(c.rec.Bad, b)
		}
	}
	if c.o.Save == nil {
		return nil
	}
	return c.o.Save()
}

// broken leaves a copy that says how far it got. Cutting it back to a whole piece also makes the room for the record on a disk that is full.
func (c *copying) broken(err error) error {
	if _, ok := c.w.(Settler); ok {
		err = errors.Join(err, c.save(true))
	} else {
		c.rec.Copy.Links = nil
		err = errors.Join(err, c.keep(c.written))
	}
	c.w.Close()
	return err
}

func (c *copying) finish() error {
	bad := c.r.Bad()
	if t, ok := c.w.(ErrorTaker); ok {
		unit := int64(c.d.Facts.Sector)
		for _, b := range bad {
			t.ReadError(b.Offset/unit, (b.Offset%unit+b.Length+unit-1)/unit)
		}
	}
	if err := c.w.Close(); err != nil {
		c.rec.Copy.Links = nil
		return errors.Join(fmt.Errorf("end the copy: %w", err), c.keep(c.written))
	}
	if s, ok := c.w.(Summer); ok {
		md5, sha1 := s.Sums()
		c.rec.Copy.MD5, c.rec.Copy.SHA1 = fmt.Sprintf("%x", md5), fmt.Sprintf("%x", sha1)
	}
	c.rec.Copy.Links = c.h.Links()
	c.rec.Copy.SHA256 = fmt.Sprintf("%x", c.h.Sum())
	c.rec.State, c.rec.Ended = custody.Finished, time.Now().UTC()
	return c.keep(c.written)
}
