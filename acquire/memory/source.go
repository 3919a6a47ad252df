// Package memory copies the physical memory of a running machine in the LiME format. It takes what the kernel offers:
// /proc/kcore, /dev/crash of Red Hat's kernels, /dev/mem; no module is loaded. Such a copy is smeared: while it is made the
// machine runs on, so pages that point to one another are of different moments. A root-kit in the kernel can filter all three sources.
// Addresses are physical, sizes are in bytes.
//
// Sources: Linux' fs/proc/kcore.c, kernel/resource.c, drivers/char/mem.c, Documentation/ABI/testing/sysfs-kernel-vmcoreinfo,
// kernel/crash_core.c; LiME's doc/README.md, "LiME Memory Range Header Version 1 Specification".
package memory

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"telltale/acquire/bounded"
	"telltale/acquire/custody"
)

// Sources are where the kernel shows its memory, and what is needed to read it.
type Sources struct {
	Kcore, Crash, Mem    string
	Iomem, Lockdown      string
	BTF, Kallsyms, Notes string
	Vmcoreinfo           string // the physical address and size of the note
}

// Linux gives the places that Linux has.
func Linux() Sources {
	return Sources{
		Kcore: "/proc/kcore", Crash: "/dev/crash", Mem: "/dev/mem", Iomem: "/proc/iomem", Lockdown: "/sys/kernel/security/lockdown",
		BTF: "/sys/kernel/btf/vmlinux", Kallsyms: "/proc/kallsyms", Notes: "/sys/kernel/notes", Vmcoreinfo: "/sys/kernel/vmcoreinfo",
	}
}

// ErrNone says that no source of memory can be used on this machine.
var ErrNone = errors.New("this kernel shows its memory nowhere")

const (
	maxIomem = 4 << 20
	patience = 5 * time.Second
)

// Memory is a source that can be read.
type Memory struct {
	Facts  custody.Memory
	Notes  []string
	Ranges []Range

	s     Sources
	r     io.ReaderAt // by physical addresses
	core  *core       // nil: not from kcore
	close func() error
}

// Close closes the source.
func (m *Memory) Close() error { return m.close() }

// Open tries the sources in turn; what was tried is told in the error, too.
func Open(s Sources) (*Memory, error) {
	m := &Memory{s: s}
	m.Facts.Lockdown = lockdown(s.Lockdown)
	b, err := bounded.Read(s.Iomem, maxIomem)
	if err != nil {
		return nil, fmt.Errorf("which addresses are RAM: %w", err)
	}
	var cut uint64
	if m.Ranges, cut, err = parseIomem(b); err != nil {
		return nil, fmt.Errorf("which addresses are RAM: %w", err)
	}
	if cut > 0 {
		m.Notes = append(m.Notes, fmt.Sprintf("%d bytes at the edges of RAM are parts of pages and were left out", cut))
	}
	for _, try := range []struct {
		path string
		open opener
	}{{s.Kcore, kcore}, {s.Crash, flat}, {s.Mem, flat}} {
		err := m.try(try.path, try.open)
		t := custody.Try{Source: try.path}
		if err != nil {
			t.Error = m.why(err)
		}
		m.Facts.Tried = append(m.Facts.Tried, t)
		if err == nil {
			m.Facts.Source = try.path
			return m, nil
		}
	}
	var words []string
	for _, t := range m.Facts.Tried {
		words = append(words, t.Source+": "+t.Error)
	}
	return nil, fmt.Errorf("%w: %s", ErrNone, strings.Join(words, "; "))
}

// lockdown gives the mode in brackets of "none [integrity] confidentiality"; "" if the kernel does not say.
func lockdown(path string) string {
	_, s, _ := strings.Cut(bounded.Line(path), "[")
	s, _, _ = strings.Cut(s, "]")
	return s
}

func (m *Memory) why(err error) string {
	s := err.Error()
	if l := m.Facts.Lockdown; errors.Is(err, os.ErrPermission) && l != "" && l != "none" {
		s += " (the kernel is locked down: " + l + ")"
	}
	return s
}

// opener makes a source of a file, and reads from it once: what opens need not give anything.
type opener func(f *os.File, ranges []Range) (*source, error)

// source gives bytes by physical address; core is nil where it is no ELF core.
type source struct {
	r    io.ReaderAt
	core *core
}

// try opens a source.
func (m *Memory) try(path string, open opener) error {
	if path == "" {
		return errors.New("not asked for")
	}
	f, err := bounded.Open(path)
	if err != nil {
		return unwrap(err)
	}
	type answer struct {
		s   *source
		err error
	}
	done := make(chan answer, 1)
	go func() {
		s, err := open(f, m.Ranges)
		done <- answer{s, err}
	}()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-t.C:
		return bounded.ErrLate // the file stays open: a read hangs in it
	case a := <-done:
		if a.err != nil {
			f.Close()
			return a.err
		}
		m.r, m.core, m.close = a.s.r, a.s.core, f.Close
		return nil
	}
}

// unwrap leaves out the name of the file, which stands before it.
func unwrap(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func kcore(f *os.File, ranges []Range) (*source, error) {
	c, err := readCore(f)
	if err != nil {
		return nil, unwrap(err)
	}
	pieces, err := c.place(ranges)
	if err != nil {
		return nil, err
	}
	r := newPhysical(f, pieces)
	return &source{r, c}, probe(r, ranges)
}

// flat is a source whose offsets are physical addresses.
func flat(f *os.File, ranges []Range) (*source, error) { return &source{r: f}, probe(f, ranges) }

// probe reads a page of each range, of the middle: with CONFIG_STRICT_DEVMEM, /dev/mem gives the first MiB only, and zeros in
// place of some of it. One that can be read is enough.
func probe(r io.ReaderAt, ranges []Range) error {
	const legacy = 1 << 20
	p := make([]byte, pageSize)
	var last error
	for _, x := range ranges {
		if x.End < legacy && len(ranges) > 1 {
			continue
		}
		at := (x.Start + x.Len()/2) &^ (pageSize - 1)
		n, err := r.ReadAt(p, int64(at))
		if n == len(p) {
			return nil
		}
		last = orShort(err)
	}
	if last == nil {
		last = errors.New("no RAM above the first MiB")
	}
	return fmt.Errorf("it opens, and gives nothing: %w", unwrap(last))
}
