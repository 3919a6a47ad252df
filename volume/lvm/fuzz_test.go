package lvm

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"telltale/internal/limit"
	"telltale/volume"
	"telltale/volume/internal/raid"
	"telltale/volume/volumetest"
)

// maxRun is how long one run of a fuzz target may take.
const maxRun = 5 * time.Second

// group1 gives the members of a sample and the text in force of the first that has one.
func group1(t testing.TB, set string) (map[string]*physical, []byte) {
	members := map[string]*physical{}
	var text []byte
	for _, m := range volumetest.Members(volumetest.Disks(t, "testdata/"+set+".tar.gz")) {
		p, err := readLabel(m)
		if err != nil {
			t.Fatal(err)
		}
		members[p.uuid] = p
		for _, e := range p.areas {
			r, err := readRing(p, e, limit.New(limit.Memory))
			if err != nil {
				t.Fatal(err)
			}
			if text == nil {
				text = r.text
			}
		}
	}
	return members, text
}

func makeAll(t *testing.T, members map[string]*physical, g *group) []volume.Volume {
	k := &maker{members: members, budget: limit.New(limit.Memory)}
	vs := k.volumes(g)
	if len(vs) > 100 {
		vs = vs[:100]
	}
	volumetest.Probe(t, vs)
	return vs
}

// FuzzText reads metadata texts over the disks of a sample: own is a text, or, with edited, edits of the
// sample's.
func FuzzText(f *testing.F) {
	var all []map[string]*physical
	var texts [][]byte
	for i, set := range []string{"plain", "raid", "thin", "cache", "wrapped"} {
		members, text := group1(f, set)
		all, texts = append(all, members), append(texts, text)
		f.Add(uint8(i), true, []byte{3, 0, '"', ' ', '1', '2'})
	}
	f.Add(uint8(0), false, []byte("vg {\nid = \"x\"\nextent_size = 1\nphysical_volumes {\npv0 {\nid = \"a\"\npe_start = 1\n}\n}\nlogical_volumes {\nlv {\nstatus = [\"VISIBLE\"]\nsegment1 {\nstart_extent = 0\nextent_count = 1\ntype = \"striped\"\nstripes = [\"pv0\", 0]\n}\n}\n}\n}\n"))
	f.Fuzz(func(t *testing.T, which uint8, edited bool, own []byte) {
		i := int(which) % len(all)
		if edited {
			text := bytes.Clone(texts[i])
			if _, err := volumetest.Edit(texts[i], volumetest.Busy(text, len(text)), own).ReadAt(text, 0); err != nil {
				t.Fatal(err)
			}
			own = text
		}
		start := time.Now()
		if g, err := parseGroup(own); err == nil {
			makeAll(t, all[i], g)
		}
		if took := time.Since(start); took > maxRun {
			t.Fatalf("took %v", took)
		}
	})
}

// memory makes a volume of bytes.
func memory(t testing.TB, r io.ReaderAt, size int) *node {
	a, err := raid.Linear("memory", []raid.Leg{{ReaderAt: r, Size: int64(size)}})
	if err != nil {
		t.Fatal(err)
	}
	return &node{Array: a, tries: 1}
}

// FuzzThin edits the metadata of a pool, and makes the checksums of the blocks right again.
func FuzzThin(f *testing.F) {
	members, text := group1(f, "thin")
	g, err := parseGroup(text)
	if err != nil {
		f.Fatal(err)
	}
	b := &builder{g: g, members: members, nodes: map[string]*node{}, pools: map[string]*pool{}}
	meta := b.volume("pool_tmeta", 0)
	raw := make([]byte, meta.Size)
	if _, err := meta.ReadAt(raw, 0); err != nil {
		f.Fatal(err)
	}
	lines := volumetest.Busy(raw, len(raw))
	f.Add([]byte{})
	f.Add([]byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, edits []byte) {
		start := time.Now()
		now := bytes.Clone(raw)
		if _, err := volumetest.Edit(raw, lines, edits).ReadAt(now, 0); err != nil {
			t.Fatal(err)
		}
		for at := 0; at+metaBlock <= len(now); at += metaBlock {
			if block := now[at : at+metaBlock]; at == 0 {
				binary.LittleEndian.PutUint32(block, blockSum(block[4:], superXor))
			} else if !bytes.Equal(block, raw[at:at+metaBlock]) {
				binary.LittleEndian.PutUint32(block, blockSum(block[4:], btreeXor))
			}
		}
		k := &maker{members: members, budget: limit.New(limit.Memory)}
		b := &builder{g: g, members: members, nodes: map[string]*node{"pool_tmeta": memory(t, bytes.NewReader(now), len(now))}, pools: map[string]*pool{}, budget: k.budget}
		for _, name := range []string{"t1", "t2", "t1-before", "of-ext"} {
			if n := b.volume(name, 0); n.err == nil {
				volumetest.Probe(t, []volume.Volume{{ReaderAt: n, Size: n.Size, Name: name}})
			}
		}
		k.tellThin(b)
		if took := time.Since(start); took > maxRun {
			t.Fatalf("took %v", took)
		}
	})
}

// FuzzCow edits an exception store.
func FuzzCow(f *testing.F) {
	members, text := group1(f, "plain")
	g, err := parseGroup(text)
	if err != nil {
		f.Fatal(err)
	}
	b := &builder{g: g, members: members, nodes: map[string]*node{}, pools: map[string]*pool{}}
	store, origin := b.volume("lin-before", 0), b.volume("lin", 0)
	raw := make([]byte, store.Size)
	if _, err := store.ReadAt(raw, 0); err != nil {
		f.Fatal(err)
	}
	lines := volumetest.Busy(raw, 8192)
	f.Add([]byte{})
	f.Add([]byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, edits []byte) {
		start := time.Now()
		s := memory(t, volumetest.Edit(raw, lines, edits), len(raw))
		c, err := openCow(origin, origin.Size, s, limit.New(limit.Memory))
		if err != nil {
			return
		}
		v := volume.Volume{ReaderAt: c, Size: origin.Size, Name: "snapshot"}
		volumetest.Probe(t, []volume.Volume{v})
		if took := time.Since(start); took > maxRun {
			t.Fatalf("took %v", took)
		}
	})
}
