package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"telltale/acquire/contain"
)

// defaultLife is long enough to look at what happens, and short enough for one who locked himself out to wait for.
const defaultLife = 30 * time.Minute

type isolateFlags struct {
	allow                             []string
	life                              time.Duration
	untilReleased, confirm, status    bool
	keepSession, keepDHCP, keepDNS    bool
	dryRun, json, lifeSaid, otherSaid bool
}

// isolation is the record of what was done, for --json.
type isolation struct {
	Action  string             `json:"action"` // isolate, dry-run, confirm, status, release
	At      time.Time          `json:"at"`
	Allowed []string           `json:"allowed,omitempty"` // addresses and networks
	DNS     []netip.Addr       `json:"dns,omitempty"`
	DHCP    bool               `json:"dhcp,omitempty"`
	Before  *contain.Situation `json:"before,omitempty"`
	Rules   []contain.RuleText `json:"rules,omitempty"` // as read back from the kernel; as they would be for dry-run
	InForce bool               `json:"in_force"`
	Bridge  bool               `json:"bridge"` // frames between ports of bridges are dropped, too
	Expires *time.Time         `json:"expires,omitempty"`
	Dropped uint64             `json:"dropped_packets"`
	Wrong   []string           `json:"wrong,omitempty"` // where the kernel's table is not as it was laid
	Error   string             `json:"error,omitempty"`
}

func isolateCommand(out, errs io.Writer) *cobra.Command {
	var f isolateFlags
	c := &cobra.Command{
		Use:   "isolate --allow ADDR[/N]...",
		Short: "Cut this machine off the network but for named addresses, for a time",
		Long: `Cut this machine off the network but for named addresses, by the kernel's own filter, with no program of the machine.

It ends by itself after --for, in the kernel, even if this program or the session is killed; --confirm keeps it. A restart
of the machine ends it, and so does "nft flush ruleset", which some firewall services do when they are restarted.

What will be cut and what stays is shown first; --dry-run ends there. The address of your own ssh session is kept, if it can
be found. Connections of allowed addresses go on, all others fall silent, established ones too, and nothing is forwarded.

ARP is not filtered. Whoever is root on this machine can undo it or send past it: a switch, a cable or the
hypervisor's network is the better place to cut.

Exit status: 0 done, 1 error, 2 wrong call.`,
		Example: "  telltale isolate --allow 192.0.2.10 --allow 2001:db8:7::/64 --dry-run\n  telltale isolate --allow 192.0.2.10 --for 30m\n  telltale isolate --confirm\n  telltale release",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			c.Flags().Visit(func(p *pflag.Flag) {
				f.lifeSaid = f.lifeSaid || p.Name == "for"
				f.otherSaid = f.otherSaid || p.Name != "for" && p.Name != "json" && p.Name != "confirm" && p.Name != "status"
			})
			if err := f.check(); err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			switch {
			case f.status:
				return isolateStatus(out, f.json)
			case f.confirm:
				return isolateConfirm(out, f)
			}
			return isolateRun(c.Context(), out, errs, f)
		},
	}
	c.Flags().StringArrayVar(&f.allow, "allow", nil, "address or network that stays in reach; may be repeated; none for nothing but your session")
	c.Flags().DurationVar(&f.life, "for", defaultLife, "how long; with --confirm, how much longer from now on")
	c.Flags().BoolVar(&f.untilReleased, "until-released", false, "no end: until telltale release, or a restart")
	c.Flags().BoolVar(&f.keepSession, "keep-session", true, "allow the address from which your ssh session comes")
	c.Flags().BoolVar(&f.keepDNS, "keep-dns", false, "allow port 53 of the resolvers in the machine's files; a tunnel fits through")
	c.Flags().BoolVar(&f.keepDHCP, "keep-dhcp", false, "let leases be renewed")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be done, and do nothing")
	c.Flags().BoolVar(&f.confirm, "confirm", false, "keep what is in force until it is released, or with --for for that long")
	c.Flags().BoolVar(&f.status, "status", false, "show what is in force")
	c.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	return c
}

func releaseCommand(out io.Writer) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "release",
		Short: "End telltale isolate",
		Long:  "End telltale isolate: take its tables out of the kernel, whatever is in them. Other tables are not touched.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := contain.Release()
			if err != nil {
				return fmt.Errorf("release: %w", err)
			}
			r := isolation{Action: "release", Dropped: s.Dropped}
			if asJSON {
				return r.print(out, nil)
			}
			fmt.Fprintf(out, "Released. %d packets had been dropped.\n", s.Dropped)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (f isolateFlags) check() error {
	switch {
	case f.confirm && f.status:
		return errors.New("--confirm and --status are two things")
	case (f.confirm || f.status) && f.otherSaid:
		return errors.New("--confirm and --status take no other flag but --json, and --confirm takes --for")
	case f.status && f.lifeSaid:
		return errors.New("--status takes no --for")
	case f.lifeSaid && f.untilReleased:
		return errors.New("--for and --until-released contradict each other")
	case f.life == 0:
		return errors.New("--for 0 would never end: say so with --until-released")
	case f.confirm || f.status:
	case len(f.allow) == 0:
		return errors.New("give --allow with the address from which you work, or --allow none")
	}
	p, err := f.plan()
	if err == nil {
		err = p.Check()
	}
	return err
}

