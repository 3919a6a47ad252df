package mdraid_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/internal/golden"
	"telltale/volume"
	"telltale/volume/mdraid"
	"telltale/volume/volumetest"
)

// samples gives the archives, each with the disks of one array.
func samples(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.tar.gz")
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d samples, %v", len(paths), err)
	}
	return paths
}

func array(t testing.TB, name string) map[string][]byte {
	t.Helper()
	return volumetest.Disks(t, "testdata/"+name+".tar.gz")
}

func TestSamples(t *testing.T) {
	truths := volumetest.Truths(t, "testdata/md.truth")
	for _, path := range samples(t) {
		base := strings.TrimSuffix(path, ".tar.gz")
		made := volumetest.Make(t, mdraid.Manager(), volumetest.Members(volumetest.Disks(t, path)), nil)
		golden.Equal(t, base+".golden", made.Describe())
		if name := filepath.Base(base); name != "stale" {
			truths[name].Equal(t, name, made.Volumes[0])
		}
	}
}

// TestFallenOut: the member that fell out of a mirror is the mirror's earlier state.
func TestFallenOut(t *testing.T) {
	truths := volumetest.Truths(t, "testdata/md.truth")
	made := volumetest.Make(t, mdraid.Manager(), volumetest.Members(array(t, "stale")), nil)
	now := made.Find(t, "md/stale")
	truths["stale-now"].Equal(t, "now", now)
	if len(made.Volumes) != 2 || !made.Volumes[1].Earlier || made.Volumes[1].Of != now.Name || !made.Volumes[1].Made.Known() {
		t.Fatalf("%s", made.Describe())
	}
	truths["stale"].Equal(t, "before", made.Volumes[1])
}

func TestMirrorDiffers(t *testing.T) {
	disks := array(t, "r1")
	disks["md-r1-1.img"][1<<20+5*4096]++
	v := volumetest.Make(t, mdraid.Manager(), volumetest.Members(disks), nil).Volumes[0]
	if all := strings.Join(v.Notes, "\n"); !strings.Contains(all, "differ in 1 of up to 64 places looked at, first at byte 20480") {
		t.Errorf("%s", all)
	}
	volumetest.Truths(t, "testdata/md.truth")["r1"].Equal(t, "the first", v)
}

func TestMembersMissing(t *testing.T) {
	truths := volumetest.Truths(t, "testdata/md.truth")
	for _, tc := range []struct {
		array   string
		missing []int
		read    bool
	}{
		{"r1", []int{0}, true}, {"r1-090", []int{1}, true},
		{"r5-ls", []int{2}, true}, {"r5-ls", []int{0, 1}, false},
		{"r6-ls", []int{0, 3}, true}, {"r6-ls", []int{1, 2}, true}, {"r6-ls", []int{0, 1, 2}, false},
		{"r6-ddf-N-restart", []int{1, 4}, true},
		{"r10-f2-of-5", []int{0}, true}, {"r10-f2-of-5", []int{0, 1}, false},
		{"r0", []int{1}, false}, {"lin", []int{1}, false},
	} {
		disks := array(t, tc.array)
		for _, i := range tc.missing {
			delete(disks, fmt.Sprintf("md-%s-%d.img", tc.array, i))
		}
		v := volumetest.Make(t, mdraid.Manager(), volumetest.Members(disks), nil).Volumes[0]
		if !strings.Contains(strings.Join(v.Notes, "\n"), "degraded") {
			t.Errorf("%s without %v: nothing is said", tc.array, tc.missing)
		}
		if tc.read {
			truths[tc.array].Equal(t, fmt.Sprintf("%s without %v", tc.array, tc.missing), v)
		} else if _, err := volumetest.Digest(v); !volumetest.Damaged(err) || v.Size != truths[tc.array].Size {
			t.Errorf("%s without %v: %v", tc.array, tc.missing, err)
		}
	}
}

// TestBigEndian: a 0.90 superblock is in the order of the machine that wrote it.
func TestBigEndian(t *testing.T) {
	disks := array(t, "r1-090")
	for _, raw := range disks {
		sb := raw[len(raw)&^0xffff-0x10000:][:4096]
		for ; len(sb) > 0; sb = sb[4:] {
			binary.BigEndian.PutUint32(sb, binary.LittleEndian.Uint32(sb))
		}
		sb = raw[len(raw)&^0xffff-0x10000:][39*4:] // events_hi stands first there
		lo, hi := [4]byte(sb), [4]byte(sb[4:])
		copy(sb, hi[:])
		copy(sb[4:], lo[:])
	}
	v := volumetest.Make(t, mdraid.Manager(), volumetest.Members(disks), nil).Volumes[0]
	volumetest.Truths(t, "testdata/md.truth")["r1-090"].Equal(t, "big-endian", v)
}

