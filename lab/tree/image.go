package tree

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func hasExt4() bool {
	for _, c := range []string{"mkfs.ext4", "debugfs"} {
		if tool(c) == "" {
			return false
		}
	}
	return true
}

// tool finds a program of e2fsprogs, which stands in sbin where an ordinary user does not look.
func tool(name string) string {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		if p := filepath.Join(dir, name); exec.Command(p, "-V").Run() == nil {
			return p
		}
	}
	return ""
}

// image writes the disk as an ext4 image: mkfs makes it, debugfs fills it and sets owners, modes and all four times, so that
// no rights are needed.
func (s *server) image(ctx context.Context, to string) (err error) {
	work, err := os.MkdirTemp("", "telltale-lab-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	size := int64(0)
	if err := s.each(func(_ string, n *inode) error { size += 4096 + int64(len(n.data)+4095)&^4095; return nil }); err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate((size*5/4+(24<<20))&^0xfffff), f.Close()); err != nil {
		return err
	}
	mkfs := exec.CommandContext(ctx, tool("mkfs.ext4"), "-q", "-F", "-b", "4096", "-I", "256", "-L", "root", to)
	mkfs.Env = append(os.Environ(), fmt.Sprintf("E2FSPROGS_FAKE_TIME=%d", s.root.crtime.Unix()))
	if out, err := mkfs.CombinedOutput(); err != nil {
		return fmt.Errorf("mkfs.ext4: %w: %s", err, out)
	}
	script, err := s.debugfs(work)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, tool("debugfs"), "-w", "-f", "-", to)
	c.Stdin = strings.NewReader(script)
	var told bytes.Buffer
	c.Stderr = &told
	if err := c.Run(); err != nil {
		return fmt.Errorf("debugfs: %w: %s", err, told.String())
	}
	for _, line := range strings.Split(told.String(), "\n") {
		if line != "" && !strings.HasPrefix(line, "debugfs 1.") && !strings.HasPrefix(line, "Allocated inode") {
			return fmt.Errorf("debugfs: %s", line)
		}
	}
	return nil
}

// debugfs writes the script that fills the image: first all names, then what they are, for making a name changes its folder.
func (s *server) debugfs(work string) (string, error) {
	var names, what strings.Builder
	i := 0
	err := s.each(func(p string, n *inode) error {
		if p == "" {
			p = "/"
		}
		if strings.ContainsAny(p, "\"\n") {
			return fmt.Errorf("debugfs cannot take the name %q", p)
		}
		switch {
		case p == "/":
		case n.dir():
			fmt.Fprintf(&names, "mkdir \"%s\"\n", p)
		case n.mode&0o170000 == typeLink:
			fmt.Fprintf(&names, "symlink \"%s\" \"%s\"\n", p, n.data)
		default:
			i++
			from := filepath.Join(work, fmt.Sprint(i))
			if err := os.WriteFile(from, n.data, 0o600); err != nil {
				return err
			}
			fmt.Fprintf(&names, "write %s \"%s\"\n", from, p)
		}
		set := func(field string, v any) { fmt.Fprintf(&what, "sif \"%s\" %s %v\n", p, field, v) }
		if n.mode&0o170000 != typeLink {
			set("mode", fmt.Sprintf("0%o", n.mode))
		}
		set("uid", n.uid)
		set("gid", n.gid)
		for _, t := range []struct {
			name string
			at   time.Time
		}{{"crtime", n.crtime}, {"mtime", n.mtime}, {"atime", n.atime}, {"ctime", n.ctime}} {
			set(t.name+"_extra", t.at.Nanosecond()<<2)
			set(t.name, fmt.Sprintf("@%d", t.at.Unix()))
		}
		return nil
	})
	return names.String() + what.String(), err
}

// archive writes the disk as somebody would send it: tar with PAX times, compressed.
func (s *server) archive(to string) (err error) {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	if err := s.each(func(p string, n *inode) error {
		h := &tar.Header{Name: "." + p, Mode: int64(n.mode & 0o7777), Uid: n.uid, Gid: n.gid, ModTime: n.mtime, AccessTime: n.atime, ChangeTime: n.ctime, Format: tar.FormatPAX}
		switch n.mode & 0o170000 {
		case typeDir:
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		case typeLink:
			h.Typeflag, h.Linkname = tar.TypeSymlink, string(n.data)
		default:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(n.data))
		}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		_, err := w.Write(n.data)
		return err
	}); err != nil {
		return err
	}
	return errors.Join(w.Close(), z.Close())
}
