package mmdb

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"telltale/internal/golden"
)

// The types of data fields, MaxMind DB File Format Specification 2.0.
const (
	typeText   = 2
	typeUint16 = 5
	typeUint32 = 6
	typeMap    = 7
	typeUint64 = 9
	typeArray  = 11
)

// write makes a database with one value for each IPv4 network.
func write(t testing.TB, kind string, nets map[string]map[string]any) string {
	t.Helper()
	type node [2]int // 0: nothing; above zero: a node; below: data at -n-1
	nodes := []node{{}}
	var data bytes.Buffer
	names := make([]string, 0, len(nets))
	for n := range nets {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, name := range names {
		p := netip.MustParsePrefix(name)
		at, a := 0, p.Addr().As4()
		for i := range p.Bits() {
			bit := a[i/8] >> (7 - i%8) & 1
			if i == p.Bits()-1 {
				nodes[at][bit] = -data.Len() - 1
				break
			}
			if nodes[at][bit] == 0 {
				nodes = append(nodes, node{})
				nodes[at][bit] = len(nodes) - 1
			}
			at = nodes[at][bit]
		}
		field(&data, nets[name])
	}
	var out bytes.Buffer
	for _, n := range nodes {
		for _, x := range n {
			v := len(nodes)
			if x > 0 {
				v = x
			} else if x < 0 {
				v = len(nodes) + 16 + (-x - 1)
			}
			out.Write([]byte{byte(v >> 16), byte(v >> 8), byte(v)})
		}
	}
	out.Write(make([]byte, 16))
	out.Write(data.Bytes())
	out.WriteString("\xab\xcd\xefMaxMind.com")
	field(&out, map[string]any{"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1_700_000_000), "database_type": kind, "description": map[string]any{}, "ip_version": uint16(4),
		"languages": []any{}, "node_count": uint32(len(nodes)), "record_size": uint16(24)})
	path := filepath.Join(t.TempDir(), kind+".mmdb")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func field(b *bytes.Buffer, v any) {
	head := func(kind, size int) {
		if size >= 29 {
			b.Write([]byte{byte(kind<<5 | 29), byte(size - 29)})
		} else if kind > 7 {
			b.Write([]byte{byte(size), byte(kind - 7)})
		} else {
			b.WriteByte(byte(kind<<5 | size))
		}
	}
	switch x := v.(type) {
	case string:
		head(typeText, len(x))
		b.WriteString(x)
	case uint16:
		head(typeUint16, 2)
		binary.Write(b, binary.BigEndian, x)
	case uint32:
		head(typeUint32, 4)
		binary.Write(b, binary.BigEndian, x)
	case uint64:
		head(typeUint64, 8)
		binary.Write(b, binary.BigEndian, x)
	case []any:
		head(typeArray, len(x))
	case map[string]any:
		head(typeMap, len(x))
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			field(b, k)
			field(b, x[k])
		}
	}
}

func TestLookup(t *testing.T) {
	asn := write(t, "GeoLite2-ASN", map[string]map[string]any{"203.0.113.0/24": {"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Example Ltd"}})
	land := write(t, "GeoLite2-Country", map[string]map[string]any{"203.0.0.0/16": {"country": map[string]any{"iso_code": "NL"}}, "198.51.100.0/24": {"country_code": "DE"}})
	info := write(t, "ipinfo-lite", map[string]map[string]any{"192.0.2.0/24": {"asn": "AS64501", "as_name": "Other", "country": "US"}})
	db, err := Open([]string{land, asn, info})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for ip, want := range map[string]Record{
		"203.0.113.66":        {"203.0.113.0/24", "AS64500", "Example Ltd", "NL", "2023-11-14"},
		"::ffff:203.0.113.66": {"203.0.113.0/24", "AS64500", "Example Ltd", "NL", "2023-11-14"},
		"203.0.9.1":           {Country: "NL", AsOf: "2023-11-14"},
		"198.51.100.1":        {Country: "DE", AsOf: "2023-11-14"},
		"192.0.2.5":           {"192.0.2.0/24", "AS64501", "Other", "US", "2023-11-14"},
		"10.0.0.1":            {},
		"2001:db8::1":         {},
		"no address":          {},
	} {
		if got := db.Lookup(ip); got != want {
			t.Errorf("%s: %+v, want %+v", ip, got, want)
		}
	}
	var none *DB
	if none.Lookup("203.0.113.66") != (Record{}) || none.Close() != nil {
		t.Error("no database tells something")
	}
}

// TestSample keeps the database that the program's own tests use.
func TestSample(t *testing.T) {
	b, err := os.ReadFile(write(t, "Sample-ASN", map[string]map[string]any{"203.0.113.0/24": {"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Example <b>Ltd</b>", "country": map[string]any{"iso_code": "NL"}}}))
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/networks.mmdb", b)
}

func TestOpenWhatIsNone(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "x.mmdb")
	if err := os.WriteFile(bad, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{bad, filepath.Join(t.TempDir(), "none")} {
		if _, err := Open([]string{p}); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%v", err)
		}
	}
}

// FuzzLookup changes bytes of a database: an answer may be wrong then, and nothing may break.
// TestOpenNoFile: what is no regular file is not opened, for a pipe may wait for ever.
func TestOpenNoFile(t *testing.T) {
	for _, p := range []string{os.DevNull, t.TempDir()} {
		if db, err := Open([]string{p}); err == nil || db != nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func FuzzLookup(f *testing.F) {
	whole, err := os.ReadFile(write(f, "GeoLite2-ASN", map[string]map[string]any{"203.0.113.0/24": {"autonomous_system_number": uint32(64500), "autonomous_system_organization": "Example Ltd", "country": map[string]any{"iso_code": "NL"}}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(3), byte(7), uint16(len(whole)))
	f.Add(uint16(200), byte(0xff), uint16(90))
	f.Fuzz(func(t *testing.T, at uint16, v byte, n uint16) {
		b := bytes.Clone(whole[:min(int(n), len(whole))])
		if len(b) > 0 {
			b[int(at)%len(b)] = v
		}
		p := filepath.Join(t.TempDir(), "x.mmdb")
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open([]string{p})
		if err != nil {
			return
		}
		defer db.Close()
		db.Lookup("203.0.113.66")
		db.Lookup("1.2.3.4")
	})
}
