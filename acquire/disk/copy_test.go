package disk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"telltale/acquire/chain"
	"telltale/acquire/custody"
	"telltale/acquire/rescue"
)

const sector = 512

// broken is a disk with sectors that cannot be read.
type broken struct {
	data []byte
	bad  map[int64]bool
}

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	for n := 0; n < len(p); {
		at := off + int64(n)
		if at >= int64(len(b.data)) {
			return n, io.EOF
		}
		if b.bad[at/sector] {
			return n, &os.PathError{Op: "read", Path: "/dev/broken", Err: syscall.EIO}
		}
		n += copy(p[n:min(len(p), n+sector-int(at%sector))], b.data[at:])
	}
	return len(p), nil
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{3}).Read(b)
	return b
}

func device(data []byte, bad ...int64) *Device {
	b := broken{data, map[int64]bool{}}
	for _, s := range bad {
		b.bad[s] = true
	}
	return &Device{
		Facts: custody.Disk{Path: "/dev/broken", Device: "9:9", Size: int64(len(data)), Sector: sector, Serial: "S1"},
		r:     b, close: func() error { return nil },
	}
}

func record(d *Device) *custody.Record {
	return &custody.Record{Format: custody.Format, Kind: "disk", State: custody.Unfinished, Tool: "telltale", Command: []string{"telltale", "a\nb"}, Disk: &d.Facts,
		Started: time.Unix(1e9, 0), Copy: custody.Copy{Name: "x.raw", Format: "raw"}}
}

type memory struct {
	bytes.Buffer
	lost   [][2]int64
	closed bool
}

func (m *memory) Close() error                 { m.closed = true; return nil }
func (m *memory) ReadError(first, count int64) { m.lost = append(m.lost, [2]int64{first, count}) }

func TestBadSectorsAreZerosAndListed(t *testing.T) {
	data := noise(5<<20 + 3*sector)
	d := device(data, 7, 8, 5000)
	for _, s := range []int{7, 8, 5000} {
		clear(data[s*sector : (s+1)*sector])
	}
	want := bytes.Clone(data)
	var m memory
	rec := record(d)
	if err := Copy(t.Context(), d, &m, rec, Options{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Bytes(), want) || !m.closed || rec.Copy.SHA256 != fmt.Sprintf("%x", sha256.Sum256(want)) || rec.State != custody.Finished {
		t.Errorf("the copy differs, or the record: %+v", rec)
	}
	if !reflect.DeepEqual(m.lost, [][2]int64{{7, 2}, {5000, 1}}) {
		t.Errorf("told the format: %v", m.lost)
	}
	const blocks = `0x00501 0x00000000  0x00000E00  +
0x00000E00  0x00000400  -
0x00001200  0x0026FE00  +
0x00271000  0x00000200  -
0x00271200  0x0028F400  +
`
	got := string(Map(rec))
	if !strings.HasSuffix(got, strings.TrimPrefix(blocks, "0x00501 ")) || !strings.Contains(got, "\n0x00500600     +               1\n") || !strings.Contains(got, "telltale a?b\n") {
		t.Errorf("map:\n%s", got)
	}
}

// full is a raw file on a medium with little room.
type full struct {
	*Raw
	room int
}

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, syscall.ENOSPC
	}
	return f.Raw.Write(p)
}

// interrupted runs a copy that ends early, then goes on with it, and holds the result against the disk.
func interrupted(t *testing.T, d *Device, sparse bool, end func(t *testing.T, d *Device, raw string, rec string)) {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "x.raw")
	at := custody.Beside(raw, ".json")
	end(t, d, raw, at)
	rec, err := custody.Load(at)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Same(rec.Disk); err != nil {
		t.Fatal(err)
	}
	if len(rec.Copy.Links) == 0 {
		t.Error("nothing was kept")
	}
	w, err := ResumeRaw(raw, rec, sparse)
	if err != nil {
		t.Fatal(err)
	}
	if err := Copy(t.Context(), d, w, rec, Options{Save: func() error { return rec.Save(at) }}); err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(d.r.(broken).data)
	for s := range d.r.(broken).bad {
		clear(want[s*sector : (s+1)*sector])
	}
	got, err := os.ReadFile(raw)
	if err != nil || !bytes.Equal(got, want) || rec.Copy.SHA256 != fmt.Sprintf("%x", sha256.Sum256(want)) {
		t.Errorf("the copy differs: %d bytes, %s, %v", len(got), rec.Copy.SHA256, err)
	}
	if len(rec.Bad) != len(d.r.(broken).bad) {
		t.Errorf("bad: %v", rec.Bad)
	}
	if v, err := rec.Verify(t.Context(), raw, nil); err != nil || !v.OK {
		t.Errorf("verify: %+v, %v", v, err)
	}
	if _, err := ResumeRaw(raw, rec, false); !errors.Is(err, ErrResume) {
		t.Errorf("a finished copy is gone on with: %v", err)
	}
}

