package access_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"telltale/internal/access"
)

const group = "root:x:0:\nssl-cert:x:108:postgres\nwww-data:x:33:\nstaff:x:50:amy,bob\nbroken\n"

func accounts() []access.Account {
	as := []access.Account{{Name: "root"}, {Name: "www-data", UID: 33, GID: 33}, {Name: "postgres", UID: 110, GID: 110}, {Name: "amy", UID: 1000, GID: 1000}, {Name: "bob", UID: 1001, GID: 1001}, {Name: "toor", UID: 0, GID: 7}}
	access.Groups(as, []byte(group))
	return as
}

type entry struct {
	tag, bits uint16
	id        uint32
}

func acl(es ...entry) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range es {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.bits)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}

func TestReaders(t *testing.T) {
	open := access.Node{Mode: 0o755}
	deny := entry{0x20, 0, 0}
	for _, tc := range []struct {
		name    string
		folders []access.Node
		file    access.Node
		folder  bool
		want    string
	}{
		{"root's own", nil, access.Node{Mode: 0o600}, false, "root toor"},
		{"of the web server's group", nil, access.Node{Mode: 0o640, GID: 33}, false, "root www-data toor"},
		{"for all", []access.Node{open}, access.Node{Mode: 0o644}, false, "*"},
		{"for all, in a folder that is shut", []access.Node{open, {Mode: 0o700, UID: 1000}}, access.Node{Mode: 0o644}, false, "root amy toor"},
		{"for all, in a folder that can be listed and not passed", []access.Node{{Mode: 0o744}}, access.Node{Mode: 0o644}, false, "root toor"},
		{"for all, in a folder that can be passed and not listed", []access.Node{{Mode: 0o711}}, access.Node{Mode: 0o644}, false, "*"},
		{"by a group of others", nil, access.Node{Mode: 0o640, GID: 108}, false, "root postgres toor"},
		{"a group shut out", nil, access.Node{Mode: 0o604, GID: 50}, false, "root www-data postgres toor"},
		{"an owner shut out", nil, access.Node{Mode: 0o077, UID: 1000}, false, "root www-data postgres bob toor"},
		{"an ACL lets one in", nil, access.Node{Mode: 0o640, ACL: acl(entry{1, 6, 0}, entry{2, 4, 33}, entry{4, 0, 0}, entry{0x10, 4, 0}, deny)}, false, "root www-data toor"},
		{"the mask takes it again", nil, access.Node{Mode: 0o600, ACL: acl(entry{1, 6, 0}, entry{2, 4, 33}, entry{4, 4, 0}, entry{0x10, 0, 0}, deny)}, false, "root toor"},
		{"the mask leaves the owner alone", nil, access.Node{Mode: 0o600, UID: 1000, ACL: acl(entry{1, 6, 0}, entry{4, 4, 0}, entry{0x10, 0, 0}, deny)}, false, "root amy toor"},
		{"an ACL shuts one out", nil, access.Node{Mode: 0o644, ACL: acl(entry{1, 6, 0}, entry{2, 0, 33}, entry{4, 4, 0}, entry{0x10, 4, 0}, entry{0x20, 4, 0})}, false, "root postgres amy bob toor"},
		{"an ACL of a group", nil, access.Node{Mode: 0o640, ACL: acl(entry{1, 6, 0}, entry{4, 0, 0}, entry{8, 4, 50}, entry{0x10, 4, 0}, deny)}, false, "root amy bob toor"},
		{"an ACL of a folder above", []access.Node{{Mode: 0o750, ACL: acl(entry{1, 7, 0}, entry{2, 1, 33}, entry{4, 0, 0}, entry{0x10, 7, 0}, deny)}}, access.Node{Mode: 0o644}, false, "root www-data toor"},
		{"an ACL that is broken", nil, access.Node{Mode: 0o644, ACL: []byte{2, 0, 0, 0, 1}}, false, "?"},
		{"an ACL of another form", nil, access.Node{Mode: 0o644, ACL: []byte{1, 0, 0, 0}}, false, "?"},
		{"a folder that is not in the evidence", []access.Node{{Unknown: true}}, access.Node{Mode: 0o644}, false, "?"},
		{"a folder to be read", []access.Node{open}, access.Node{Mode: 0o2775, GID: 8}, true, "*"},
		{"a folder to be passed only", []access.Node{open}, access.Node{Mode: 0o711}, true, "root toor"},
	} {
		names, known := access.Readers(tc.folders, tc.file, tc.folder, accounts())
		got := strings.Join(names, " ")
		if !known {
			got = "?"
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestVeryManyReaders(t *testing.T) {
	as := []access.Account{{Name: "x", UID: 5}}
	for range 5000 {
		as = append(as, access.Account{Name: "u", UID: 1000, GID: 9})
	}
	if names, _ := access.Readers(nil, access.Node{Mode: 0o640, GID: 9}, false, as); len(names) != 257 || names[256] != access.Others {
		t.Errorf("%d names", len(names))
	}
}

func FuzzReaders(f *testing.F) {
	f.Add(acl(entry{1, 6, 0}, entry{2, 4, 33}), []byte(group), uint16(0o640))
	f.Add([]byte{2, 0, 0, 0, 1}, []byte("x:y:99999999999:a,b"), uint16(0))
	f.Fuzz(func(t *testing.T, acl, group []byte, mode uint16) {
		as := []access.Account{{Name: "root"}, {Name: "amy", UID: 1000}}
		access.Groups(as, group)
		if names, known := access.Readers(nil, access.Node{Mode: mode, UID: 7, ACL: acl}, false, as); known && len(names) == 0 {
			t.Error("root cannot read")
		}
	})
}
