package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/tarball"
	"telltale/filesystem/ziparchive"
	"telltale/internal/holes"
)

// Collections that others made: UAC, Velociraptor's offline collector, CatScale, and acquire of fox-it. Each is told by what it holds, never by its
// name alone. The machine's files become its tree, what was said of the running machine its state.

// The kinds of a Host's State that others' collections have, as artefacts name them.
const (
	kindUAC          = "uac"
	kindVelociraptor = "velociraptor"
	kindCatScale     = "catscale"
	kindAcquire      = "acquire"
)

// encryptedAcquire begins a collection that acquire encrypted (acquire/crypt.py, FILE_MAGIC).
const encryptedAcquire = "ENCRYPTEDACQUIRE"

// parcel is a directory that may be the top of somebody's collection.
type parcel struct {
	ctx    context.Context
	in     *Input
	o      Options
	fs     filesystem.FS
	dir    filesystem.Inode
	base   string // path of dir within fs, "" for its top
	prefix string // of evidence.Ref.Path
	name   string // of the file or folder that was given
	copied bool   // owners and modes are those of a copy, not what the collector saw
}

// unpacked is what was made of a parcel.
type unpacked struct {
	state  *State
	tree   *gathered
	host   string
	at     string                            // where the files lie in the collection, for references
	copied bool                              // Host.CopyTimes
	late   func(*Host) (taken evidence.Time) // what can be told when the machine's zone is known; may be nil
}

// makers are those whose collections are known.
func makers() []func(*parcel) (*unpacked, error) {
	return []func(*parcel) (*unpacked, error){uac, velociraptor, catscale, foxit}
}

// foreign opens others' collections: the one at the tree's top, or those in the directories right below it.
func (in *Input) foreign(ctx context.Context, f filesystem.FS, prefix, name string, copied bool, o Options) (bool, error) {
	if isRoot(f, f.Root()) {
		return false, nil // a machine's own tree: collections may lie about on it, and an intruder can put one at its top
	}
	top := &parcel{ctx: ctx, in: in, o: o, fs: f, dir: f.Root(), prefix: prefix, name: name, copied: copied}
	found, err := top.open()
	if found || err != nil {
		return found, err
	}
	n := 0
	for d, err := range f.ReadDir(f.Root()) {
		if n++; err != nil || n > 1000 || len(in.Hosts) >= maxRoots {
			break
		}
		m, err := stat(f, d.Inode)
		if err != nil || m.Type != filesystem.Directory || isRoot(f, d.Inode) {
			continue
		}
		p := *top
		p.dir, p.base, p.name = d.Inode, "/"+string(d.Name), string(d.Name)
		ok, err := p.open()
		if err != nil {
			return found, err
		}
		found = found || ok
	}
	return found, nil
}

func (p *parcel) open() (bool, error) {
	for _, make := range makers() {
		u, err := make(p)
		if err != nil {
			return false, err
		}
		if u != nil {
			p.host(u)
			return true, nil
		}
	}
	return false, nil
}

func (p *parcel) host(u *unpacked) {
	u.tree.finish()
	u.state.Asked = asked[u.state.Kind]
	u.state.Mount = Mount{At: "/", FS: p.fs, Prefix: p.prefix, Base: p.base}
	for _, s := range u.tree.odd {
		u.state.Notes = append(u.state.Notes, "not taken as it stands: "+s)
	}
	if u.tree.full {
		u.state.Notes = append(u.state.Notes, fmt.Sprintf("its lists name more than %d files that it does not hold: of the others nothing is known", maxListed))
	}
	h := &Host{Kind: KindCollection, State: u.state, CopyTimes: u.copied, View: View{Source: p.o.Source, Mounts: []Mount{{At: "/", FS: u.tree, Prefix: p.prefix + p.base + u.at}}}}
	h.finish(p.o)
	if h.Name == "" {
		h.Name = u.host
	}
	if u.late != nil {
		u.state.Taken = u.late(h)
	}
	p.in.Kind = KindCollection
	p.in.Hosts = append(p.in.Hosts, h)
	p.in.Notes = append(append(p.in.Notes, "a collection that "+makerNames[u.state.Kind]+" made"), u.state.Notes...)
	p.in.Notes = append(p.in.Notes, h.findContainers(p.o)...)
}

var makerNames = map[string]string{kindUAC: "UAC", kindVelociraptor: "Velociraptor", kindCatScale: "CatScale", kindAcquire: "acquire (dissect)"}

// asked says how each of them asks what runs.
var asked = map[string]string{kindUAC: "by the machine's own ps, ss, lsof and ls", kindVelociraptor: "by what its artefacts asked of /proc", kindCatScale: "by the machine's own ps, ss, lsof and ls", kindAcquire: "by copies of /proc"}

// find gives the inode of a path within the parcel.
func (p *parcel) find(path string) (filesystem.Inode, filesystem.Meta, bool) {
	i := p.dir
	for _, n := range split(path) {
		next, err := find(p.fs, i, n)
		if err != nil {
			return 0, filesystem.Meta{}, false
		}
		i = next
	}
	m, err := stat(p.fs, i)
	return i, m, err == nil
}

// folder gives the inode of a directory.
func (p *parcel) folder(path string) (filesystem.Inode, bool) {
	i, m, ok := p.find(path)
	return i, ok && m.Type == filesystem.Directory
}

