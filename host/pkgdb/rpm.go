package pkgdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
)

// rpmDirs are where rpm keeps its database, rpmFiles the file in each form (rpm 4.18 macros.in _dbpath, lib/backend).
var (
	rpmDirs  = []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm"}
	rpmFiles = []string{"rpmdb.sqlite", "Packages.db", "Packages"}
)

// RPMPaths gives every path at which rpm's database may lie.
func RPMPaths() (out []string) {
	for _, dir := range rpmDirs {
		for _, f := range rpmFiles {
			out = append(out, dir+"/"+f)
		}
	}
	return out
}

// Record is one record of rpm's database: its key there, and the header.
type Record struct {
	Key uint32
	Off int64 // where its bytes begin, -1 where they lie in pieces
	Len int64
	*Header
}

var errForm = errors.New("no form of rpm's database")

// Headers reads rpm's database in whatever form it is. One that is broken gives an error, and the reading goes on.
func Headers(ctx context.Context, r io.ReaderAt, size int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		head := make([]byte, min(max(size, 0), 72))
		if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
			yield(Record{}, err)
			return
		}
		read := blobsOf(head)
		if read == nil {
			yield(Record{}, errForm)
			return
		}
		for b, err := range read(ctx, r, size) {
			x := Record{Key: b.key, Off: b.off, Len: int64(len(b.b))}
			if err != nil {
				x.Off, x.Len = -1, 0
			} else {
				if x.Header, err = ParseHeader(b.b); err != nil {
					err = fmt.Errorf("record %d: %w", b.key, err)
				}
			}
			if !yield(x, err) {
				return
			}
		}
	}
}

// blob is a record as it lies in the database.
type blob struct {
	key uint32
	off int64
	b   []byte
}

func blobsOf(head []byte) func(context.Context, io.ReaderAt, int64) iter.Seq2[blob, error] {
	switch {
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		return sqliteBlobs
	case bytes.HasPrefix(head, []byte(ndbMagic)):
		return ndbBlobs
	case bdbOrder(head) != nil:
		return bdbBlobs
	}
	return nil
}

// rpm reads rpm's database: of several forms the one that was written last, for moving to a new form leaves the old one.
func (d *Database) rpm(t Tree) string {
	var best *File
	for _, p := range RPMPaths() {
		f := d.open(t, p)
		if f == nil || f.Size == 0 {
			continue
		}
		if best != nil && best.Ref != f.Ref {
			d.Notes = append(d.Notes, fmt.Sprintf("rpm has databases in %s and %s: the one that was written last is read", best.Path, f.Path))
		}
		if best == nil || f.Mtime.After(best.Mtime) {
			best = f
		}
	}
	if best == nil {
		return ""
	}
	if w := d.open(t, best.Path+"-wal"); w != nil && w.Size > 0 {
		d.Notes = append(d.Notes, w.Path+" holds changes that were not yet written to rpm's database: packages installed last may be missing")
	}
	from := len(d.Packages)
	for x, err := range Headers(context.Background(), best, best.Size) {
		ref := best.Ref
		ref.Off, ref.Len = max(x.Off, 0), x.Len
		if err == nil {
			err = d.header(x, ref)
		}
		if err != nil {
			d.damage(ref, "rpm's database: "+err.Error())
		}
		if d.full {
			break
		}
	}
	unsigned(d.Packages[from:])
	return best.Path
}

// unsigned doubts the few packages without a signature among many with one. Keys that rpm keeps as packages have none.
func unsigned(ps []Package) {
	signed, bare := 0, 0
	for i := range ps {
		switch {
		case ps[i].Signed:
			signed++
		case ps[i].Name != "gpg-pubkey":
			bare++
		}
	}
	if signed < 10 || bare*10 > signed {
		return
	}
	for i := range ps {
		if p := &ps[i]; !p.Signed && p.Name != "gpg-pubkey" {
			p.doubt(fmt.Sprintf("its record has no signature, %d others have one", signed))
		}
	}
}

func (d *Database) header(x Record, ref evidence.Ref) error {
	p, err := x.Package()
	if err != nil {
		return err
	}
	p.Ref = ref
	i, ok := d.pack(p)
	if !ok {
		return nil
	}
	return d.rpmFiles(i, x.Header)
}

// rpmAttrs are the arrays that run beside the names.
type rpmAttrs struct {
	sums, users, groups, caps                   words
	modes, flags, sizes, states, checks, dirIdx numbers
	algo                                        Algo
}

