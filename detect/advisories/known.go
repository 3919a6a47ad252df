package advisories

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"telltale/internal/version"
)

//go:embed known.yaml
var knownText []byte

// Known is one fault of the built-in list; known.yaml says what its fields mean.
type Known struct {
	Product  string            `yaml:"product"`
	Name     string            `yaml:"name"`
	World    string            `yaml:"world"`
	Versions []string          `yaml:"versions"`
	Packages []string          `yaml:"packages"`
	Debian   map[string]string `yaml:"debian"`
	CVE      []string          `yaml:"cve"`
	Service  string            `yaml:"service"`
	How      string            `yaml:"how"`
	What     string            `yaml:"what"`
	Doubt    string            `yaml:"doubt"`
	Quiet    bool              `yaml:"quiet"`
	Exact    bool              `yaml:"exact"`
	Under    []string          `yaml:"under"`
	Method   string            `yaml:"method"`
	Ref      string            `yaml:"ref"`
}

// List gives the built-in list.
func List() ([]Known, error) {
	var out []Known
	if err := yaml.UnmarshalWithOptions(knownText, &out, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read the list of known faults: %w", err)
	}
	return out, nil
}

// fixedBy gives the version that mends the fault, and whether a version of upstream's own numbering has it.
func (k *Known) fixedBy(ver string) (fixed string, has bool) {
	for _, r := range k.Versions {
		from, to, _ := strings.Cut(r, " ")
		if within(version.Plain, ver, from, to, false) {
			return to, true
		}
	}
	return "", false
}

// upstream cuts a distribution's part off a package's version: epoch, revision, and what was done to the sources. What says
// "really" is another version than its number.
func upstream(v string) string {
	if strings.Contains(v, "really") {
		return ""
	}
	if i := strings.IndexByte(v, ':'); i >= 0 {
		v = v[i+1:]
	}
	v, _, _ = strings.Cut(v, "-")
	v, _, _ = strings.Cut(v, "+")
	v, _, _ = strings.Cut(v, "~")
	return v
}
