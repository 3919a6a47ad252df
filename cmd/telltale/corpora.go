package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"telltale/lab/corpora"
)

func labCorpora(out io.Writer) *cobra.Command {
	var f corpora.Folders
	var asJSON, lines bool
	c := &cobra.Command{
		Use: "corpora", Short: "Measure how log lines are read that other projects have labelled", Args: cobra.NoArgs,
		Long: `Measure how log lines are read that other projects have labelled with what they tell of, from where and when.

Give the folders of those projects; nothing of them is part of telltale (lab/fail2ban-logs.sh fetches fail2ban's from Debian's
package). Each sample is examined as a log of its own. The status is not zero where fewer than 99 of 100 lines are read right, or
where a line that tells of no refusal and no login became one. Services that no reader here knows by name are counted apart.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if f == (corpora.Folders{}) {
				return fmt.Errorf("%w: give at least one folder", errUsage)
			}
			samples, err := corpora.Read(f)
			if err != nil {
				return err
			}
			vs, err := corpora.Measure(c.Context(), samples)
			if err != nil {
				return err
			}
			rows, all, strangers := corpora.Tabulate(vs)
			if err := printCorpora(out, rows, all, strangers, vs, asJSON, lines); err != nil {
				return err
			}
			if !all.Passes() {
				return exitStatus(exitError)
			}
			return nil
		},
	}
	c.Flags().StringVar(&f.Fail2ban, "fail2ban", "", "folder of fail2ban's samples (fail2ban/tests/files/logs)")
	c.Flags().StringVar(&f.OSSEC, "ossec", "", "folder of ossec-hids, with contrib/ossec-testing/tests and etc/rules")
	c.Flags().StringVar(&f.CrowdSec, "crowdsec", "", "folder of CrowdSec's hub, with .tests")
	c.Flags().StringVar(&f.Whyscream, "whyscream", "", "folder of postfix-grok-patterns, with test")
	c.Flags().StringVar(&f.Filebeat, "filebeat", "", "folder of the modules of Elastic's Filebeat (filebeat/module)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&lines, "lines", false, "print each line that is not read right, or that nobody understands, with the reason")
	return c
}

func printCorpora(out io.Writer, rows []corpora.Row, all, strangers corpora.Row, vs []corpora.Verdict, asJSON, lines bool) error {
	var told []corpora.Verdict
	for _, v := range vs {
		if lines && (v.Outcome != corpora.Right || v.Unparsed) {
			told = append(told, v)
		}
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", " ")
		return e.Encode(struct {
			Services []corpora.Row     `json:"services"`
			All      corpora.Row       `json:"all"`
			Share    float64           `json:"share"`
			Others   corpora.Row       `json:"others"` // services that no member knows
			Lines    []corpora.Verdict `json:"lines,omitempty"`
		}{rows, all, all.Share(), strangers, told})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "corpus\tservice\tlines\tright\twrong\tmissed\tnegatives\taccused\tapart\tunparsed\t")
	for _, r := range append(rows, all, strangers) {
		if r.Stranger {
			r.Service += " *"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", r.Corpus, r.Service, r.Lines, r.Right, r.Wrong, r.Missed, r.Negatives, r.Accused, r.Apart, r.Unparsed)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, v := range told {
		word := string(v.Outcome)
		if v.Unparsed {
			word += ", unparsed"
		}
		fmt.Fprintf(out, "%s: %s: %s: %s: %q\n", v.Corpus, v.From, word, v.Why, v.Text) // quoted: it is for a terminal
	}
	_, err := fmt.Fprintf(out, "%.2f %% of %d lines right\n", 100*all.Share(), all.Lines)
	if err == nil && strangers.Lines > 0 {
		_, err = fmt.Fprintf(out, "* services that nothing here knows by name: %.2f %% of %d lines right by the words that any service says\n", 100*strangers.Share(), strangers.Lines)
	}
	return err
}
