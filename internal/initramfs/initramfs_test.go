package initramfs

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// newc writes an archive.
func newc(files ...string) []byte {
	var b bytes.Buffer
	entry := func(name, content string, mode int) {
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, mode, 0, 0, 1, 1_700_000_000, len(content), 0, 0, 0, 0, len(name)+1, 0)
		b.WriteString(name + "\x00")
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
		b.WriteString(content)
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
	}
	entry("scripts", "", 0o40755)
	for _, f := range files {
		name, content, _ := strings.Cut(f, "=")
		entry(name, content, 0o100755)
	}
	entry("TRAILER!!!", "", 0)
	return b.Bytes()
}

func packed(t testing.TB, how string, b []byte) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	switch how {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		w, _ = zstd.NewWriter(&out)
	case "lz4":
		l := lz4.NewWriter(&out)
		if err := l.Apply(lz4.LegacyOption(true)); err != nil {
			t.Fatal(err)
		}
		w = l
	}
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func list(b []byte) (out []string, err error) {
	err = Read(bytes.NewReader(b), func(f *File, r io.Reader) error {
		var c bytes.Buffer
		n, err := io.Copy(&c, io.LimitReader(r, 1<<20))
		if err == nil && n < min(f.Size, 1<<20) {
			err = io.ErrUnexpectedEOF
		}
		out = append(out, f.Name+"="+c.String())
		return err
	})
	return out, err
}

func TestRead(t *testing.T) {
	early := append(newc("kernel/x86/microcode/GenuineIntel.bin=code"), make([]byte, 512)...)
	main := newc("./init=#!/bin/sh\n", "scripts/init-top/x=abc", "bin/../etc/y=12345")
	want := "kernel/x86/microcode/GenuineIntel.bin=code init=#!/bin/sh\n scripts/init-top/x=abc etc/y=12345"
	for _, how := range []string{"", "gzip", "zstd", "lz4"} {
		b := bytes.Clone(early)
		if how == "" {
			b = append(b, main...)
		} else {
			b = append(b, packed(t, how, append(bytes.Clone(main), make([]byte, 100)...))...)
		}
		got, err := list(b)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v %q", how, err, got)
		}
		if got, err := list(b[:len(b)-40]); err == nil && len(got) == 4 && how != "" {
			t.Errorf("%q cut: %q", how, got)
		}
	}
	for _, how := range []string{"gzip", "zstd"} { // what is put behind a compressed archive is unpacked over it
		for _, fill := range []int{0, 3, 512} {
			b := append(append(append(bytes.Clone(early), packed(t, how, main)...), make([]byte, fill)...), newc("init=evil")...)
			if got, err := list(b); err != nil || strings.Join(got, " ") != want+" init=evil" {
				t.Errorf("%s, %d zeros: %v %q", how, fill, err, got)
			}
		}
	}
	for _, b := range []string{"hello world, no archive", "]\x00\x00\x80\x00" + strings.Repeat("x", 40), "070701zzzz" + strings.Repeat("0", 200)} {
		if _, err := list([]byte(b)); err == nil {
			t.Errorf("%q was read", b)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(newc("init=x", "a/b=yy"))
	f.Add(packed(f, "gzip", newc("init=x")))
	f.Add(packed(f, "lz4", newc("init=x")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		total := int64(0)
		Read(bytes.NewReader(b), func(f *File, r io.Reader) error {
			if strings.HasPrefix(f.Name, "/") || strings.Contains("/"+f.Name+"/", "/../") {
				t.Errorf("%q", f.Name)
			}
			n, err := io.Copy(io.Discard, r)
			if total += n; total > maxSize {
				t.Error(total)
			}
			return err
		})
	})
}
