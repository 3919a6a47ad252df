package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"telltale/detect/sigma"
	"telltale/report/terminal"
	"telltale/rules"
)

// ruleRow is one rule as "telltale rules" tells it.
type ruleRow struct {
	File   string   `json:"file"`
	Title  string   `json:"title"`
	Level  string   `json:"level"`
	Source string   `json:"source"`
	Attack []string `json:"attack"`
	Usable bool     `json:"usable"`
	Why    string   `json:"why"` // it is not usable
}

func rulesCommand(out io.Writer) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "rules [FOLDER...]", Short: "List the rules in Sigma's form, our own or a folder's, and say which can be used",
		Long: `List the rules in Sigma's form: our own, or those of folders, as telltale examine --rules would use them. A rule that cannot be
used is listed with the reason; exit status 3 then. Whether the evidence holds what a rule looks at, the report says.`,
		RunE: func(_ *cobra.Command, dirs []string) error {
			sets, err := rulesOf(dirs)
			if err == nil && len(dirs) == 0 {
				var own *sigma.Rules
				own, err = sigma.Load(rules.Files)
				sets = append(sets, own)
			}
			if err != nil {
				return err
			}
			rows := []ruleRow{}
			for _, s := range sets {
				rows = append(rows, rowsOf(s)...)
			}
			if err := printRules(out, rows, asJSON); err != nil {
				return err
			}
			if slices.ContainsFunc(rows, func(r ruleRow) bool { return !r.Usable }) {
				return exitStatus(exitUnreadable)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func rowsOf(s *sigma.Rules) (rows []ruleRow) {
	for _, r := range s.List {
		attack := r.Attack
		if attack == nil {
			attack = []string{}
		}
		rows = append(rows, ruleRow{File: r.File, Title: r.Title, Level: r.Level.String(), Source: r.Source.String(), Attack: attack, Usable: true})
	}
	for _, x := range append(slices.Clone(s.Refused), s.Unseen...) {
		rows = append(rows, ruleRow{File: x.File, Attack: []string{}, Why: x.Why})
	}
	return rows
}

func printRules(out io.Writer, rows []ruleRow, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", " ")
		return e.Encode(rows)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	usable := 0
	for _, r := range rows {
		if !r.Usable {
			fmt.Fprintf(w, "%s\t-\t-\tnot usable: %s\n", terminal.Escape(r.File), terminal.Escape(r.Why))
			continue
		}
		usable++
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", terminal.Escape(r.File), r.Level, terminal.Escape(r.Source), terminal.Escape(r.Title))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d rules, %d of them usable\n", len(rows), usable)
	return err
}
