package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"telltale/acquire/contain"
	"telltale/report/terminal"
)

func showBefore(out io.Writer, s contain.Situation, p contain.Plan) {
	say := func(head string, list []string) {
		if len(list) > 0 {
			fmt.Fprintf(out, "%s\n", head)
		}
		for _, x := range list {
			fmt.Fprintf(out, "  %s\n", terminal.Escape(x))
		}
	}
	switch {
	case s.Session == nil:
		fmt.Fprintln(out, "Your session: no ssh session was found that this runs in; only what --allow names is kept.")
	case p.Allows(s.Session.Peer):
		fmt.Fprintf(out, "Your session: from %v, kept: %s.\n", s.Session.Peer, terminal.Escape(s.Session.By))
	default:
		fmt.Fprintf(out, "Your session: from %v, WILL BE CUT, as it is in no --allow: %s.\n", s.Session.Peer, terminal.Escape(s.Session.By))
	}
	var cut, stay []string
	for _, c := range s.Connections {
		line := fmt.Sprintf("%-4s %v - %v %s", c.Protocol, c.Local, c.Remote, c.State)
		if c.PID != 0 {
			line += fmt.Sprintf(", PID %d (%s)", c.PID, c.Program)
		}
		if c.Stays {
			stay = append(stay, line)
		} else {
			cut = append(cut, line)
		}
	}
	say("Connections (TCP, and UDP with a peer) that will be cut:", cut)
	say("Connections that stay:", stay)
	if len(cut) == 0 {
		fmt.Fprintln(out, "No connection is seen that will be cut.")
	}
	for _, a := range p.DNS {
		stay := "DNS is kept to the resolver " + a.String() + ", which the machine's files name."
		fmt.Fprintln(out, stay)
	}
	say("Tables of others in nf_tables, which stay in force beside it:", s.Tables)
	say("Tables of the older iptables, which stay in force beside it:", s.Legacy)
	say("NOT covered:", s.NotCovered)
	if s.OtherNet {
		fmt.Fprintln(out, "NOT covered: this runs in a network namespace of its own; the machine's first one is not cut.")
	}
	say("Could not be looked at:", s.Unseen)
}

// showRules shows rules that are the same in several chains once.
func showRules(out io.Writer, head string, list []contain.RuleText) {
	fmt.Fprintln(out, head)
	var order []string
	chains := map[string][]string{}
	for _, r := range list {
		at := r.Family + " " + r.Chain
		if chains[r.Text] == nil {
			order = append(order, r.Text)
		}
		if n := len(chains[r.Text]); n == 0 || chains[r.Text][n-1] != at {
			chains[r.Text] = append(chains[r.Text], at)
		}
	}
	for _, t := range order {
		fmt.Fprintf(out, "  %-36s %s\n", terminal.Escape(t), terminal.Escape(strings.Join(chains[t], ", ")))
	}
}

func showEnd(out io.Writer, s contain.State) {
	switch {
	case !s.Present:
		fmt.Fprintln(out, "Not isolated.")
	case !s.Armed:
		fmt.Fprintln(out, "Not isolated any more: its time is over. The table is still there and lets everything through; telltale release removes it.")
	case s.For:
		end := time.Now().Add(s.Left).UTC()
		fmt.Fprintf(out, "Isolated until %s (%v). Then it ends by itself, unless: telltale isolate --confirm\n", end.Format("2006-01-02 15:04:05Z"), s.Left.Round(time.Second))
	default:
		fmt.Fprintln(out, "Isolated until telltale release, or a restart of the machine.")
	}
	if s.Armed && s.Dropped > 0 {
		fmt.Fprintf(out, "%d packets were dropped.\n", s.Dropped)
	}
}