// file gives the content of a regular file.
func (p *parcel) file(path string) (*io.SectionReader, bool) {
	i, m, ok := p.find(path)
	if !ok || m.Type != filesystem.Regular || m.Size == 0 {
		return nil, false
	}
	return io.NewSectionReader(fileAt{p.fs, i}, 0, m.Size), true
}

// text gives a small file's content, at most maxHeader of it.
func (p *parcel) text(path string) []byte {
	r, ok := p.file(path)
	if !ok {
		return nil
	}
	b := make([]byte, min(r.Size(), maxHeader))
	n, _ := r.ReadAt(b, 0)
	return b[:n]
}

// names gives the names of what lies in a directory of the parcel, of maxNames at most.
func (p *parcel) names(path string) (out []string) {
	i, ok := p.folder(path)
	if !ok {
		return nil
	}
	for d, err := range p.fs.ReadDir(i) {
		if err == nil && len(out) < maxNames {
			out = append(out, string(d.Name))
		}
	}
	return out
}

// maxNames bounds the names of one directory that are looked through.
const maxNames = 100_000

// nested opens an archive within the collection, which is unpacked into the spool.
func (p *parcel) nested(path string) (filesystem.FS, error) {
	r, ok := p.file(path)
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, filesystem.ErrNotExist)
	}
	o := p.o
	o.Progress = nil
	s, n, _, err := spool(p.ctx, r, r.Size(), o)
	if s != nil {
		p.in.close = append(p.in.close, s.Close)
	}
	if err != nil && (s == nil || n == 0 || p.ctx.Err() != nil || errors.Is(err, errSpool)) {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	if err != nil {
		p.in.damage(p.o, evidence.Damage{Ref: evidence.Ref{Path: p.prefix + p.base + "/" + path, Off: n}, Reason: err.Error() + "; what was read before is examined"})
	}
	at := holes.NewFile(s, n)
	if head, err := headOf(at); err != nil || !tarball.Probe(head) {
		return nil, fmt.Errorf("%s holds no tar archive: %w", path, filesystem.ErrNotSupported)
	}
	t, err := tarball.Open(p.ctx, at, n)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	for _, d := range t.Damage() {
		d.Ref.Path = p.prefix + p.base + "/" + path + "!" + d.Ref.Path
		p.in.damage(p.o, d)
	}
	return t, nil
}

// locked tells that a zip's members are encrypted, and what is needed to open them; it opens the archive within that a server of Velociraptor
// packs without encryption.
func (in *Input) locked(ctx context.Context, z *ziparchive.FS, o Options) (*ziparchive.FS, error) {
	p := &parcel{ctx: ctx, in: in, o: o, fs: z, dir: z.Root()}
	files, shut := 0, 0
	for _, n := range p.names("") {
		if _, m, ok := p.find(n); ok && m.Type == filesystem.Regular {
			files++
			if m.Flags&filesystem.Encrypted != 0 {
				shut++
			}
		}
	}
	scheme := bytes.ToLower(p.text("metadata.json"))
	i, m, ok := p.find("data.zip")
	switch {
	case ok && m.Flags&filesystem.Encrypted != 0 && bytes.Contains(scheme, []byte("x509")):
		return nil, fmt.Errorf("a collection of Velociraptor that is encrypted for a certificate: its data.zip needs the private key of the server that made the collector (velociraptor unzip with that server's configuration): %w", filesystem.ErrEncrypted)
	case ok && m.Flags&filesystem.Encrypted != 0 && bytes.Contains(scheme, []byte("pgp")):
		return nil, fmt.Errorf("a collection of Velociraptor that is encrypted for a key of PGP: decrypt the password in its metadata.json with that key, and unzip data.zip by it: %w", filesystem.ErrEncrypted)
	case ok && m.Flags&filesystem.Encrypted != 0:
		return nil, fmt.Errorf("a collection of Velociraptor whose data.zip is encrypted with a password: unzip it by the password that the collector was made with, and give what it holds: %w", filesystem.ErrEncrypted)
	case files > 0 && shut == files:
		return nil, fmt.Errorf("the members of the zip are encrypted with a password: unzip it by that password, and give the folder: %w", filesystem.ErrEncrypted)
	case ok && files <= 3:
		return in.inner(ctx, z, i, m.Size, o)
	}
	return z, nil
}

// inner opens a zip within a zip.
func (in *Input) inner(ctx context.Context, z *ziparchive.FS, i filesystem.Inode, size int64, o Options) (*ziparchive.FS, error) {
	r := io.NewSectionReader(fileAt{z, i}, 0, size)
	head := make([]byte, 4)
	if _, err := r.ReadAt(head, 0); err != nil || !ziparchive.Probe(head) {
		return z, nil
	}
	n, err := ziparchive.Open(ctx, r, size, o.Spool)
	if err != nil {
		return nil, fmt.Errorf("open data.zip within the zip archive: %w", err)
	}
	in.close = append(in.close, n.Close)
	return n, nil
}

// nameTime reads the time at the end of a collection's name, "host_20261123084543.tar" or "host-20261123-0845".
func nameTime(name, layout string, zone *time.Location) evidence.Time {
	name, _, _ = strings.Cut(name, ".tar")
	name = strings.TrimSuffix(name, ".zip")
	if len(name) < len(layout) {
		return evidence.Time{}
	}
	t, err := time.ParseInLocation(layout, name[len(name)-len(layout):], zone)
	if err != nil {
		return evidence.Time{}
	}
	return evidence.At(t, time.Second)
}
