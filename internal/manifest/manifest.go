// Package manifest is the form of a collection's manifests, and their checking. A manifest is a member of the archive with a Line for every member
// since the manifest before, and a Seal. The lines of all manifests are one chain: each holds the digest of the line before, and a seal tells
// how many there are, the digest of the last, and may sign both. So what was taken out, put in, put elsewhere or changed shows, up to the last seal.
//
// Without a signature by a key that the reader knows from elsewhere, the chain shows accidents, cuts and clumsy changes: whoever can write the whole
// archive anew can make a new chain. Package acquire/pack writes it, package host reads it.
package manifest

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
)

// Names within a collection.
const (
	HeaderName = "collection.json"
	StateDir   = "state"
	RootDir    = "root"
	Dir        = "manifest"
	suffix     = ".jsonl"
)

// The records in a member's pax header that say of a file what tar has no room for. The first two are our own.
const (
	UntakenRecord   = "TELLTALE.untaken"   // the file's size, bytes: its content was not taken
	ImmutableRecord = "TELLTALE.immutable" // "1"
	BornRecord      = "LIBARCHIVE.creationtime"
	AttributeRecord = "SCHILY.xattr." // and the attribute's name
)

// Line is one member in the manifest.
type Line struct {
	Name      string `json:"name"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`         // of the content
	Meta      string `json:"meta,omitempty"` // what Meta gives of its header
	Wall      string `json:"wall"`
	SinceBoot int64  `json:"since_boot"`
	Short     int64  `json:"short,omitempty"` // bytes at the end that the file had not any more when it was read; they are zero
	Before    string `json:"before"`          // SHA-256 of the line before, without its end
}

// Seal ends a manifest.
type Seal struct {
	Lines     int64  `json:"lines"` // in all manifests so far
	Head      string `json:"head"`  // SHA-256 of the last line
	Last      bool   `json:"last"`  // the collection ran to its end
	Why       string `json:"why"`   // what ended it otherwise
	Signature string `json:"signature"`
}

// Signed are the bytes that a seal's signature is of.
func (s Seal) Signed() []byte {
	return []byte(fmt.Sprintf("telltale collection seal\nlines %d\nhead %s\nlast %t\nwhy %s\n", s.Lines, s.Head, s.Last, s.Why))
}

// File is the name of a manifest within the collection.
func File(name string) string { return Dir + "/" + name + suffix }

// Digest is the SHA-256 of a line as the next one holds it.
func Digest(line []byte) string {
	d := sha256.Sum256(line)
	return hex.EncodeToString(d[:])
}

// Meta is the SHA-256 of what a member's header says beside its size: whose file it is and when it was changed is evidence as its content is. It is
// taken of the header's meaning, not of its bytes, so that an archive packed anew by another tar keeps it.
func Meta(h *tar.Header) string {
	sum := sha256.New()
	mod := h.ModTime
	if mod.IsZero() {
		mod = time.Unix(0, 0) // as package tar writes it
	}
	fmt.Fprintf(sum, "%c\n%q\n%q\n%o %d %d %q %q\n%s %s %s\n%d %d\n", h.Typeflag, h.Name, h.Linkname, h.Mode, h.Uid, h.Gid, h.Uname, h.Gname, stamp(mod), stamp(h.AccessTime), stamp(h.ChangeTime), h.Devmajor, h.Devminor)
	var keys []string
	for k := range h.PAXRecords {
		// The others are what package tar itself made of the fields above.
		if strings.HasPrefix(k, "TELLTALE.") || strings.HasPrefix(k, "LIBARCHIVE.") || strings.HasPrefix(k, "SCHILY.xattr.") {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Fprintf(sum, "%q %q\n", k, h.PAXRecords[k])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond())
}

// Limits of a manifest.
const (
	MaxManifest = 32 << 20 // bytes
	maxLine     = 64 << 10 // bytes: a path of 4096 bytes is six times as long in JSON
)

// Entry is a Line, and the digest that the next has to hold.
type Entry struct {
	Line
	Digest string
}

// Parse reads a manifest.
func Parse(b []byte) ([]Entry, Seal, error) {
	var s Seal
	var out []Entry
	rest, found := bytes.CutSuffix(b, []byte{'\n'})
	if !found {
		return nil, s, errors.New("it does not end in a line's end")
	}
	rows := bytes.Split(rest, []byte{'\n'})
	for i, row := range rows {
		if len(row) > maxLine {
			return nil, s, fmt.Errorf("line %d is longer than %d bytes", i+1, maxLine)
		}
		if i == len(rows)-1 {
			break
		}
		e := Entry{Digest: Digest(row)}
		if err := strict(row, &e.Line); err != nil {
			return nil, s, fmt.Errorf("line %d: %w", i+1, err)
		}
		out = append(out, e)
	}
	if err := strict(rows[len(rows)-1], &s); err != nil {
		return nil, s, fmt.Errorf("the seal: %w", err)
	}
	return out, s, nil
}

// strict refuses what it does not know: a line taken for a seal would be an empty one.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one object")
	}
	return nil
}
