package casefile

import (
	"errors"
	"fmt"
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
