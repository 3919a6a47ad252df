package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	artall "telltale/artifact/all"
	"telltale/event"
	"telltale/examine"
	"telltale/filesystem"
	"telltale/host"
	repall "telltale/report/all"
	"telltale/report/timeline"
)

type timelineFlags struct {
	format, to         string
	since, until, zone string
	files              bool
	keys, identity     []string
}

func timelineCommand(out io.Writer) *cobra.Command {
	var f timelineFlags
	doc := ""
	for _, x := range repall.Timelines() {
		doc += fmt.Sprintf("\n  %-9s %s", x.Name, x.Doc)
	}
	c := &cobra.Command{
		Use:   "timeline CASE|EVIDENCE --format FORMAT",
		Short: "Write everything that happened, in the order of time, for other tools",
		Long: `Write the times of all files, deleted ones too, and all that logs and traces tell, in the order of time.

The evidence of the case is read again; it must still be where it was. The formats:` + doc + `

Exit status: 0 ran to the end, 1 error, 2 wrong call, 3 ran but some evidence could not be read.`,
		Example: "  telltale timeline telltale-case-20261126T100000Z --format csv > timeline.csv\n  telltale timeline disk.img --format bodyfile --to body",
		Args:    cobra.ExactArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return timelineRun(c.Context(), out, f, args[0]) },
	}
	c.Flags().StringVar(&f.format, "format", "csv", "csv, bodyfile, l2tcsv or jsonl")
	c.Flags().StringVar(&f.to, "to", "", "file to write, new (default standard output)")
	c.Flags().BoolVar(&f.files, "files-only", false, "only the times of files")
	c.Flags().StringVar(&f.since, "since", "", "leave out what logs tell of before")
	c.Flags().StringVar(&f.until, "until", "", "leave out what logs tell of after")
	c.Flags().StringVar(&f.zone, "zone", "", "zone of logs that name none, where the evidence does not say")
	c.Flags().StringArrayVar(&f.keys, "key-file", nil, "file with the passphrase or key of an encrypted volume")
	c.Flags().StringArrayVar(&f.identity, "identity", nil, identityUsage)
	return c
}

func timelineRun(ctx context.Context, out io.Writer, f timelineFlags, from string) error {
	var format *timeline.Format
	for _, x := range repall.Timelines() {
		if x.Name == f.format {
			format = &x
		}
	}
	if format == nil {
		return fmt.Errorf("%w: --format %q is none of csv, bodyfile, l2tcsv, jsonl", errUsage, f.format)
	}
	sources, err := sourcesOf(from)
	if err != nil {
		return err
	}
	o := examine.Options{Artifacts: artall.Artifacts(), Log: slog.New(slog.DiscardHandler), Secret: secrets(f.keys), FilesOnly: f.files || f.format == "bodyfile"}
	if o.Identities, err = identities(f.identity); err != nil {
		return err
	}
	if err := span(&o, f.since, f.until, f.zone); err != nil {
		return err
	}
	for _, s := range sources {
		if s.Kind == host.KindRemote {
			o.RemoteLogs = append(o.RemoteLogs, s.Path)
		} else {
			o.Evidence = append(o.Evidence, s.Path)
		}
	}
	dir := os.TempDir()
	if f.to != "" {
		if err := outside(f.to, o.Evidence); err != nil {
			return err
		}
		dir = filepath.Dir(f.to)
	}
	if o.Spool, err = os.MkdirTemp(dir, ".telltale-spool-*"); err != nil {
		return err
	}
	defer os.RemoveAll(o.Spool)
	if f.to != "" {
		file, err := os.OpenFile(f.to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		defer file.Close()
		out = file
	}
	return writeTimeline(ctx, out, *format, o)
}

func writeTimeline(ctx context.Context, out io.Writer, format timeline.Format, o examine.Options) error {
	held := &held{w: out, open: o.FilesOnly} // files are read once: only clocks of logs are set right
	t := &timelineSink{make: func() timeline.Writer { held.head = nil; return format.New(held, o.Spool) }}
	t.w = t.make()
	o.Timeline = t
	res, err := examine.Run(ctx, o)
	if err != nil && !(errors.Is(err, examine.ErrNothing) && t.files > 0) {
		return err
	}
	held.open = true
	if err := held.flush(); err != nil {
		return err
	}
	if err := t.w.Close(); err != nil {
		return err
	}
	if res != nil && len(res.Damage) > 0 {
		return fmt.Errorf("%w: %d places", errUnreadable, len(res.Damage))
	}
	return nil
}

// held keeps a format's first line back until it is sure that it is the last try: the evidence may have to be read twice.
type held struct {
	w    io.Writer
	head []byte
	open bool
}

func (h *held) Write(p []byte) (int, error) {
	if h.open {
		return h.w.Write(p)
	}
	h.head = append(h.head, p...)
	return len(p), nil
}

func (h *held) flush() error {
	_, err := h.w.Write(h.head)
	h.head = nil
	return err
}

// timelineSink puts what is read in the shape of the timeline.
type timelineSink struct {
	w     timeline.Writer
	make  func() timeline.Writer
	files int
}

func (t *timelineSink) Again() error {
	t.w, t.files = t.make(), 0
	return nil
}

func (t *timelineSink) Entry(h *host.Host, e *host.Entry) error {
	t.files++
	f := fileOf(h, e.Path, &e.Meta)
	if h.CopyTimes {
		f.Changed, f.Accessed, f.Born = f.Deleted, f.Deleted, f.Deleted // of the copy, not of the server
	}
	if e.Meta.Type == filesystem.Symlink {
		if b, err := e.Mount.FS.Readlink(e.Meta.Inode); err == nil {
			f.Target = string(b)
		}
	}
	return t.w.File(&f)
}

func fileOf(h *host.Host, path string, m *filesystem.Meta) timeline.File {
	return timeline.File{Source: h.Source, Host: h.Name, Path: path, Type: m.Type.String(), Inode: uint64(m.Inode), Mode: m.Mode, UID: m.UID, GID: m.GID, Size: m.Size,
		Modified: m.Mtime, Accessed: m.Atime, Changed: m.Ctime, Born: m.Crtime, Deleted: m.Dtime}
}

func (t *timelineSink) Deleted(h *host.Host, path string, r *filesystem.Recovered) error {
	f := fileOf(h, path, &r.Meta)
	if f.Path == "" {
		f.Path = fmt.Sprintf("(inode %d, its name is lost)", r.Meta.Inode)
	}
	f.State = "deleted"
	switch {
	case r.Meta.State == filesystem.Orphan:
		f.State = "open"
	case r.Cut:
		f.State = "cut"
	}
	if !f.Deleted.Known() && f.State == "deleted" {
		f.Deleted = r.Before
	}
	return t.w.File(&f)
}

func (t *timelineSink) Event(e *event.Event) error {
	x := timeline.Event{At: e.At, Kind: strings.ReplaceAll(e.Kind.String(), "-", " "), Source: e.Ref.Source, Path: e.Ref.Path, Offset: e.Ref.Off, Line: e.Ref.Line, Message: string(e.Raw)}
	for _, a := range e.Attrs {
		x.Attrs = append(x.Attrs, timeline.Attr{Name: a.Key.String(), Value: string(a.Value)})
	}
	return t.w.Event(&x)
}
