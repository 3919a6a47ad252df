package casefile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ExhibitsName is the folder of a case that holds the quoted evidence.
const ExhibitsName = "exhibits"

// Exhibit is one file in it.
type Exhibit struct {
	Name    string // letters, digits and one point: "00001.txt", never words from evidence
	Content []byte
}

// errName refuses a name that could lead out of the folder.
var errName = errors.New("not a name of an exhibit")

// HasExhibits tells whether the folder is there, and holds what it must: a file that is missing or says something else is an error.
func (c *Case) HasExhibits(list []Exhibit) (bool, error) {
	if _, err := os.Lstat(c.Path(ExhibitsName)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("look for the exhibits: %w", err)
	}
	for _, e := range list {
		if !exhibitName(e.Name) {
			return true, fmt.Errorf("read exhibit %q: %w", e.Name, errName)
		}
		p := filepath.Join(c.Path(ExhibitsName), e.Name)
		st, err := os.Lstat(p)
		if err == nil && (!st.Mode().IsRegular() || st.Size() != int64(len(e.Content))) {
			err = errChanged
		}
		if err != nil {
			return true, fmt.Errorf("hold exhibit %s against the report: %w", e.Name, err)
		}
		if b, err := os.ReadFile(p); err != nil || !bytes.Equal(b, e.Content) {
			return true, fmt.Errorf("hold exhibit %s against the report: %w", e.Name, cmp.Or(err, errChanged))
		}
	}
	return true, nil
}

// errChanged says that a file of the case is not what its report says.
var errChanged = errors.New("it is not what the report quotes")

// WriteExhibits writes the folder. A case has it once.
func (c *Case) WriteExhibits(list []Exhibit) error {
	for _, e := range list {
		if !exhibitName(e.Name) {
			return fmt.Errorf("write exhibit %q: %w", e.Name, errName)
		}
	}
	if err := os.Mkdir(c.Path(ExhibitsName), 0o700); err != nil {
		return fmt.Errorf("make the folder of exhibits: %w", err)
	}
	for _, e := range list {
		if err := os.WriteFile(filepath.Join(c.Path(ExhibitsName), e.Name), e.Content, 0o600); err != nil {
			return fmt.Errorf("write exhibit: %w", err)
		}
	}
	return nil
}

func exhibitName(s string) bool {
	name, ext, ok := strings.Cut(s, ".")
	return ok && name != "" && ext != "" && len(s) < 32 && strings.Trim(name+ext, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
