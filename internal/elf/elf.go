// Package elf tells of a program what its headers say, and is not led by them: headers may be cut, crafted, or left out, as
// packers do. It loads nothing and runs nothing. Sizes and offsets are in bytes. Source: elf(5), System V ABI, gabi 4.1.
package elf

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"telltale/internal/bin"
)

// ErrNotELF says that a file is none.
var ErrNotELF = errors.New("no ELF file")

// Facts are what is told of a program.
type Facts struct {
	Bits        int    // 32 or 64
	BigEndian   bool   // of its numbers
	Machine     uint16 // e_machine
	Type        string // "executable", "shared", "relocatable", "core", "other"
	Interpreter string // the dynamic linker that it asks for
	Libraries   int    // that it asks for
	Static      bool   // it asks for no linker and no library
	Stripped    bool   // no table of symbols
	Sections    int    // that its header tells of and that lie in the file
	BuildID     string // GNU build id, hexadecimal
	Go          bool
	Packed      string // what packed it ("UPX"), or "unknown" where it is only likely; "" for not
	Module      string // name of a kernel module, "?" where it has none
	Signed      bool   // a signature of the kernel's kind is at its end
	Entropy     float64
	Behind      int64 // bytes behind the last segment and section
	Cut         bool  // headers point beyond the end of the file
}

// Bounds of what is read.
const (
	maxPrograms = 128
	maxSections = 4096
	maxTable    = 256 << 10
	maxNotes    = 64 << 10
	sample      = 64 << 10
)

// The numbers of the specification that matter here.
const (
	typeRelocatable, typeExecutable, typeShared, typeCore = 1, 2, 3, 4

	loadSegment, dynamicSegment, interpreterSegment, noteSegment = 1, 2, 3, 4

	symbolTable = 2 // sh_type
	nobits      = 8
	needed      = 1 // d_tag
)

const signature = "~Module signature appended~\n"

type segment struct {
	kind, flags  uint32
	off, size    uint64
	memory, addr uint64
}

type section struct {
	name      uint32
	kind      uint32
	off, size uint64
}

type reader struct {
	r        io.ReaderAt
	size     int64
	wide     bool
	big      bool
	f        Facts
	entry    uint64
	segments []segment
	sections []section
	end      uint64
}

// Read tells of the program in the first size bytes of r.
func Read(r io.ReaderAt, size int64) (Facts, error) {
	x := &reader{r: r, size: size}
	head := x.bytes(0, 64)
	if len(head) < 52 || string(head[:4]) != "\x7fELF" || head[4] < 1 || head[4] > 2 {
		return Facts{}, ErrNotELF
	}
	x.wide, x.big = head[4] == 2, head[5] == 2
	x.f.Bits, x.f.BigEndian = 32, x.big
	if x.wide {
		x.f.Bits = 64
	}
	x.header(head)
	x.programs()
	x.names()
	x.packed(head)
	x.tail()
	return x.f, nil
}

// bytes reads up to n bytes; less where the file ends.
func (x *reader) bytes(off uint64, n int) []byte {
	if off >= uint64(x.size) || n <= 0 {
		return nil
	}
	b := make([]byte, min(int64(n), x.size-int64(off)))
	k, _ := x.r.ReadAt(b, int64(off))
	return b[:k]
}

func (x *reader) cursor(b []byte) *bin.Cursor {
	if x.big {
		return bin.Big(b)
	}
	return bin.Little(b)
}

func (x *reader) word(c *bin.Cursor) uint64 {
	if x.wide {
		return c.U64()
	}
	return uint64(c.U32())
}

func (x *reader) header(head []byte) {
	c := x.cursor(head).Seek(16)
	kind := c.U16()
	x.f.Type = map[uint16]string{typeRelocatable: "relocatable", typeExecutable: "executable", typeShared: "shared", typeCore: "core"}[kind]
	if x.f.Type == "" {
		x.f.Type = "other"
	}
	x.f.Machine = c.U16()
	c.U32()
	x.entry = x.word(c)
	ph, sh := x.word(c), x.word(c)
	c.U32()
	c.U16()
	phSize, phCount, shSize, shCount, names := int(c.U16()), int(c.U16()), int(c.U16()), int(c.U16()), int(c.U16())
	x.readSegments(ph, phSize, min(phCount, maxPrograms))
	x.readSections(sh, shSize, min(shCount, maxSections), names)
}

