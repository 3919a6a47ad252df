package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"telltale/acquire/chain"
	"telltale/acquire/custody"
	"telltale/acquire/disk"
	"telltale/evidence"
	"telltale/image/ewf"
)

type diskFlags struct {
	copyFlags
	retries              int
	resume, here, sparse bool
	compression          string
	about                custody.Case
}

func acquireDiskCommand(out, errs io.Writer, open opener) *cobra.Command {
	var f diskFlags
	c := &cobra.Command{
		Use:   "disk DEVICE --to X.E01|X.Ex01|X.raw|-",
		Short: "Copy a disk, with a record that proves the copy",
		Long: `Copy a disk, a partition or an image file, in one pass: to an E01 or Ex01 (by its name), or a raw file of any other name, or as raw bytes to standard output.

The device is only read. Beside the copy lie X.json, the record (what, when, by whom, digests, what could not be read), and X.map, which GNU ddrescue
takes. A place that cannot be read is tried again down to its sectors, holds zeros in the copy and is listed. Then the copy is read back.

A disk that is mounted writable goes on changing: the copy is smeared, and says so. What a copy onto the same disk would destroy
is not known beforehand, so that this is refused.

Exit status: 0 copied, 1 error, 2 wrong call, 3 copied but for places that could not be read.`,
		Example: "  telltale acquire disk /dev/sda --to /mnt/usb/case7.E01 --case-number 7 --examiner 'A. B.'\n  telltale acquire disk /dev/sda --to - | ssh me@elsewhere 'cat >sda.raw'",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return (&diskRun{diskFlags: f, out: out, errs: errs, open: open}).run(c.Context(), args[0])
		},
	}
	f.add(c)
	c.Flags().IntVar(&f.retries, "retries", 1, "how often a sector that cannot be read is tried again")
	c.Flags().BoolVar(&f.resume, "resume", false, "go on with a raw copy that was interrupted")
	c.Flags().BoolVar(&f.here, "here", false, "write even onto the disk that is copied")
	c.Flags().BoolVar(&f.sparse, "sparse", false, "leave holes in a raw file where the disk holds zeros")
	c.Flags().StringVar(&f.compression, "compression", "fast", "of an E01 or Ex01: none, fast, best")
	c.Flags().StringVar(&f.about.Number, "case-number", "", "case number, for the record and the E01 or Ex01")
	c.Flags().StringVar(&f.about.Evidence, "evidence-number", "", "evidence number")
	c.Flags().StringVar(&f.about.Examiner, "examiner", "", "who copies")
	c.Flags().StringVar(&f.about.Description, "description", "", "what it is")
	c.Flags().StringVar(&f.about.Notes, "notes", "", "what else is to be known")
	return c
}

// diskRun is one run of acquire disk.
type diskRun struct {
	diskFlags
	out, errs io.Writer
	open      opener
	rec       *custody.Record
}

func (r *diskRun) format() string {
	if ext := filepath.Ext(r.to); !streamed(r.to) {
		for _, f := range []string{"E01", "Ex01"} {
			if strings.EqualFold(ext, "."+f) {
				return f
			}
		}
	}
	return "raw"
}

// sealed tells a format whose digests and tables are written at its end, and that keeps checksums of its own.
func sealed(format string) bool { return format == "E01" || format == "Ex01" }

func (r *diskRun) run(ctx context.Context, from string) error {
	if err := r.usage(); err != nil {
		return err
	}
	d, err := disk.Open(from)
	if err != nil {
		return err
	}
	defer d.Close()
	if !streamed(r.to) && !r.here {
		if err := d.Refuse(r.to); errors.Is(err, disk.ErrOnItself) {
			return hinted{err, "give another disk, or --to - into a pipe; --here does it all the same, and destroys deleted data"}
		} else if err != nil {
			return err
		}
	}
	p := newProgress(r.errs, r.quiet)
	w, err := r.sink(d)
	if err != nil {
		return err
	}
	r.tell(d)
	s := p.speed("copying " + d.Facts.Path)
	err = disk.Copy(ctx, d, w, r.rec, disk.Options{Retries: r.retries, Save: r.save(), Progress: s.bytes})
	p.done()
	if err != nil {
		return r.unfinished(err)
	}
	if !streamed(r.to) && !r.noVerify {
		if err := readBack(ctx, r.rec, r.to, p); err != nil {
			return err
		}
	}
	return r.end()
}

