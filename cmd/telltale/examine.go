package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	artall "telltale/artifact/all"
	"telltale/casefile"
	"telltale/detect/advisories"
	detall "telltale/detect/all"
	"telltale/detect/complaint"
	"telltale/detect/sigma"
	"telltale/examine"
	"telltale/internal/mmdb"
	"telltale/report"
	repall "telltale/report/all"
	"telltale/report/terminal"
	"telltale/story"
)

type examineFlags struct {
	caseDir            string
	json, full, quiet  bool
	remote             []string
	since, until, zone string
	rules, keys        []string
	identity, signer   []string
	baseline           string
	known              []string
	abuse, mmdb        []string
	goal               string
	advisories         []string
	db                 *advisories.Database // what was read of them
}

func examineCommand(out, errs io.Writer) *cobra.Command {
	var f examineFlags
	c := &cobra.Command{
		Use:   "examine EVIDENCE...",
		Short: "Examine evidence and say how they got in",
		Long: `Examine evidence of a server and say how they got in.

EVIDENCE is any number of: a disk image (raw, split, E01, Ex01, qcow2, VMDK, VHD, VHDX, VDI) with partitions, volumes or a bare
filesystem on it (ext2, ext3, ext4, XFS, btrfs), a folder with a server's files or only its logs, a tar or zip archive of them, single
log files; each also compressed by gzip, xz, zstd, bzip2 or lz4, and encrypted by age; a collection that telltale live took. What it is, is told by its content. It is opened for reading only. Disks that
belong to one RAID or volume group are given together. Segments, extents and parents of an image are looked for beside it.

The case is a new folder with the report (report.html, report.json, report.md, report.txt), what other tools read of it (stix.json,
navigator.json, indicators.csv), what can be sent to the networks of the intruder (abuse.txt), and the record of what was done. With --goal legal it
holds the quoted evidence, too, as numbered files.

Exit status: 0 ran to the end, 1 error, 2 wrong call, 3 ran but some evidence could not be read.`,
		Example: "  telltale examine disk.img.zst\n  telltale examine --case /mnt/usb/case1 server.tar.gz --remote-logs loghost/web1",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return examineRun(c.Context(), out, errs, f, args)
		},
	}
	c.Flags().StringVar(&f.caseDir, "case", "", "folder of the case, new or empty (default telltale-case-TIME here)")
	c.Flags().BoolVar(&f.json, "json", false, "print report.json instead of text")
	c.Flags().BoolVar(&f.full, "full", false, "print everything, not only the first screen")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	c.Flags().StringArrayVar(&f.remote, "remote-logs", nil, "folder, archive or file: a remote log server's copy of this host's logs")
	c.Flags().StringArrayVar(&f.rules, "rules", nil, "folder of rules in Sigma's form (*.yml) to hold the events against, beside our own")
	c.Flags().StringArrayVar(&f.advisories, "advisories", nil, advisoriesUsage)
	c.Flags().StringArrayVar(&f.keys, "key-file", nil, "file with the passphrase or key of an encrypted volume; without one it is asked for at the terminal")
	c.Flags().StringArrayVar(&f.identity, "identity", nil, identityUsage)
	c.Flags().StringArrayVar(&f.signer, "signer", nil, signerUsage)
	c.Flags().StringVar(&f.baseline, "baseline", "", "folder, archive or image of the same system, known to be good: programs are compared with it")
	c.Flags().StringArrayVar(&f.known, "known", nil, "list of digests of files known to be good (MD5, SHA-1 or SHA-256, one a line; NSRLFile.txt), or a Bloom filter of hashlookup (hashlookup-full.bloom)")
	c.Flags().StringArrayVar(&f.abuse, "abuse", nil, abuseUsage)
	c.Flags().StringArrayVar(&f.mmdb, "mmdb", nil, "database of networks and countries in MaxMind's form (GeoLite2, DB-IP, IPinfo); may be given again")
	c.Flags().StringVar(&f.goal, "goal", report.RootCause, goalUsage)
	c.Flags().StringVar(&f.since, "since", "", "leave out what logs tell of before (2006-01-02 or RFC 3339)")
	c.Flags().StringVar(&f.until, "until", "", "leave out what logs tell of after")
	c.Flags().StringVar(&f.zone, "zone", "", "zone of logs that name none, where the evidence does not say (Europe/Berlin)")
	return c
}

