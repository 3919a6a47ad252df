// Package custody is the record that lies beside a copy, as name.json: what was copied, when, by whom and how, what
// could not be read, and how the copy is proved to be unchanged. While a copy is being made the record says how far it
// got, so that it can be gone on with. It is no signature: whoever can change the copy can change the record, so its
// digest belongs on paper. Sizes and offsets are in bytes, times in UTC.
package custody

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telltale/acquire/chain"
	"telltale/acquire/rescue"
)

// Format is what a record says that it is.
const Format = "telltale-copy/1"

const maxRecord = 256 << 20 // bytes; a copy of 16 TiB has links of 70 MB

// The states of a copy.
const (
	Unfinished = "unfinished"
	Finished   = "finished"
)

// Record is the record of one copy.
type Record struct {
	Format   string        `json:"format"`
	Kind     string        `json:"kind"`  // disk, memory
	State    string        `json:"state"` // unfinished, finished
	Tool     string        `json:"tool"`
	Command  []string      `json:"command"`
	Host     string        `json:"host"`
	Kernel   string        `json:"kernel"`
	Started  time.Time     `json:"started"`
	Ended    time.Time     `json:"ended,omitzero"`
	Duration time.Duration `json:"duration_ns"` // by the monotonic clock, all runs together
	Resumed  []Resumption  `json:"resumed,omitempty"`

	Case   *Case   `json:"case,omitempty"`
	Disk   *Disk   `json:"disk,omitempty"`
	Memory *Memory `json:"memory,omitempty"`

	Copy  Copy           `json:"copy"`
	Bad   []rescue.Range `json:"bad"` // of the source: filled with zeros in the copy
	Notes []string       `json:"notes"`

	Verified *Verification `json:"verified,omitempty"`
}

// Resumption is where and when a copy was gone on with.
type Resumption struct {
	At   int64     `json:"at"`
	Time time.Time `json:"time"`
}

// Case is what the examiner says.
type Case struct {
	Number      string `json:"number,omitempty"`
	Evidence    string `json:"evidence,omitempty"`
	Examiner    string `json:"examiner,omitempty"`
	Description string `json:"description,omitempty"`
	Notes       string `json:"notes,omitempty"`
}

// Disk is the device that was copied, as the kernel describes it.
type Disk struct {
	Path     string   `json:"path"`
	Device   string   `json:"device,omitempty"` // major:minor; empty: a file
	Size     int64    `json:"size"`
	Sector   int      `json:"logical_sector"`
	Physical int      `json:"physical_sector,omitempty"`
	ReadOnly bool     `json:"read_only"` // what BLKROGET says
	Whole    bool     `json:"whole_disk"`
	Model    string   `json:"model,omitempty"`
	Vendor   string   `json:"vendor,omitempty"`
	Serial   string   `json:"serial,omitempty"`
	WWID     string   `json:"wwid,omitempty"`
	Mounts   []Mount  `json:"mounts"`
	Unknown  []string `json:"unknown,omitempty"` // what could not be asked, and why
}

// Mount is a filesystem that is mounted from the disk or from what lies on it.
type Mount struct {
	Device   string `json:"device"`
	Point    string `json:"point"`
	Type     string `json:"type"`
	Writable bool   `json:"writable"`
}

// Memory is where memory was read from.
type Memory struct {
	Source   string        `json:"source"`
	Tried    []Try         `json:"tried"`
	Lockdown string        `json:"lockdown,omitempty"`
	BuildID  string        `json:"build_id,omitempty"` // of the running kernel
	Ranges   []MemoryRange `json:"ranges"`
	Beside   []Companion   `json:"beside"`
}

// Try is a source of memory that was tried; Error says why it could not be used.
type Try struct {
	Source string `json:"source"`
	Error  string `json:"error,omitempty"`
}

// MemoryRange is a range of physical memory; the copy has it from At on.
type MemoryRange struct {
	Start uint64 `json:"start"`
	End   uint64 `json:"end"` // inclusive
	At    int64  `json:"at"`  // in the copy, its header
}

// Companion is a file that was written beside a memory copy, or why it was not.
type Companion struct {
	Name   string `json:"name"`
	Of     string `json:"of"`
	SHA256 string `json:"sha256,omitempty"`
	Error  string `json:"error,omitempty"`
}

// Copy is what was written.
type Copy struct {
	Name   string `json:"name"`   // beside the record; "-": standard output
	Format string `json:"format"` // raw, E01, Ex01, lime
	Size   int64  `json:"size"`   // that the digests are of: the disk's, not an E01 or Ex01 file's
	SHA256 string `json:"sha256,omitempty"`
	SHA1   string `json:"sha1,omitempty"`
	MD5    string `json:"md5,omitempty"`
	Piece  int64  `json:"piece"` // distance of the links
	// Links are the intermediate hash values of the SHA-256 at every piece: see package chain.
	Links []chain.Link `json:"links"`
}

// Verification is what reading the copy back told.
type Verification struct {
	Time  time.Time   `json:"time"`
	OK    bool        `json:"ok"`
	Bad   []chain.Bad `json:"bad,omitempty"`
	Words []string    `json:"words,omitempty"`
	Error string      `json:"error,omitempty"`
}

// ErrNone says that a copy has no record beside it.
var ErrNone = errors.New("no record beside the copy")

// Beside gives the name of a file that belongs to a copy: "case.E01", ".json" gives "case.json".
func Beside(copy, ext string) string { return strings.TrimSuffix(copy, filepath.Ext(copy)) + ext }

// Load reads the record of a copy.
func Load(path string) (*Record, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxRecord {
		return nil, fmt.Errorf("record %q: no file of at most %d bytes", path, maxRecord)
	}
	b := make([]byte, st.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	r, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", path, err)
	}
	return r, nil
}

// Parse reads a record and holds it against what others rely on.
func Parse(b []byte) (*Record, error) {
	r := &Record{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, err
	}
	c := &r.Copy
	switch {
	case r.Format != Format:
		return nil, fmt.Errorf("it says %q, not %q", r.Format, Format)
	case c.Size < 0 || len(c.Links) > 0 && c.Piece != chain.Piece:
		return nil, fmt.Errorf("%d bytes, links every %d", c.Size, c.Piece)
	case int64(len(c.Links)) > c.Size/chain.Piece:
		return nil, fmt.Errorf("%d links for %d bytes: %w", len(c.Links), c.Size, chain.ErrLinks)
	}
	at := int64(0)
	for _, x := range r.Bad {
		if x.Offset < at || x.Length <= 0 || x.Length > 1<<62 || x.Offset > 1<<62 {
			return nil, fmt.Errorf("unreadable range of %d bytes at %d", x.Length, x.Offset)
		}
		at = x.Offset + x.Length
	}
	return r, nil
}

// Bytes gives the record as it is written.
func (r *Record) Bytes() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(r)
	return b.Bytes(), err
}

// Save writes the record in place of the one before, whole or not at all.
func (r *Record) Save(path string) error {
	b, err := r.Bytes()
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return Replace(path, b)
}

// Create makes a new file for a copy or what lies beside it. It never writes over a file: that may be an earlier copy.
func Create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// Replace writes a file whole or not at all.
func Replace(path string, b []byte) error {
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := Create(tmp)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return fmt.Errorf("write %q: %w", path, err)
	}
	return nil
}