func (x *reader) readSegments(off uint64, size, count int) {
	least := map[bool]int{true: 56, false: 32}[x.wide]
	if size < least || size > 1024 {
		return
	}
	b := x.bytes(off, size*count)
	x.f.Cut = x.f.Cut || len(b) < size*count
	for i := range len(b) / size {
		c := x.cursor(b[i*size : (i+1)*size])
		var s segment
		if s.kind = c.U32(); x.wide {
			s.flags = c.U32()
		}
		s.off, s.addr = x.word(c), x.word(c)
		x.word(c)
		s.size, s.memory = x.word(c), x.word(c)
		if !x.wide {
			s.flags = c.U32()
		}
		x.segments = append(x.segments, s)
		x.reach(s.off, s.size)
	}
}

// reach notes how far into the file something goes.
func (x *reader) reach(off, size uint64) {
	if size > math.MaxInt64 || off > math.MaxInt64-size || off+size > uint64(x.size) {
		x.f.Cut = true
		return
	}
	x.end = max(x.end, off+size)
}

func (x *reader) readSections(off uint64, size, count, names int) {
	least := map[bool]int{true: 64, false: 40}[x.wide]
	if size < least || size > 1024 || off == 0 {
		x.f.Stripped = true
		return
	}
	b := x.bytes(off, size*count)
	x.f.Cut = x.f.Cut || len(b) < size*count
	x.reach(off, uint64(len(b)))
	x.f.Stripped = true
	for i := range len(b) / size {
		c := x.cursor(b[i*size : (i+1)*size])
		s := section{name: c.U32(), kind: c.U32()}
		x.word(c)
		x.word(c)
		s.off, s.size = x.word(c), x.word(c)
		x.sections = append(x.sections, s)
		if s.kind == symbolTable && s.size > 0 {
			x.f.Stripped = false
		}
		if s.kind != nobits && s.kind != 0 {
			x.reach(s.off, s.size)
		}
	}
	x.f.Sections = len(x.sections)
	if names < len(x.sections) {
		x.module(x.sections[names])
	}
}

// module looks for the section that makes a relocatable file a kernel module.
func (x *reader) module(table section) {
	if x.f.Type != "relocatable" {
		return
	}
	names := x.bytes(table.off, int(min(table.size, maxTable)))
	for _, s := range x.sections {
		if uint64(s.name) >= uint64(len(names)) {
			continue
		}
		switch name := string(bin.Little(names[s.name:]).CString(min(64, len(names)-int(s.name)))); name {
		case ".gnu.linkonce.this_module":
			if x.f.Module == "" {
				x.f.Module = "?"
			}
		case ".modinfo":
			for _, field := range strings.Split(string(x.bytes(s.off, int(min(s.size, maxTable)))), "\x00") {
				if v, ok := strings.CutPrefix(field, "name="); ok && plain(v) {
					x.f.Module = v
				}
			}
			if x.f.Module == "" {
				x.f.Module = "?"
			}
		}
	}
}

// plain tells a module's name: what else stands there is not worth repeating.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// programs looks at the segments: linker, libraries, notes.
func (x *reader) programs() {
	for _, s := range x.segments {
		switch s.kind {
		case interpreterSegment:
			b := x.bytes(s.off, int(min(s.size, 256)))
			x.f.Interpreter = string(bin.Little(b).CString(len(b)))
		case dynamicSegment:
			x.dynamic(x.bytes(s.off, int(min(s.size, maxTable))))
		case noteSegment:
			x.notes(x.bytes(s.off, int(min(s.size, maxNotes))))
		}
	}
	x.f.Static = (x.f.Type == "executable" || x.f.Type == "shared") && x.f.Interpreter == "" && x.f.Libraries == 0 && len(x.segments) > 0
}

