package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/tarball"
	"telltale/filesystem/tree"
	"telltale/filesystem/ziparchive"
	"telltale/internal/holes"
	"telltale/internal/unpack"
	"telltale/internal/untouched"
)

// ErrNotEvidence says that an input holds nothing that can be examined.
var ErrNotEvidence = errors.New("not recognised as evidence")

// headSize is how much of a source the probes see; Btrfs keeps its superblock at 64 KiB.
const headSize = 128 << 10 // bytes

// Open opens the input at path, whatever it is, told by its content. One input can hold several machines.
func Open(ctx context.Context, path string, o Options) (*Input, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open evidence: %w", err)
	}
	in := &Input{}
	if st.IsDir() {
		err = in.folder(ctx, path, o)
	} else {
		err = in.file(ctx, path, evidence.At(st.ModTime(), time.Second), o)
	}
	if err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// folder takes a server's extracted tree, several of them side by side, or a flat folder of logs.
func (in *Input) folder(ctx context.Context, path string, o Options) error {
	f, err := tree.Open(path)
	if err != nil {
		return err
	}
	in.close = append(in.close, f.Close)
	in.Kind = KindFolder
	if found, err := in.unpacked(f, "", o); found || err != nil {
		return err
	}
	if found, err := in.foreign(ctx, f, "", filepath.Base(path), true, o); found || err != nil {
		return err
	}
	in.hosts(f, "", true, o)
	return nil
}

func (in *Input) file(ctx context.Context, path string, mtime evidence.Time, o Options) error {
	f, err := untouched.Open(path, 0)
	if err != nil {
		return fmt.Errorf("open evidence: %w", err)
	}
	in.close = append(in.close, f.Close)
	if in.Size, err = f.Seek(0, io.SeekEnd); err != nil {
		return fmt.Errorf("open evidence %q: %w", path, err)
	}
	if in.Size == 0 {
		return fmt.Errorf("%q is empty: %w", path, ErrNotEvidence)
	}
	name := filepath.Base(path)
	head, err := headOf(f)
	if err != nil {
		return fmt.Errorf("read evidence %q: %w", path, err)
	}
	var r io.ReaderAt = holes.NewFile(f, in.Size)
	size := in.Size
	kind := unpack.Kind(head)
	if encrypted(head) {
		kind = "age"
	}
	if kind != "" {
		if t := unpack.HeaderTime(head); !t.IsZero() {
			mtime = evidence.At(t, time.Second)
		}
		s, n, sum, bad := spool(ctx, f, in.Size, o)
		if s != nil {
			in.close = append(in.close, s.Close)
		}
		if bad != nil && (s == nil || n == 0 || errors.Is(bad, context.Canceled) || errors.Is(bad, errSpool)) {
			return fmt.Errorf("unpack %q: %w", path, bad)
		}
		if bad != nil {
			in.Damage = append(in.Damage, evidence.Damage{Ref: evidence.Ref{Source: o.Source, Path: kind, Off: n}, Reason: bad.Error() + "; what was read before is examined"})
		}
		r, size, in.SHA256 = holes.NewFile(s, n), n, sum
		name = strings.TrimSuffix(name, filepath.Ext(name))
		if head, err = headOf(s); err != nil {
			return fmt.Errorf("read evidence %q: %w", path, err)
		}
	}
	return in.content(ctx, r, size, head, path, single{name: name, r: r, size: size, mtime: mtime}, o)
}

