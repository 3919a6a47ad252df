package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"telltale/evidence"
	"telltale/filesystem"
	fsall "telltale/filesystem/all"
	"telltale/image"
	imgall "telltale/image/all"
	rawsplit "telltale/image/split"
	"telltale/internal/holes"
	"telltale/internal/limit"
	"telltale/internal/untouched"
	"telltale/volume"
	volall "telltale/volume/all"
)

// tailSize is how much of a container's end the probes see.
const tailSize = 4 << 10 // bytes

// maxLayers bounds how deep volumes lie in volumes: LVM on LUKS on RAID in partitions are four.
const maxLayers = 12

// block is a source of bytes that holds something: a disk, a partition, a volume.
type block struct {
	io.ReaderAt
	size   int64
	prefix string // of evidence.Ref.Path: "qcow2!gpt:1!"
	depth  int
}

func (b block) section(off, size int64, name string) block {
	return block{holes.NewSection(b, off, size), size, b.prefix + name, b.depth + 1}
}

// Next tells where data go on, as holes.Nexter does.
func (b block) Next(off int64) int64 { return holes.Next(b.ReaderAt, off) }

// part is a filesystem that was found.
type part struct {
	prefix string
	fs     filesystem.FS // as it is examined: replayed, where there was something to replay
	asWas  filesystem.FS // as it lies on disk, where that is another view
	did    filesystem.Replayed
	volume string        // the volume that holds it, as fstab names it: "vg0/root", "md0"
	of     string        // the volume whose earlier state this is
	made   evidence.Time // of an earlier state
	raw    io.ReaderAt   // what the filesystem lies on; nil where that are several devices
}

// layers takes disks apart until there are filesystems.
type layers struct {
	in      *Input
	o       Options
	ctx     context.Context
	members map[string][]volume.Member
	devices map[string][]filesystem.Device
	wants   map[string]int // how many devices a filesystem lies on
	joins   map[string]filesystem.Format
	parts   []part
	shut    []string // what could not be opened, and why
	layered bool     // it is more than one bare filesystem
}

// disk takes apart what lies in b; found tells whether there is anything a disk can hold.
func (in *Input) disk(ctx context.Context, b block, o Options) (found bool, err error) {
	l := &layers{in: in, o: o, ctx: ctx, members: map[string][]volume.Member{}, devices: map[string][]filesystem.Device{}, wants: map[string]int{}, joins: map[string]filesystem.Format{}}
	found, err = l.open(b, part{})
	if err != nil || !found {
		return found, err
	}
	for range maxLayers {
		if !l.assemble() {
			break
		}
	}
	l.join()
	l.snapshots(b)
	in.Kind = KindVolume
	if l.layered || strings.Contains(b.prefix, "!") {
		in.Kind = KindDisk
	}
	if len(l.parts) == 0 {
		why := append(append([]string{}, l.shut...), in.Notes...)
		for _, d := range in.Damage {
			why = append(why, d.Reason)
		}
		return true, fmt.Errorf("it holds no filesystem that can be read (%s): %w", strings.Join(why, "; "), ErrNotEvidence)
	}
	in.Notes = append(in.Notes, l.shut...)
	in.mount(l.parts, o)
	return true, ctx.Err()
}

// snapshots looks into the earlier states that a disk's container keeps. What cannot be opened of them is told as part of the disk.
func (l *layers) snapshots(b block) {
	for _, s := range l.in.snapshots {
		at := block{s.Disk, s.Disk.Size(), fmt.Sprintf("%ssnapshot %q!", b.prefix, s.Name), 1}
		if _, err := l.open(at, part{volume: s.Name, of: "the disk", made: s.Made}); err != nil {
			return
		}
	}
}

// open looks at one source. as carries what is known of it.
func (l *layers) open(b block, as part) (bool, error) {
	if err := l.ctx.Err(); err != nil {
		return false, err
	}
	head, err := headOf(b)
	if err != nil {
		l.in.damage(l.o, evidence.Damage{Ref: evidence.Ref{Path: b.prefix}, Reason: err.Error()})
		return true, nil
	}
	for _, m := range volall.Managers() {
		if x := (volume.Member{ReaderAt: b, Size: b.size, Name: l.o.Source + " " + name(b)}); m.Probe(x) {
			l.members[m.Name] = append(l.members[m.Name], x)
			l.layered = true
			return true, nil
		}
	}
	for _, f := range fsall.Formats() {
		if f.Probe(head) {
			l.filesystem(f, b, head, as)
			return true, nil
		}
	}
	if at, ok := swap(head); ok {
		l.in.Swaps = append(l.in.Swaps, Raw{Prefix: b.prefix + "swap:", Size: b.size, ReaderAt: b, Skip: at})
		l.in.Notes = append(l.in.Notes, fmt.Sprintf("%s is swap space of %d bytes", name(b), b.size))
		return true, nil
	}
	if b.depth < maxLayers {
		for _, v := range volall.Formats() {
			if v.Probe(head) && l.table(v, b, as) {
				return true, nil
			}
		}
	}
	if b.depth > 0 {
		l.shut = append(l.shut, fmt.Sprintf("%s (%d bytes) holds no filesystem that can be read%s", name(b), b.size, guess(head)))
	}
	return b.depth > 0, nil
}

