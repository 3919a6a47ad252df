package memory

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"telltale/acquire/bounded"
	"telltale/acquire/custody"
	"telltale/internal/bin"
)

const (
	maxBTF      = 256 << 20
	maxKallsyms = 256 << 20
	maxSmall    = 1 << 20
	ntGNUBuild  = 3 // NT_GNU_BUILD_ID
)

// Beside is a file that belongs to a copy: without it the copy is hard to read.
type Beside struct {
	Ext, Of string
	Bytes   []byte
	Err     error
}

// Companions reads what explains the memory: the kernel's types, its symbols, VMCOREINFO and its notes with the build id.
// It notes the build id in the facts.
func (m *Memory) Companions() []Beside {
	out := []Beside{
		m.file(".btf", m.s.BTF, maxBTF),
		m.file(".kallsyms", m.s.Kallsyms, maxKallsyms),
		m.vmcoreinfo(),
		m.file(".notes", m.s.Notes, maxSmall),
	}
	if n := out[3]; n.Err == nil {
		if id := note(bin.Little(n.Bytes), "GNU", func(k uint32) bool { return k == ntGNUBuild }); id != nil {
			m.Facts.BuildID = fmt.Sprintf("%x", id)
		}
	}
	if k := out[1]; k.Err == nil && hidden(k.Bytes) {
		m.Notes = append(m.Notes, "kallsyms shows zeros instead of addresses: kptr_restrict, or CAP_SYSLOG is missing")
	}
	return out
}

func (m *Memory) file(ext, path string, limit int64) Beside {
	b, err := bounded.Read(path, int(limit))
	if err == nil && len(b) == 0 {
		err = errors.New("it is empty")
	}
	return Beside{ext, path, b, err}
}

// vmcoreinfo takes the note out of the core, where kernels since 4.19 have it, or from the address that the kernel tells.
func (m *Memory) vmcoreinfo() Beside {
	out := Beside{Ext: ".vmcoreinfo", Of: "VMCOREINFO"}
	if p, ok := m.r.(*physical); ok && m.core != nil {
		if out.Bytes = m.core.note(p.r, "VMCOREINFO"); out.Bytes != nil {
			return out
		}
	}
	at, size, ok := strings.Cut(bounded.Line(m.s.Vmcoreinfo), " ")
	addr, err1 := strconv.ParseUint(strings.TrimPrefix(at, "0x"), 16, 64)
	n, err2 := strconv.ParseUint(strings.TrimPrefix(size, "0x"), 16, 64)
	if !ok || err1 != nil || err2 != nil || addr > maxPhys || n > maxSmall {
		out.Err = errors.New("neither the core nor sysfs has it")
		return out
	}
	b := make([]byte, n)
	if _, err := m.r.ReadAt(b, int64(addr)); err != nil {
		out.Err = fmt.Errorf("read at %#x: %w", addr, unwrap(err))
	} else if out.Bytes = note(bin.Little(b), "VMCOREINFO", func(uint32) bool { return true }); out.Bytes == nil {
		out.Err = fmt.Errorf("no such note at %#x", addr)
	}
	return out
}

// hidden tells whether no symbol of the first ones has an address.
func hidden(b []byte) bool {
	for range 100 {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if at, _, _ := bytes.Cut(line, []byte(" ")); ok && len(bytes.Trim(at, "0")) > 0 {
			return false
		}
		b = rest
	}
	return true
}

// Write writes the companions beside a copy and notes them.
func (m *Memory) Write(to string, files []Beside) error {
	for _, f := range files {
		c := custody.Companion{Of: f.Of}
		if f.Err != nil {
			c.Error = f.Err.Error()
			m.Facts.Beside = append(m.Facts.Beside, c)
			continue
		}
		path := custody.Beside(to, f.Ext)
		w, err := custody.Create(path)
		if err != nil {
			return err
		}
		_, err = w.Write(f.Bytes)
		if err = errors.Join(err, w.Sync(), w.Close()); err != nil {
			return fmt.Errorf("write %q: %w", path, err)
		}
		c.Name, c.SHA256 = filepath.Base(path), fmt.Sprintf("%x", sha256.Sum256(f.Bytes))
		m.Facts.Beside = append(m.Facts.Beside, c)
	}
	return nil
}
