package rescue_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"syscall"
	"testing"

	"telltale/acquire/rescue"
)

// faulty is a disk with bad sectors; soft ones come back after some tries.
type faulty struct {
	data  []byte
	bad   map[int64]int // sector: how many tries fail; -1: all
	fail  error
	reads int
}

const sector = 512

func (f *faulty) ReadAt(p []byte, off int64) (int, error) {
	f.reads++
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= int64(len(f.data)) {
			return n, io.EOF
		}
		if left, ok := f.bad[at/sector]; ok && left != 0 {
			f.bad[at/sector]--
			return n, f.fail
		}
		n += copy(p[n:min(len(p), n+sector-int(at%sector))], f.data[at:])
	}
	return n, nil
}

func disk(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{2}).Read(b)
	return b
}

func all(t *testing.T, r *rescue.Reader) []byte {
	t.Helper()
	var out []byte
	p := make([]byte, 64<<10)
	for {
		n, err := r.Next(p)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return out
		}
		out = append(out, p[:n]...)
	}
}

func TestOnlyBadSectorsAreLost(t *testing.T) {
	data := disk(1<<20 + 3*sector)
	last := int64(len(data)/sector - 1)
	f := &faulty{data: data, fail: syscall.EIO, bad: map[int64]int{0: -1, 77: -1, 78: -1, 200: 2, 1000: -1, last: -1}}
	r := &rescue.Reader{R: f, Size: int64(len(data)), Unit: sector, Retries: 3}
	got := all(t, r)
	want := bytes.Clone(data)
	for _, s := range []int64{0, 77, 78, 1000, last} {
		clear(want[s*sector : (s+1)*sector])
	}
	if !bytes.Equal(got, want) {
		t.Error("the copy is not the disk with zeros in its bad sectors")
	}
	why := syscall.EIO.Error()
	bad := []rescue.Range{{0, sector, why}, {77 * sector, 2 * sector, why}, {1000 * sector, sector, why}, {last * sector, sector, why}}
	if !reflect.DeepEqual(r.Bad(), bad) {
		t.Errorf("%v, want %v", r.Bad(), bad)
	}
}

func TestAnyPatternOfFaults(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		data := disk((1 + rnd.IntN(600)) * sector)
		f := &faulty{data: data, fail: syscall.EIO, bad: map[int64]int{}}
		want := bytes.Clone(data)
		for range rnd.IntN(40) {
			s := rnd.Int64N(int64(len(data) / sector))
			f.bad[s] = -1
			clear(want[s*sector : (s+1)*sector])
		}
		r := &rescue.Reader{R: f, Size: int64(len(data)), Unit: sector, Retries: rnd.IntN(2)}
		if !bytes.Equal(all(t, r), want) {
			t.Fatal("the copy differs")
		}
		lost := int64(0)
		for _, b := range r.Bad() {
			lost += b.Length
		}
		if lost != int64(len(f.bad))*sector {
			t.Fatalf("%d bytes told as lost, want %d", lost, len(f.bad)*sector)
		}
	}
}

func TestTheEndOfTheSource(t *testing.T) {
	f := &faulty{data: disk(1000)}
	r := &rescue.Reader{R: f, Size: 5000, Unit: sector}
	if got := all(t, r); !bytes.Equal(got, append(bytes.Clone(f.data), make([]byte, 4000)...)) {
		t.Error("not the source and zeros")
	}
	if b := r.Bad(); len(b) != 1 || b[0].Offset != 1000 || b[0].Length != 4000 {
		t.Errorf("%v", b)
	}
}

func TestErrorsOfTheWhole(t *testing.T) {
	f := &faulty{data: disk(4096), fail: syscall.ENODEV, bad: map[int64]int{2: -1}}
	r := &rescue.Reader{R: f, Size: 4096, Unit: sector, Give: func(err error) bool { return errors.Is(err, syscall.EIO) }}
	if _, err := r.Next(make([]byte, 4096)); !errors.Is(err, syscall.ENODEV) {
		t.Error(err)
	}
	gone := errors.New("the disk is gone")
	r = &rescue.Reader{R: &faulty{data: disk(4096), fail: syscall.EIO, bad: map[int64]int{2: -1}}, Size: 4096, Unit: sector, Alive: func() error { return gone }}
	if _, err := r.Next(make([]byte, 4096)); !errors.Is(err, gone) {
		t.Error(err)
	}
}