// name is how a layer is called in words.
func name(b block) string {
	if s := strings.TrimRight(b.prefix, "!:"); s != "" {
		return s
	}
	return "the disk"
}

func (l *layers) table(v volume.Format, b block, as part) bool {
	t, err := v.Open(b, b.size, limit.New(limit.Memory))
	if err != nil {
		l.shut = append(l.shut, fmt.Sprintf("%s: %v", v.Name, err))
		return false
	}
	l.layered = true
	for _, n := range t.Notes() {
		l.in.Notes = append(l.in.Notes, b.prefix+v.Name+": "+n)
	}
	for _, p := range t.Parts() {
		if _, err := l.open(b.section(p.Off, p.Length, fmt.Sprintf("%s:%d!", v.Name, p.Index)), as); err != nil {
			return true
		}
	}
	return true
}

func (l *layers) filesystem(f filesystem.Format, b block, head []byte, as part) {
	if f.Part != nil {
		if id, n := f.Part(head); n > 1 {
			l.devices[id] = append(l.devices[id], filesystem.Device{ReaderAt: b, Size: b.size, Name: name(b)})
			l.wants[id], l.joins[id] = n, f
			l.layered = true
			return
		}
	}
	v, err := f.Open(b, b.size, limit.New(limit.Memory))
	if err != nil {
		l.in.damage(l.o, evidence.Damage{Ref: evidence.Ref{Path: b.prefix + f.Name + ":"}, Reason: err.Error()})
		return
	}
	as.prefix, as.fs, as.raw = b.prefix+f.Name+":", v, b
	l.add(as)
}

// add takes a filesystem in, with its journal replayed.
func (l *layers) add(p part) {
	if r, ok := p.fs.(filesystem.Replayer); ok && p.fs.Info().Dirty {
		v, did, err := r.Replay(l.ctx)
		switch {
		case err != nil:
			l.in.damage(l.o, evidence.Damage{Ref: evidence.Ref{Path: p.prefix}, Reason: "the journal was not replayed: " + err.Error()})
		case v != nil:
			p.asWas, p.fs, p.did = p.fs, v, did
		}
		for _, n := range did.Notes {
			l.in.Notes = append(l.in.Notes, p.prefix+" journal: "+n)
		}
	}
	l.parts = append(l.parts, p)
}

// assemble makes the volumes that the members found so far give, and looks into them. It tells whether
// there were any members.
func (l *layers) assemble() bool {
	some := false
	for _, m := range volall.Managers() {
		ms := l.members[m.Name]
		if len(ms) == 0 {
			continue
		}
		some = true
		delete(l.members, m.Name)
		vs, notes, err := m.Make(l.ctx, append(ms, l.beside(m)...), volume.Options{Secret: l.o.Secret, Budget: limit.New(limit.Memory)})
		for _, n := range notes {
			l.in.Notes = append(l.in.Notes, m.Name+": "+n)
		}
		if err != nil {
			l.in.damage(l.o, evidence.Damage{Ref: evidence.Ref{Path: m.Name + ":"}, Reason: err.Error()})
		}
		for _, v := range vs {
			for _, n := range v.Notes {
				l.in.Notes = append(l.in.Notes, m.Name+":"+v.Name+": "+n)
			}
			as := part{volume: v.Name}
			if v.Earlier {
				as.of, as.made = v.Of, v.Made
			}
			if _, err := l.open(block{v, v.Size, m.Name + ":" + v.Name + "!", 1}, as); err != nil {
				return false
			}
		}
	}
	return some
}

// beside gives the members that other evidence of the same run holds.
func (l *layers) beside(m volume.Manager) (ms []volume.Member) {
	for _, p := range l.o.Beside {
		ms = append(ms, l.peek(p, m)...)
	}
	return ms
}

// peek looks for members of one manager in another disk, and keeps that disk open.
func (l *layers) peek(path string, m volume.Manager) (ms []volume.Member) {
	st, err := os.Stat(path)
	if err != nil || st.IsDir() {
		return nil
	}
	f, err := untouched.Open(path, 0)
	if err != nil {
		return nil
	}
	b, err := containerOf(l.ctx, f, st.Size(), path, &Input{})
	used := false
	if err == nil {
		eachBlock(b, func(x block) {
			if mem := (volume.Member{ReaderAt: x, Size: x.size, Name: filepath.Base(path) + " " + name(x)}); m.Probe(mem) {
				ms, used = append(ms, mem), true
			}
		})
	}
	if !used {
		f.Close()
		return nil
	}
	l.in.close = append(l.in.close, f.Close)
	l.in.Used = append(l.in.Used, path)
	return ms
}

