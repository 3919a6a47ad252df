package version_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"telltale/internal/version"
)

// orders are lists from old to new, as each world's own documentation and tests have them.
var orders = map[version.Kind][]string{
	version.Deb:   {"1.0~~ 1.0~ 1.0~rc1 1.0 1.0-0+deb1 1.0-1 1.0-1+b1 1.0a 1.0+dfsg-1 1.0.1 1.1 1.10 20241115132647 20241115132648 1:0.1 2:0", "1:9.2p1-2+deb12u2 1:9.2p1-2+deb12u3 1:9.2p1-3", "1.8.27-1+deb10u2 1.8.27-1+deb10u3"},
	version.RPM:   {"1.0~rc1 1.0 1.0^git1 1.0.1 1.1 1.10 1.10.1 1:0.1", "1.1.1k-7.el8_6 1.1.1k-9.el8_7", "1.0aa 1.0.1 20240101 20240102", "5.5p1 5.5p10 5.6", "1.0^20160101 1.0^20160102 1.0.1"},
	version.Apk:   {"1.0_alpha1 1.0_beta1 1.0_rc1 1.0 1.0_p1 1.0a 1.1-r0 1.1-r2 1.1-r10 1.2", "2.38-r0 2.38.1", "1.0 1.01 1.1"},
	version.Plain: {"2.4.48 2.4.49 2.4.50 2.4.51", "1.3.5rc3 1.3.5 1.3.5a 1.3.5b 1.3.6", "8.4p1 8.5p1 9.7p1 9.8p1", "1.0.0-alpha 1.0.0-beta.2 1.0.0-rc.1 1.0.0 1.0.1", "v1.2 1.2.1", "7.57 7.58", "4.87 4.91 4.92 4.92.1 4.92.2"},
}

func TestOrders(t *testing.T) {
	for k, lists := range orders {
		for _, l := range lists {
			w := strings.Fields(l)
			for i := range w {
				for j := range w {
					want := 0
					if i < j {
						want = -1
					} else if i > j {
						want = 1
					}
					if got := version.Compare(k, w[i], w[j]); got != want {
						t.Errorf("kind %d: %q to %q is %d, want %d", k, w[i], w[j], got, want)
					}
				}
			}
		}
	}
	for _, same := range [][2]string{{"1.2", "1.2.0"}, {"1.0", "v1.0+build"}} {
		if c := version.Compare(version.Plain, same[0], same[1]); c != 0 {
			t.Errorf("%v: %d", same, c)
		}
	}
}

// TestAsDpkg holds made-up versions against dpkg itself, where it is.
func TestAsDpkg(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("no dpkg here")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	made := func() string {
		var b strings.Builder
		b.WriteByte("0123456789"[rnd.IntN(10)])
		for range rnd.IntN(8) {
			b.WriteByte("0019ab.+~-."[rnd.IntN(11)])
		}
		return b.String()
	}
	for range 300 {
		x, y := made(), made()
		if strings.HasSuffix(x, "-") || strings.HasSuffix(y, "-") {
			continue
		}
		op := []string{"lt", "eq", "gt"}[version.Compare(version.Deb, x, y)+1]
		if err := exec.Command(dpkg, "--compare-versions", x, op, y).Run(); err != nil {
			t.Errorf("dpkg denies that %s %s %s", x, op, y)
		}
	}
}

// TestAsRPM holds made-up versions against rpm itself, where it is.
func TestAsRPM(t *testing.T) {
	rpm, err := exec.LookPath("rpm")
	if err != nil {
		t.Skip("no rpm here")
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	made := func() string {
		var b strings.Builder
		for range 1 + rnd.IntN(7) {
			b.WriteByte("0019ab.+~^"[rnd.IntN(10)])
		}
		return b.String()
	}
	var pairs [][2]string
	var lua strings.Builder
	for range 500 {
		p := [2]string{made(), made()}
		pairs = append(pairs, p)
		fmt.Fprintf(&lua, "print(rpm.vercmp('%s','%s')..' ') ", p[0], p[1])
	}
	out, err := exec.Command(rpm, "--eval", "%{lua: "+lua.String()+"}").Output()
	words := strings.Fields(string(out))
	if err != nil || len(words) != len(pairs) {
		t.Skipf("rpm says %d words: %v", len(words), err)
	}
	for i, p := range pairs {
		if got := fmt.Sprint(version.Compare(version.RPM, p[0], p[1])); got != words[i] {
			t.Errorf("%q to %q is %s, rpm says %s", p[0], p[1], got, words[i])
		}
	}
}

// FuzzCompare: whatever the strings, the order is one: turned round it gives the opposite, and a version equals itself.
func FuzzCompare(f *testing.F) {
	for k, lists := range orders {
		w := strings.Fields(lists[0])
		for i := range w[1:] {
			f.Add(uint8(k), w[i], w[i+1])
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, a, b string) {
		kind := version.Kind(k % 4)
		if x, y := version.Compare(kind, a, b), version.Compare(kind, b, a); x != -y || x < -1 || x > 1 {
			t.Fatalf("%q, %q: %d and %d", a, b, x, y)
		}
		if version.Compare(kind, a, a) != 0 {
			t.Fatalf("%q is not itself", a)
		}
	})
}
