package btrfs

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/internal/cache"
)

// device is one source. Places on several devices are told as if the devices lay one
// after another, in the order of their ids: base is where this one begins.
type device struct {
	io.ReaderAt
	size, base int64
	id         uint64
	uuid       uuid
	name       string
	super      *superblock
}

// volume is the storage beneath all trees: devices, chunks, nodes, checksums.
type volume struct {
	sb      *superblock
	devices []*device
	size    int64   // of all devices
	root    pointer // the tree of trees
	fsids   []uuid
	chunks  chunkMap
	nodes   *cache.Cache[int64, *node]
	pieces  *cache.Cache[int64, []byte] // decompressed extents
	maps    *cache.Cache[mapKey, *contentMap]
	buffers sync.Pool
	zstds   sync.Pool

	roots map[uint64]pointer // of the trees that are not subvolumes, by id
	notes []string

	mu     sync.Mutex
	broken map[int64]struct{} // nodes whose first copy was bad
	spoilt map[int64]struct{} // blocks of content whose first copy was bad
}

// What the caches hold at most, each twice that (see cache).
const (
	nodeCacheBytes  = 12 << 20
	pieceCacheBytes = 4 << 20
	mapCacheBytes   = 8 << 20
	maxFaults       = 10_000 // places that are remembered, so that one read twice is counted once
)

var errMissing = errors.New("its device is missing")

func newVolume(sb *superblock, devices []*device) *volume {
	v := &volume{
		sb: sb, devices: devices,
		nodes:  cache.New[int64, *node](nodeCacheBytes),
		pieces: cache.New[int64, []byte](pieceCacheBytes),
		maps:   cache.New[mapKey, *contentMap](mapCacheBytes),
		broken: make(map[int64]struct{}), spoilt: make(map[int64]struct{}),
		roots: make(map[uint64]pointer),
	}
	v.buffers.New = func() any { b := make([]byte, readPiece); return &b }
	for _, d := range devices {
		d.base = v.size
		v.size += d.size
		v.fsids = append(v.fsids, d.super.metadata)
	}
	return v
}

func (v *volume) note(format string, a ...any) {
	if len(v.notes) < 100 {
		v.notes = append(v.notes, fmt.Sprintf(format, a...))
	}
}

func (v *volume) remember(set map[int64]struct{}, at int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(set) < maxFaults {
		set[at] = struct{}{}
	}
}

// deviceOf finds a stripe's device, nil if it is missing. The uuid decides: ids of a
// seed device and its sprout may collide.
func (v *volume) deviceOf(s stripe) *device {
	for _, d := range v.devices {
		if d.uuid == s.uuid {
			return d
		}
	}
	return nil
}

// places gives where a logical address lies in copy mirror, and how many bytes follow there.
func (v *volume) place(logical int64, mirror int) (place, int64, error) {
	k := v.chunks.find(logical)
	if k == nil {
		return place{}, 0, fmt.Errorf("logical address %d lies in no chunk", logical)
	}
	s := k.locate(logical-k.logical, mirror)
	st := k.stripes[s.stripe]
	if st.off > 1<<62-s.off {
		return place{}, 0, fmt.Errorf("logical address %d lies beyond every device", logical)
	}
	return place{v.deviceOf(st), st.off + s.off}, s.run, nil
}

// physical gives the offset of a logical address's first copy that is there, -1 for none.
func (v *volume) physical(logical int64) (at, run int64) {
	k := v.chunks.find(logical)
	if k == nil {
		return -1, 0
	}
	copies := k.mirrors()
	if k.parity() > 0 {
		copies = 1
	}
	at = -1
	for m := range copies {
		p, n, err := v.place(logical, m)
		if err != nil {
			return -1, 0
		}
		if run = n; p.dev != nil && p.off < p.dev.size {
			return p.dev.base + p.off, min(n, p.dev.size-p.off)
		}
	}
	return at, run
}

