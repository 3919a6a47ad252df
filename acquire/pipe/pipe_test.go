package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"telltale/acquire/pipe"
)

func reader(b []byte) func([]byte) (int, error) {
	return func(p []byte) (int, error) {
		n := copy(p, b)
		b = b[n:]
		return n, nil
	}
}

func TestAllTakersGetAll(t *testing.T) {
	want := bytes.Repeat([]byte("0123456"), 3_000_000)
	var a, b bytes.Buffer
	err := pipe.Run(t.Context(), reader(want), func(p []byte) error { a.Write(p); return nil }, func(p []byte) error { b.Write(p); return nil })
	if err != nil || !bytes.Equal(a.Bytes(), want) || !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%d and %d of %d bytes, %v", a.Len(), b.Len(), len(want), err)
	}
}

func TestErrorsEndIt(t *testing.T) {
	full := errors.New("full")
	taken, others := 0, 0
	endless := func(p []byte) (int, error) { return len(p), nil }
	err := pipe.Run(t.Context(), endless, func(p []byte) error {
		if taken++; taken == 3 {
			return full
		}
		return nil
	}, func([]byte) error { others++; return nil })
	if !errors.Is(err, full) || taken != 3 || others < 3 {
		t.Errorf("%v after %d and %d", err, taken, others)
	}
	gone := errors.New("gone")
	if err := pipe.Run(t.Context(), func([]byte) (int, error) { return 0, gone }, func([]byte) error { return nil }); !errors.Is(err, gone) {
		t.Error(err)
	}
}

func TestAHangingReadIsLeft(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	hang := make(chan struct{})
	defer close(hang)
	first := true
	err := pipe.Run(ctx, func(p []byte) (int, error) {
		if !first {
			<-hang
		}
		first = false
		return len(p), nil
	}, func([]byte) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
