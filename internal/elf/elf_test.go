package elf_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"telltale/internal/elf"
)

// build compiles something with the Go toolchain, which the tests need anyway.
func build(t testing.TB, env []string, flags ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	src, out := filepath.Join(dir, "x.go"), filepath.Join(dir, "x")
	if err := os.WriteFile(src, []byte("package main\nfunc main() { println(1) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("go", append(append([]string{"build", "-o", out}, flags...), src)...)
	c.Env = append(os.Environ(), append([]string{"CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=-mod=mod"}, env...)...)
	if b, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func facts(t testing.TB, b []byte) elf.Facts {
	t.Helper()
	f, err := elf.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestProgramsAreTold(t *testing.T) {
	plain := build(t, nil)
	if f := facts(t, plain); !f.Go || !f.Static || f.Stripped || f.Bits != 64 || f.Packed != "" || f.Cut || f.Behind != 0 {
		t.Errorf("%+v", f)
	}
	if f := facts(t, build(t, []string{"GOARCH=386"}, "-ldflags=-s -w")); !f.Go || !f.Static || !f.Stripped || f.Bits != 32 {
		t.Errorf("%+v", f)
	}
	if f := facts(t, build(t, []string{"GOARCH=mips"})); !f.BigEndian || !f.Go || f.Bits != 32 || f.Machine != 8 {
		t.Errorf("%+v", f)
	}
	if f := facts(t, append(bytes.Clone(plain), make([]byte, 9000)...)); f.Behind != 9000 || !strings.Contains(f.String(), "behind=9000") {
		t.Errorf("%s", f.String())
	}
	if f := facts(t, plain[:len(plain)/2]); !f.Cut {
		t.Errorf("%s", f.String())
	}
}

func TestSystemPrograms(t *testing.T) {
	for _, p := range []string{"/bin/ls", "/usr/bin/env"} {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Skip(err)
		}
		if f, err := elf.Read(bytes.NewReader(b), int64(len(b))); err == nil && (f.Static || f.Interpreter == "" || f.Libraries == 0 || f.Packed != "") {
			t.Errorf("%s: %+v", p, f)
		}
	}
}

// A program without sections whose content is random unpacks itself.
func TestPackedIsLikely(t *testing.T) {
	b := build(t, nil, "-ldflags=-s -w")
	clear(b[0x28:0x30]) // e_shoff
	clear(b[0x3c:0x40]) // e_shnum, e_shstrndx
	rng := rand.New(rand.NewPCG(1, 2))
	for i := 0x2000; i < len(b); i++ {
		b[i] = byte(rng.Uint32())
	}
	if f := facts(t, b); f.Packed != "unknown" || !strings.Contains(f.String(), "packed(unknown)") {
		t.Errorf("%s, entropy %.2f", f.String(), f.Entropy)
	}
	copy(b[0x80:], "UPX!")
	if f := facts(t, b); f.Packed != "UPX" {
		t.Errorf("%s", f.String())
	}
}

func TestRefusals(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("#!/bin/sh\n"), []byte("\x7fELF"), bytes.Repeat([]byte{0xff}, 100)} {
		if _, err := elf.Read(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%q was taken", b)
		}
	}
}

func TestMutants(t *testing.T) {
	b := build(t, nil, "-ldflags=-s -w")[:64<<10]
	rng := rand.New(rand.NewPCG(5, 6))
	start := time.Now()
	for range 3000 {
		m := bytes.Clone(b)
		for range 1 + rng.IntN(8) {
			m[4+rng.IntN(600)] = byte(rng.Uint32())
		}
		f, _ := elf.Read(bytes.NewReader(m), int64(len(m)))
		_ = f.String()
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(build(f, nil, "-ldflags=-s -w")[:8192])
	f.Add([]byte("\x7fELF\x01\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if x, err := elf.Read(bytes.NewReader(b), int64(len(b))); err == nil && (x.Behind < 0 || x.Behind > int64(len(b)) || x.Entropy < 0 || x.Entropy > 8) {
			t.Errorf("%+v", x)
		}
	})
}
