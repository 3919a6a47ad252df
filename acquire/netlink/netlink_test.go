package netlink

import (
	"encoding/binary"
	"errors"
	"testing"
)

// message makes one message with a body.
func message(typ uint16, body []byte) []byte {
	b := make([]byte, headerSize)
	binary.NativeEndian.PutUint32(b, uint32(headerSize+len(body)))
	binary.NativeEndian.PutUint16(b[4:], typ)
	b = append(b, body...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func TestSplit(t *testing.T) {
	var got []string
	each := func(typ uint16, body []byte) error { got = append(got, string(body)); return nil }
	done, err := split(append(append(message(16, []byte("abc")), message(16, []byte("d"))...), message(typeDone, make([]byte, 4))...), each)
	if !done || err != nil || len(got) != 2 || got[0] != "abc" || got[1] != "d" {
		t.Errorf("%v %v %q", done, err, got)
	}
	short := message(16, []byte("abc"))
	binary.NativeEndian.PutUint32(short, 1<<31)
	if _, err := split(short, each); !errors.Is(err, ErrForm) {
		t.Error(err)
	}
	if done, err := split(message(typeError, []byte{1}), each); !done || err == nil {
		t.Error("a short refusal was taken")
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(append(message(16, []byte{8, 0, 3, 0, 'l', 'o', 0, 0}), message(typeDone, make([]byte, 4))...))
	f.Add(message(typeError, []byte{0xff, 0xff, 0xff, 0xff}))
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		split(b, func(_ uint16, body []byte) error {
			Attrs(body, func(_ uint16, v []byte) { total += len(Text(v)); U32(v) })
			return nil
		})
		if total > len(b) {
			t.Error("more in the attributes than there is")
		}
	})
}
