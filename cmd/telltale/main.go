// Command telltale examines evidence of a hacked Linux server and says how they got in.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"telltale/casefile"
	"telltale/examine"
	"telltale/host"
)

// The exit statuses, which scripts rely on.
const (
	exitOK         = 0
	exitError      = 1
	exitUsage      = 2
	exitUnreadable = 3 // ran to the end, but some evidence could not be read
	exitInterrupt  = 130
)

// errUsage marks an error in how the program was called.
var errUsage = errors.New("usage")

// errUnreadable says that the examination ended, and some evidence could not be read.
var errUnreadable = errors.New("some evidence could not be read")

// errChanged says that evidence is not what it was.
var errChanged = errors.New("the evidence has changed")

func main() { os.Exit(Main()) }

// Main runs the program and gives its exit status.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	root := &cobra.Command{
		Use:           "telltale",
		Short:         "Examine a hacked Linux server: how did they get in, when, from where, as whom, and what now",
		SilenceErrors: true, SilenceUsage: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.SetOut(out)
	root.SetErr(errs)
	root.SetArgs(args)
	root.AddCommand(examineCommand(out, errs), liveCommand(out, errs), acquireCommand(out, errs), isolateCommand(out, errs), releaseCommand(out), reportCommand(out), verifyCommand(out), recoverCommand(out), timelineCommand(out), rulesCommand(out), labCommand(os.Stdin, out, errs), keyCommand(out), versionCommand(out))
	err := root.ExecuteContext(ctx)
	status, hint := outcome(ctx, err)
	if h := (hinted{}); errors.As(err, &h) {
		hint = h.hint
	}
	if done := exitStatus(0); errors.As(err, &done) {
		return int(done)
	}
	if err != nil && !errors.Is(err, errUnreadable) {
		fmt.Fprintf(errs, "error: %v\n", err)
		if hint != "" {
			fmt.Fprintf(errs, "hint: %s\n", hint)
		}
	}
	return status
}

// outcome gives the exit status of an error, and what the user may do about it.
func outcome(ctx context.Context, err error) (status int, hint string) {
	switch {
	case err == nil:
		return exitOK, ""
	case ctx.Err() != nil:
		return exitInterrupt, "it was interrupted; nothing was written to the evidence, and the case is not finished"
	case errors.Is(err, errUnreadable):
		return exitUnreadable, ""
	case errors.Is(err, errUsage), isUsage(err):
		return exitUsage, "telltale help shows how it is called"
	case errors.Is(err, errCut):
		return exitError, sinkHint(err)
	case errors.Is(err, syscall.ENOSPC):
		return exitError, "the disk that is written to is full: give a --case or --to on another one"
	case errors.Is(err, casefile.ErrExists):
		return exitError, "a case is made once: give another folder with --case, or read this one with telltale report"
	case errors.Is(err, casefile.ErrNotCase):
		return exitError, "give the folder that telltale examine made"
	case errors.Is(err, host.ErrIdentity):
		return exitError, "give the identity whose recipient the collection was made for: --identity FILE"
	case errors.Is(err, examine.ErrNothing):
		return exitError, "give a disk image, a folder or archive of the server's files, or its logs; telltale examine --help lists what is read"
	}
	return exitError, containHint(err) + freezeHint(err) + sinkHint(err)
}

// isUsage tells the errors that cobra itself makes of a wrong call; it gives them no type.
func isUsage(err error) bool {
	for _, p := range []string{"unknown command", "unknown flag", "requires at least", "accepts ", "unknown shorthand", "flag needs", "invalid argument", "required flag"} {
		if s := err.Error(); len(s) >= len(p) && s[:len(p)] == p {
			return true
		}
	}
	return false
}