// content takes uncompressed bytes: an archive, a disk, a filesystem, or a single file.
func (in *Input) content(ctx context.Context, r io.ReaderAt, size int64, head []byte, path string, alone single, o Options) error {
	switch {
	case bytes.HasPrefix(head, []byte(encryptedAcquire)):
		return fmt.Errorf("a collection that acquire encrypted: decrypt it with acquire-decrypt and the private key whose public key it was made with: %w", filesystem.ErrEncrypted)
	case ziparchive.Probe(head):
		z, err := ziparchive.Open(ctx, r, size, o.Spool)
		if err != nil {
			return fmt.Errorf("open zip archive: %w", err)
		}
		in.close = append(in.close, z.Close)
		in.Kind = KindArchive
		if z, err = in.locked(ctx, z, o); err != nil {
			return err
		}
		if found, err := in.unpacked(z, "zip:", o); found || err != nil {
			return err
		}
		if found, err := in.foreign(ctx, z, "zip:", filepath.Base(path), true, o); found || err != nil {
			return err
		}
		in.hosts(z, "zip:", true, o)
		return nil
	case tarball.Probe(head):
		t, err := tarball.Open(ctx, r, size)
		if err != nil {
			return fmt.Errorf("open tar archive: %w", err)
		}
		in.Kind = KindArchive
		for _, d := range t.Damage() {
			in.damage(o, d)
		}
		if found, err := in.collection(t, "tar:", o); err != nil {
			return err
		} else if found {
			return in.sealed(ctx, io.NewSectionReader(r, 0, size), o)
		}
		if found, err := in.foreign(ctx, t, "tar:", filepath.Base(path), false, o); found || err != nil {
			return err
		}
		in.hosts(t, "tar:", false, o)
		return nil
	}
	if found, err := in.dump(ctx, r, size, head, o); found || err != nil {
		return err
	}
	b, err := containerOf(ctx, r, size, path, in)
	if err != nil {
		return err
	}
	if found, err := in.disk(ctx, b, o); found || err != nil {
		return err
	}
	if in.Container != "" {
		return fmt.Errorf("the disk in the %s holds no partition table and no filesystem: %w", in.Container, ErrNotEvidence)
	}
	if found, err := in.plainDump(ctx, r, size, head, o); found || err != nil {
		return err
	}
	in.Kind = KindFile
	if holes.Zero(head) {
		return fmt.Errorf("its first %d bytes are zero and it holds no partition table and no filesystem: %w", len(head), ErrNotEvidence)
	}
	h := &Host{View: View{Source: o.Source, Mounts: []Mount{{At: "/", FS: &alone}}}, Kind: KindFile, Flat: true}
	h.zone(o)
	in.Hosts = []*Host{h}
	return nil
}

// hosts makes hosts of a tree of files: the tree itself if it looks like a server's, else the trees of
// servers a few directories down (as collectors pack them), else a flat folder of logs.
func (in *Input) hosts(f filesystem.FS, prefix string, copied bool, o Options) {
	var bases []string
	findRoots(f, f.Root(), "", 3, &bases)
	for _, b := range bases {
		in.Hosts = append(in.Hosts, &Host{Kind: in.Kind, CopyTimes: copied, View: View{Source: o.Source, Mounts: []Mount{{At: "/", FS: f, Prefix: prefix, Base: b}}}})
	}
	if len(bases) == 0 {
		if in.Kind == KindFolder {
			in.Kind = KindLogs
		}
		in.Hosts = []*Host{{Kind: in.Kind, Flat: true, CopyTimes: copied, View: View{Source: o.Source, Mounts: []Mount{{At: "/", FS: f, Prefix: prefix}}}}}
	}
	for _, h := range in.Hosts {
		h.finish(o)
		if h.Flat && h.Kind != KindRemote {
			h.Sites.Roots = h.siteFolders()
		}
		in.Notes = append(in.Notes, h.findContainers(o)...)
	}
}

func (h *Host) finish(o Options) {
	for _, m := range h.Mounts {
		h.Infos = append(h.Infos, m.FS.Info())
	}
	if o.Remote {
		h.Kind, h.Flat = KindRemote, true
	}
	h.learn(o)
}

// maxRoots bounds how many machines one input is taken apart into.
const maxRoots = 32

func findRoots(f filesystem.FS, dir filesystem.Inode, path string, depth int, out *[]string) {
	if isRoot(f, dir) {
		*out = append(*out, path)
		return
	}
	if depth == 0 {
		return
	}
	n := 0
	for d, err := range f.ReadDir(dir) {
		if n++; err != nil || n > 1000 || len(*out) >= maxRoots {
			break
		}
		m, err := stat(f, d.Inode)
		if err == nil && m.Type == filesystem.Directory {
			findRoots(f, d.Inode, path+"/"+string(d.Name), depth-1, out)
		}
	}
}

