package firewall

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/internal/golden"
	"telltale/internal/state"
)

func little(t testing.TB) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the samples are of a machine with the other order of bytes")
	}
}

func write(w *bytes.Buffer, r *state.Firewall) {
	fmt.Fprintf(w, "%s: %s #%d %s | hook %q from %v %v to %v %v in %q out %q protocol %q\n", r.System, r.Place(), r.Number, r, r.Hook, r.From, r.FromPort, r.Dest, r.DestPort, r.In, r.Out, r.Protocol)
}

// messages takes a sample of netlink apart.
func messages(b []byte, each func(kind uint16, b []byte)) {
	for len(b) >= 6 {
		n := int(binary.LittleEndian.Uint32(b))
		each(binary.LittleEndian.Uint16(b[4:]), b[6:6+n])
		b = b[6+n:]
	}
}

const newChain, newRule = 3, 6 // NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE

func unknown(string, string, string) *set { return nil }

func TestSamples(t *testing.T) {
	little(t)
	for _, file := range []string{"nft.netlink", "iptables-nft.netlink", "ip-filter.table", "ip-nat.table", "ip6-filter.table"} {
		t.Run(file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if strings.HasSuffix(file, ".netlink") {
				messages(b, func(kind uint16, b []byte) {
					r, ok := parseChain(b)
					if kind == newRule {
						r, ok = parseRule(b, unknown)
					}
					if !ok {
						t.Errorf("%x", b)
						return
					}
					write(&got, r)
				})
			} else {
				i, err := parseInfo(b)
				if err != nil {
					t.Fatal(err)
				}
				rules, err := parseTable(strings.TrimSuffix(file, ".table"), b[infoSize:], i, layoutOf(file[2] == '6', 8))
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rules {
					write(&got, r)
				}
			}
			golden.Equal(t, filepath.Join("testdata", file+".golden"), got.Bytes())
		})
	}
}

// A table that is cut, or whose entries point beyond it, gives what can be read, and an error.
func TestABrokenTable(t *testing.T) {
	little(t)
	b, err := os.ReadFile("testdata/ip-filter.table")
	if err != nil {
		t.Fatal(err)
	}
	i, _ := parseInfo(b)
	whole, _ := parseTable("filter", b[infoSize:], i, layoutOf(false, 8))
	for n := infoSize; n < len(b); n += 7 {
		rules, err := parseTable("filter", b[infoSize:n], i, layoutOf(false, 8))
		if len(rules) > len(whole) || err == nil && len(rules) == len(whole) && n < len(b)/2 {
			t.Errorf("%d bytes give %d rules, %v", n, len(rules), err)
		}
	}
}

func TestSetsOfRanges(t *testing.T) {
	s := &set{}
	s.join([]raw{{key: []byte{0, 90}, end: true}, {key: []byte{0, 80}}, {key: []byte{0, 22}}, {key: []byte{0, 23}, end: true}, {key: []byte{0, 100}, last: []byte{0, 110}}, {key: []byte{0, 0}, end: true}})
	got := fmt.Sprint(s.elements)
	if want := "[{[0 22] []} {[0 80] [0 89]} {[0 100] [0 110]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMasks(t *testing.T) {
	for _, tc := range []struct {
		mask []byte
		n    int
		ok   bool
	}{{[]byte{255, 255, 0, 0}, 16, true}, {[]byte{0, 0, 0, 0}, 0, true}, {[]byte{255, 0, 255, 0}, 8, false}, {[]byte{255, 128}, 9, true}, {[]byte{255, 64}, 8, false}} {
		if n, ok := ones(tc.mask); n != tc.n || ok != tc.ok {
			t.Errorf("%v: %d %v", tc.mask, n, ok)
		}
	}
}

func FuzzRule(f *testing.F) {
	for _, file := range []string{"nft.netlink", "iptables-nft.netlink"} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		messages(b, func(_ uint16, b []byte) { f.Add(b) })
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		some := &set{name: "__set0"}
		some.join(parseElements(b))
		r, _ := parseRule(b, func(string, string, string) *set { return some })
		if r != nil && (len(r.Match) > maxWords || len(r.String()) > 1<<20) {
			t.Errorf("%d words", len(r.Match))
		}
		if c, _ := parseChain(b); c != nil {
			_ = c.String()
		}
	})
}

func FuzzTable(f *testing.F) {
	for _, file := range []string{"ip-filter.table", "ip-nat.table", "ip6-filter.table"} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, file[2] == '6', 8)
	}
	f.Fuzz(func(t *testing.T, b []byte, six bool, align int) {
		i, err := parseInfo(b)
		if err != nil {
			return
		}
		rules, _ := parseTable("t", b[infoSize:], i, layoutOf(six, align))
		if len(rules) > 2*len(b)/entrySize4+2*maxHooks {
			t.Errorf("%d rules in %d bytes", len(rules), len(b))
		}
	})
}