// seal makes the checksum of a 1.2 superblock right again.
func seal(raw []byte) {
	sb := raw[4096:]
	binary.LittleEndian.PutUint32(sb[216:], 0)
	n := 256 + 2*int(binary.LittleEndian.Uint32(sb[220:]))
	var sum uint64
	for i := 0; i+4 <= n; i += 4 {
		sum += uint64(binary.LittleEndian.Uint32(sb[i:]))
	}
	if n%4 != 0 {
		sum += uint64(binary.LittleEndian.Uint16(sb[n-2:]))
	}
	binary.LittleEndian.PutUint32(sb[216:], uint32(sum)+uint32(sum>>32))
}

func TestCrafted(t *testing.T) {
	put32, put64 := binary.LittleEndian.PutUint32, binary.LittleEndian.PutUint64
	for _, tc := range []struct {
		name  string
		spoil func(sb []byte)
		seal  bool
		want  string // among the notes
		left  int    // volumes
	}{
		{"checksum", func(b []byte) { b[64]++ }, false, "checksum", 0},
		{"level", func(b []byte) { put32(b[72:], 7) }, true, "raid7: not supported", 0},
		{"multipath", func(b []byte) { put32(b[72:], 1<<32-4) }, true, "not supported", 0},
		{"layout", func(b []byte) { put32(b[76:], 99) }, true, "layout 99", 0},
		{"chunk zero", func(b []byte) { put32(b[88:], 0) }, true, "chunks of 0", 0},
		{"chunk beyond all", func(b []byte) { put32(b[88:], 1<<32-1) }, true, "chunks of", 0},
		{"size beyond all", func(b []byte) { put64(b[80:], 1<<63) }, true, "no such array", 0},
		{"data beyond the end", func(b []byte) { put64(b[128:], 1<<62) }, true, "none of its members", 0},
		{"no members", func(b []byte) { put32(b[92:], 0) }, true, "has 0 members", 0},
		{"members beyond all", func(b []byte) { put32(b[92:], 1<<31) }, true, "members", 0},
		{"too many roles", func(b []byte) { put32(b[220:], 1<<30) }, false, "", 0},
		{"features", func(b []byte) { put32(b[8:], 1<<20) }, true, "unknown features 0x100000", 0},
		{"reshape to another level", func(b []byte) { put32(b[8:], 4); put32(b[100:], 6) }, true, "reshaped, to level 6", 0},
		{"reshape of no members", func(b []byte) { put32(b[8:], 4); put32(b[100:], 5); put32(b[112:], 99) }, true, "members", 0},
		{"reshape from too many", func(b []byte) { put32(b[8:], 4); put32(b[100:], 5); put32(b[112:], 1<<31) }, true, "members", 0},
		{"journal", func(b []byte) { put32(b[8:], 1<<9) }, true, "write journal", 1},
	} {
		disks := array(t, "r5-ls")
		for _, raw := range disks {
			tc.spoil(raw[4096:])
			if tc.seal {
				seal(raw)
			}
		}
		made := volumetest.Make(t, mdraid.Manager(), volumetest.Members(disks), nil)
		notes := append([]string(nil), made.Notes...)
		for _, v := range made.Volumes {
			notes = append(notes, v.Notes...)
		}
		if all := strings.Join(notes, "\n"); len(made.Volumes) != tc.left || !strings.Contains(all, tc.want) {
			t.Errorf("%s: %d volumes, %s", tc.name, len(made.Volumes), all)
		}
	}
}

