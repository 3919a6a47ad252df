package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"time"

	"github.com/spf13/cobra"

	"telltale/acquire"
	"telltale/acquire/pack"
	"telltale/examine"
)

func acquireFiles(out, errs io.Writer) *cobra.Command {
	var (
		dest  sinkFlags
		match []string
		quiet bool
	)
	c := &cobra.Command{
		Use:   "files",
		Short: "Copy files of the running machine into a collection: what an examination reads, or what you name",
		Long: `Copy files of the running machine into a collection, in one walk: the metadata of every file, and the content of logs, settings and what no package
owns and could be an intruder's; or, with --match, of the files whose path fits. It is examined like any other evidence.`,
		Example: "  telltale acquire files --to /mnt/stick/files.tar.zst\n  telltale acquire files --to - --match '/var/www/html/**' --match '*.php' | ssh me@desk 'cat >web.tar.zst'",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if dest.to == "" {
				return fmt.Errorf("%w: --to says where the collection goes", errUsage)
			}
			box, header, err := acquire.NewBox(slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			header.Version, header.Command = version(), withoutSecrets(os.Args)
			o, err := dest.options(errs)
			if err != nil {
				return err
			}
			to, err := dest.open(c.Context(), out, errs)
			if err != nil {
				return err
			}
			o.To, o.Clock = to, acquire.Clock
			w, err := pack.New(header, o)
			if err != nil {
				return errors.Join(err, to.Close())
			}
			p := newProgress(errs, quiet)
			began := time.Now()
			failed := copyFiles(c.Context(), box, w, p, match...)
			p.done()
			cut := closeCollection(w, to, failed)
			if failed != nil && !isLost(w, failed) || c.Context().Err() != nil {
				return errors.Join(failed, cut, c.Context().Err())
			}
			if cut != nil {
				return cutError(w, cut)
			}
			fmt.Fprintf(errs, "collected in %.1f s, %d things could not be taken; examine it: telltale examine %s\n", time.Since(began).Seconds(), w.Failures(), dest.to)
			return nil
		},
	}
	dest.bind(c.Flags())
	c.Flags().StringArrayVar(&match, "match", nil, "take the content of files that fit, and of no others: '*.php' fits names, '/var/www/**' paths")
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "show no progress")
	return c
}

// fitsAny holds a path against patterns: one without a slash against its last name.
func fitsAny(patterns []string, name string) bool {
	for _, m := range patterns {
		if examine.Fits(m, name) || path.Base(m) == m && examine.Fits(m, path.Base(name)) {
			return true
		}
	}
	return false
}
