package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"telltale/lab/throughput"
)

func labThroughput(out, errs io.Writer) *cobra.Command {
	var p throughput.Plan
	var size int64
	var kinds []string
	var asJSON, noTools, onlyGzip, onlyPlain bool
	c := &cobra.Command{
		Use: "throughput", Short: "Make large logs and measure how fast they are read, beside other tools", Args: cobra.NoArgs,
		Long: `Make large logs and measure how fast they are read: telltale from the file to the verdict, its hash included, and beside it
tools that count lines in the same log (grep, zcat, goaccess, lnav, where they are installed). Rates are of unpacked
bytes. The logs are removed afterwards.`,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, k := range throughput.Kinds() {
				if slices.Contains(kinds, k.Name) {
					p.Kinds = append(p.Kinds, k)
				}
			}
			if len(p.Kinds) != len(kinds) || size < 1 || onlyGzip && onlyPlain {
				return fmt.Errorf("%w: --log is any of auth, auth-spread, access, mail; --size is in megabytes", errUsage)
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			p.Self, p.Size, p.Plain, p.Gzip, p.Tools = self, size*1e6, !onlyGzip, !onlyPlain, !noTools
			var rows []throughput.Row
			p.Done = func(r throughput.Row) {
				rows = append(rows, r)
				fmt.Fprintf(errs, "%s: %s\n", r.Log, r.Program)
			}
			if err := throughput.Measure(c.Context(), p); err != nil {
				return err
			}
			return printRows(out, rows, asJSON)
		},
	}
	c.Flags().Int64Var(&size, "size", 256, "megabytes of each log")
	c.Flags().StringSliceVar(&kinds, "log", []string{"auth", "access", "mail"}, "auth, auth-spread, access, mail")
	c.Flags().StringVar(&p.Dir, "to", "", "folder for the logs (default the system's for temporary files)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&noTools, "only-telltale", false, "measure no other tool")
	c.Flags().BoolVar(&onlyGzip, "only-gzip", false, "no plain logs")
	c.Flags().BoolVar(&onlyPlain, "only-plain", false, "no compressed logs")
	return c
}

func printRows(out io.Writer, rows []throughput.Row, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", " ")
		return e.Encode(rows)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "log\tMB\tprogram\tseconds\tMB/s\tmemory MB")
	for _, r := range rows {
		if r.Skipped != "" {
			fmt.Fprintf(w, "%s\t%d\t%s\t-\t-\t-\t%s\n", r.Log, r.Bytes/1e6, r.Program, r.Skipped)
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%.2f\t%.0f\t%d\n", r.Log, r.Bytes/1e6, r.Program, r.Seconds, r.Rate, r.Memory/1e6)
	}
	return w.Flush()
}
