package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"telltale/acquire"
	acqall "telltale/acquire/all"
	"telltale/acquire/files"
	"telltale/acquire/pack"
	artall "telltale/artifact/all"
	"telltale/casefile"
	detall "telltale/detect/all"
	"telltale/examine"
	"telltale/filesystem"
	"telltale/filesystem/live"
	"telltale/host"
	"telltale/internal/state"
	"telltale/report/jsonreport"
)

type liveFlags struct {
	to, caseDir             string
	quick, full, fast, only bool
	exhibits                bool
	json, quiet, everything bool
	budget                  time.Duration
	rules                   []string
}

func liveCommand(out, errs io.Writer) *cobra.Command {
	var f liveFlags
	c := &cobra.Command{
		Use:   "live",
		Short: "Look at the running machine without trusting it, and say how they got in and what still runs",
		Long: `Look at the machine that this runs on, without running or loading anything of it: what is volatile first, then its files and logs, with the
same reasoning as examine. Nothing is written to the machine's disks unless --to or --case name a file on one.

With --to the state and the files that matter also go into a collection, which examine reads elsewhere.

Run it as root, from a USB stick or over ssh. Do not reboot the machine before.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return liveRun(c.Context(), out, errs, f) },
	}
	c.AddCommand(freezeCommand(out, errs), thawCommand(out, errs))
	c.AddCommand(lists(out)...)
	c.Flags().StringVar(&f.to, "to", "", "where the collection goes: a file (on another disk), or - for standard output; the answer then goes to standard error")
	c.Flags().StringVar(&f.caseDir, "case", "", "folder of the case, new or empty: the report is written there, too")
	c.Flags().BoolVar(&f.quick, "quick", false, "only what runs, and what stands on the machine: no logs, no digests of packages")
	c.Flags().BoolVar(&f.only, "collect-only", false, "with --to: collect, and leave the examination to another machine")
	c.Flags().BoolVar(&f.exhibits, "run-exhibits", false, "also run the machine's own ps, ls and lsmod, to see whether they lie: the only thing that starts programs of the machine")
	c.Flags().BoolVar(&f.full, "full", false, "also what is large: all symbols of the kernel")
	c.Flags().BoolVar(&f.fast, "fast", false, "do not give way to the machine's other programs")
	c.Flags().DurationVar(&f.budget, "budget", time.Minute, "how long taking the state may last")
	c.Flags().BoolVar(&f.json, "json", false, "print report.json instead of text")
	c.Flags().BoolVar(&f.everything, "everything", false, "print the whole report, not only the first screen")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	c.Flags().StringArrayVar(&f.rules, "rules", nil, "folder of rules in Sigma's form (*.yml), beside our own")
	return c
}

// collectOften is how much the heap may grow between two collections of garbage, percent: on somebody's server memory is dearer than time.
const collectOften = 40

// liveRun takes the state, examines the machine with it, and copies what was asked for.
func liveRun(ctx context.Context, out, errs io.Writer, f liveFlags) error {
	if f.only && f.to == "" {
		return fmt.Errorf("%w: --collect-only needs --to", errUsage)
	}
	rules, err := rulesOf(f.rules)
	if err != nil {
		return err
	}
	started := time.Now()
	debug.SetGCPercent(collectOften)
	if !f.fast {
		if err := acquire.Gentle(); err != nil {
			fmt.Fprintf(errs, "note: it does not give way to other programs: %v\n", err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	box, header, err := acquire.NewBox(log)
	if err != nil {
		return err
	}
	header.Version, header.Command = version(), os.Args
	to, err := openSink(f.to, out)
	if err != nil {
		return err
	}
	if f.to == "-" {
		out = errs
	}
	p := newProgress(errs, f.quiet)
	w, err := pack.New(header, pack.Options{To: to.writer(), Clock: acquire.Clock})
	if err != nil {
		return err
	}
	steps := acqall.Steps(acqall.Options{Full: f.full, Keep: to != nil, Run: f.exhibits})
	if f.quick {
		steps = quickOnes(steps)
	}
	failed := acquire.Run(ctx, box, steps, w, f.budget, func(s acquire.Step) { p.Stage("taking " + s.Name) })
	if failed == nil && to != nil && !f.quick {
		failed = copyFiles(ctx, box, w, p)
	}
	if err := errors.Join(failed, closeCollection(w, to, failed)); err != nil {
		p.done()
		return err
	}
	if f.only {
		p.done()
		fmt.Fprintf(errs, "collected in %.1f s; examine it elsewhere: telltale examine %s\n", time.Since(started).Seconds(), f.to)
		return nil
	}
	o := examine.Options{Artifacts: artall.Artifacts(), Detections: detall.Detections(rules...), Log: log, Progress: p, Quick: f.quick, Live: inPlace(box, w.State())}
	return liveAnswer(ctx, out, f, o, p, started)
}

func quickOnes(all []acquire.Step) (out []acquire.Step) {
	for _, s := range all {
		if s.Quick {
			out = append(out, s)
		}
	}
	return out
}

// inPlace opens the running machine for the examination.
func inPlace(b *acquire.Box, files map[string][]byte) func(host.Options) (*host.Input, error) {
	return func(o host.Options) (*host.Input, error) {
		f, err := live.Open(b.Root, b.Proc)
		if err != nil {
			return nil, err
		}
		return host.Live(f, files, o)
	}
}

// copyFiles puts the machine's files into the collection: the content of those that fit, or of what an examination reads.
func copyFiles(ctx context.Context, b *acquire.Box, w *pack.Writer, p *progress, match ...string) error {
	f, err := live.Open(b.Root, b.Proc)
	if err != nil {
		return err
	}
	in, err := host.Live(f, w.State(), host.Options{})
	if err != nil {
		return errors.Join(err, f.Close())
	}
	defer in.Close()
	want := examine.Wanted(in.Hosts[0], artall.Artifacts())
	if len(match) > 0 {
		want = func(name string, _ *filesystem.Meta) bool { return fitsAny(match, name) }
	}
	step := files.New(files.Options{FS: f, Want: want, To: w, Told: func(n int64) { p.Stage(fmt.Sprintf("copying: %d files", n)) }})
	return acquire.Run(ctx, b, []acquire.Step{step}, w, time.Hour, nil)
}

// liveAnswer examines and tells.
func liveAnswer(ctx context.Context, out io.Writer, f liveFlags, o examine.Options, p *progress, started time.Time) error {
	custody := custodyOf(started, append([]string{"live"}, os.Args[min(2, len(os.Args)):]...))
	var k *casefile.Case
	if f.caseDir != "" {
		var err error
		if k, err = casefile.Create(f.caseDir, custody); err != nil {
			return err
		}
		o.Spool = k.Spool()
	}
	res, err := examine.Run(ctx, o)
	p.done()
	if err != nil {
		if k != nil {
			err = errors.Join(err, abandon(ctx, k, res))
		}
		return err
	}
	d := document(res, []casefile.Custody{custody}, started)
	dir := ""
	if k != nil {
		if err := writeAll(k, d); err != nil {
			return err
		}
		if err := k.Finish(res.Sources, time.Now(), true); err != nil {
			return err
		}
		dir = k.Path("report.html")
	}
	if f.json {
		return jsonreport.New().Write(out, d)
	}
	return terminalReport(out, d, f.everything, dir)
}

// sink is where a collection goes; nil for nowhere.
type sink struct{ io.WriteCloser }

func (s *sink) writer() io.Writer {
	if s == nil {
		return nil
	}
	return s
}

type noClose struct{ io.Writer }

func (noClose) Close() error { return nil }

func openSink(to string, out io.Writer) (*sink, error) {
	switch to {
	case "":
		return nil, nil
	case "-":
		return &sink{noClose{out}}, nil
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open --to: %w", err)
	}
	return &sink{f}, nil
}

// closeCollection ends the collection, with the reason if it ends before its time.
func closeCollection(w *pack.Writer, to *sink, failed error) error {
	why := ""
	if failed != nil {
		why = state.Text([]byte(failed.Error()), 1000)
	}
	err := w.Close(why)
	if to != nil {
		err = errors.Join(err, to.Close())
	}
	return err
}
