package kernel

import "testing"

func FuzzInfo(f *testing.F) {
	f.Add(make([]byte, progInfoSize), "name")
	link := make([]byte, linkInfoSize)
	link[0], link[16] = 7, 3
	f.Add(link, "func")
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 7, 0, 3, 0, 'l', 'o', 0, 0, 12, 0, 43, 0, 8, 0, 4, 0, 9, 0, 0, 0}, "")
	f.Fuzz(func(t *testing.T, b []byte, s string) {
		decodeProg(b)
		decodeLink(b, s)
		if p, l := linkText(b); p+8 > linkInfoSize || l+4 > linkInfoSize {
			t.Error("a pointer outside")
		}
		parseLink(b)
		parseAddr(b)
		parseFilter(b)
		parseXDP(b)
		progID(s)
	})
}
