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
	"telltale/detect/advisories"
	detall "telltale/detect/all"
	"telltale/detect/complaint"
	"telltale/examine"
	"telltale/filesystem"
	"telltale/filesystem/live"
	"telltale/host"
	"telltale/internal/state"
	"telltale/report"
	"telltale/report/jsonreport"
	"telltale/report/terminal"
)

type liveFlags struct {
	sink                    sinkFlags
	caseDir                 string
	quick, full, fast, only bool
	exhibits                bool
	goal                    string
	json, quiet, everything bool
	budget                  time.Duration
	rules, advisories       []string
	abuse                   []string
	asked                   []complaint.Complaint
	db                      *advisories.Database // what of advisories was read
}

func liveCommand(out, errs io.Writer) *cobra.Command {
	var f liveFlags
	c := &cobra.Command{
		Use:   "live",
		Short: "Look at the running machine without trusting it, and say how they got in and what still runs",
		Long: `Look at the machine that this runs on, without running or loading anything of it: what is volatile first, then its files and logs, with the
same reasoning as examine. Nothing is written to the machine's disks unless --to or --case name a file on one.

With --to the state and the files that matter also go into a collection, which examine reads elsewhere. Where it goes is checked: a file not onto
the machine's own disks, ssh only to a host key that was named, https only to a certificate that is good. With --recipient nobody but the one who holds
the identity can read it (telltale key new makes one, on your own machine). A key that is given here was on a hacked machine: use one made for this
incident alone. What it signed was written by whoever had it, not seen by whoever is honest.

If the collection is cut, the machine is examined all the same, and the exit status is 1.

With --goal restart the answer is the shortest, for who must bring the service back; with --goal legal the case also holds custody and the quoted evidence as
numbered files, as examine makes them.

Interrupted (Ctrl-C), it answers with what it has seen until then, marked as unfinished, and ends with status 130.

Run it as root, from a USB stick or over ssh. Do not reboot the machine before.`,
		Example: "  telltale live\n  telltale live --to /mnt/usb/web1.tar.zst\n  telltale live --to ssh://ir@192.0.2.10/srv/web1.tar.zst.age --host-key SHA256:... --recipient age1...",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return liveRun(c.Context(), out, errs, f) },
	}
	c.AddCommand(freezeCommand(out, errs), thawCommand(out, errs))
	c.AddCommand(lists(out)...)
	f.sink.bind(c.Flags())
	c.Flags().StringVar(&f.caseDir, "case", "", "folder of the case, new or empty: the report is written there, too")
	c.Flags().StringVar(&f.goal, "goal", report.RootCause, goalUsage+"; legal needs --case")
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
	c.Flags().StringArrayVar(&f.advisories, "advisories", nil, advisoriesUsage)
	c.Flags().StringArrayVar(&f.abuse, "abuse", nil, abuseUsage)
	return c
}

// checkGoal refuses a goal that the call cannot reach.
func (f *liveFlags) checkGoal() (err error) {
	f.goal, err = goalOf(f.goal, report.RootCause)
	switch {
	case err == nil && f.goal != report.RootCause && f.only:
		return fmt.Errorf("%w: --goal is what the answer is for, and --collect-only gives none; give it to examine", errUsage)
	case err == nil && f.goal == report.Legal && f.caseDir == "":
		return fmt.Errorf("%w: --goal legal needs --case: its exhibits are files", errUsage)
	}
	return err
}

// collectOften is how much the heap may grow between two collections of garbage, percent: on somebody's server memory is dearer than time.
const collectOften = 40

// goingOn is how long an interrupted examination may take to answer with what it has.
const goingOn = 20 * time.Second

