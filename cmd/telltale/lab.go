package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"telltale/casefile"
	"telltale/lab"
	"telltale/lab/container"
	"telltale/lab/scenarios"
	"telltale/lab/score"
	"telltale/lab/tree"
	"telltale/report"
	"telltale/report/jsonreport"
)

func labCommand(in io.Reader, out, errs io.Writer) *cobra.Command {
	c := &cobra.Command{
		Use: "lab", Short: "Practice: hacked servers with known answers, to learn by and to be measured by",
		Long: `Practice cases: hacked servers whose answers are known.

A case is made anew from a scenario and a seed, which changes names, addresses, times, tools and noise. There are tiers:
  tree       files, logs and times are written; needs no rights, takes seconds (with mkfs.ext4 and debugfs: a disk image)
  container  a real server in systemd-nspawn; needs root, takes some minutes
  vm         a machine of its own in QEMU, emulated, with auditd and a memory image; needs root, takes ten minutes
Nothing leaves the machine: addresses are documentation addresses, and no case has a way out. What plays malware
waits, or sends mail to a sink.`,
	}
	c.AddCommand(labList(out), labMake(in, out, errs), labScore(in, out, errs), labPractise(in, out, errs), labThroughput(out, errs), labCorpora(out))
	return c
}

func labList(out io.Writer) *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the scenarios", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, s := range scenarios.All() {
			fmt.Fprintf(w, "%s\t%s\n", s.Name, s.Title)
		}
		return w.Flush()
	}}
}

// labFlags are common to what makes cases.
type labFlags struct {
	tier string
	seed uint64
	to   string
	keep string
	jobs int
	// without are the kinds of sources that the evidence is made to lack.
	without []string
}

func (f *labFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.tier, "tier", "", "tree, container or vm (default: container where that is possible, else tree)")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "changes names, addresses, times, tools and noise")
	c.Flags().StringSliceVar(&f.without, "without", nil, "of the written tier: make a case that lacks sources ("+strings.Join(tree.Lacks(), ", ")+")")
}

// tierOf gives the tier that a user means.
func tierOf(tier string) lab.Tier {
	switch {
	case tier != "":
		return lab.Tier(tier)
	case container.IsInside() || container.Ready() == nil:
		return lab.Container
	}
	return lab.Tree
}

// maker gives the maker of a tier. Containers are made by a process of its own: where this one is not it, the whole command
// is run again there, and the error is its exit status.
func maker(c *cobra.Command, f *labFlags, in io.Reader, out, errs io.Writer) (lab.Maker, error) {
	tier := f.tier
	if len(f.without) > 0 && tierOf(tier) != lab.Tree {
		return nil, fmt.Errorf("%w: --without needs --tier tree", errUsage)
	}
	switch tierOf(tier) {
	case lab.Tree:
		m := tree.New(false)
		if err := m.Without(f.without...); err != nil {
			return nil, fmt.Errorf("%w: --without: %w", errUsage, err)
		}
		return m, nil
	case lab.Container, lab.VM:
		if tierOf(tier) == lab.VM {
			if err := container.ReadyVM(); err != nil {
				return nil, err
			}
		}
		if container.IsInside() {
			if tierOf(tier) == lab.VM {
				return container.NewVM(), nil
			}
			return container.New(), nil
		}
		status, err := container.Inside(c.Context(), tierOf(tier), words(c), in, out, errs)
		if err != nil {
			return nil, err
		}
		return nil, exitStatus(status)
	}
	return nil, fmt.Errorf("%w: --tier %q: give tree, container or vm", errUsage, tier)
}

// words gives a command's own words again.
func words(c *cobra.Command) (out []string) {
	out = append(out, strings.Fields(c.CommandPath())[1:]...)
	c.Flags().Visit(func(f *pflag.Flag) { out = append(out, "--"+f.Name+"="+f.Value.String()) })
	return append(out, append([]string{"--"}, c.Flags().Args()...)...)
}

// exitStatus is that of a process that did the work and said what there is to say.
type exitStatus int

// Error is not shown.
func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func scenario(name string) (*lab.Scenario, error) {
	s := scenarios.Find(name)
	if s == nil {
		return nil, fmt.Errorf("%w: no scenario %q; telltale lab list shows them", errUsage, name)
	}
	return s, nil
}

func labMake(in io.Reader, out, errs io.Writer) *cobra.Command {
	var f labFlags
	c := &cobra.Command{
		Use: "make SCENARIO", Short: "Make a case: evidence and truth.json", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := scenario(args[0])
			if err != nil {
				return err
			}
			m, err := maker(c, &f, in, out, errs)
			if err != nil {
				return err
			}
			if f.to == "" {
				f.to = fmt.Sprintf("%s-%d", s.Name, f.seed)
			}
			t, err := makeCase(c.Context(), s, m, f.seed, f.to)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "%s: %s\nexamine it:  telltale examine %s\nthe truth:   %s\n", s.Name, s.Title, strings.Join(evidenceOf(f.to, t), " "), filepath.Join(f.to, "truth.json"))
			return err
		},
	}
	f.register(c)
	c.Flags().StringVar(&f.to, "to", "", "folder of the case, new or empty (default SCENARIO-SEED here)")
	return c
}

