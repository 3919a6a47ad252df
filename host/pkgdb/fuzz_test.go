package pkgdb_test

import (
	"bytes"
	"testing"

	"telltale/host/pkgdb"
)

func FuzzHeader(f *testing.F) {
	s := sample(f, "Packages.db.gz")
	for r, err := range pkgdb.Headers(f.Context(), bytes.NewReader(s), int64(len(s))) {
		if err != nil {
			f.Fatal(err)
		}
		if r.Len < 8192 {
			f.Add(s[r.Off : r.Off+r.Len])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := pkgdb.ParseHeader(b)
		if err != nil {
			return
		}
		h.Package()
		// As a record of a database of one slot.
		pkgdb.Read(memTree{"/var/lib/rpm/Packages.db": {b: ndb(b)}})
	})
}

// edits are changes to a real database: position and byte.
func edit(whole, edits []byte) []byte {
	b := bytes.Clone(whole)
	for ; len(edits) >= 4; edits = edits[4:] {
		at := int(edits[0])<<16 | int(edits[1])<<8 | int(edits[2])
		b[at%len(b)] = edits[3]
	}
	return b
}

func fuzzForm(f *testing.F, name string) {
	whole := sample(f, name)
	f.Add([]byte{0, 0, 20, 9})
	f.Add([]byte{0, 16, 25, 7, 0, 16, 22, 255})
	f.Fuzz(func(t *testing.T, edits []byte) {
		if len(edits) > 400 {
			return
		}
		pkgdb.Read(memTree{rpmSamples[name]: {b: edit(whole, edits)}})
	})
}

func FuzzBDBHash(f *testing.F)  { fuzzForm(f, "Packages.hash.gz") }
func FuzzBDBBig(f *testing.F)   { fuzzForm(f, "Packages.bigendian.gz") }
func FuzzBDBBtree(f *testing.F) { fuzzForm(f, "Packages.btree.gz") }
func FuzzNDB(f *testing.F)      { fuzzForm(f, "Packages.db.gz") }

func FuzzDpkg(f *testing.F) {
	f.Add([]byte("Package: a\nStatus: install ok installed\nConffiles:\n /etc/a 00000000000000000000000000000000\n"), []byte("/bin/a\n"), []byte("00000000000000000000000000000000  bin/a\n"), []byte("/bin/a\n/bin/b\n:\n"))
	f.Fuzz(func(t *testing.T, status, list, sums, div []byte) {
		d := pkgdb.Read(memTree{"/var/lib/dpkg/status": {b: status}, "/var/lib/dpkg/info/a.list": {b: list}, "/var/lib/dpkg/info/a.md5sums": {b: sums}, "/var/lib/dpkg/diversions": {b: div}})
		for p := range d.All() {
			d.Of(p)
		}
	})
}

func FuzzApk(f *testing.F) {
	f.Add([]byte("P:a\nV:1\nF:bin\nR:x\na:0:0:755\nZ:Q1Za+Uj0ZDP4IAWJd5ZnlBYBMWmTk=\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := pkgdb.Read(memTree{"/lib/apk/db/installed": {b: b}})
		for p := range d.All() {
			d.Of(p)
		}
	})
}

// ndb puts one record into a database.
func ndb(b []byte) []byte {
	out := make([]byte, 4096)
	copy(out, "RpmP\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00")
	for o := 32; o < 4096; o += 16 {
		copy(out[o:], "Slot")
	}
	n := (16 + len(b) + 12 + 15) / 16
	copy(out[32:], []byte{'S', 'l', 'o', 't', 1, 0, 0, 0, 0, 1, 0, 0, byte(n), byte(n >> 8), byte(n >> 16), 0})
	body := make([]byte, n*16)
	copy(body, []byte{'B', 'l', 'b', 'S', 1, 0, 0, 0, 0, 0, 0, 0, byte(len(b)), byte(len(b) >> 8), byte(len(b) >> 16), 0})
	copy(body[16:], b)
	copy(body[len(body)-4:], "BlbE")
	return append(out, body...)
}
