package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"telltale/acquire/custody"
	"telltale/acquire/disk"
	"telltale/acquire/memory"
)

func acquireMemoryCommand(out, errs io.Writer, open opener) *cobra.Command {
	var f copyFlags
	c := &cobra.Command{
		Use:   "memory --to X.lime|-",
		Short: "Copy the memory of this machine",
		Long: `Copy the physical memory of this machine in the LiME format, from what the kernel itself shows: /proc/kcore, /dev/crash or /dev/mem.
No module is loaded. Beside the copy lie the kernel's types (X.btf), symbols (X.kallsyms), X.vmcoreinfo, its notes (X.notes) and X.json, the record.

The machine runs on meanwhile, so the copy is smeared: pages are of different moments. A root-kit in the kernel can show what it likes.
Pages that cannot be read are zeros in the copy and listed.

Exit status: 0 copied, 1 error, 2 wrong call, 3 copied but for pages that could not be read.`,
		Example: "  telltale acquire memory --to /mnt/usb/web1.lime\n  telltale acquire memory --to - | ssh me@elsewhere 'cat >web1.lime'",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return (&memoryRun{copyFlags: f, out: out, errs: errs, open: open}).run(c.Context(), memory.Linux())
		},
	}
	f.add(c)
	return c
}

// memoryRun is one run of acquire memory.
type memoryRun struct {
	copyFlags
	out, errs io.Writer
	open      opener
	rec       *custody.Record
	m         *memory.Memory
}

func (r *memoryRun) run(ctx context.Context, s memory.Sources) error {
	if ext := strings.ToLower(filepath.Ext(r.to)); !streamed(r.to) && (ext == ".json" || ext == ".btf" || ext == ".kallsyms" || ext == ".vmcoreinfo" || ext == ".notes") {
		return fmt.Errorf("%w: --to %q: a file beside the copy has this name", errUsage, r.to)
	}
	var err error
	if r.m, err = memory.Open(s); errors.Is(err, memory.ErrNone) || errors.Is(err, memory.ErrHidden) {
		return hinted{err, "run it as root, outside of containers; of a virtual machine its host can copy the memory; where the kernel shows none, only a module can"}
	} else if err != nil {
		return err
	}
	defer r.m.Close()
	w, err := r.sink()
	if err != nil {
		return err
	}
	p := newProgress(r.errs, r.quiet)
	err = r.m.Copy(ctx, w, r.rec, p.speed("copying memory from "+r.m.Facts.Source).bytes)
	p.done()
	if err != nil {
		err = hinted{fmt.Errorf("the copy is not finished: %w", err), "a memory copy cannot be gone on with: begin it again under another name"}
	}
	if !streamed(r.to) {
		err = errors.Join(err, r.rec.Save(custody.Beside(r.to, ".json")))
	}
	if err == nil && !streamed(r.to) && !r.noVerify {
		err = readBack(ctx, r.rec, r.to, p)
	}
	if err != nil {
		return err
	}
	return r.end()
}

// sink opens what is written to, after what lies beside it: the memory changes least while nothing else is done.
func (r *memoryRun) sink() (io.WriteCloser, error) {
	r.rec = newRecord("memory", "lime", r.to)
	r.rec.Memory = &r.m.Facts
	if streamed(r.to) {
		r.rec.Notes = append(r.rec.Notes, r.m.Notes...)
		return r.open(r.to)
	}
	if err := vacant(r.to, ".json", ".btf", ".kallsyms", ".vmcoreinfo", ".notes"); err != nil {
		return nil, err
	}
	if err := r.m.Write(r.to, r.m.Companions()); err != nil {
		return nil, err
	}
	r.rec.Notes = append(r.rec.Notes, r.m.Notes...)
	if err := r.rec.Save(custody.Beside(r.to, ".json")); err != nil {
		return nil, err
	}
	w, err := disk.NewRaw(r.to, false)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (r *memoryRun) end() error {
	lost, none := r.m.Lost(r.rec)
	w := r.words(r.out, r.errs)
	if r.json {
		if err := printRecord(w, r.rec); err != nil {
			return err
		}
	} else if !r.quiet {
		r.print(table{w}, lost)
	}
	switch {
	case none != nil:
		return none
	case lost > 0:
		return fmt.Errorf("%w: %d bytes of memory", errUnreadable, lost)
	}
	return nil
}

func (r *memoryRun) print(t table, lost int64) {
	for _, x := range r.m.Facts.Tried {
		if x.Error != "" {
			t.row("tried", "%s: %s", x.Source, x.Error)
		}
	}
	c := &r.rec.Copy
	t.row("copied", "%d bytes in %d ranges from %s to %s in %v (%.0f MB/s)", c.Size, len(r.m.Ranges), r.m.Facts.Source, r.to, r.rec.Duration.Round(time.Millisecond), float64(c.Size)/1e6/max(r.rec.Duration.Seconds(), 1e-3))
	t.row("SHA-256", "%s", c.SHA256)
	if lost > 0 {
		t.row("lost", "%d bytes in %d places could not be read: they are zeros in the copy", lost, len(r.rec.Bad))
	}
	for _, b := range r.m.Facts.Beside {
		if b.Error != "" {
			t.row("missing", "%s: %s", b.Of, b.Error)
		}
	}
	for _, n := range r.rec.Notes {
		t.row("note", "%s", n)
	}
	if r.rec.Verified != nil {
		t.row("verified", "the copy was read back and is the same")
	}
}