// plan gives what the flags alone say.
func (f isolateFlags) plan() (contain.Plan, error) {
	p := contain.Plan{For: f.life, DHCP: f.keepDHCP}
	if f.untilReleased {
		p.For = 0
	}
	for _, a := range f.allow {
		if a == "none" && len(f.allow) == 1 {
			break
		}
		n, err := contain.ParseAllow(a)
		if err != nil {
			return p, fmt.Errorf("--allow %w", err)
		}
		p.Allow = append(p.Allow, n)
	}
	return p, nil
}

func isolateRun(ctx context.Context, out, errs io.Writer, f isolateFlags) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	if f.keepDNS {
		if p.DNS, err = contain.Resolvers(); len(p.DNS) == 0 {
			return fmt.Errorf("--keep-dns: %w", err)
		}
	}
	before := contain.Look(ctx, os.Getenv("SSH_CONNECTION"))
	if s := before.Session; s != nil && f.keepSession && !p.Allows(s.Peer) {
		p.Allow = append(p.Allow, netip.PrefixFrom(s.Peer, s.Peer.BitLen()))
	}
	before.Judge(p)
	r := isolation{Action: "isolate", DNS: p.DNS, DHCP: p.DHCP, Before: &before}
	for _, n := range p.Allow {
		r.Allowed = append(r.Allowed, n.String())
	}
	if !f.json {
		showBefore(out, before, p)
	}
	if f.dryRun {
		r.Action, r.Rules = "dry-run", p.Rules()
		if f.json {
			return r.print(out, nil)
		}
		showRules(out, "Would be laid:", r.Rules)
		fmt.Fprintln(out, "Nothing was done.")
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return isolateLay(out, errs, f, p, r)
}

// isolateLay lays the plan and shows what the kernel gives back.
func isolateLay(out, errs io.Writer, f isolateFlags, p contain.Plan, r isolation) error {
	s, err := contain.Isolate(p)
	if err != nil && !errors.Is(err, contain.ErrUnsure) {
		if f.json {
			r.print(out, err)
		}
		return fmt.Errorf("isolate: %w", err)
	}
	r.take(s)
	if f.json {
		return r.print(out, err)
	}
	showRules(out, "In the kernel, as read back:", s.Rules)
	showEnd(out, s)
	if !s.Bridge {
		fmt.Fprintln(errs, "warning: this kernel has no filter for bridges: frames from port to port of a bridge are not dropped")
	}
	return err
}

func isolateConfirm(out io.Writer, f isolateFlags) error {
	life := time.Duration(0)
	if f.lifeSaid {
		life = f.life
	}
	s, err := contain.Confirm(life)
	if err != nil && !errors.Is(err, contain.ErrUnsure) {
		return fmt.Errorf("confirm: %w", err)
	}
	if f.json {
		r := isolation{Action: "confirm"}
		r.take(s)
		return r.print(out, err)
	}
	showEnd(out, s)
	return err
}

func isolateStatus(out io.Writer, asJSON bool) error {
	s, err := contain.Read()
	if err == nil && s.Present && len(s.Wrong) > 0 {
		err = fmt.Errorf("%w: %s", contain.ErrUnsure, strings.Join(s.Wrong, "; "))
	}
	if err != nil && !errors.Is(err, contain.ErrUnsure) {
		return fmt.Errorf("status: %w", err)
	}
	if asJSON {
		r := isolation{Action: "status"}
		r.take(s)
		return r.print(out, err)
	}
	if s.Present {
		showRules(out, "In the kernel:", s.Rules)
	}
	showEnd(out, s)
	return err
}

// take fills in what was read back from the kernel.
func (r *isolation) take(s contain.State) {
	r.Rules, r.InForce, r.Bridge, r.Dropped, r.Wrong = s.Rules, s.Armed, s.Bridge, s.Dropped, s.Wrong
	r.Allowed, r.DNS, r.DHCP = nil, s.Plan.DNS, s.Plan.DHCP
	for _, n := range s.Plan.Allow {
		r.Allowed = append(r.Allowed, n.String())
	}
	if s.Armed && s.For {
		t := time.Now().Add(s.Left).UTC().Truncate(time.Second)
		r.Expires = &t
	}
}

// print writes the record; an error is in it and is given on.
func (r isolation) print(out io.Writer, err error) error {
	r.At = time.Now().UTC().Truncate(time.Second)
	if err != nil {
		r.Error = err.Error()
	}
	return errors.Join(err, json.NewEncoder(out).Encode(r))
}

// containHint says what may be done about an error of isolate and release.
func containHint(err error) string {
	switch {
	case errors.Is(err, contain.ErrRights):
		return "run it as root; in a container, on the machine itself"
	case errors.Is(err, contain.ErrNoFilter):
		return "it needs Linux 4.1 or later with nf_tables; cut at the switch, the cable or the hypervisor's network instead, or lay blackhole routes by hand"
	case errors.Is(err, contain.ErrInForce):
		return "telltale isolate --status shows it; --confirm --for 2h makes it longer; telltale release ends it"
	case errors.Is(err, contain.ErrNotInForce):
		return "telltale isolate --allow ADDR isolates"
	case errors.Is(err, contain.ErrForeign):
		return "look what it is; telltale release removes it, whoever laid it"
	case errors.Is(err, contain.ErrUnsure):
		return "do not rely on it: somebody may have changed the table; cut at the switch, or telltale release and isolate anew"
	}
	return ""
}