// isRoot tells whether a directory looks like the root of a server: it has an etc with accounts or a
// release file, or a var with logs.
func isRoot(f filesystem.FS, dir filesystem.Inode) bool {
	if etc, err := find(f, dir, "etc"); err == nil {
		for _, n := range []string{"passwd", "os-release", "hostname", "fstab", "debian_version", "redhat-release"} {
			if _, err := find(f, etc, n); err == nil {
				return true
			}
		}
	}
	if v, err := find(f, dir, "var"); err == nil {
		if l, err := find(f, v, "log"); err == nil {
			if m, err := stat(f, l); err == nil && m.Type == filesystem.Directory {
				return true
			}
		}
	}
	return false
}

func exists(h *Host, p string) bool { _, err := h.Lookup(p); return err == nil }

func (in *Input) damage(o Options, d evidence.Damage) {
	if d.Ref.Source == "" {
		d.Ref.Source = o.Source
	}
	in.Damage = append(in.Damage, d)
}

func headOf(r io.ReaderAt) ([]byte, error) {
	head := make([]byte, headSize)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) && n == 0 {
		return nil, err
	}
	return head[:n], nil
}

// guess names what a partition that cannot be read probably holds, so that the user knows what is missing.
func guess(head []byte) string {
	at := func(off int, magic string) bool {
		return len(head) >= off+len(magic) && string(head[off:off+len(magic)]) == magic
	}
	switch {
	case at(0, "XFSB"):
		return ": XFS"
	case at(0x10040, "_BHRfS_M"):
		return ": Btrfs"
	case at(0, "LUKS\xba\xbe"):
		return ": LUKS, encrypted"
	case at(512, "LABELONE"), at(536, "LVM2 001"):
		return ": an LVM physical volume"
	case at(4086, "SWAPSPACE2"):
		return ": swap space"
	case at(54, "FAT"), at(82, "FAT32"):
		return ": FAT"
	case at(4096, "\xfc\x4e\x2b\xa9"):
		return ": a member of a Linux RAID"
	case holes.Zero(head):
		return ": its beginning is empty"
	}
	return ""
}

// errSpool marks a failure of the examiner's own disk, not of the evidence.
var errSpool = errors.New("cannot write to the case")

// spool unpacks f into the case and hashes it as it lies, in one reading. The spooled file has no name
// any more when spool returns, so that nothing is left behind however the program ends.
func spool(ctx context.Context, f io.ReaderAt, size int64, o Options) (*os.File, int64, string, error) {
	out, err := os.CreateTemp(o.Spool, "spool-*")
	if err != nil {
		return nil, 0, "", fmt.Errorf("%w: %w", errSpool, err)
	}
	os.Remove(out.Name())
	sum := sha256.New()
	src := &reading{ctx: ctx, r: io.TeeReader(io.NewSectionReader(f, 0, size), sum), total: size, progress: o.Progress}
	d, _, err := o.open(src)
	if err != nil {
		out.Close()
		return nil, 0, "", err
	}
	defer d.Close()
	w := holes.NewWriter(out)
	_, err = io.CopyBuffer(w, d, make([]byte, 1<<20))
	if failed := w.Finish(); failed != nil {
		err = fmt.Errorf("%w: %w", errSpool, failed)
	}
	if _, rest := io.Copy(io.Discard, src); rest != nil && err == nil {
		err = rest
	}
	return out, w.Size(), hex.EncodeToString(sum.Sum(nil)), err
}

type reading struct {
	ctx         context.Context
	r           io.Reader
	done, total int64
	progress    func(done, total int64)
}

func (r *reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.done += int64(n)
	if r.progress != nil {
		r.progress(r.done, r.total)
	}
	return n, err
}