// eachBlock gives a disk, or the partitions that it is divided in.
func eachBlock(b block, f func(block)) {
	f(b)
	head, err := headOf(b)
	if err != nil {
		return
	}
	for _, v := range volall.Formats() {
		if !v.Probe(head) {
			continue
		}
		if t, err := v.Open(b, b.size, limit.New(limit.Memory)); err == nil {
			for _, p := range t.Parts() {
				f(b.section(p.Off, p.Length, fmt.Sprintf("%s:%d!", v.Name, p.Index)))
			}
			return
		}
	}
}

// join opens the filesystems that lie on several devices.
func (l *layers) join() {
	for id, ds := range l.devices {
		f := l.joins[id]
		if len(ds) < l.wants[id] {
			l.in.Notes = append(l.in.Notes, fmt.Sprintf("%s %s lies on %d devices, of which %d are here", f.Name, id, l.wants[id], len(ds)))
		}
		v, err := f.Join(ds, limit.New(limit.Memory))
		if err != nil {
			l.in.damage(l.o, evidence.Damage{Ref: evidence.Ref{Path: f.Name + ":"}, Reason: err.Error()})
			continue
		}
		l.add(part{prefix: f.Name + ":", fs: v})
	}
}

// swap tells whether a source is swap space, and where its pages begin. Its signature stands at the end
// of the first page, whose size depends on the machine (mm/swapfile.c).
func swap(head []byte) (pages int64, ok bool) {
	for page := 4 << 10; page <= 64<<10 && page <= len(head); page *= 2 {
		if s := string(head[page-10 : page]); s == "SWAPSPACE2" || s == "SWAP-SPACE" || strings.HasPrefix(s, "S1SUSPEND") {
			return int64(page), true
		}
	}
	return 0, false
}

// containerOf takes the container off a disk: what is left is the disk's bytes.
func containerOf(ctx context.Context, r io.ReaderAt, size int64, path string, in *Input) (block, error) {
	f := image.File{ReaderAt: r, Size: size, Name: filepath.Base(path), Beside: besider(filepath.Dir(path), in)}
	if whole, notes, ok := rawsplit.Joined(f); ok {
		in.Notes = append(in.Notes, notes...)
		f, r, size = whole, whole, whole.Size
		in.Container = "split raw image"
	}
	head, err := headOf(r)
	if err != nil {
		return block{}, err
	}
	tail := make([]byte, min(tailSize, size))
	if n, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		tail = tail[:n]
	}
	for _, x := range imgall.Formats() {
		if !x.Probe(head, tail) {
			continue
		}
		d, err := x.Open(ctx, f, limit.New(limit.Memory))
		if err != nil {
			return block{}, fmt.Errorf("open %s: %w", x.Name, err)
		}
		if x.Name == "raw" {
			break
		}
		in.Container = x.Name
		in.describeImage(x, d)
		return block{ReaderAt: d, size: d.Size(), prefix: x.Name + "!"}, nil
	}
	return block{ReaderAt: r, size: size}, nil
}

// besider opens files of the same folder by their bare name.
func besider(dir string, in *Input) func(string) (image.File, error) {
	var open func(name string) (image.File, error)
	open = func(name string) (image.File, error) {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") || name != filepath.Base(name) {
			return image.File{}, fmt.Errorf("%q is no bare file name: %w", name, os.ErrNotExist)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return image.File{}, err
		}
		defer root.Close()
		st, err := root.Stat(name)
		if err != nil {
			return image.File{}, err
		}
		if !st.Mode().IsRegular() {
			return image.File{}, fmt.Errorf("%q is no regular file: %w", name, os.ErrNotExist)
		}
		f, err := root.Open(name)
		if err != nil {
			return image.File{}, err
		}
		in.close = append(in.close, f.Close)
		in.Files = append(in.Files, name)
		return image.File{ReaderAt: f, Size: st.Size(), Name: name, Beside: open}, nil
	}
	return open
}

func (in *Input) describeImage(x image.Format, d image.Disk) {
	if v, ok := d.(image.Describer); ok {
		i := v.Info()
		for _, n := range i.Notes {
			in.Notes = append(in.Notes, x.Name+": "+n)
		}
		for _, f := range i.Facts {
			in.Notes = append(in.Notes, fmt.Sprintf("%s: %s: %s", x.Name, f.Name, f.Value))
		}
	}
	if v, ok := d.(image.Verifier); ok {
		in.Verifier = v
	}
	if s, ok := d.(image.Snapshotter); ok {
		in.snapshots = s.Snapshots()
	}
}
