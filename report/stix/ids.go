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
	observables = mustHex("00abedb4aa42466c9c01fed23315a9b7")
	ours        = mustHex("6d1f0e9a3b5c4f27a08d52c49e7b1f63")
)

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err) // a constant of ours
	}
	return b
}

// uuid gives the UUID of a name, of version 5.
func uuid(namespace []byte, name string) string {
	h := sha1.New()
	h.Write(namespace)
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