// ref says where a logical address lies, as far as that is known.
func (v *volume) ref(logical, length int64) evidence.Ref {
	at, run := v.physical(logical)
	if at < 0 {
		return evidence.Ref{}
	}
	return evidence.Ref{Off: at, Len: max(0, min(length, run))}
}

func (v *volume) damage(logical, length int64, format string, a ...any) *evidence.Damage {
	return &evidence.Damage{Ref: v.ref(logical, length), Reason: fmt.Sprintf(format, a...)}
}

// mirrors gives how many ways there are to read an address.
func (v *volume) mirrors(logical int64) int {
	if k := v.chunks.find(logical); k != nil {
		return k.mirrors()
	}
	return 1
}

// read fills p from a logical address, all of it from the same mirror.
func (v *volume) read(p []byte, logical int64, mirror int) error {
	for len(p) > 0 {
		k := v.chunks.find(logical)
		if k == nil {
			return fmt.Errorf("logical address %d lies in no chunk", logical)
		}
		var n int
		var err error
		if k.parity() > 0 && mirror > 0 {
			n, err = v.rebuild(p, k, logical-k.logical, mirror)
		} else {
			n, err = v.direct(p, logical, min(mirror, k.mirrors()-1))
		}
		if err != nil {
			return err
		}
		p, logical = p[n:], logical+int64(n)
	}
	return nil
}

func (v *volume) direct(p []byte, logical int64, mirror int) (int, error) {
	at, run, err := v.place(logical, mirror)
	if err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), run)]
	return len(p), at.read(p)
}

// read fills p or says why not.
func (a place) read(p []byte) error {
	if a.dev == nil {
		return errMissing
	}
	if a.off > a.dev.size-int64(len(p)) {
		return fmt.Errorf("byte %d lies beyond the end of its device at %d", a.off, a.dev.size)
	}
	if n, err := a.dev.ReadAt(p, a.off); n < len(p) {
		return fmt.Errorf("read %d bytes at %d: %w", len(p), a.off, err)
	}
	return nil
}

// loadSystem reads the chunks that the superblock itself holds.
func (v *volume) loadSystem() error {
	for b := v.sb.system; len(b) > 0; {
		k, err := readKey(b)
		if err != nil || k.kind != kindChunk || len(b) < keySize+chunkHead {
			return fmt.Errorf("sys_chunk_array: no chunk at %d bytes before its end: %w", len(b), errNoSuper)
		}
		b = b[keySize:]
		c, err := readChunk(int64(k.offset), b)
		if err != nil {
			return fmt.Errorf("sys_chunk_array: chunk %d %w: %w", k.offset, err, errNoSuper)
		}
		v.chunks.add(c)
		b = b[chunkHead+stripeSize*len(c.stripes):]
	}
	return nil
}

// loadChunks reads the chunk tree at root.
func (v *volume) loadChunks(root pointer) error {
	var firstErr error
	found, wrong := 0, 0
	for it, err := range v.items(root, key{}, lastKey) {
		if err != nil {
			wrong++
			firstErr = errors.Join(firstErr, err)
			if wrong > 10 {
				break
			}
			continue
		}
		if it.kind != kindChunk {
			continue
		}
		c, err := readChunk(int64(it.offset), it.data)
		if err != nil {
			v.note("chunk at logical address %d %v: what lies there cannot be read", it.offset, err)
			continue
		}
		found++
		v.chunks.add(c)
	}
	if found == 0 && firstErr != nil {
		return firstErr
	}
	if firstErr != nil {
		v.note("the chunk tree is damaged: %v", firstErr)
	}
	return nil
}

// loadRoots reads which trees there are.
func (v *volume) loadRoots(root pointer) error {
	for _, id := range []uint64{treeExtent, treeDev, treeCsum, treeBlockGroup} {
		it, err := v.lookup(root, key{id, kindRoot, 0})
		if errors.Is(err, filesystem.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if r, err := readRoot(it); err == nil {
			v.roots[id] = r.pointer
		}
	}
	return nil
}