func (r *diskRun) usage() error {
	switch {
	case r.retries < 0 || r.retries > 100:
		return fmt.Errorf("%w: --retries %d", errUsage, r.retries)
	case r.resume && (streamed(r.to) || sealed(r.format())):
		return hinted{fmt.Errorf("%w: --resume: only a raw file can be gone on with", errUsage),
			"the digests and tables of an E01 or Ex01 are written at its end: begin it again, or copy to a raw file"}
	case r.sparse && (streamed(r.to) || sealed(r.format())):
		return fmt.Errorf("%w: --sparse is for raw files", errUsage)
	case r.to != "-" && r.compressionLevel() < 0:
		return fmt.Errorf("%w: --compression %q is not none, fast or best", errUsage, r.compression)
	}
	if ext := strings.ToLower(filepath.Ext(r.to)); !streamed(r.to) && (ext == ".json" || ext == ".map") {
		return fmt.Errorf("%w: --to %q: the record and the map have this name", errUsage, r.to)
	}
	return nil
}

func (r *diskRun) compressionLevel() int {
	for i, s := range []string{ewf.None: "none", ewf.Fast: "fast", ewf.Best: "best"} {
		if s == r.compression {
			return i
		}
	}
	return -1
}

// sink opens what is written to, and begins the record or goes on with it.
func (r *diskRun) sink(d *disk.Device) (io.WriteCloser, error) {
	if r.resume {
		return r.goOn(d)
	}
	r.rec = newRecord("disk", r.format(), r.to)
	r.rec.Disk = &d.Facts
	r.rec.Notes = append(r.rec.Notes, d.Notes...)
	if r.about != (custody.Case{}) {
		r.rec.Case = &r.about
	}
	if streamed(r.to) {
		return r.open(r.to)
	}
	if err := vacant(r.to, ".json", ".map"); err != nil {
		return nil, err
	}
	if sealed(r.format()) {
		return r.ewf(d)
	}
	w, err := disk.NewRaw(r.to, r.sparse)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (r *diskRun) goOn(d *disk.Device) (io.WriteCloser, error) {
	rec, err := custody.Load(custody.Beside(r.to, ".json"))
	if err != nil {
		return nil, hinted{err, "without its record a copy cannot be gone on with: begin it again"}
	}
	if err := d.Same(rec.Disk); err != nil {
		return nil, err
	}
	w, err := disk.ResumeRaw(r.to, rec, r.sparse)
	if err != nil {
		return nil, err
	}
	at := int64(len(rec.Copy.Links)) * chain.Piece
	rec.Resumed = append(rec.Resumed, custody.Resumption{At: at, Time: time.Now().UTC()})
	for _, n := range d.Notes {
		rec.Notes = append(rec.Notes, fmt.Sprintf("when it was gone on with at %d: %s", at, n))
	}
	r.rec = rec
	return w, nil
}

// ewf begins an E01 or Ex01.
func (r *diskRun) ewf(d *disk.Device) (io.WriteCloser, error) {
	dir, name := filepath.Dir(r.to), filepath.Base(r.to)
	n := &d.Facts
	set, err := uuid()
	if err != nil {
		return nil, err
	}
	w, err := ewf.NewWriter(func(segment string) (io.WriteCloser, error) {
		return disk.NewRaw(filepath.Join(dir, segment), false)
	}, ewf.Options{
		Name: strings.TrimSuffix(name, filepath.Ext(name)), Size: n.Size, SectorSize: n.Sector, Compression: ewf.Compression(r.compressionLevel()), Physical: n.Whole,
		Description: r.about.Description, CaseNumber: r.about.Number, EvidenceNumber: r.about.Evidence, Examiner: r.about.Examiner, Notes: r.about.Notes,
		Model: strings.TrimSpace(n.Vendor + " " + n.Model), SerialNumber: n.Serial, OS: "Linux", Version: version(), Acquired: r.rec.Started,
		Version2: r.format() == "Ex01", SetID: set,
	})
	if err != nil {
		return nil, hinted{err, "a source of no whole sectors can be copied to a raw file"}
	}
	return w, nil
}

// uuid gives an id that no other set has, a version 4 UUID.
func uuid() (id [16]byte, err error) {
	if _, err := rand.Read(id[:]); err != nil {
		return id, fmt.Errorf("make an id: %w", err)
	}
	id[7] = id[7]&0x0f | 0x40 // of the third group, which is stored little-endian
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}

// save gives what writes the record and the map.
func (r *diskRun) save() func() error {
	if streamed(r.to) {
		return nil
	}
	return func() error {
		if err := r.rec.Save(custody.Beside(r.to, ".json")); err != nil {
			return err
		}
		return custody.Replace(custody.Beside(r.to, ".map"), disk.Map(r.rec))
	}
}

// words are where people's text goes: not into the copy.
func (c *copyFlags) words(out, errs io.Writer) io.Writer {
	if streamed(c.to) {
		return errs
	}
	return out
}

// tell says before the copy begins what is copied, for whoever wants to stop it.
func (r *diskRun) tell(d *disk.Device) {
	if r.quiet || r.json {
		return
	}
	t, n := table{r.words(r.out, r.errs)}, &d.Facts
	t.row("source", "%s, %d bytes, sectors of %d", n.Path, n.Size, n.Sector)
	if n.Device != "" {
		t.row("device", "%s, physical sectors of %d, %s", n.Device, n.Physical, map[bool]string{true: "read-only", false: "writable"}[n.ReadOnly])
	}
	t.row("model", "%s", strings.TrimSpace(n.Vendor+" "+n.Model))
	t.row("serial", "%s", n.Serial)
	for _, m := range n.Mounts {
		t.row("mounted", "%s on %s (%s, %s)", m.Device, m.Point, m.Type, map[bool]string{true: "writable", false: "read-only"}[m.Writable])
	}
	for _, s := range d.Notes {
		t.row("note", "%s", s)
	}
	for _, s := range n.Unknown {
		t.row("unknown", "%s", s)
	}
}

// unfinished adds to an error what can be done about it.
func (r *diskRun) unfinished(err error) error {
	switch {
	case streamed(r.to):
		return hinted{fmt.Errorf("the copy is not finished: %w", err), "what was written so far is no whole copy"}
	case sealed(r.rec.Copy.Format):
		return hinted{fmt.Errorf("the copy is not finished: %w", err), "an E01 or Ex01 cannot be gone on with: the bytes it has can be read; begin again under another name"}
	}
	at := int64(len(r.rec.Copy.Links)) * chain.Piece
	return hinted{fmt.Errorf("the copy is not finished, %d of %d bytes are there: %w", at, r.rec.Copy.Size, err), "--resume goes on with it"}
}

func (r *diskRun) end() error {
	lost := int64(0)
	for _, b := range r.rec.Bad {
		lost += b.Length
	}
	w := r.words(r.out, r.errs)
	if r.json {
		if err := printRecord(w, r.rec); err != nil {
			return err
		}
	} else if !r.quiet {
		t, c := table{w}, &r.rec.Copy
		t.row("copied", "%d bytes to %s in %v (%.0f MB/s)", c.Size, r.to, r.rec.Duration.Round(time.Millisecond), float64(c.Size)/1e6/max(r.rec.Duration.Seconds(), 1e-3))
		t.row("SHA-256", "%s", c.SHA256)
		t.row("SHA-1", "%s", c.SHA1)
		t.row("MD5", "%s", c.MD5)
		for i, b := range r.rec.Bad {
			if i == 20 {
				t.row("lost", "%d more places", len(r.rec.Bad)-i)
				break
			}
			t.row("lost", "%d bytes at %d: %s; they are zeros in the copy", b.Length, b.Offset, b.Error)
		}
		switch {
		case r.rec.Verified != nil:
			t.row("verified", "the copy was read back and is the same")
		case streamed(r.to):
			t.row("verified", "no: what is not a file here cannot be read back")
		default:
			t.row("verified", "no: --no-verify")
		}
	}
	if lost > 0 {
		return fmt.Errorf("%w: %d bytes in %d places", errUnreadable, lost, len(r.rec.Bad))
	}
	return nil
}

func badOf(d evidence.Damage) chain.Bad {
	return chain.Bad{Offset: d.Ref.Off, Length: d.Ref.Len, Error: d.Reason}
}