// makeCase makes a case in a folder that has to be new or empty, and removes what an error left in it.
func makeCase(ctx context.Context, s *lab.Scenario, m lab.Maker, seed uint64, to string) (t *lab.Truth, err error) {
	if list, err := os.ReadDir(to); err == nil && len(list) > 0 {
		return nil, fmt.Errorf("%s: %w", to, casefile.ErrExists)
	}
	_, err = os.Stat(to)
	fresh := os.IsNotExist(err)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return nil, err
	}
	t, err = lab.Make(ctx, s, m, seed, to)
	if err == nil {
		return t, nil
	}
	list, err2 := os.ReadDir(to)
	for _, e := range list {
		err2 = errors.Join(err2, os.RemoveAll(filepath.Join(to, e.Name())))
	}
	if fresh {
		err2 = errors.Join(err2, os.Remove(to))
	}
	return nil, errors.Join(err, err2)
}

// evidenceOf gives the words that "telltale examine" needs for a case.
func evidenceOf(dir string, t *lab.Truth) (args []string) {
	for _, e := range t.Evidence {
		args = append(args, filepath.Join(dir, e))
	}
	if t.Remote != "" {
		args = append(args, "--remote-logs", filepath.Join(dir, t.Remote))
	}
	return args
}

// examineCase examines a case as a user does, and gives the report.
func examineCase(ctx context.Context, dir string, t *lab.Truth, errs io.Writer) (*report.Document, error) {
	work, err := os.MkdirTemp("", "telltale-score-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	var b bytes.Buffer
	f := examineFlags{caseDir: filepath.Join(work, "case"), json: true, quiet: true}
	var evidence []string
	for _, e := range t.Evidence {
		evidence = append(evidence, filepath.Join(dir, e))
	}
	if t.Remote != "" {
		f.remote = []string{filepath.Join(dir, t.Remote)}
	}
	if err := examineRun(ctx, &b, errs, f, evidence); err != nil && !errors.Is(err, errUnreadable) {
		return nil, err
	}
	return jsonreport.Parse(b.Bytes())
}

func labScore(in io.Reader, out, errs io.Writer) *cobra.Command {
	var f labFlags
	var all, asJSON, verbose bool
	c := &cobra.Command{
		Use: "score [SCENARIO|FOLDER] [CASE]", Short: "Score reports against the truth",
		Long: `Score reports against the truth.

  telltale lab score --all --tier tree       makes, examines and scores every scenario
  telltale lab score ssh-guessed --seed 7    one scenario, made and examined now
  telltale lab score FOLDER                  a case that telltale lab make made, examined now
  telltale lab score FOLDER CASE             such a case and what telltale examine made of it`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if all != (len(args) == 0) {
				return fmt.Errorf("%w: give a scenario, a folder or --all", errUsage)
			}
			if all && (tierOf(f.tier) == lab.Container || tierOf(f.tier) == lab.VM) && !container.IsInside() {
				rs, failed := scoreSideBySide(c.Context(), f, errs)
				return errors.Join(printResults(out, rs, asJSON, verbose), failed)
			}
			var m lab.Maker
			if all || len(args) == 1 && scenarios.Find(args[0]) != nil {
				var err error
				if m, err = maker(c, &f, in, out, errs); err != nil {
					return err
				}
			}
			var rs []score.Result
			if !all {
				r, err := scored(c.Context(), args, m, f, errs)
				if err != nil {
					return err
				}
				rs = append(rs, r)
				verbose = true
			}
			for _, s := range played(m, all) {
				r, err := scored(c.Context(), []string{s.Name}, m, f, errs)
				if err != nil {
					return fmt.Errorf("%s: %w", s.Name, err)
				}
				rs = append(rs, r)
			}
			return printResults(out, rs, asJSON, verbose)
		},
	}
	f.register(c)
	c.Flags().BoolVar(&all, "all", false, "every scenario of the tier")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&f.keep, "keep", "", "folder that keeps the cases that are made, one folder for each scenario")
	c.Flags().IntVar(&f.jobs, "jobs", 4, "with --all: containers at a time; they mostly wait")
	c.Flags().BoolVar(&verbose, "answers", false, "print each question with its answer")
	return c
}