// options gives what an examination is told, and what has to be closed behind it.
func (f *examineFlags) options(ctx context.Context, args []string) (o examine.Options, done io.Closer, err error) {
	rules, err := rulesOf(f.rules)
	if err != nil {
		return o, nil, err
	}
	if f.db, err = advisoriesOf(ctx, f.advisories); err != nil {
		return o, nil, err
	}
	o = examine.Options{Evidence: args, RemoteLogs: f.remote, Artifacts: artall.Artifacts(), Log: slog.New(slog.DiscardHandler), Baseline: f.baseline, Secret: secrets(f.keys)}
	if o.Identities, err = identities(f.identity); err != nil {
		return o, nil, err
	}
	if o.Signers, err = signers(f.signer); err != nil {
		return o, nil, err
	}
	if o.Known, err = examine.LoadKnown(ctx, f.known); err != nil {
		return o, nil, fmt.Errorf("%w: --known: %w", errUsage, err)
	}
	if err := span(&o, f.since, f.until, f.zone); err != nil {
		return o, nil, err
	}
	if o.Complaints, err = complaints(f.abuse, o.Zone); err != nil {
		return o, nil, err
	}
	o.Detections = detall.For(detall.Asked{Rules: rules, Advisories: f.db, Complaints: o.Complaints})
	networks, err := mmdb.Open(f.mmdb)
	if err != nil {
		return o, nil, fmt.Errorf("%w: --mmdb: %w", errUsage, err)
	}
	if networks != nil {
		o.Network = func(address string) story.Network { return story.Network(networks.Lookup(address)) }
	}
	return o, closers{networks, o.Known}, nil
}

// closers are what stays open while evidence is examined.
type closers []io.Closer

// Close closes them all.
func (c closers) Close() (err error) {
	for _, x := range c {
		err = errors.Join(err, x.Close())
	}
	return err
}

func examineRun(ctx context.Context, out, errs io.Writer, f examineFlags, args []string) error {
	o, opened, err := f.options(ctx, args)
	if err != nil {
		return err
	}
	defer opened.Close()
	if f.goal, err = goalOf(f.goal, report.RootCause); err != nil {
		return err
	}
	started := time.Now()
	custody := custodyOf(started, append([]string{"examine"}, os.Args[min(2, len(os.Args)):]...))
	if f.goal == report.Legal {
		custody.SHA256 = ownDigest()
	}
	if f.caseDir == "" {
		f.caseDir = "telltale-case-" + started.UTC().Format("20060102T150405Z")
	}
	if err := outside(f.caseDir, append([]string{f.baseline}, args...)); err != nil {
		return err
	}
	k, err := casefile.Create(f.caseDir, custody)
	if err != nil {
		return err
	}
	o.Spool = k.Spool()
	p := newProgress(errs, f.quiet)
	o.Progress = p
	res, err := examine.Run(ctx, o)
	p.done()
	if err != nil {
		return errors.Join(err, abandon(ctx, k, res))
	}
	d := document(res, k.Manifest().Custody, started)
	tellAdvisories(d, f.db)
	if err := forGoal(d, f.goal, k); err != nil {
		return err
	}
	if err := writeAll(k, d); err != nil {
		return err
	}
	if err := k.Finish(res.Sources, time.Now(), true); err != nil {
		return err
	}
	if err := show(out, d, f, k); err != nil {
		return err
	}
	if len(res.Damage) > 0 {
		return fmt.Errorf("%w: %d places, told in the report", errUnreadable, len(res.Damage))
	}
	return nil
}

// abuseUsage is the help of --abuse.
const abuseUsage = `a complaint: "TIME, OUR ADDRESS, THEIR ADDRESS OR RECIPIENT", any of them, or a file with the complaint or the offending mail`

