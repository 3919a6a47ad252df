package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"telltale/casefile"
	"telltale/image"
	"telltale/internal/limit"
	repall "telltale/report/all"
	"telltale/report/jsonreport"
)

func reportCommand(out io.Writer) *cobra.Command {
	var format, goal string
	var names []string
	for _, f := range repall.Formats() {
		names = append(names, f.Name)
	}
	c := &cobra.Command{
		Use: "report CASE", Short: "Write a case's report again, in another format", Args: cobra.ExactArgs(1),
		Long: `Write a case's report again, in another format or for another purpose. With --goal legal the case also gets the quoted evidence as numbered files, as
examine --goal legal makes it, and its record (case.json) tells who did that; files that are there already are held against the report.`,
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
			if goal, err = goalOf(goal, d.Goal); err != nil {
				return err
			}
			i := slices.Index(names, format)
			if i < 0 {
				return fmt.Errorf("%w: --format %q: give one of %s", errUsage, format, strings.Join(names, ", "))
			}
			err = again(d, goal, k, time.Now()) // the report is written all the same: a case may lie where nothing can be written
			return errors.Join(repall.Formats()[i].Write(out, d), err)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "one of "+strings.Join(names, ", "))
	c.Flags().StringVar(&goal, "goal", "", goalUsage+"; without it, what the case was made for")
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