// liveRun takes the state, examines the machine with it, and copies what was asked for.
func liveRun(ctx context.Context, out, errs io.Writer, f liveFlags) error {
	if f.only && f.sink.to == "" {
		return fmt.Errorf("%w: --collect-only needs --to", errUsage)
	}
	if err := f.checkGoal(); err != nil {
		return err
	}
	rules, err := rulesOf(f.rules)
	if err != nil {
		return err
	}
	if f.db, err = advisoriesOf(ctx, f.advisories); err != nil {
		return err
	}
	if f.asked, err = complaints(f.abuse, nil); err != nil {
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
	header.Version, header.Command = version(), withoutSecrets(os.Args)
	p := newProgress(errs, f.quiet)
	w, cut, err := collect(ctx, out, errs, f, box, header, p)
	if err != nil && (ctx.Err() == nil || w == nil || f.only) {
		p.done()
		return errors.Join(err, cut)
	}
	if f.sink.to == "-" {
		out = errs
	}
	if cut != nil {
		p.done()
		cut = cutError(w, cut)
		fmt.Fprintf(errs, "warning: %s\n", terminal.Escape(cut.Error()))
	}
	if f.only {
		p.done()
		if cut == nil {
			fmt.Fprintf(errs, "collected in %.1f s; examine it elsewhere: telltale examine %s\n", time.Since(started).Seconds(), f.sink.to)
		}
		return cut
	}
	o := examine.Options{Artifacts: artall.Artifacts(), Detections: detall.For(detall.Asked{Rules: rules, Advisories: f.db, Complaints: f.asked}), Complaints: f.asked, Log: log, Progress: p, Quick: f.quick, Live: inPlace(box, w.State()), Partial: goingOn}
	return errors.Join(liveAnswer(ctx, out, f, o, p, started), cut)
}

// collect takes the state, and the files if the collection goes somewhere. Cut tells that it did not get there, which is no error of the rest.
func collect(ctx context.Context, out, errs io.Writer, f liveFlags, box *acquire.Box, header *state.Header, p *progress) (w *pack.Writer, cut, err error) {
	o, err := f.sink.options(errs)
	if err != nil {
		return nil, nil, err
	}
	to, err := f.sink.open(ctx, out, errs)
	if err != nil {
		return nil, nil, err
	}
	o.Clock = acquire.Clock
	if to != nil {
		o.To = to
	}
	if w, err = pack.New(header, o); err != nil {
		return nil, nil, err
	}
	steps := acqall.Steps(acqall.Options{Full: f.full, Keep: to != nil, Run: f.exhibits})
	if f.quick {
		steps = quickOnes(steps)
	}
	err = acquire.Run(ctx, box, steps, w, f.budget, func(s acquire.Step) { p.Stage("taking " + s.Name) })
	if _, lost := w.Lost(); err == nil && lost == nil && to != nil && !f.quick {
		if err = copyFiles(ctx, box, w, p); isLost(w, err) {
			err = nil
		}
	}
	cut = closeCollection(w, to, err)
	return w, cut, errors.Join(err, ctx.Err())
}

// isLost tells a step that ended because the destination did from one that failed.
func isLost(w *pack.Writer, err error) bool {
	_, lost := w.Lost()
	return lost != nil && errors.Is(err, lost)
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
	custody := custodyOf(started, append([]string{"live"}, withoutSecrets(os.Args)[min(2, len(os.Args)):]...))
	if f.goal == report.Legal {
		custody.SHA256 = ownDigest()
	}
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
	cut := ctx.Err() != nil && res.Story.Verdict.Status != "" // an answer all the same, and marked as unfinished
	if err != nil && !cut {
		if k != nil {
			err = errors.Join(err, abandon(ctx, k, res))
		}
		return err
	}
	d := document(res, []casefile.Custody{custody}, started)
	tellAdvisories(d, f.db)
	d.Goal = f.goal
	dir := ""
	if k != nil {
		if err := forGoal(d, f.goal, k); err != nil {
			return err
		}
		if err := writeAll(k, d); err != nil {
			return err
		}
		if err := k.Finish(res.Sources, time.Now(), !cut); err != nil {
			return err
		}
		dir = k.Path("report.html")
	}
	if f.json {
		return errors.Join(jsonreport.New().Write(out, d), interrupted(ctx))
	}
	return errors.Join(terminalReport(out, d, f.everything, dir), interrupted(ctx))
}

// interrupted gives an error for an answer that is not whole.
func interrupted(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("the answer is not whole: %w", ctx.Err())
}
