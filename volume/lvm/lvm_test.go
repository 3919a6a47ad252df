package lvm_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"telltale/internal/golden"
	"telltale/volume"
	"telltale/volume/lvm"
	"telltale/volume/volumetest"
)

// samples gives the archives, each with the disks of one group.
func samples(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.tar.gz")
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d samples, %v", len(paths), err)
	}
	return paths
}

func disks(t testing.TB, name string) map[string][]byte {
	t.Helper()
	return volumetest.Disks(t, "testdata/"+name+".tar.gz")
}

func TestSamples(t *testing.T) {
	for _, path := range samples(t) {
		base := strings.TrimSuffix(path, ".tar.gz")
		made := volumetest.Make(t, lvm.Manager(), volumetest.Members(volumetest.Disks(t, path)), nil)
		golden.Equal(t, base+".golden", made.Describe())
		for name, want := range volumetest.Truths(t, base+".truth") {
			name = filepath.Base(base) + "/" + name
			want.Equal(t, name, made.Find(t, name))
		}
	}
}

// without gives the members of a group but some, and nil where no metadata would be left.
func without(ds map[string][]byte, set string, lost ...int) []volume.Member {
	kept := map[string][]byte{}
	metadata := false
	for name, raw := range ds {
		if !slices.ContainsFunc(lost, func(i int) bool { return name == fmt.Sprintf("%s-%d.img", set, i) }) {
			kept[name] = raw
			metadata = metadata || bytes.Contains(raw[4096:8192], []byte("LVM2 x[5A%r0N*>"))
		}
	}
	if !metadata {
		return nil
	}
	return volumetest.Members(kept)
}

// TestMembersMissing reads what is left when physical volumes are missing: raid4, 5, 10 without one, raid6
// without two.
func TestMembersMissing(t *testing.T) {
	for _, set := range []string{"raid", "raid6"} {
		truths, ds := volumetest.Truths(t, "testdata/"+set+".truth"), disks(t, set)
		for lost := range 6 {
			for second := range lost + 1 {
				ms := without(ds, set, lost, second)
				if ms == nil {
					continue
				}
				made := volumetest.Make(t, lvm.Manager(), ms, nil)
				for name, want := range truths {
					v := made.Find(t, set+"/"+name)
					what := fmt.Sprintf("%s without %d and %d", name, lost, second)
					if set == "raid6" || lost == second && name != "r0" {
						want.Equal(t, what, v)
					} else if sum, err := volumetest.Digest(v); err == nil && sum != want.Digest || err != nil && (!volumetest.Damaged(err) || !strings.Contains(strings.Join(v.Notes, ""), "missing")) {
						t.Errorf("%s: %v, %q", what, err, v.Notes)
					}
				}
			}
		}
	}
}

// TestMirrorHalves: each half of a mirror is enough; the linear volume is read up to what is missing.
func TestMirrorHalves(t *testing.T) {
	truths := volumetest.Truths(t, "testdata/plain.truth")
	for lost := range 2 {
		ds := disks(t, "plain")
		delete(ds, fmt.Sprintf("plain-%d.img", lost))
		made := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
		for _, name := range []string{"mir", "r1"} {
			truths[name].Equal(t, name, made.Find(t, "plain/"+name))
		}
		buf := make([]byte, 1<<20)
		n, err := made.Find(t, "plain/lin").ReadAt(buf, 0)
		if want := []int{0, 12 * 64 << 10}[lost]; n != want || !volumetest.Damaged(err) {
			t.Errorf("without %d: %d bytes of the linear volume, %v", lost, n, err)
		}
	}
}

func crc(b []byte) uint32 {
	initial := uint32(0xf597a6cf)
	return ^crc32.Update(^initial, crc32.IEEETable, b)
}

// rewrite edits the text in force of a disk and makes its checksums right again. The text must not grow.
func rewrite(t *testing.T, raw []byte, old, new string) {
	t.Helper()
	const mda = 4096
	off, size := int(binary.LittleEndian.Uint64(raw[mda+40:])), int(binary.LittleEndian.Uint64(raw[mda+48:]))
	text := raw[mda+off : mda+off+size]
	at := bytes.Index(text, []byte(old))
	if at < 0 || len(new) > len(old) {
		t.Fatalf("%q is not there, or shorter than %q", old, new)
	}
	copy(text[at:], new+strings.Repeat(" ", len(old)-len(new)))
	binary.LittleEndian.PutUint32(raw[mda+56:], crc(text))
	binary.LittleEndian.PutUint32(raw[mda:], crc(raw[mda+4:mda+512]))
}

