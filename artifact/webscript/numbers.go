package webscript

import (
	"bytes"
	"strconv"
)

// The bounds of reading numbers that stand for letters: fewer hide nothing, and more are data.
const (
	fewNumbers  = 60
	maxNumbers  = 8192
	maxRuns     = 16 // in one line
	maxDistance = 64 // that a number may be away from its letter
)

// hiddenNumbers looks for texts whose letters stand as numbers in a line that makes letters of numbers: pairs of hexadecimal digits in a row ("3C696672..."), or numbers with
// one sign between them ("28_6e_7d"), each as far from its letter as the others. It tells where such a text begins that brings something from elsewhere into the page.
func hiddenNumbers(b []byte) (at int, ok bool) {
	if !bytes.Contains(b, []byte("fromCharCode")) {
		return 0, false
	}
	for i, runs := 0, 0; i < len(b) && runs < maxRuns; {
		if !hexDigit(b[i]) || i > 0 && (hexDigit(b[i-1]) || b[i-1] == '%' || b[i-1] == '\\') {
			i++
			continue
		}
		pairs, end := paired(b[i:])
		hex, dec, sepEnd := separated(b[i:])
		if n := max(end, sepEnd); n >= fewNumbers {
			runs++
			if loadsShifted(pairs) || loadsShifted(hex) || loadsShifted(dec) {
				return i, true
			}
			i += n
			continue
		}
		i++
	}
	return 0, false
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// paired reads "3C69667261", and tells how many bytes it took.
func paired(b []byte) (out []byte, end int) {
	for end+1 < len(b) && hexDigit(b[end]) && hexDigit(b[end+1]) && len(out) < maxNumbers {
		c, _ := strconv.ParseUint(string(b[end:end+2]), 16, 8)
		out, end = append(out, byte(c)), end+2
	}
	return out, end
}

// separated reads numbers of one to three digits with the same sign between them, both as hexadecimal and as decimal ones.
func separated(b []byte) (hex, dec []byte, end int) {
	sep := byte(0)
	for len(hex) < maxNumbers {
		n := end
		for n < len(b) && n-end < 4 && hexDigit(b[n]) {
			n++
		}
		if n == end || n-end > 3 || n >= len(b) {
			break
		}
		h, _ := strconv.ParseUint(string(b[end:n]), 16, 16)
		d, _ := strconv.ParseUint(string(b[end:n]), 10, 16)
		hex, dec, end = append(hex, byte(h)), append(dec, byte(d)), n+1
		if sep == 0 {
			sep = b[n]
		}
		if b[n] != sep {
			break
		}
	}
	return hex, dec, min(end, len(b))
}

// loadsShifted tells a text that brings a frame or script into the page when each letter is moved by the same distance.
func loadsShifted(b []byte) bool {
	if len(b) < fewNumbers/2 {
		return false
	}
	moved := make([]byte, len(b))
	for d := -maxDistance; d <= maxDistance; d++ {
		for i, c := range b {
			moved[i] = c + byte(d)
		}
		low := bytes.ToLower(moved)
		if bytes.Contains(low, []byte("<iframe src=")) || bytes.Contains(low, []byte("createelement('iframe')")) || bytes.Contains(low, []byte(`createelement("iframe")`)) || loads(string(low)) {
			return true
		}
	}
	return false
}
