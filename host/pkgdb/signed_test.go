package pkgdb_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"telltale/host/pkgdb"
)

// header builds a record with a name and, if it is signed, a signature.
func header(name string, signed bool) []byte {
	tags := [][4]uint32{{1000, 6, 0, 1}}
	data := append([]byte(name), 0)
	if signed { // RPMTAG_RSAHEADER
		tags = append(tags, [4]uint32{268, 7, uint32(len(data)), 4})
		data = append(data, 1, 2, 3, 4)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	for _, t := range tags {
		for _, n := range t {
			b = binary.BigEndian.AppendUint32(b, n)
		}
	}
	return append(b, data...)
}

// database puts records into the form ndb.
func database(records [][]byte) []byte {
	out := ndb(records[0])
	for i, r := range records[1:] {
		one := ndb(r)
		slot := out[48+16*i:]
		binary.LittleEndian.PutUint32(slot[4:], 1)
		binary.LittleEndian.PutUint32(slot[8:], uint32(len(out)/16))
		binary.LittleEndian.PutUint32(slot[12:], uint32(len(one)-4096)/16)
		out = append(out, one[4096:]...)
	}
	return out
}

// TestUnsigned doubts one package without a signature among many with one, and none where half of them have none.
func TestUnsigned(t *testing.T) {
	for _, tc := range []struct {
		signed, bare, doubted int
	}{{30, 1, 1}, {30, 3, 3}, {20, 20, 0}, {5, 1, 0}, {0, 9, 0}} {
		var rs [][]byte
		for i := range tc.signed {
			rs = append(rs, header(fmt.Sprint("signed", i), true))
		}
		for i := range tc.bare {
			rs = append(rs, header(fmt.Sprint("bare", i), false))
		}
		rs = append(rs, header("gpg-pubkey", false))
		d := pkgdb.Read(memTree{"/var/lib/rpm/Packages.db": {b: database(rs)}})
		doubted := 0
		for i := range d.Packages {
			doubted += len(d.Packages[i].Doubts)
		}
		if len(d.Packages) != len(rs) || doubted != tc.doubted || len(d.Damage) > 0 {
			t.Errorf("%d signed, %d not: %d packages, %d doubted, %v", tc.signed, tc.bare, len(d.Packages), doubted, d.Damage)
		}
	}
}