func TestAFullMediumIsGoneOnWith(t *testing.T) {
	for _, sparse := range []bool{false, true} {
		data := noise(3*chain.Piece + 999)
		clear(data[chain.Piece/2 : chain.Piece+10])
		interrupted(t, device(data, 3, 2*chain.Piece/sector+5), sparse, func(t *testing.T, d *Device, raw, at string) {
			w, err := NewRaw(raw, sparse)
			if err != nil {
				t.Fatal(err)
			}
			rec := record(d)
			err = Copy(t.Context(), d, &full{w, 2*chain.Piece + 5<<20}, rec, Options{Save: func() error { return rec.Save(at) }})
			if st, e := os.Stat(raw); !errors.Is(err, syscall.ENOSPC) || e != nil || st.Size() != 2*chain.Piece {
				t.Errorf("%v; %v %v", err, st, e)
			}
			if m := string(Map(rec)); !strings.HasSuffix(m, "0x02000000  0x010003E7  ?\n") {
				t.Errorf("map:\n%s", m)
			}
		})
	}
}

func TestAnInterruptedCopyIsGoneOnWith(t *testing.T) {
	interrupted(t, device(noise(4*chain.Piece+1)), false, func(t *testing.T, d *Device, raw, at string) {
		w, err := NewRaw(raw, false)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		rec := record(d)
		err = Copy(ctx, d, w, rec, Options{Save: func() error { return rec.Save(at) }, Progress: func(done, _ int64) {
			if done > 2*chain.Piece {
				stop()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// A process that is killed writes nothing any more: the record is older than the file.
func TestAKilledCopyIsGoneOnWith(t *testing.T) {
	interrupted(t, device(noise(4*chain.Piece+1), 1), true, func(t *testing.T, d *Device, raw, at string) {
		w, err := NewRaw(raw, true)
		if err != nil {
			t.Fatal(err)
		}
		rec, saves := record(d), 0
		err = Copy(t.Context(), d, w, rec, Options{Every: 1, Save: func() error {
			if saves++; saves <= 3 {
				return rec.Save(at)
			}
			return nil
		}})
		if err != nil || saves < 4 {
			t.Error(saves, err)
		}
	})
}

func TestAnotherDiskIsRefused(t *testing.T) {
	d := device(noise(sector))
	for name, change := range map[string]func(*custody.Disk){
		"size": func(f *custody.Disk) { f.Size++ }, "serial": func(f *custody.Disk) { f.Serial = "S2" }, "wwid": func(f *custody.Disk) { f.WWID = "x" },
		"sectors": func(f *custody.Disk) { f.Sector = 4096 }, "a file": func(f *custody.Disk) { f.Device = "" },
		"path without serial": func(f *custody.Disk) { f.Serial, f.Path = "", "/dev/other" },
	} {
		was := d.Facts
		now := device(noise(sector))
		if name == "path without serial" {
			now.Facts.Serial = ""
		}
		change(&was)
		if err := now.Same(&was); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	was := d.Facts
	was.Path = "/dev/other"
	if err := d.Same(&was); err != nil {
		t.Errorf("the same disk under another name: %v", err)
	}
	if d.Same(nil) == nil {
		t.Error("no disk")
	}
}

func TestResumeNeedsTheBytes(t *testing.T) {
	raw := filepath.Join(t.TempDir(), "x.raw")
	if err := os.WriteFile(raw, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	rec := record(device(nil))
	rec.Copy.Links = make([]chain.Link, 1)
	if _, err := ResumeRaw(raw, rec, false); !errors.Is(err, ErrResume) {
		t.Error(err)
	}
	rec.Copy.Format = "E01"
	if _, err := ResumeRaw(raw, rec, false); !errors.Is(err, ErrResume) {
		t.Error(err)
	}
	if _, err := NewRaw(raw, false); !errors.Is(err, os.ErrExist) {
		t.Errorf("written over: %v", err)
	}
}

func TestADiskThatGoesAwayIsNoZeros(t *testing.T) {
	d := device(noise(chain.Piece), 3)
	d.alive = func() error { return errors.New("it went away") }
	var m memory
	rec := record(d)
	if err := Copy(t.Context(), d, &m, rec, Options{}); err == nil || rec.State != custody.Unfinished {
		t.Error(err, rec.State)
	}
}

func TestMapOfNothing(t *testing.T) {
	rec := record(device(nil))
	rec.Bad = []rescue.Range{{Offset: 5, Length: 5}}
	if m := string(Map(rec)); !strings.HasSuffix(m, "status\n") {
		t.Error(m)
	}
}
