package stix

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"telltale/report"
)

// Namespaces of ids, RFC 4122 version 5. That of observables is the specification's (section 2.9), so that two tools name the same address
// alike; that of all else is ours.
var (
	observables = [16]byte{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}
	ours        = [16]byte{0x6d, 0x1f, 0x0e, 0x9a, 0x3b, 0x5c, 0x4f, 0x27, 0xa0, 0x8d, 0x52, 0xc4, 0x9e, 0x7b, 0x1f, 0x63}
)

// uuid gives the UUID of a name, of version 5.
func uuid(namespace [16]byte, name string) string {
	h := sha1.New()
	h.Write(namespace[:])
	h.Write([]byte(name))
	return form(h.Sum(nil), 5)
}

// random gives a UUID in the form of version 4, which the specification demands of observables that nothing names: a process. Its bits are
// a digest's, so that a second run gives the same file.
func random(name string) string {
	sum := sha256.Sum256([]byte(name))
	return form(sum[:], 4)
}

func form(b []byte, version byte) string {
	b = append([]byte{}, b[:16]...)
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// canonical gives JSON as RFC 8785 wants it of strings and numbers without a fraction, which is all that ids are made of: sorted keys, no
// blanks, nothing escaped that need not be.
func canonical(v map[string]any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}

// caseKey is what makes the ids of one case its own: what was examined, not when.
func caseKey(d *report.Document) string {
	var b bytes.Buffer
	for _, h := range d.Hosts {
		fmt.Fprintf(&b, "host %q %q\n", h.ID, h.Hostname)
	}
	for _, s := range d.Sources {
		fmt.Fprintf(&b, "source %q %d %q\n", s.Path, s.Size, s.SHA256)
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

// stampForm is how the specification writes times: UTC, at least milliseconds.
const stampForm = "2006-01-02T15:04:05.000Z"

// stamp gives a time of the document as the specification writes it; ok is false for one that is not known.
func stamp(s string) (string, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return "", false
	}
	return t.UTC().Format(stampForm), true
}