// complaints reads what somebody outside complains of: words, or a file.
func complaints(words []string, zone *time.Location) (out []complaint.Complaint, err error) {
	for _, w := range words {
		if st, err := os.Stat(w); err == nil && st.Mode().IsRegular() {
			if st.Size() > complaint.MaxText {
				return nil, fmt.Errorf("%w: --abuse %q: %d bytes, more than a complaint has (%d)", errUsage, w, st.Size(), complaint.MaxText)
			}
			b, err := readSmall(w)
			if err != nil {
				return nil, fmt.Errorf("%w: --abuse: %w", errUsage, err)
			}
			w = string(b)
		}
		c, err := complaint.Parse(w, zone)
		if err != nil {
			return nil, fmt.Errorf("%w: --abuse: %w; write for example \"2024-03-14 02:15 +0100, 203.0.113.7, victim@example.org\"", errUsage, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// rulesOf reads folders of rules. A folder that is not there, or holds none, is a wrong call; a rule that cannot be used is told in the report.
func rulesOf(dirs []string) (out []*sigma.Rules, err error) {
	for _, dir := range dirs {
		root, err := os.OpenRoot(dir) // links out of the folder are not followed
		if err != nil {
			return nil, fmt.Errorf("%w: --rules: %w", errUsage, err)
		}
		rs, err := sigma.Load(root.FS())
		root.Close()
		if err != nil {
			return nil, fmt.Errorf("%w: --rules %q: %w", errUsage, dir, err)
		}
		if len(rs.List)+len(rs.Refused)+len(rs.Absent) == 0 {
			return nil, fmt.Errorf("%w: --rules %q: no *.yml or *.yaml below it", errUsage, dir)
		}
		out = append(out, rs)
	}
	return out, nil
}

// abandon ends a case that gave no answer: an interrupted one is kept as such, one without evidence goes away.
func abandon(ctx context.Context, k *casefile.Case, res *examine.Result) error {
	if ctx.Err() == nil {
		return k.Discard()
	}
	return k.Finish(res.Sources, time.Now(), false)
}

// outside refuses a case within a folder of evidence: examining must not write there.
func outside(dir string, evidence []string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(real, filepath.Base(abs))
	}
	for _, e := range evidence {
		st, err := os.Stat(e)
		if err != nil || !st.IsDir() {
			continue
		}
		root, err := filepath.Abs(e)
		if err != nil {
			return err
		}
		if real, err := filepath.EvalSymlinks(root); err == nil {
			root = real
		}
		if rel, err := filepath.Rel(root, abs); err == nil && filepath.IsLocal(rel) {
			return fmt.Errorf("%w: the case %q would lie within the evidence %q; give another --case", errUsage, dir, e)
		}
	}
	return nil
}

func document(res *examine.Result, c []casefile.Custody, started time.Time) *report.Document {
	d := &report.Document{Schema: report.Schema, Tool: report.Tool{Name: "telltale", Version: version()}, Made: started.UTC().Format(time.RFC3339), Goal: report.RootCause,
		Hosts: res.Hosts, Sources: res.Sources, Story: res.Story, Coverage: res.Coverage, Clocks: res.Clocks, Rules: res.Rules, Recovery: res.Recovery, Removed: res.Removed, Damage: res.Damage, Custody: c}
	if d.Coverage == nil {
		d.Coverage = []casefile.Coverage{}
	}
	if d.Recovery == nil {
		d.Recovery = []casefile.Recovery{}
	}
	if d.Removed == nil {
		d.Removed = []casefile.Removed{}
	}
	if d.Damage == nil {
		d.Damage = []casefile.Damage{}
	}
	d.Custody[len(d.Custody)-1].Ended = time.Now().UTC().Format(time.RFC3339)
	return d
}

func writeAll(k *casefile.Case, d *report.Document) error {
	for _, f := range repall.Formats() {
		var b bytes.Buffer
		if err := f.Write(&b, d); err != nil {
			return fmt.Errorf("write %s: %w", f.File, err)
		}
		if err := k.Write(f.File, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func show(out io.Writer, d *report.Document, f examineFlags, k *casefile.Case) error {
	if f.json {
		_, err := io.Copy(out, mustOpen(k.Path(casefile.ReportName)))
		return err
	}
	return terminalReport(out, d, f.full, filepath.Join(k.Dir(), "report.html"))
}

// terminalReport prints the answer for a person; where tells where the whole report lies, "" for nowhere.
func terminalReport(out io.Writer, d *report.Document, full bool, where string) error {
	colour, width := false, 100
	if t, ok := out.(*os.File); ok && term.IsTerminal(int(t.Fd())) && os.Getenv("NO_COLOR") == "" {
		colour = true
		if w, _, err := term.GetSize(int(t.Fd())); err == nil && w > 40 {
			width = w
		}
	}
	return terminal.Write(out, d, terminal.Options{Colour: colour, Full: full, Width: width, Case: where})
}

func mustOpen(p string) io.Reader {
	f, err := os.Open(p)
	if err != nil {
		return &failing{err}
	}
	return f
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func custodyOf(started time.Time, args []string) casefile.Custody {
	host, _ := os.Hostname()
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	zone, _ := started.Zone()
	return casefile.Custody{Tool: "telltale", Version: version(), Command: args, Started: started.UTC().Format(time.RFC3339), Machine: host, User: name, Clock: zone}
}

func zoneOf(s string) (*time.Location, error) {
	if s == "" {
		return nil, nil
	}
	l, err := time.LoadLocation(s)
	if err != nil {
		return nil, fmt.Errorf("%w: --zone %q: %w", errUsage, s, err)
	}
	return l, nil
}

// span sets the time that is asked about, and the zone of logs that name none.
func span(o *examine.Options, since, until, zone string) (err error) {
	if o.Zone, err = zoneOf(zone); err != nil {
		return err
	}
	if o.Since, err = timeOf(since, o.Zone, false); err != nil {
		return err
	}
	o.Until, err = timeOf(until, o.Zone, true)
	return err
}

// timeOf reads a day or an instant; a day as an end means its end.
func timeOf(s string, zone *time.Location, end bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if zone == nil {
		zone = time.UTC
	}
	for _, form := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(form, s, zone); err == nil {
			if end && form == "2006-01-02" {
				t = t.AddDate(0, 0, 1).Add(-time.Second)
			}
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %q is no time; write 2024-01-31, \"2024-01-31 23:59\" or RFC 3339", errUsage, s)
}