func TestCrafted(t *testing.T) {
	for _, tc := range []struct{ set, old, new, want string }{
		{"thin", `metadata = "pool_tmeta"`, `metadata = "t1"`, `lies on itself`},
		{"thin", `pool = "pool_tdata"`, `pool = "t2"`, `lies on itself`},
		{"thin", `extent_size = 128`, `extent_size = -1`, `extents of -1 sectors`},
		{"thin", `extent_size = 128`, `extent_size = 0`, `extents of 0 sectors`},
		{"thin", `device_id = 1`, `device_id = 9`, `no thin device 9`},
		{"thin", `type = "thin-pool"`, `type = "linear"`, `is no thin pool`},
		{"thin", `seqno = 1`, `seqno = {`, `the metadata text is broken`},
		{"plain", `extent_count = 12`, `extent_count = -2`, `has -2 extents`},
		{"plain", `start_extent = 12`, `start_extent = 11`, `begins at extent 11`},
		{"plain", `stripe_size = 8`, `stripe_size = 0`, `stripe_size is 0`},
		{"plain", `stripe_count = 2`, `stripe_count = 0`, ``}, // the list counts
		{"plain", `"mir_mimage_1", 0`, `"mir",  0`, `lies on itself`},
		{"plain", `origin = "lin"`, `origin = "xxx"`, `there is no volume "xxx"`},
		{"plain", `type = "mirror"`, `type = "vdo"`, `type "vdo": not supported`},
		{"raid", `device_count = 3`, `data_offset = 9`, `a reshape: not supported`},
	} {
		ds := disks(t, tc.set)
		for name, raw := range ds {
			if name == tc.set+"-0.img" {
				rewrite(t, raw, tc.old, tc.new)
			} else { // only the first disk says what the group is
				clear(raw[4096 : 4096+512])
			}
		}
		made := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
		volumetest.Probe(t, made.Volumes)
		if all := string(made.Describe()); !strings.Contains(all, tc.want) {
			t.Errorf("%s: %s -> %s: %s", tc.set, tc.old, tc.new, all)
		}
	}
}

// TestNewest: a disk that was away while the group changed has older metadata; the newest counts.
func TestNewest(t *testing.T) {
	ds := disks(t, "wrapped")
	for _, name := range []string{"wrapped-0.img", "wrapped-1.img"} {
		kept := append([]byte(nil), ds[name]...)
		ds[name][4096+50]++ // the text's size
		made := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
		want := volumetest.Truths(t, "testdata/wrapped.truth")["kept"]
		want.Equal(t, name, made.Find(t, "wrapped/kept"))
		if !strings.Contains(strings.Join(made.Notes, "\n"), "checksum") {
			t.Errorf("%s: nothing is said of the checksum", name)
		}
		ds[name] = kept
	}
}

// TestRing moves a text so that it goes on at the start of its ring.
func TestRing(t *testing.T) {
	ds := disks(t, "plain")
	want := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
	clear(ds["plain-1.img"][4096 : 1<<20])
	raw := ds["plain-0.img"][4096:]
	size := int(binary.LittleEndian.Uint64(raw[32:]))
	off, length := int(binary.LittleEndian.Uint64(raw[40:])), int(binary.LittleEndian.Uint64(raw[48:]))
	text := bytes.Clone(raw[off : off+length])
	clear(raw[512:size])
	at := size - 1024
	copy(raw[512:], text[copy(raw[at:size], text):])
	binary.LittleEndian.PutUint64(raw[40:], uint64(at))
	binary.LittleEndian.PutUint32(raw, crc(raw[4:512]))
	got := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
	if len(got.Volumes) != len(want.Volumes) || strings.Contains(string(got.Describe()), "older versions") {
		t.Errorf("%s", got.Describe())
	}
	for i, v := range got.Volumes {
		a, _ := volumetest.Digest(v)
		if b, _ := volumetest.Digest(want.Volumes[i]); a != b {
			t.Errorf("%s is not what it was", v.Name)
		}
	}
}

// TestLeftover: where no area's header is whole, the newest text that is left in a ring is used.
func TestLeftover(t *testing.T) {
	ds := disks(t, "plain")
	want := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
	for _, raw := range ds {
		clear(raw[4096:4608])
	}
	got := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
	if len(got.Volumes) != len(want.Volumes) || !strings.Contains(strings.Join(got.Notes, "\n"), "number 14 of") {
		t.Errorf("%s", got.Describe())
	}
}

