package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telltale/casefile"
	"telltale/detect/advisories"
	"telltale/report"
	"telltale/story"
)

const advisoriesUsage = "file or folder of advisories: OSV's (all.zip, or JSON), the Debian security tracker's JSON, CISA's list of exploited vulnerabilities; docs/advisories.md says how to get them"

// maxAdvisoryFiles bounds a folder of advisories.
const maxAdvisoryFiles = 500_000

// errNotRegular refuses what may never end, or never begin: opening a pipe that nobody writes to waits for ever.
var errNotRegular = errors.New("not a regular file")

// advisoriesOf reads the advisories that were named; nil for none. What is not there, or is nothing of the kind, is a wrong call.
func advisoriesOf(ctx context.Context, paths []string) (*advisories.Database, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	db := advisories.NewDatabase()
	for _, p := range paths {
		err := addAdvisories(ctx, db, p)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("%w: --advisories %q: %w", errUsage, p, err)
		}
	}
	return db, nil
}

// addAdvisories reads a file, or those files of a folder that could be advisories by their names.
func addAdvisories(ctx context.Context, db *advisories.Database, p string) error {
	st, err := os.Stat(p)
	if err != nil {
		return err
	}
	if st.Mode().IsRegular() {
		return addAdvisory(ctx, db, p)
	}
	if !st.IsDir() {
		return errNotRegular
	}
	n := 0
	err = filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !advisoryName(d.Name()) {
			return err
		}
		if n++; n > maxAdvisoryFiles {
			return errors.New("more files than are read of one folder: give OSV's archive (all.zip) as it is")
		}
		if err := addAdvisory(ctx, db, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	if err == nil && n == 0 {
		err = errors.New("no *.json or *.zip below it")
	}
	return err
}

func advisoryName(s string) bool {
	for _, end := range []string{"", ".gz", ".zst", ".xz", ".bz2"} {
		if base, ok := strings.CutSuffix(s, end); ok && strings.HasSuffix(base, ".json") {
			return true
		}
	}
	return strings.HasSuffix(s, ".zip")
}

func addAdvisory(ctx context.Context, db *advisories.Database, p string) (err error) {
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return errNotRegular
	}
	return db.Add(ctx, filepath.Base(p), f, st.Size(), st.ModTime())
}

// maxAdvisoryRows bounds how many of the files are named in the report.
const maxAdvisoryRows = 50

// tellAdvisories says in the report what was held against the host's software, and of when it is: what became known later cannot be seen in it.
func tellAdvisories(d *report.Document, db *advisories.Database) {
	if db == nil {
		if d.Verdict.Status == story.Compromised {
			d.Unknown = append(d.Unknown, "Whether a patch of the distribution was missing: no advisories were given to hold its packages against (--advisories, docs/advisories.md).")
		}
		return
	}
	from, _ := d.Window()
	var newest time.Time
	for i, f := range db.Files {
		if f.Kind != "kev" && f.Newest.After(newest) {
			newest = f.Newest
		}
		if i >= maxAdvisoryRows {
			continue
		}
		c := casefile.Coverage{Path: f.Name, Artifact: "advisories: " + f.Kind, Records: int64(f.Rows), Unknown: map[string]int64{}, Gaps: []casefile.Gap{}, Tells: []string{}}
		if !f.Newest.IsZero() {
			c.Last = f.Newest.UTC().Format(time.RFC3339)
			switch {
			case from == "":
			case c.Last < from:
				c.Covers = "no"
			default:
				c.Covers = "yes"
			}
		}
		d.Coverage = append(d.Coverage, c)
	}
	if last := newest.UTC().Format(time.RFC3339); !newest.IsZero() && from != "" && last < from {
		d.Unknown = append(d.Unknown, fmt.Sprintf("Which patches were missing of those that came out after %s: the advisories that were given end there, before the break-in", last[:10]))
	}
}
