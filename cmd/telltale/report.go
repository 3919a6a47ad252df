package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"telltale/casefile"
	"telltale/examine"
	"telltale/host"
	"telltale/image"
	"telltale/internal/limit"
	repall "telltale/report/all"
	"telltale/report/jsonreport"
	"telltale/report/terminal"
)

func reportCommand(out io.Writer) *cobra.Command {
	var format string
	var names []string
	for _, f := range repall.Formats() {
		names = append(names, f.Name)
	}
	c := &cobra.Command{
		Use: "report CASE", Short: "Write a case's report again, in another format", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := casefile.Open(args[0])
			if err != nil {
				return err
			}
			b, err := readSmall(k.Path(casefile.ReportName))
			if err != nil {
				return fmt.Errorf("the case has no report: %w", err)
			}
			d, err := jsonreport.Parse(b)
			if err != nil {
				return err
			}
			for _, f := range repall.Formats() {
				if f.Name == format {
					return f.Write(out, d)
				}
			}
			return fmt.Errorf("%w: --format %q: give one of %s", errUsage, format, strings.Join(names, ", "))
		},
	}
	c.Flags().StringVar(&format, "format", "text", "one of "+strings.Join(names, ", "))
	return c
}

// readSmall reads a file of ours whole, but not without end.
func readSmall(p string) ([]byte, error) {
	st, err := os.Stat(p)
	if err != nil {
		return nil, err
	}
	if st.Size() > limit.Memory {
		return nil, fmt.Errorf("%q has %d bytes: %w", p, st.Size(), limit.ErrLimit)
	}
	return os.ReadFile(p)
}

// verified is one line of verify's answer.
type verified struct {
	Source string `json:"source"`
	Path   string `json:"path"`
	State  string `json:"state"` // same, changed, unreadable, not-hashed
	Want   string `json:"want"`
	Got    string `json:"got"`

	Stored []storedCheck `json:"stored"` // the image's own digests, held against its bytes
}

// storedCheck is a digest that an image keeps of itself.
type storedCheck struct {
	What    string `json:"what"`
	Stored  string `json:"stored"`
	Found   string `json:"found"`
	OK      bool   `json:"ok"`
	Damaged int    `json:"damaged"` // pieces that do not match their checksum
}

func (c *storedCheck) words() string {
	if c.Stored == "" {
		return c.What + ": " + c.Found
	}
	return fmt.Sprintf("%s: stored %s, found %s", c.What, c.Stored, c.Found)
}

func storedOf(checks []image.Check) []storedCheck {
	out := []storedCheck{}
	for _, c := range checks {
		out = append(out, storedCheck{c.What, c.Stored, c.Found, c.OK, len(c.Damage)})
	}
	return out
}

func allOK(checks []image.Check) bool {
	for _, c := range checks {
		if !c.OK {
			return false
		}
	}
	return true
}

func damaged(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d pieces are damaged", n)
}

func verifyCommand(out io.Writer) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "verify CASE", Short: "See whether the evidence is still what it was when it was examined", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			k, err := casefile.Open(args[0])
			if err != nil {
				return err
			}
			var all []verified
			bad := 0
			for _, s := range k.Manifest().Sources {
				v := verified{Source: s.ID, Path: s.Path, Want: s.SHA256, State: "not-hashed"}
				if s.SHA256 != "" {
					got, _, err := examine.Digest(c.Context(), s.Path)
					switch {
					case c.Context().Err() != nil:
						return c.Context().Err()
					case err != nil:
						v.State, v.Got = "unreadable", err.Error()
					case got == s.SHA256:
						v.State, v.Got = "same", got
					default:
						v.State, v.Got = "changed", got
					}
				}
				checks, err := host.Stored(c.Context(), s.Path, nil)
				if c.Context().Err() != nil {
					return c.Context().Err()
				}
				if err != nil && v.State == "same" {
					v.State, v.Got = "unreadable", err.Error()
				}
				v.Stored = storedOf(checks)
				if v.State != "same" || !allOK(checks) {
					bad++
				}
				all = append(all, v)
			}
			if asJSON {
				e := json.NewEncoder(out)
				e.SetIndent("", "  ")
				if err := e.Encode(all); err != nil {
					return err
				}
			} else {
				for _, v := range all {
					fmt.Fprintf(out, "%-11s %s  %s\n", v.State, v.Want, terminal.Escape(v.Path))
					for _, x := range v.Stored {
						fmt.Fprintf(out, "  %-9s the image's own %s%s\n", map[bool]string{true: "same", false: "changed"}[x.OK], terminal.Escape(x.words()), damaged(x.Damaged))
					}
				}
			}
			if bad > 0 {
				return fmt.Errorf("%w: %d of %d sources are not shown to be the same", errChanged, bad, len(all))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