// Flags and states of files (rpm 4.18 include/rpm/rpmfi.h).
const (
	rpmFileConfig    = 1 << 0
	rpmFileDoc       = 1 << 1
	rpmFileMissingOK = 1 << 3
	rpmFileGhost     = 1 << 6
	rpmStateNormal   = 0
	rpmVerifyDigest  = 1 << 0
)

// maxDirs bounds the directories of one package.
const maxDirs = 1_000_000

func (d *Database) rpmFiles(pkg int, h *Header) error {
	a := rpmAttrs{sums: h.words(tagFileDigests), users: h.words(tagFileUserName), groups: h.words(tagFileGroupName), caps: h.words(tagFileCaps),
		modes: h.numbers(tagFileModes), flags: h.numbers(tagFileFlags), sizes: h.numbers(tagFileSizes), states: h.numbers(tagFileStates),
		checks: h.numbers(tagFileVerifyFlags), dirIdx: h.numbers(tagDirIndexes), algo: MD5}
	if h.has(tagLongFileSizes) {
		a.sizes = h.numbers(tagLongFileSizes)
	}
	if n, ok := h.number(tagFileDigestAlgo); ok && n < 256 {
		a.algo = Algo(n)
	}
	dirs := h.dirs()
	names, old := h.words(tagBaseNames), false
	if !h.has(tagBaseNames) { // before rpm 4
		names, old = h.words(tagOldFileNames), true
	}
	want, n := names.left, 0
	var path []byte
	for ; ; n++ {
		s, ok := names.next()
		if !ok || d.full {
			break
		}
		path = path[:0]
		if !old {
			i, ok := a.dirIdx.at(n)
			if !ok || i >= uint64(len(dirs)) {
				return fmt.Errorf("package %q: file %d lies in no directory: %w", d.Packages[pkg].Name, n, errHeader)
			}
			path = append(path, dirs[i]...)
		}
		d.rpmFile(pkg, append(path, s...), n, &a)
	}
	if uint32(n) < want && !d.full {
		return fmt.Errorf("package %q: %d names of files, %d are there: %w", d.Packages[pkg].Name, want, n, errHeader)
	}
	return nil
}

func (h *Header) dirs() (dirs [][]byte) {
	for w := h.words(tagDirNames); len(dirs) < maxDirs; {
		s, ok := w.next()
		if !ok {
			break
		}
		dirs = append(dirs, s)
	}
	return dirs
}

// rpmFile adds one file. The arrays are read on also where the file is left out.
func (d *Database) rpmFile(pkg int, path []byte, n int, a *rpmAttrs) {
	sum, _ := a.sums.next()
	user, _ := a.users.next()
	group, _ := a.groups.next()
	caps, _ := a.caps.next()
	if s, ok := a.states.at(n); ok && s != rpmStateNormal {
		return // replaced by another package's, or not for this architecture
	}
	e := d.add(pkg, path)
	if e == nil {
		return
	}
	d.hexSum(e, a.algo, sum)
	d.setWord(&e.user, string(user))
	d.setWord(&e.group, string(group))
	d.setWord(&e.caps, string(caps))
	if m, ok := a.modes.at(n); ok {
		e.mode, e.has, e.kind = uint16(m&0o7777), true, typeOf(m)
	}
	if s, ok := a.sizes.at(n); ok && s < 1<<62 {
		e.size = int64(s)
	}
	f, _ := a.flags.at(n)
	for _, x := range []struct {
		rpm uint64
		our Flags
	}{{rpmFileConfig, Config}, {rpmFileDoc, Doc}, {rpmFileMissingOK, MayMiss}, {rpmFileGhost, Ghost | MayMiss | Unchecked}} {
		if f&x.rpm != 0 {
			e.flags |= x.our
		}
	}
	if v, ok := a.checks.at(n); ok && v&rpmVerifyDigest == 0 {
		e.flags |= Unchecked
	}
}

// typeOf reads the type out of st_mode.
func typeOf(mode uint64) filesystem.Type {
	switch mode >> 12 & 15 {
	case 1:
		return filesystem.FIFO
	case 2:
		return filesystem.CharDevice
	case 4:
		return filesystem.Directory
	case 6:
		return filesystem.BlockDevice
	case 8:
		return filesystem.Regular
	case 10:
		return filesystem.Symlink
	case 12:
		return filesystem.Socket
	}
	return filesystem.UnknownType
}

func unix(t uint64) evidence.Time {
	if t == 0 || t > 1<<34 {
		return evidence.Time{}
	}
	return evidence.Unix(int64(t), 0, time.Second)
}