// TestRemovedGroup: an empty metadata area with older texts is that of a group that was removed.
func TestRemovedGroup(t *testing.T) {
	ds := disks(t, "plain")
	for _, raw := range ds {
		clear(raw[4096+40 : 4096+64])
		binary.LittleEndian.PutUint32(raw[4096:], crc(raw[4100:4096+512]))
	}
	got := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
	if all := strings.Join(got.Notes, "\n"); len(got.Volumes) > 0 || !strings.Contains(all, "plain: this group is no more") || !strings.Contains(all, "of no group") {
		t.Errorf("%s", got.Describe())
	}
}

func TestBrokenThin(t *testing.T) {
	ds := disks(t, "thin")
	raw := ds["thin-0.img"]
	magic := binary.LittleEndian.AppendUint64(nil, 27022010) // THIN_SUPERBLOCK_MAGIC
	at := bytes.Index(raw, magic)
	if at < 32 {
		t.Fatal("no thin superblock")
	}
	raw[at+8]++
	made := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
	all := string(made.Describe())
	if !strings.Contains(all, "thin/t1 is not read") || !strings.Contains(all, "checksum") || !strings.Contains(all, "thin/ext ") {
		t.Errorf("%s", all)
	}
}

func TestTruncated(t *testing.T) {
	for _, set := range []string{"plain", "thin", "wrapped"} {
		for _, cut := range []int{0, 1, 511, 512, 1024, 4096, 4608, 8192, 60_000, 1 << 20, 1<<20 + 70_000, 3 << 19} {
			ds := disks(t, set)
			for n, raw := range ds {
				ds[n] = raw[:min(cut, len(raw))]
			}
			made := volumetest.Make(t, lvm.Manager(), volumetest.Members(ds), nil)
			volumetest.Probe(t, made.Volumes)
			for _, v := range made.Volumes {
				if _, err := volumetest.Digest(v); err != nil && !volumetest.Damaged(err) {
					t.Errorf("%s cut at %d: %s: %v", set, cut, v.Name, err)
				}
			}
		}
	}
}

// TestParallel reads volumes at once that share a pool, an origin or images.
func TestParallel(t *testing.T) {
	for _, set := range []string{"thin", "plain", "raid"} {
		made := volumetest.Make(t, lvm.Manager(), volumetest.Members(disks(t, set)), nil)
		truths := volumetest.Truths(t, "testdata/"+set+".truth")
		var g sync.WaitGroup
		for _, v := range append(made.Volumes, made.Volumes...) {
			g.Go(func() {
				if want, ok := truths[filepath.Base(v.Name)]; ok {
					want.Equal(t, v.Name, v)
				}
			})
		}
		g.Wait()
	}
}

// maxTime is how long the reader may take for a small group, however it was damaged.
const maxTime = 5 * time.Second

// FuzzMake edits the disks of a group: labels, rings and what lies in the volumes.
func FuzzMake(f *testing.F) {
	var sets [][]volume.Member
	var lines [][][]int64
	for i, path := range samples(f) {
		var ls [][]int64
		ms := volumetest.Members(volumetest.Disks(f, path))
		for j, m := range ms {
			raw := make([]byte, m.Size)
			if _, err := m.ReadAt(raw, 0); err != nil {
				f.Fatal(err)
			}
			ms[j].ReaderAt = &volumetest.Edited{Raw: raw}
			ls = append(ls, volumetest.Busy(raw, len(raw)))
		}
		sets, lines = append(sets, ms), append(lines, ls)
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{3, 0, 0xff, 0xff, 0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, which uint8, edits []byte) {
		i := int(which) % len(sets)
		ms := append([]volume.Member(nil), sets[i]...)
		for j := range ms {
			ms[j].ReaderAt = volumetest.Edit(ms[j].ReaderAt.(*volumetest.Edited).Raw, lines[i][j], edits)
		}
		start := time.Now()
		volumetest.Probe(t, volumetest.Make(t, lvm.Manager(), ms, nil).Volumes)
		if took := time.Since(start); took > maxTime {
			t.Fatalf("took %v", took)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, tc := range []struct{ set, name string }{{"plain", "plain/lin"}, {"plain", "plain/lin-before"}, {"thin", "thin/t1"}, {"raid", "raid/r5ls"}} {
		b.Run(tc.name, func(b *testing.B) {
			v := volumetest.Make(b, lvm.Manager(), volumetest.Members(disks(b, tc.set)), nil).Find(b, tc.name)
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

func BenchmarkMake(b *testing.B) {
	ms := volumetest.Members(disks(b, "raid"))
	b.ReportAllocs()
	for b.Loop() {
		volumetest.Make(b, lvm.Manager(), ms, nil)
	}
}
