package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"telltale/acquire/contain"
	"telltale/acquire/freeze"
	"telltale/report/terminal"
)

// freezing is the record of what was done, for --json.
type freezing struct {
	Action    string           `json:"action"` // freeze, thaw
	At        time.Time        `json:"at"`
	Processes []freeze.Process `json:"processes"`
	Error     string           `json:"error,omitempty"`
}

func freezeCommand(out, errs io.Writer) *cobra.Command {
	var o freeze.Options
	var asJSON bool
	c := &cobra.Command{
		Use:   "freeze PID",
		Short: "Make a process stand still without ending it",
		Long: `Make a process stand still without ending it, by the kernel's freezer of control groups: it does not notice, and its memory,
files and connections stay as they are. Connections of it die on the other side when they time out.

A process that is alone in its group is frozen there. Else a group telltale-freeze-PID is made beneath its own: in the
freezer hierarchy of version 1 where there is one, so that its unit stays what it was, or in version 2. What it was in
before is shown. telltale live thaw puts it back.

Only the first process, this program, what it runs under, its ssh session and threads of the kernel are refused.

Exit status: 0 all stand still, 1 error, 2 wrong call.`,
		Example: "  telltale live freeze 4711 --tree\n  telltale live thaw 4711 --tree",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			pid, err := pidOf(args[0])
			if err != nil {
				return err
			}
			if o.Unit && (o.Stop || o.Tree) {
				return fmt.Errorf("%w: --unit freezes a whole group, and goes with neither --stop nor --tree", errUsage)
			}
			if o.Protect, err = contain.SessionHolders(c.Context(), os.Getenv("SSH_CONNECTION")); err != nil {
				fmt.Fprintf(errs, "warning: the process of your session could not be looked for: %s\n", terminal.Escape(err.Error()))
			}
			list, err := freeze.Freeze(c.Context(), pid, o)
			return showFrozen(out, "freeze", list, err, asJSON)
		},
	}
	c.Flags().BoolVar(&o.Tree, "tree", false, "its descendants as well")
	c.Flags().BoolVar(&o.Unit, "unit", false, "its whole group (version 2): the service or the container with all that is in it")
	c.Flags().BoolVar(&o.Stop, "stop", false, "by SIGSTOP: its parent is told, and anybody may let it go on")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func thawCommand(out, _ io.Writer) *cobra.Command {
	var o freeze.Options
	var asJSON bool
	c := &cobra.Command{
		Use:   "thaw PID",
		Short: "Let a frozen process go on, and put it back where it was",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			pid, err := pidOf(args[0])
			if err != nil {
				return err
			}
			list, err := freeze.Thaw(c.Context(), pid, o)
			return showFrozen(out, "thaw", list, err, asJSON)
		},
	}
	c.Flags().BoolVar(&o.Tree, "tree", false, "its descendants as well")
	c.Flags().BoolVar(&o.Stop, "stop", false, "also one that is stopped by a signal")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func pidOf(s string) (int, error) {
	pid, err := strconv.Atoi(s)
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("%w: %q is not the number of a process", errUsage, s)
	}
	return pid, nil
}

func showFrozen(out io.Writer, action string, list []freeze.Process, err error, asJSON bool) error {
	if asJSON {
		r := freezing{Action: action, At: time.Now().UTC().Truncate(time.Second), Processes: list}
		if err != nil {
			r.Error = err.Error()
		}
		return errors.Join(err, json.NewEncoder(out).Encode(r))
	}
	for _, p := range list {
		if p.Start == 0 {
			continue // nothing is known of it but the error
		}
		fmt.Fprintf(out, "PID %d (%s), started at tick %d\n", p.PID, terminal.Escape(p.Program), p.Start)
		if action == "freeze" {
			for _, g := range p.Cgroups {
				fmt.Fprintf(out, "  was in   %s\n", terminal.Escape(g))
			}
		}
		if p.How != "" {
			fmt.Fprintf(out, "  by       %s %s\n", p.How, terminal.Escape(p.Where))
		}
		fmt.Fprintf(out, "  state    %s -> %s %s\n", terminal.Escape(p.Before), terminal.Escape(p.After), terminal.Escape(p.Said))
		switch {
		case p.Error != "":
			fmt.Fprintf(out, "  FAILED   %s\n", terminal.Escape(p.Error))
		case p.Frozen:
			fmt.Fprintln(out, "  stands still: it used no processor time while it was watched")
		}
	}
	return err
}

// freezeHint says what may be done about an error of freeze and thaw.
func freezeHint(err error) string {
	switch {
	case errors.Is(err, freeze.ErrCannot):
		return "run it as root where /sys/fs/cgroup is mounted; --stop stops it by a signal, which its parent is told of"
	case errors.Is(err, freeze.ErrNotFrozen):
		return "telltale live thaw takes it back"
	case errors.Is(err, freeze.ErrNotHeld):
		return "if a signal stopped it, --stop lets it go on"
	}
	return ""
}
