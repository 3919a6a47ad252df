package casefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Names of what lies in a case.
const (
	manifestName = "case.json"
	ReportName   = "report.json"
	SpoolName    = "spool"
)

// ErrExists says that a case is there already.
var ErrExists = errors.New("the folder holds a case already")

// ErrNotCase says that a folder is no case.
var ErrNotCase = errors.New("not a case")

// Manifest is case.json.
type Manifest struct {
	Schema  string    `json:"schema"`
	Custody []Custody `json:"custody"`
	Sources []Source  `json:"sources"`
	Done    bool      `json:"done"` // the examination ran to its end
}

const manifestSchema = "telltale-case/1"

// Case is a folder.
type Case struct {
	dir string
	m   Manifest
}

// Create makes a case in dir, which must be empty or not there.
func Create(dir string, c Custody) (*Case, error) {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		return nil, fmt.Errorf("%q: %w", dir, ErrExists)
	}
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 {
		return nil, fmt.Errorf("%q is not empty: %w", dir, ErrExists)
	}
	if err := os.MkdirAll(filepath.Join(dir, SpoolName), 0o700); err != nil {
		return nil, fmt.Errorf("make case: %w", err)
	}
	k := &Case{dir: dir, m: Manifest{Schema: manifestSchema, Custody: []Custody{c}, Sources: []Source{}}}
	return k, k.save()
}

// Open opens a case that is there.
func Open(dir string) (*Case, error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%q: %w", dir, ErrNotCase)
	}
	if err != nil {
		return nil, fmt.Errorf("open case: %w", err)
	}
	k := &Case{dir: dir}
	if err := json.Unmarshal(b, &k.m); err != nil || k.m.Schema != manifestSchema {
		return nil, fmt.Errorf("%q: its %s is not one of this program: %w", dir, manifestName, ErrNotCase)
	}
	return k, nil
}

// Dir gives the case's folder.
func (c *Case) Dir() string { return c.dir }

// Spool gives the folder for unpacked evidence.
func (c *Case) Spool() string { return filepath.Join(c.dir, SpoolName) }

// Manifest gives what the case is about.
func (c *Case) Manifest() Manifest { return c.m }

// Path gives the path of a file in the case.
func (c *Case) Path(name string) string { return filepath.Join(c.dir, name) }

// Write writes a file of the case whole or not at all.
func (c *Case) Write(name string, b []byte) error {
	tmp, err := os.CreateTemp(c.dir, ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(b); err != nil {
		tmp.Close()
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := tmp.Sync(); err != nil {
		tmp.Close()
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(tmp.Name(), c.Path(name)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// Finish writes down how the run ended and removes the spool.
func (c *Case) Finish(sources []Source, ended time.Time, done bool) error {
	c.m.Sources, c.m.Done = sources, done
	c.m.Custody[len(c.m.Custody)-1].Ended = ended.UTC().Format(time.RFC3339)
	if err := os.RemoveAll(c.Spool()); err != nil {
		return fmt.Errorf("remove spool: %w", err)
	}
	return c.save()
}

// Handled writes down that somebody did something more with the case.
func (c *Case) Handled(by Custody) error {
	c.m.Custody = append(c.m.Custody, by)
	return c.save()
}

// Discard removes a case that came to nothing. Only what Create made is removed.
func (c *Case) Discard() error {
	if err := os.RemoveAll(c.Spool()); err != nil {
		return err
	}
	if err := os.Remove(c.Path(manifestName)); err != nil {
		return err
	}
	return os.Remove(c.dir)
}

func (c *Case) save() error {
	b, err := json.MarshalIndent(c.m, "", "  ")
	if err != nil {
		return err
	}
	return c.Write(manifestName, append(b, '\n'))
}
