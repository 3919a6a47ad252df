package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"telltale/acquire/custody"
	"telltale/host"
	"telltale/report/terminal"
)

// opener opens what a copy is streamed to when it is no file here: "-", and schemes that other packages know.
type opener func(to string) (io.WriteCloser, error)

// standardOutput is the opener that knows nothing but "-".
func standardOutput(out io.Writer) opener {
	return func(to string) (io.WriteCloser, error) {
		if to != "-" {
			return nil, fmt.Errorf("%w: --to %q is no file, and nothing here can write to it", errUsage, to)
		}
		if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return nil, fmt.Errorf("%w: --to - would write the copy to a terminal: give it a pipe or a file", errUsage)
		}
		return stays{out}, nil
	}
}

// stays is a writer that others close.
type stays struct{ io.Writer }

func (stays) Close() error { return nil }

// streamed tells whether a copy goes to no file of this machine.
func streamed(to string) bool { return to == "-" || strings.Contains(to, "://") }

// hinted is an error with a hint of its own.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// copyFlags are what all copies have in common.
type copyFlags struct {
	to                    string
	noVerify, quiet, json bool
}

func (f *copyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.to, "to", "", "where the copy goes; -: standard output")
	c.Flags().BoolVar(&f.noVerify, "no-verify", false, "do not read the copy back")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "say only what went wrong")
	c.Flags().BoolVar(&f.json, "json", false, "print the record as JSON")
	c.MarkFlagRequired("to")
}

func acquireCommand(out, errs io.Writer) *cobra.Command {
	var (
		remote sinkFlags
		ctx    context.Context
	)
	open := func(to string) (io.WriteCloser, error) {
		if !strings.Contains(to, "://") {
			return standardOutput(out)(to)
		}
		remote.to = to
		return remote.open(ctx, out, errs)
	}
	c := &cobra.Command{Use: "acquire", Short: "Copy the disks and the memory of a running machine"}
	remote.bindRemote(c.PersistentFlags())
	c.PersistentPreRun = func(c *cobra.Command, _ []string) { ctx = c.Context() }
	c.AddCommand(acquireDiskCommand(out, errs, open), acquireMemoryCommand(out, errs, open), acquireFiles(out, errs), acquireVerifyCommand(out, errs))
	return c
}