// scored makes what is not there yet, and scores it.
func scored(ctx context.Context, args []string, m lab.Maker, f labFlags, errs io.Writer) (r score.Result, err error) {
	dir := args[0]
	if s := scenarios.Find(args[0]); s != nil && len(args) == 1 {
		work := f.keep
		if work == "" {
			if work, err = os.MkdirTemp("", "telltale-lab-"); err != nil {
				return r, err
			}
			defer os.RemoveAll(work)
		}
		dir = filepath.Join(work, s.Name)
		if _, err := makeCase(ctx, s, m, f.seed, dir); err != nil {
			return r, err
		}
	}
	t, err := lab.ReadTruth(filepath.Join(dir, "truth.json"))
	if err != nil {
		return r, fmt.Errorf("%w: %s is no scenario and no folder of a case: %w", errUsage, args[0], err)
	}
	if len(t.Evidence) == 0 { // the practice cases of the repository name none
		found, err := filepath.Glob(filepath.Join(dir, "evidence.*"))
		if err != nil || len(found) == 0 {
			return r, fmt.Errorf("no evidence in %s", dir)
		}
		for _, p := range found {
			t.Evidence = append(t.Evidence, filepath.Base(p))
		}
	}
	if len(args) == 2 {
		k, err := casefile.Open(args[1])
		if err != nil {
			return r, err
		}
		b, err := readSmall(k.Path(casefile.ReportName))
		if err != nil {
			return r, err
		}
		d, err := jsonreport.Parse(b)
		if err != nil {
			return r, err
		}
		return score.Of(t, d), nil
	}
	d, err := examineCase(ctx, dir, t, errs)
	if err != nil {
		return r, err
	}
	return score.Of(t, d), nil
}

// played gives the scenarios that a maker can make, where all are asked for.
func played(m lab.Maker, all bool) []*lab.Scenario {
	if !all {
		return nil
	}
	return scenarios.Played(m.Tier())
}

// scoreSideBySide makes, examines and scores every scenario in containers, some at a time, each by a process of its own. What fails
// is an error, and the others are still scored.
func scoreSideBySide(ctx context.Context, f labFlags, errs io.Writer) (out []score.Result, failed error) {
	if err := container.Ready(); err != nil {
		return nil, err
	}
	all := scenarios.Played(lab.Container)
	rs, fails := make([]*score.Result, len(all)), make([]error, len(all))
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // of errs
		free = make(chan struct{}, max(1, f.jobs))
	)
	for i, s := range all {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			if fails[i] = ctx.Err(); fails[i] != nil {
				return
			}
			r, err := scoreApart(ctx, s.Name, f)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				fails[i] = fmt.Errorf("%s: %w", s.Name, err)
				return
			}
			rs[i] = r
			fmt.Fprintf(errs, "%s: found %d of %d\n", s.Name, r.Found, r.Asked-r.HonestlyUnknown)
		})
	}
	wg.Wait()
	for _, r := range rs {
		if r != nil {
			out = append(out, *r)
		}
	}
	return out, errors.Join(fails...)
}

// scoreApart scores one scenario in a container by a process of its own.
func scoreApart(ctx context.Context, name string, f labFlags) (*score.Result, error) {
	var out, errs bytes.Buffer
	status, err := container.Inside(ctx, tierOf(f.tier), []string{"lab", "score", name, "--tier", string(tierOf(f.tier)), "--seed", fmt.Sprint(f.seed), "--keep", f.keep, "--json"}, strings.NewReader(""), &out, &errs)
	if err != nil || status != exitOK {
		return nil, errors.Join(err, fmt.Errorf("exit status %d: %s", status, strings.TrimSpace(errs.String())))
	}
	var r struct{ Scenarios []score.Result }
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || len(r.Scenarios) != 1 {
		return nil, errors.Join(errors.New("no score was printed"), err)
	}
	return &r.Scenarios[0], nil
}

func printResults(out io.Writer, rs []score.Result, asJSON, verbose bool) error {
	if asJSON {
		return printScores(out, rs)
	}
	return tabulate(out, rs, verbose)
}

func printScores(out io.Writer, rs []score.Result) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Scenarios []score.Result `json:"scenarios"`
		Total     score.Total    `json:"total"`
	}{rs, score.Sum(rs)})
}

// tabulate prints the table that the README shows.
func tabulate(out io.Writer, rs []score.Result, verbose bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "scenario\ttier\tseed\tasked\tfound\twrong\tmissed\tunknown\taccused\tscore")
	for _, r := range rs {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\n", r.Name, r.Tier, r.Seed, r.Asked, r.Found, r.Wrong, r.Missed, r.HonestlyUnknown, r.WrongAccusation, r.Score)
	}
	t := score.Sum(rs)
	fmt.Fprintf(w, "all\t\t\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f\n", t.Asked, t.Found, t.Wrong, t.Missed, t.HonestlyUnknown, t.WrongAccusation, t.Score)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range rs {
		for _, a := range r.Answers {
			if verbose || a.Outcome == score.Wrong || a.Outcome == score.Missed {
				fmt.Fprintf(out, "%s: %s: %s: want %q, got %q\n", r.Name, a.Question, a.Outcome, a.Want, a.Got)
			}
		}
		for _, a := range r.Accusations {
			fmt.Fprintf(out, "%s: WRONG ACCUSATION: %s\n", r.Name, a)
		}
	}
	return nil
}
