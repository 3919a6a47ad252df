package advisories

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"telltale/internal/unpack"
)

// The bounds of the examiner's own files.
const (
	maxRecord  = 16 << 20 // bytes: of one advisory, or of the list of exploited faults
	maxMembers = 2_000_000
	maxTracker = 512 << 20 // bytes: of the tracker's whole list, and so of what its decoder may keep
)

// ErrForm refuses a file that is none of those that are known.
var ErrForm = errors.New("neither OSV's advisories, nor the Debian security tracker's JSON, nor CISA's list of exploited vulnerabilities")

// Add reads one file: JSON, or JSON that is compressed, or a zip archive of such, as OSV gives them out. modified is the file's own time,
// which counts where its content tells none.
func (d *Database) Add(ctx context.Context, name string, r io.ReaderAt, size int64, modified time.Time) error {
	f := &File{Name: name}
	var head [4]byte
	if n, _ := r.ReadAt(head[:], 0); n == 4 && string(head[:]) == "PK\x03\x04" {
		if err := d.zip(ctx, f, r, size); err != nil {
			return err
		}
	} else {
		in, _, err := unpack.Reader(io.NewSectionReader(r, 0, size))
		if err != nil {
			return err
		}
		err = errors.Join(d.member(ctx, f, in), in.Close())
		if err != nil {
			return err
		}
	}
	if f.Rows == 0 {
		return fmt.Errorf("nothing in it tells of packages that servers have: %w", ErrForm)
	}
	if f.Newest.IsZero() {
		f.Newest = modified
	}
	d.Files = append(d.Files, *f)
	return nil
}

func (d *Database) zip(ctx context.Context, f *File, r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	n := 0
	for _, m := range z.File {
		if !strings.HasSuffix(m.Name, ".json") {
			continue
		}
		if n++; n > maxMembers {
			return errFull
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		in, err := m.Open()
		if err != nil {
			return fmt.Errorf("open %q: %w", m.Name, err)
		}
		if err := errors.Join(d.member(ctx, f, in), in.Close()); err != nil {
			return fmt.Errorf("read %q: %w", m.Name, err)
		}
	}
	return nil
}

// member reads one document. What is larger than any advisory is the tracker's, which is read source by source.
func (d *Database) member(ctx context.Context, f *File, r io.Reader) error {
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(r, maxRecord+1)); err != nil {
		return err
	}
	if b.Len() > maxRecord {
		return d.tracker(ctx, f, io.MultiReader(&b, r))
	}
	var x struct {
		record
		exploitedList
	}
	err := json.Unmarshal(b.Bytes(), &x)
	var wrong *json.UnmarshalTypeError
	switch {
	case err != nil && !errors.As(err, &wrong):
		return fmt.Errorf("%w: %w", ErrForm, err)
	case err == nil && x.ID != "" && (x.Modified != "" || len(x.Affected) > 0):
		return d.osv(f, &x.record)
	case err == nil && len(x.Vulnerabilities) > 0:
		return d.exploited(f, &x.exploitedList)
	}
	return d.tracker(ctx, f, &b)
}

// exploitedList is CISA's catalogue of known exploited vulnerabilities.
type exploitedList struct {
	DateReleased    string `json:"dateReleased"`
	Vulnerabilities []struct {
		CveID     string `json:"cveID"`
		DateAdded string `json:"dateAdded"`
	} `json:"vulnerabilities"`
}

func (d *Database) exploited(f *File, x *exploitedList) error {
	f.Kind = "kev"
	f.date(x.DateReleased)
	for _, v := range x.Vulnerabilities {
		if strings.HasPrefix(v.CveID, "CVE-") && len(v.CveID) < 32 {
			d.kev[v.CveID] = true
			f.date(v.DateAdded)
			f.Rows++
		}
	}
	return nil
}

// date keeps the newest date.
func (f *File) date(s string) {
	for _, form := range []string{time.RFC3339, "2006-01-02"} {
		if t, err := time.Parse(form, s); err == nil && t.After(f.Newest) {
			f.Newest = t
		}
	}
}

// tracked is what the Debian security tracker says of one fault of one source package.
type tracked struct {
	Releases map[string]struct {
		Status       string `json:"status"` // resolved, open, undetermined
		FixedVersion string `json:"fixed_version"`
		Urgency      string `json:"urgency"`
	} `json:"releases"`
}

// tracker reads {source: {CVE: {releases: {bookworm: ...}}}}, a source at a time. Version "0" means that the release never had it.
func (d *Database) tracker(ctx context.Context, f *File, r io.Reader) error {
	f.Kind = "debian-tracker"
	dec := json.NewDecoder(io.LimitReader(r, maxTracker))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return ErrForm
	}
	for dec.More() {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, err := dec.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrForm, err)
		}
		source, _ := t.(string)
		var faults map[string]tracked
		if err := dec.Decode(&faults); err != nil {
			return fmt.Errorf("%w: at %q: %w", ErrForm, source, err)
		}
		if err := d.tracked(f, source, faults); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	if err != nil {
		return fmt.Errorf("it ends too early: %w", err)
	}
	return nil
}

func (d *Database) tracked(f *File, source string, faults map[string]tracked) error {
	for cve, x := range faults {
		for name, r := range x.Releases {
			n := codename(name)
			if n == "" || r.Status != "resolved" || r.FixedVersion == "" || r.FixedVersion == "0" || r.Urgency == "unimportant" {
				continue
			}
			var list []string
			if strings.HasPrefix(cve, "CVE-") {
				list = []string{cve}
			}
			if err := d.add("Debian:"+n, source, "", r.FixedVersion, cve, list, false); err != nil {
				return err
			}
			f.Rows++
		}
	}
	return nil
}

// codename gives the number of a release of Debian.
func codename(name string) string {
	for i, n := range []string{"squeeze", "wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "duke"} {
		if n == name {
			return fmt.Sprint(i + 6)
		}
	}
	return ""
}
