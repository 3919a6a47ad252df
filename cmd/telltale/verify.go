package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"telltale/casefile"
	"telltale/examine"
	"telltale/host"
	"telltale/internal/manifest"
	"telltale/report/terminal"
)

type verifyFlags struct {
	json             bool
	identity, signer []string
}

func verifyCommand(out io.Writer) *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use: "verify CASE|COLLECTION", Short: "See whether evidence is still what it was when it was examined, or taken", Args: cobra.ExactArgs(1),
		Long: `See whether the evidence of a case is still what it was when it was examined, or whether a collection is what was written when it was taken.

A collection's seals show what was changed, put in, taken out or cut, up to the last. Signed by a key that you know from elsewhere (--signer), they
show that whoever had the key wrote it. It was on the hacked machine then: that the machine told the truth, they cannot show.

Exit status: 0 it is the same, and whole; 1 it is not, or error; 2 wrong call; 3 it is the same as far as it goes, and was cut.`,
		Example: "  telltale verify telltale-case-20261126T100000Z\n  telltale verify web1.tar.zst.age --identity age-identity.txt --signer signing-key.pub",
		RunE: func(c *cobra.Command, args []string) error {
			if st, err := os.Stat(args[0]); err == nil && !st.IsDir() {
				return verifyCollection(c.Context(), out, f, args[0])
			}
			return verifyCase(c.Context(), out, f, args[0])
		},
	}
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
	c.Flags().StringArrayVar(&f.identity, "identity", nil, identityUsage)
	c.Flags().StringArrayVar(&f.signer, "signer", nil, signerUsage)
	return c
}

// verifyCollection holds a collection's file against its manifests.
func verifyCollection(ctx context.Context, out io.Writer, f verifyFlags, path string) error {
	var o host.Options
	var err error
	if o.Identities, err = identities(f.identity); err != nil {
		return err
	}
	if o.Signers, err = signers(f.signer); err != nil {
		return err
	}
	is, err := host.IsCollection(path, o)
	if err != nil {
		return fmt.Errorf("open %q: %w", path, err)
	}
	if !is {
		return fmt.Errorf("%q is no collection, and %w", path, casefile.ErrNotCase)
	}
	v, err := host.Verify(ctx, path, o)
	if err != nil {
		return err
	}
	if f.json {
		err = encode(out, v)
	} else {
		printVerdict(out, &v)
	}
	if err != nil {
		return err
	}
	switch {
	case v.Count > 0 || v.Seals > 0 && !v.Intact():
		return fmt.Errorf("%w: the collection is not shown to be what was written", errChanged)
	case !v.Complete || v.Cut != "":
		return fmt.Errorf("%w: the collection ends before its time", errUnreadable)
	}
	return nil
}

func printVerdict(out io.Writer, v *manifest.Verdict) {
	for _, w := range v.Words() {
		fmt.Fprintln(out, terminal.Escape(w))
	}
	for _, p := range v.Problems {
		fmt.Fprintf(out, "  %s\n", terminal.Escape(p.Words()))
	}
	if n := v.Count - int64(len(v.Problems)); n > 0 {
		fmt.Fprintf(out, "  and %d more\n", n)
	}
}

func encode(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// verifyCase hashes the evidence of a case anew.
func verifyCase(ctx context.Context, out io.Writer, f verifyFlags, dir string) error {
	k, err := casefile.Open(dir)
	if err != nil {
		return err
	}
	var all []verified
	bad := 0
	for _, s := range k.Manifest().Sources {
		v, same, err := verifySource(ctx, s)
		if err != nil {
			return err
		}
		if !same {
			bad++
		}
		all = append(all, v)
	}
	if f.json {
		if err := encode(out, all); err != nil {
			return err
		}
	} else {
		for _, v := range all {
			fmt.Fprintf(out, "%-11s %s  %s\n", v.State, v.Want, terminal.Escape(v.Path))
			for _, x := range v.Stored {
				fmt.Fprintf(out, "  %-9s the image's own %s%s\n", map[bool]string{true: "same", false: "changed"}[x.OK], terminal.Escape(x.words()), damaged(x.Damaged))
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%w: %d of %d sources are not shown to be the same", errChanged, bad, len(all))
	}
	return nil
}

func verifySource(ctx context.Context, s casefile.Source) (v verified, same bool, err error) {
	v = verified{Source: s.ID, Path: s.Path, Want: s.SHA256, State: "not-hashed"}
	if s.SHA256 != "" {
		got, _, err := examine.Digest(ctx, s.Path)
		switch {
		case ctx.Err() != nil:
			return v, false, ctx.Err()
		case err != nil:
			v.State, v.Got = "unreadable", err.Error()
		case got == s.SHA256:
			v.State, v.Got = "same", got
		default:
			v.State, v.Got = "changed", got
		}
	}
	checks, err := host.Stored(ctx, s.Path, nil)
	if ctx.Err() != nil {
		return v, false, ctx.Err()
	}
	if err != nil && v.State == "same" {
		v.State, v.Got = "unreadable", err.Error()
	}
	v.Stored = storedOf(checks)
	return v, v.State == "same" && allOK(checks), nil
}
