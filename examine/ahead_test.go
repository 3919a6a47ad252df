package examine

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

func TestInflating(t *testing.T) {
	data := make([]byte, 3*pieceSize+77)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	broken := errors.New("broken")
	for _, tc := range []struct {
		name string
		from io.Reader
		want []byte
		err  error
	}{
		{"whole", bytes.NewReader(data), data, nil},
		{"in small reads", iotest.HalfReader(bytes.NewReader(data)), data, nil},
		{"the error comes with data", iotest.DataErrReader(bytes.NewReader(data[:100])), data[:100], nil},
		{"nothing", bytes.NewReader(nil), nil, nil},
		{"cut off", io.MultiReader(bytes.NewReader(data[:pieceSize+5]), iotest.ErrReader(io.ErrUnexpectedEOF)), data[:pieceSize+5], io.ErrUnexpectedEOF},
		{"broken", io.MultiReader(bytes.NewReader(data[:pieceSize]), iotest.ErrReader(broken)), data[:pieceSize], broken},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newReading(tc.from)
			got, err := io.ReadAll(f)
			f.Close()
			if !bytes.Equal(got, tc.want) || !errors.Is(err, tc.err) || tc.err == nil && err != nil {
				t.Errorf("%d bytes of %d, %v", len(got), len(tc.want), err)
			}
		})
	}
	f := newReading(bytes.NewReader(data)) // nobody reads on
	if _, err := f.Read(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	f.Close()
}
