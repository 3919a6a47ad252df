package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"telltale/lab"
	"telltale/report"
	"telltale/report/terminal"
	"telltale/story"
)

func labPractise(in io.Reader, out, errs io.Writer) *cobra.Command {
	var f labFlags
	c := &cobra.Command{
		Use: "practise SCENARIO", Short: "Learn: look at a case yourself, answer, and see the evidence",
		Long: `Learn by a case: it is made, without its truth, and you look at the evidence with any tools. Then you are asked one
question after the other. After each answer the right one is told, with the artefacts that show it, and the lines of
evidence that telltale found. An empty answer passes.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := scenario(args[0])
			if err != nil {
				return err
			}
			m, err := maker(c, &f, in, out, errs)
			if err != nil {
				return err
			}
			if !c.Flags().Changed("seed") {
				f.seed = 1 + rand.Uint64N(1_000_000)
			}
			if f.to == "" {
				f.to = fmt.Sprintf("%s-%d", s.Name, f.seed)
			}
			return practise(c.Context(), s, m, f, in, out, errs)
		},
	}
	f.register(c)
	c.Flags().StringVar(&f.to, "to", "", "folder of the case, new or empty (default SCENARIO-SEED here)")
	return c
}

func practise(ctx context.Context, s *lab.Scenario, m lab.Maker, f labFlags, in io.Reader, out, errs io.Writer) error {
	t, err := makeCase(ctx, s, m, f.seed, f.to)
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(f.to, "truth.json")); err != nil { // no peeping
		return err
	}
	d, err := examineCase(ctx, f.to, t, errs)
	if err != nil {
		return errors.Join(err, t.Write(filepath.Join(f.to, "truth.json")))
	}
	z := &quiz{t: t, d: d, out: out, in: bufio.NewReaderSize(in, 4096)}
	fmt.Fprintf(out, "%s: %s\n\nThe evidence: %s\nThe server is %s; its zone is %s. Look at it with any tools, then answer. An empty line passes.\n\n", s.Name, t.Question, strings.Join(evidenceOf(f.to, t), " "), t.Hostname, t.Zone)
	asked := z.questions()
	for _, q := range asked {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, t.Write(filepath.Join(f.to, "truth.json")))
		}
		z.ask(q)
	}
	fmt.Fprintf(out, "You had %d of %d. The whole truth is now in %s; telltale's own report comes by: telltale examine %s\n", z.right, len(asked), filepath.Join(f.to, "truth.json"), strings.Join(evidenceOf(f.to, t), " "))
	return t.Write(filepath.Join(f.to, "truth.json"))
}

// quiz asks, and shows the evidence behind each answer.
type quiz struct {
	t     *lab.Truth
	d     *report.Document
	in    *bufio.Reader
	out   io.Writer
	right int
}

// question is one thing to find out.
type question struct {
	text, answer string
	accepts      func(string) bool
	shown        []string // the artefacts that show it
	claims       []string // telltale's
}

// vectors are the answers to how.
const vectors = "ssh-password-guessed, ssh-password-known, ssh-key, ftp-password, web-exploit, web-upload, web-admin, mail-account, database-exposed, daemon-exploit, open-share, insider, supply-chain"

func (z *quiz) questions() (qs []question) {
	x := &z.t.Expect
	status := x.StatusAny
	if x.Status != "" {
		status = []string{x.Status}
	}
	is := func(want ...string) func(string) bool {
		return func(got string) bool {
			return slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, got) })
		}
	}
	var all []string
	for _, e := range z.d.Entry {
		all = append(all, e.Claims...)
	}
	qs = append(qs, question{text: "What happened: compromised, attacked (tried in vain) or clean?", answer: strings.Join(status, " or "), accepts: is(status...), claims: all})
	for _, e := range x.Entry {
		claims := z.entryClaims(e)
		qs = append(qs, question{text: "How did they get in? One of " + vectors, answer: e.Vector, accepts: is(e.Vector), shown: e.By, claims: claims},
			question{text: "As which account?", answer: e.Account, accepts: is(e.Account), shown: e.By, claims: claims})
		if len(e.Sources) > 0 {
			qs = append(qs, question{text: "From which address?", answer: strings.Join(e.Sources, " "), accepts: is(e.Sources...), shown: e.By, claims: claims})
		}
		qs = append(qs, question{text: "When first, in UTC? (2006-01-02 15:04)", answer: e.First, accepts: near(e.First), shown: e.By, claims: claims})
	}
	if len(x.Entry) > 0 {
		qs = append(qs, question{text: "Was root reached: yes, no, or cannot be known?", answer: rootAnswer(x.Root), accepts: is(rootAnswer(x.Root), strings.Fields(rootAnswer(x.Root))[0])})
	}
	for i, p := range x.Persistence {
		qs = append(qs, question{text: fmt.Sprintf("Which path lets them come back? (%d of %d)", i+1, len(x.Persistence)), answer: p.Mechanism + ": " + p.Path, accepts: func(got string) bool {
			return slices.ContainsFunc(x.Persistence, func(w lab.StayTruth) bool { return w.Path == got })
		}, claims: z.pathClaims(p.Path)})
	}
	for i, a := range x.Altered {
		qs = append(qs, question{text: fmt.Sprintf("What was tampered with? (%d of %d)", i+1, len(x.Altered)), answer: a.Kind + ": " + a.Path, accepts: func(got string) bool {
			return slices.ContainsFunc(x.Altered, func(w lab.AlteredTruth) bool { return w.Path == got })
		}, claims: z.pathClaims(a.Path)})
	}
	for _, i := range x.Impact {
		qs = append(qs, question{text: "What was the server used for: spam, scan, exfiltration, miner, defacement?", answer: i.What + " by " + i.By, accepts: is(i.What)})
	}
	return qs
}

func rootAnswer(b *bool) string {
	switch {
	case b == nil:
		return "cannot be known"
	case *b:
		return "yes"
	}
	return "no"
}

// near takes a time that is right to two minutes.
func near(want string) func(string) bool {
	at, err := time.Parse(time.RFC3339Nano, want)
	return func(got string) bool {
		for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
			if t, err2 := time.Parse(layout, got); err == nil && err2 == nil {
				return t.Sub(at).Abs() <= 2*time.Minute
			}
		}
		return false
	}
}

func (z *quiz) entryClaims(want lab.EntryTruth) []string {
	for _, e := range z.d.Entry {
		if e.Vector == want.Vector && e.Account == want.Account {
			return e.Claims
		}
	}
	return nil
}

func (z *quiz) pathClaims(p string) []string {
	if i := slices.IndexFunc(z.d.Persistence, func(x story.Persistence) bool { return x.Path == p }); i >= 0 {
		return z.d.Persistence[i].Claims
	}
	if i := slices.IndexFunc(z.d.Altered, func(x story.Altered) bool { return x.Path == p }); i >= 0 {
		return z.d.Altered[i].Claims
	}
	return nil
}

func (z *quiz) ask(q question) {
	fmt.Fprintf(z.out, "%s\n> ", q.text)
	line, err := z.in.ReadString('\n')
	if err != nil && line == "" {
		fmt.Fprintln(z.out)
	}
	line = strings.TrimSpace(line)
	switch {
	case line == "":
		fmt.Fprintf(z.out, "The answer: %s\n", q.answer)
	case q.accepts(line):
		z.right++
		fmt.Fprintf(z.out, "Right: %s\n", q.answer)
	default:
		fmt.Fprintf(z.out, "No. The answer: %s\n", q.answer)
	}
	if len(q.shown) > 0 {
		fmt.Fprintf(z.out, "It is shown by: %s\n", strings.Join(q.shown, ", "))
	}
	z.evidence(q.claims)
	fmt.Fprintln(z.out)
}

// evidence shows the words that telltale found for an answer.
func (z *quiz) evidence(claims []string) {
	shown := 0
	for _, c := range z.d.Claims {
		if !slices.Contains(claims, c.ID) || shown == 3 || len(c.For) == 0 {
			continue
		}
		q := c.For[len(c.For)-1]
		fmt.Fprintf(z.out, "  %s\n    %s\n", terminal.Escape(q.Path), terminal.Escape(q.Quote))
		shown++
	}
	if shown == 0 && len(claims) == 0 {
		fmt.Fprintln(z.out, "  (telltale shows no evidence for this)")
	}
}
