package webscript

import (
	"fmt"
	"strings"
	"testing"
)

// coded writes a text as numbers.
func coded(s, form, sep string, d int) string {
	var out []string
	for _, c := range []byte(s) {
		out = append(out, fmt.Sprintf(form, int(c)+d))
	}
	return strings.Join(out, sep)
}

func TestNumbers(t *testing.T) {
	frame := `document.write('<iframe src="http://lnk.example.top/a" style="visibility:hidden"></iframe>')`
	element := `f = document.createElement('iframe'); f.src = 'http://lnk.example.top/a'; document.body.appendChild(f)`
	for line, want := range map[string]bool{
		`x="` + coded(frame, "%02X", "", 0) + `";o+=String.fromCharCode(parseInt(x.substr(i,2),16))`:                               true,
		`z="` + coded(element, "%x", "_", 8) + `"[ps](a2);String["fromCharCode"](e(v+z[i])-sa)`:                                    true,
		`z=[` + coded(element, "%d", ",", -3) + `];String.fromCharCode(z[i]+3)`:                                                    true,
		`z="` + coded(element, "%x", "_", 8) + `"`:                                                                                 false,
		`x="` + coded(`a player's own frame, without any address of another site in it at all`, "%02x", "", 0) + `";fromCharCode(`: false,
		`k=[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31];fromCharCode(`:                    false,
		"fromCharCode": false,
	} {
		if _, got := hiddenNumbers([]byte(line)); got != want {
			t.Errorf("%.80s: %v", line, got)
		}
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add([]byte(`x="3C696672616D65207372633D22687474703A2F2F6C6E6B2E6578616D706C652E746F70";fromCharCode`))
	f.Add([]byte(`z="28_6e_7d_76_6b_7c_71_77_76_28_82_82_82_6e_6e_6e_30_31_28_83_15_12_28_7e";fromCharCode`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if at, _ := hiddenNumbers(b); at < 0 || at > len(b) {
			t.Errorf("at %d of %d", at, len(b))
		}
	})
}