// vacant gives an error if a copy or what lies beside it is there: a copy is never written over.
func vacant(to string, beside ...string) error {
	paths := []string{to}
	for _, ext := range beside {
		paths = append(paths, custody.Beside(to, ext))
	}
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			return hinted{fmt.Errorf("%q: %w", p, fs.ErrExist), "a copy is never written over: give another name, or --resume to go on with a raw one that was interrupted"}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// newRecord begins the record of a copy.
func newRecord(kind, format, to string) *custody.Record {
	r := &custody.Record{
		Format: custody.Format, Kind: kind, State: custody.Unfinished, Tool: "telltale " + version(), Command: withoutSecrets(os.Args),
		Started: time.Now().UTC(), Copy: custody.Copy{Name: to, Format: format}, Notes: []string{},
	}
	if !streamed(to) {
		r.Copy.Name = filepath.Base(to)
	}
	r.Host, r.Kernel = machine()
	return r
}

// speed shows how far a copy is, how fast, and how long it takes.
type speed struct {
	p     *progress
	what  string
	began time.Time
	from  int64
}

func (p *progress) speed(what string) *speed {
	p.what = what
	return &speed{p: p, began: time.Now(), from: -1}
}

func (s *speed) bytes(done, total int64) {
	if s.p.w == nil || total <= 0 {
		return
	}
	if s.from < 0 {
		s.from = done
	}
	rate := float64(done-s.from) / max(time.Since(s.began).Seconds(), 1e-3)
	tail := fmt.Sprintf(" %d%%  %.0f MB/s", done*100/total, rate/1e6)
	if rate > 0 {
		tail += fmt.Sprintf("  %v left", time.Duration(float64(total-done)/rate*1e9).Round(time.Second))
	}
	s.p.draw(tail)
}

// readBack verifies a copy and notes it in the record.
func readBack(ctx context.Context, rec *custody.Record, to string, p *progress) error {
	s := p.speed("reading the copy back")
	v, err := check(ctx, rec, to, s)
	p.done()
	if ctx.Err() != nil {
		return hinted{fmt.Errorf("read the copy back: %w", err), "the copy itself is finished; telltale acquire verify reads it back"}
	}
	if err != nil {
		rec.Verified = &custody.Verification{Time: time.Now().UTC(), Error: err.Error()}
		return errors.Join(fmt.Errorf("read the copy back: %w", err), rec.Save(custody.Beside(to, ".json")))
	}
	rec.Verified = v
	if err := rec.Save(custody.Beside(to, ".json")); err != nil || v.OK {
		return err
	}
	return fmt.Errorf("read the copy back: %w: %s", errChanged, strings.Join(verdict(v), "; "))
}

// check holds a copy against its record; an E01 or Ex01 keeps checksums of its own.
func check(ctx context.Context, rec *custody.Record, path string, s *speed) (*custody.Verification, error) {
	if !sealed(rec.Copy.Format) {
		return rec.Verify(ctx, path, func(done int64) { s.bytes(done, rec.Copy.Size) })
	}
	return checkContainer(ctx, rec, path, s)
}

func checkContainer(ctx context.Context, rec *custody.Record, path string, s *speed) (*custody.Verification, error) {
	if rec.State != custody.Finished {
		return nil, fmt.Errorf("the record says that the copy is %s", rec.State)
	}
	checks, err := host.Stored(ctx, path, s.bytes)
	if err != nil {
		return nil, err
	}
	v := &custody.Verification{Time: time.Now().UTC(), OK: allOK(checks) && len(checks) > 0}
	matched := false
	for _, c := range checks {
		v.Words = append(v.Words, fmt.Sprintf("%s: %s", c.What, c.Found))
		for _, d := range c.Damage {
			v.Bad = append(v.Bad, badOf(d))
		}
		switch {
		case strings.HasPrefix(c.What, "MD5") && c.Stored != rec.Copy.MD5, strings.HasPrefix(c.What, "SHA1") && c.Stored != rec.Copy.SHA1:
			v.OK = false
			v.Words = append(v.Words, fmt.Sprintf("%s: the image keeps %s, which is not the record's", c.What, c.Stored))
		case strings.HasPrefix(c.What, "MD5"), strings.HasPrefix(c.What, "SHA1"):
			matched = true
		}
	}
	if !matched {
		v.OK = false
		v.Words = append(v.Words, "the image keeps no digest that the record has")
	}
	return v, nil
}

// verdict says in words what verifying told.
func verdict(v *custody.Verification) []string {
	words := append([]string(nil), v.Words...)
	for i, b := range v.Bad {
		if i == 20 {
			words = append(words, fmt.Sprintf("%d more places", len(v.Bad)-i))
			break
		}
		state := "changed"
		if b.Error != "" {
			state = "damaged or unreadable (" + b.Error + ")"
		}
		words = append(words, fmt.Sprintf("the %d bytes from %d on are %s", b.Length, b.Offset, state))
	}
	return words
}

// printRecord prints a record without its links, which are for programs.
func printRecord(w io.Writer, rec *custody.Record) error {
	r := *rec
	r.Copy.Links = nil
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// table prints lines of a name and what is told of it.
type table struct{ w io.Writer }

func (t table) row(name, format string, a ...any) {
	if s := terminal.Escape(fmt.Sprintf(format, a...)); s != "" {
		fmt.Fprintf(t.w, "%-9s %s\n", name, s)
	}
}

func acquireVerifyCommand(out, errs io.Writer) *cobra.Command {
	var asJSON, quiet bool
	c := &cobra.Command{
		Use: "verify COPY", Short: "See whether a copy is still what was copied", Args: cobra.ExactArgs(1),
		Long: `See whether a copy is still what was copied, by the record that lies beside it (X.json), and say where it was changed:
a raw or a memory copy to 16 MiB, an E01 or Ex01 to its chunk of 32 KiB.

The record is no signature: who can change the copy can change the record, too. Compare its SHA-256 with the one that was noted elsewhere.

Exit status: 0 the same, 1 changed or an error, 2 wrong call.`,
		RunE: func(c *cobra.Command, args []string) error {
			return acquireVerify(c.Context(), out, newProgress(errs, quiet), args[0], asJSON)
		},
	}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func acquireVerify(ctx context.Context, out io.Writer, p *progress, path string, asJSON bool) error {
	rec, err := custody.Load(custody.Beside(path, ".json"))
	if errors.Is(err, custody.ErrNone) {
		return hinted{err, "telltale acquire writes it; an E01 or Ex01 without it can be examined, which tells its own digests"}
	}
	if err != nil {
		return err
	}
	v, err := check(ctx, rec, path, p.speed("reading the copy"))
	p.done()
	if err != nil {
		return err
	}
	if asJSON {
		if err := json.NewEncoder(out).Encode(v); err != nil {
			return err
		}
	} else {
		t := table{out}
		t.row(map[bool]string{true: "same", false: "changed"}[v.OK], "%s", path)
		t.row("SHA-256", "%s", rec.Copy.SHA256)
		for _, w := range verdict(v) {
			t.row("", "%s", w)
		}
	}
	if !v.OK {
		return fmt.Errorf("%w: %q is not what was copied", errChanged, path)
	}
	return nil
}
