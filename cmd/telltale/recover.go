package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"telltale/casefile"
	"telltale/examine"
	"telltale/report/terminal"
)

type recoverFlags struct {
	to, match       string
	all, list, json bool
	identity        []string
}

func recoverCommand(out io.Writer) *cobra.Command {
	var f recoverFlags
	c := &cobra.Command{
		Use:   "recover CASE|EVIDENCE --to DIR",
		Short: "Bring deleted files back",
		Long: `Bring deleted files back from the disks of a case, or of one piece of evidence.

They are found by what the filesystem itself remembers: the whole ring of ext4's journal, XFS's log, the older trees of btrfs,
and files that were deleted while a program held them open. How far back it remembers is told first: a file that was
deleted before cannot be found so, and none found is not none deleted.

Each file is written below DIR under its own path, never executable; recovered.jsonl lists them all with times, hashes,
and how much of each lies in blocks that nobody has had since. A file of which every block was given away is only listed,
without --all.

Exit status: 0 ran to the end, 1 error, 2 wrong call, 3 ran but some evidence could not be read.`,
		Example: "  telltale recover telltale-case-20261126T100000Z --to /mnt/usb/deleted\n  telltale recover disk.img --list --match '*.php'",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return recoverRun(c.Context(), out, f, args[0]) },
	}
	c.Flags().StringVar(&f.to, "to", "", "folder to write to, new or empty")
	c.Flags().BoolVar(&f.list, "list", false, "only list them")
	c.Flags().StringVar(&f.match, "match", "", "only files whose path or name fits this pattern (*.php)")
	c.Flags().BoolVar(&f.all, "all", false, "write also files of which every block was given to others")
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON object a file")
	c.Flags().StringArrayVar(&f.identity, "identity", nil, identityUsage)
	return c
}

func recoverRun(ctx context.Context, out io.Writer, f recoverFlags, from string) error {
	if (f.to == "") == !f.list {
		return fmt.Errorf("%w: give --to DIR, or --list", errUsage)
	}
	if _, err := filepath.Match(f.match, ""); err != nil {
		return fmt.Errorf("%w: --match %q: %w", errUsage, f.match, err)
	}
	sources, err := sourcesOf(from)
	if err != nil {
		return err
	}
	ids, err := identities(f.identity)
	if err != nil {
		return err
	}
	if f.to != "" {
		if err := outside(f.to, []string{from}); err != nil {
			return err
		}
		if list, err := os.ReadDir(f.to); err == nil && len(list) > 0 {
			return fmt.Errorf("%w: %q is not empty", errUsage, f.to)
		}
	}
	spool, err := os.MkdirTemp(f.to, ".spool-*")
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(f.to, 0o700); err == nil {
			spool, err = os.MkdirTemp(f.to, ".spool-*")
		}
	}
	if err != nil {
		return err
	}
	defer os.RemoveAll(spool)
	o := examine.RecoverOptions{Sources: sources, Spool: spool, To: f.to, Match: f.match, All: f.all, Zone: time.UTC, Secret: secrets(nil), Identities: ids}
	enc := json.NewEncoder(out)
	o.Told = func(r casefile.Recovery) {
		if !f.json {
			fmt.Fprintln(out, terminal.Escape(r.Span()))
		}
	}
	o.File = func(x examine.RecoveredFile) {
		if f.json {
			enc.Encode(x)
		} else {
			fmt.Fprintf(out, "%-7s %10d  %-20s  %s%s\n", x.State, x.Size, short(x), terminal.Escape(nameOf(x)), fault(x))
		}
	}
	faults, first := 0, ""
	o.Fault = func(s string) {
		if faults++; faults == 1 {
			first = s
		}
	}
	done, err := examine.Recover(ctx, o)
	if err == nil && len(done) == 0 {
		return fmt.Errorf("no filesystem of the evidence can tell of deleted files: %w", examine.ErrNothing)
	}
	if !f.json {
		for i := range done {
			fmt.Fprintln(out, terminal.Escape(done[i].Words()))
		}
	}
	if err == nil && faults > 0 {
		if !f.json {
			fmt.Fprintf(out, "%d places could not be read, so that more may have been deleted than is told here; the first: %s\n", faults, terminal.Escape(first))
		}
		return fmt.Errorf("%w: %d places", errUnreadable, faults)
	}
	return err
}

// sourcesOf gives the evidence of a case, or a piece of evidence as it is given.
func sourcesOf(from string) ([]casefile.Source, error) {
	k, err := casefile.Open(from)
	if err == nil {
		return k.Manifest().Sources, nil
	}
	if st, e := os.Stat(from); e != nil || st.IsDir() && errors.Is(err, casefile.ErrNotCase) && !isEvidence(from) {
		if e != nil {
			return nil, e
		}
		return nil, err
	}
	return []casefile.Source{{ID: "s1", Path: from}}, nil
}

// isEvidence tells whether a folder may be evidence: it is no case, and not empty.
func isEvidence(dir string) bool {
	list, err := os.ReadDir(dir)
	return err == nil && len(list) > 0
}

func nameOf(x examine.RecoveredFile) string {
	if x.Path == "" {
		return fmt.Sprintf("(inode %d, its name is lost)", x.Inode)
	}
	return x.Path
}

func short(x examine.RecoveredFile) string {
	for _, t := range []string{x.Deleted, x.Before, x.After} {
		if len(t) >= 19 {
			return t[:19] + "Z"
		}
	}
	return ""
}

func fault(x examine.RecoveredFile) string {
	switch {
	case x.Error != "":
		return "  (" + x.Error + ")"
	case x.Reused > 0:
		return fmt.Sprintf("  (%d bytes of it are other files' by now)", x.Reused)
	}
	return ""
}
