package examine

import (
	"io"
	"time"

	"telltale/detect"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/elf"
	"telltale/internal/filetype"
	"telltale/internal/marks"
)

// Bounds of looking into files, by host: what is beyond is told by name and metadata only.
const (
	maxLooked   = 50_000
	maxLookTime = 60 * time.Second
)

// looker looks into files whose content may matter.
type looker struct {
	n     int
	spent time.Duration
	head  [filetype.Head]byte

	marked int
	body   []byte
}

// worthALook tells which files are looked into: regular ones that no package owns and that could run, or lie where an intruder puts things.
func (r *run) worthALook(h *seenHost, e *host.Entry, pkg string) bool {
	m := &e.Meta
	if m.Type != filesystem.Regular || m.Size == 0 || m.Flags&(filesystem.Encrypted|filesystem.Untaken) != 0 || pkg != "" && m.Mode&(filesystem.SetUID|filesystem.SetGID) == 0 {
		return false
	}
	if m.Mode&0o111 != 0 || detect.InVolatileDir(e.Path) || detect.HiddenPath(e.Path) != "" || detect.RansomName(e.Path) || detect.InstallHook(e.Path) || detect.TokenThief(e.Path) || detect.TuckedSettings(e.Path) {
		return true
	}
	for _, w := range h.Sites.Roots {
		if len(e.Path) > len(w) && e.Path[len(w)] == '/' && e.Path[:len(w)] == w {
			return true
		}
	}
	return false
}

// facts gives what a file's content says of it, in words; "" where it was not looked into.
func (l *looker) facts(name string, r io.ReaderAt, size int64) string {
	if l.n >= maxLooked || l.spent > maxLookTime {
		return ""
	}
	l.n++
	start := time.Now()
	defer func() { l.spent += time.Since(start) }()
	n, _ := r.ReadAt(l.head[:min(int64(len(l.head)), size)], 0)
	kind, runs := filetype.Of(l.head[:n])
	words := kind
	switch {
	case kind == filetype.ELF:
		if f, err := elf.Read(r, size); err == nil {
			words = f.String()
		}
	case runs != "":
		words += "(" + runs + ")"
	}
	for _, m := range l.marks(kind, r, size) {
		words += " does(" + m + ")"
	}
	if promised, yes := filetype.Disguised(name, kind); yes {
		words += " disguised(" + promised + ")"
	}
	return words
}

// maxMarked bounds the files whose content is searched for what they are made for.
const maxMarked = 5_000

// marks gives what a program, a script or a program's settings are made for.
func (l *looker) marks(kind string, r io.ReaderAt, size int64) []string {
	if kind != filetype.ELF && kind != filetype.Script && kind != filetype.Text && kind != filetype.PHP || l.marked >= maxMarked {
		return nil
	}
	l.marked++
	if l.body == nil {
		l.body = make([]byte, marks.Read)
	}
	n, _ := r.ReadAt(l.body[:min(marks.Read, size)], 0)
	return marks.Of(l.body[:n])
}

// stands tells whether the files of a server's system are there, not only a folder of its logs or a filesystem of its data.
func stands(h *seenHost) bool {
	n := 0
	for _, p := range []string{"/etc", "/usr", "/bin", "/root"} {
		if _, err := h.Lookup(p); err == nil {
			n++
		}
	}
	return n >= 2
}