func (x *reader) dynamic(b []byte) {
	entry := map[bool]int{true: 16, false: 8}[x.wide]
	for i := 0; i+entry <= len(b); i += entry {
		switch x.word(x.cursor(b[i:])) {
		case needed:
			x.f.Libraries++
		case 0:
			return
		}
	}
}

// notes reads records of name and description, each padded to four bytes.
func (x *reader) notes(b []byte) {
	for len(b) >= 12 {
		c := x.cursor(b)
		nameLen, descLen, kind := uint64(c.U32()), uint64(c.U32()), c.U32()
		name := (nameLen + 3) &^ 3
		desc := (descLen + 3) &^ 3
		if name > uint64(len(b)) || desc > uint64(len(b)) || 12+name+desc > uint64(len(b)) {
			return
		}
		owner := strings.TrimRight(string(b[12:12+nameLen]), "\x00")
		switch {
		case owner == "GNU" && kind == 3 && descLen <= 64:
			x.f.BuildID = hex.EncodeToString(b[12+name : 12+name+descLen])
		case owner == "Go" && kind == 4:
			x.f.Go = true
		}
		b = b[12+name+desc:]
	}
}

// names finds what compilers leave that no header tells.
func (x *reader) names() {
	if x.f.Go {
		return
	}
	for _, s := range x.segments { // Go 1.18 and later keep it at the beginning of the data
		if s.kind == loadSegment && s.flags&2 != 0 && strings.Contains(string(x.bytes(s.off, 4096)), "\xff Go buildinf:") {
			x.f.Go = true
		}
	}
}

// packed tells a program that unpacks itself: by the packer's mark, or by content that is as random as only packed content is in a file that
// tells of no sections and no libraries.
func (x *reader) packed(head []byte) {
	if strings.Contains(string(x.bytes(0, 4096)), "UPX!") || strings.Contains(string(x.bytes(uint64(max(0, x.size-4096)), 4096)), "UPX!") {
		x.f.Packed = "UPX"
	}
	for _, s := range x.segments {
		if s.kind == loadSegment && s.flags&1 != 0 && s.size > 4096 {
			x.f.Entropy = max(x.f.Entropy, Entropy(x.bytes(s.off+s.size/2, int(min(s.size/2, sample)))))
		}
	}
	if x.f.Packed == "" && x.f.Type != "relocatable" && x.f.Sections == 0 && x.f.Static && x.f.Entropy > 7.5 {
		x.f.Packed = "unknown"
	}
}

func (x *reader) tail() {
	if string(x.bytes(uint64(max(0, x.size-int64(len(signature)))), len(signature))) == signature {
		x.f.Signed = true
	} else if !x.f.Cut && x.end > 0 && uint64(x.size) > x.end {
		x.f.Behind = x.size - int64(x.end)
	}
}

// Entropy gives Shannon's entropy of bytes, 0 to 8 bits a byte.
func Entropy(b []byte) float64 {
	if len(b) == 0 {
		return 0
	}
	var n [256]int
	for _, c := range b {
		n[c]++
	}
	e := 0.0
	for _, k := range n {
		if k > 0 {
			p := float64(k) / float64(len(b))
			e -= p * math.Log2(p)
		}
	}
	return e
}

// String gives the facts in words that a detection can look for: "elf64 static stripped packed(UPX) go".
func (f *Facts) String() string {
	words := []string{fmt.Sprintf("elf%d", f.Bits), f.Type}
	add := func(on bool, w string) {
		if on {
			words = append(words, w)
		}
	}
	add(f.Static, "static")
	add(f.Type == "shared" && f.Interpreter != "", "interpreted") // a program that lies anywhere in memory, no library
	add(f.Stripped, "stripped")
	add(f.Packed != "", "packed("+f.Packed+")")
	add(f.Go, "go")
	add(f.Module != "", "module("+f.Module+")")
	add(f.Module != "" && !f.Signed, "unsigned")
	add(f.Cut, "cut")
	add(f.Sections == 0, "no-sections")
	add(f.Behind > 4096, fmt.Sprintf("behind=%d", f.Behind))
	add(f.BuildID != "", "build-id="+f.BuildID)
	return strings.Join(words, " ")
}
