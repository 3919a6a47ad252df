package chain_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"telltale/acquire/chain"
)

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestDigestAndResume(t *testing.T) {
	for _, size := range []int{0, 1, chain.Piece - 1, chain.Piece, chain.Piece + 1, 2*chain.Piece + 77} {
		data := noise(size)
		h := chain.New()
		for p := data; len(p) > 0; p = p[min(len(p), 1_000_003):] {
			h.Write(p[:min(len(p), 1_000_003)])
		}
		if h.Sum() != sha256.Sum256(data) || len(h.Links()) != size/chain.Piece {
			t.Fatalf("%d bytes: %d links, %x", size, len(h.Links()), h.Sum())
		}
		r, err := chain.Resume(h.Links())
		if err != nil {
			t.Fatal(err)
		}
		r.Write(data[len(h.Links())*chain.Piece:])
		if r.Sum() != h.Sum() {
			t.Errorf("%d bytes: gone on with, %x", size, r.Sum())
		}
		bad, err := chain.Check(t.Context(), bytes.NewReader(data), int64(size), h.Links(), h.Sum(), nil)
		if err != nil || bad != nil {
			t.Errorf("%d bytes: %v, %v", size, bad, err)
		}
	}
}

func TestCheckTellsThePlace(t *testing.T) {
	data := noise(3*chain.Piece + 5)
	h := chain.New()
	h.Write(data)
	for piece, off := range map[int64]int{0: 0, 1: chain.Piece, 2: 3*chain.Piece - 1, 3: len(data) - 1} {
		data[off] ^= 1
		bad, err := chain.Check(t.Context(), bytes.NewReader(data), int64(len(data)), h.Links(), h.Sum(), func(int64) {})
		if err != nil || len(bad) != 1 || bad[0].Offset != piece*chain.Piece {
			t.Errorf("byte %d: %v, %v", off, bad, err)
		}
		data[off] ^= 1
	}
	if bad, err := chain.Check(t.Context(), bytes.NewReader(data[:2*chain.Piece]), int64(len(data)), h.Links(), h.Sum(), nil); err != nil || len(bad) != 2 {
		t.Errorf("cut: %v, %v", bad, err)
	}
	sum := h.Sum()
	sum[0]++
	if bad, err := chain.Check(t.Context(), bytes.NewReader(data), int64(len(data)), h.Links(), sum, nil); err != nil || len(bad) != 1 {
		t.Errorf("another digest: %v, %v", bad, err)
	}
	if _, err := chain.Check(t.Context(), bytes.NewReader(data), int64(len(data)), nil, sum, nil); !errors.Is(err, chain.ErrLinks) {
		t.Errorf("no links: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := chain.Check(ctx, bytes.NewReader(data), int64(len(data)), h.Links(), h.Sum(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestUnreadableIsNotChanged(t *testing.T) {
	bad, err := chain.Check(t.Context(), broken{}, 9, nil, sha256.Sum256(nil), nil)
	if err != nil || len(bad) != 1 || bad[0].Error == "" {
		t.Errorf("%v, %v", bad, err)
	}
}

func TestLinkAsText(t *testing.T) {
	want := []chain.Link{{1, 2}, {255}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got []chain.Link
	if err := json.Unmarshal(b, &got); err != nil || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%s, %v", b, err)
	}
	for _, s := range []string{`["00"]`, `["zz"]`, `[1]`} {
		if json.Unmarshal([]byte(s), &got) == nil {
			t.Errorf("%s was taken", s)
		}
	}
}