// TestBadBlocks: what a member's list names is read from the others, and is damage where there are none.
func TestBadBlocks(t *testing.T) {
	truth := volumetest.Truths(t, "testdata/md.truth")["r5-ls"]
	disks := array(t, "r5-ls")
	mark := func(name string) {
		raw := disks[name]
		sb := raw[4096:]
		binary.LittleEndian.PutUint32(sb[8:], 8)
		at := 4096 + int64(int32(binary.LittleEndian.Uint32(sb[188:])))*512
		first := binary.LittleEndian.Uint64(sb[128:]) + 40
		for i := range raw[at:][:4096] {
			raw[at+int64(i)] = 0xff
		}
		binary.LittleEndian.PutUint64(raw[at:], first<<10|8)
		clear(raw[first*512:][:8*512])
		seal(raw)
	}
	mark("md-r5-ls-1.img")
	truth.Equal(t, "one list", volumetest.Make(t, mdraid.Manager(), volumetest.Members(disks), nil).Volumes[0])
	mark("md-r5-ls-2.img")
	v := volumetest.Make(t, mdraid.Manager(), volumetest.Members(disks), nil).Volumes[0]
	if _, err := volumetest.Digest(v); !volumetest.Damaged(err) || !strings.Contains(err.Error(), "bad blocks") {
		t.Errorf("two lists: %v", err)
	}
}

func TestTruncated(t *testing.T) {
	for _, name := range []string{"lin", "r5-ls", "r1-10", "r5-090"} {
		for _, cut := range []int{0, 1, 511, 4096, 4096 + 255, 4096 + 256, 8192, 1 << 20, 1<<20 + 5000} {
			disks := array(t, name)
			for n, raw := range disks {
				disks[n] = raw[:cut]
			}
			made := volumetest.Make(t, mdraid.Manager(), volumetest.Members(disks), nil)
			volumetest.Probe(t, made.Volumes)
			for _, v := range made.Volumes {
				if _, err := volumetest.Digest(v); err == nil {
					t.Errorf("%s cut at %d: all of it was read", name, cut)
				}
			}
		}
	}
}

// TestLastPartition: the superblock of a disk's last partition is not that of the disk.
func TestLastPartition(t *testing.T) {
	for _, name := range []string{"r1-090", "r1-10"} {
		for _, raw := range array(t, name) {
			disk := append(make([]byte, 1<<20), raw...)
			disk[510], disk[511] = 0x55, 0xaa
			if mdraid.Manager().Probe(volumetest.Members(map[string][]byte{"disk": disk})[0]) {
				t.Errorf("%s: the disk was taken for a member", name)
			}
		}
	}
}

// maxTime is how long the reader may take for a small array, however it was damaged.
const maxTime = 5 * time.Second

func FuzzMake(f *testing.F) {
	var sets [][]volume.Member
	var lines [][][]int64
	for i, path := range samples(f) {
		ms := volumetest.Members(volumetest.Disks(f, path))
		var ls [][]int64
		for j, m := range ms {
			raw := make([]byte, m.Size)
			if _, err := m.ReadAt(raw, 0); err != nil {
				f.Fatal(err)
			}
			ms[j].ReaderAt = &volumetest.Edited{Raw: raw}
			busy := volumetest.Busy(raw, 64<<10)
			for at := max(int(m.Size)&^0xffff-0x10000, 0); at+16 <= len(raw); at += 16 {
				if at&0xffff < 8192 || at > len(raw)-16384 {
					busy = append(busy, int64(at))
				}
			}
			ls = append(ls, busy)
		}
		sets, lines = append(sets, ms), append(lines, ls)
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, which uint8, edits []byte) {
		i := int(which) % len(sets)
		ms := append([]volume.Member(nil), sets[i]...)
		for j := range ms {
			if (int(which)>>4+j)%2 == 0 { // some members stay as they are
				ms[j].ReaderAt = volumetest.Edit(ms[j].ReaderAt.(*volumetest.Edited).Raw, lines[i][j], edits)
			}
		}
		start := time.Now()
		volumetest.Probe(t, volumetest.Make(t, mdraid.Manager(), ms, nil).Volumes)
		if took := time.Since(start); took > maxTime {
			t.Fatalf("took %v", took)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, tc := range []struct {
		name    string
		missing string
	}{{"r0", ""}, {"r5-ls", ""}, {"r5-ls", "md-r5-ls-1.img"}, {"r6-ls", "md-r6-ls-1.img"}} {
		b.Run(tc.name+tc.missing, func(b *testing.B) {
			disks := array(b, tc.name)
			delete(disks, tc.missing)
			v := volumetest.Make(b, mdraid.Manager(), volumetest.Members(disks), nil).Volumes[0]
			buf := make([]byte, v.Size)
			b.SetBytes(v.Size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.ReadAt(buf, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
