package tree

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"telltale/lab"
)

// begun is a program of the intruder's that was started and goes on: what is a stand-in waits.
type begun struct {
	path  string
	args  []string
	node  *inode // its file when it was started
	user  *user
	at    time.Time
	pid   int
	visit *visit // the login that started it; nil for cron and for a unit
	unit  string // the unit that it is; "" for none
}

// standIn marks the files that play programs of an intruder.
const standIn = "practice stand-in"

// begins notes that a stand-in was started, if the server's state will be asked for. One that runs already does not start again, as such programs do not.
func (s *server) begins(sh *shell, p string, args []string) *begun {
	n := s.find(p)
	if !s.watched || n.dir() || !bytes.Contains(n.data, []byte(standIn)) || slices.ContainsFunc(s.begun, func(b *begun) bool { return b.path == p && b.user == sh.user }) {
		return nil
	}
	b := &begun{path: p, args: args, node: n, user: sh.user, at: s.clock, pid: s.pids + 1, visit: sh.visit}
	for slices.ContainsFunc(s.begun, func(x *begun) bool { return x.pid == b.pid }) {
		b.pid++
	}
	s.begun = append(s.begun, b)
	return b
}

// unitBegins starts what a unit of the administrator's folder says.
func (s *server) unitBegins(unit string) {
	n := s.find("/etc/systemd/system/" + unit)
	if n == nil || n.dir() {
		return
	}
	for line := range strings.Lines(string(n.data)) {
		if words := strings.Fields(line); len(words) > 0 && strings.HasPrefix(words[0], "ExecStart=") {
			p := strings.TrimPrefix(words[0], "ExecStart=")
			if b := s.begins(&shell{user: s.user("root")}, p, words[1:]); b != nil {
				b.unit = unit
			}
		}
	}
}

// dice gives dice of the state's own, so that a case's logs are the same whether it is watched or not.
func (s *server) dice(use uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.play.Seed^uint64(len(s.play.Truth.Name))<<32, use))
}

// What dice are thrown for.
const (
	diceConnected = iota + 1
	diceTable
	diceScript
)

// connected tells whether a session goes on when the scenario's intruder has typed his last line: of half the servers that are watched, he is there still.
func (s *server) connected(v *visit) bool {
	if !s.watched || s.dice(diceConnected).IntN(2) == 0 || s.foe(v.from) == nil {
		return false
	}
	s.open = append(s.open, v)
	return true
}

// foe gives the intruder of an address, nil for none.
func (s *server) foe(a netip.Addr) *lab.Foe {
	for _, f := range []*lab.Foe{&s.play.Intruder, &s.play.Second} {
		if slices.Contains(f.Addresses, a) || slices.Contains(f.Net, a) {
			return f
		}
	}
	return nil
}

// script tells whether a stand-in is played by its shell, as the file says, or stands for a program of its own, which most are.
func (s *server) script(b *begun) bool { return s.dice(diceScript<<8|uint64(len(b.path))).IntN(3) == 0 }

// gone tells whether a program's file is not at its place any more.
func (s *server) gone(b *begun) bool { return s.find(b.path) != b.node }

// shellOf is what plays stand-ins that are scripts.
const shellOf = "/usr/bin/dash"

// stillRunning gives what of the intruder's runs at the end.
func (s *server) stillRunning() (out []lab.RunningTruth) {
	for _, b := range s.begun {
		r := lab.RunningTruth{Exe: b.path, User: b.user.name, Deleted: s.gone(b)}
		if s.script(b) {
			r.Exe, r.Deleted = shellOf, false
		}
		out = append(out, r)
	}
	return out
}

// look lets the administrator log in from his usual place, to take the state, and a colleague who works at that time.
func (s *server) look(ctx context.Context) (taker *visit, err error) {
	p := s.play
	if who := p.Staff[len(p.Staff)-1]; who.Password != "" {
		if err := s.enters(ctx, lab.Login{From: who.Address, Account: who.Account, Password: who.Password}); err != nil {
			return nil, err
		}
	}
	if err := s.Wait(ctx, 7*time.Minute); err != nil {
		return nil, err
	}
	if err := s.enters(ctx, lab.Login{From: p.Admin.Address, Account: p.Admin.Account, Key: p.Admin.Key}, "sudo -i"); err != nil {
		return nil, err
	}
	s.tick(20 * time.Second)
	return s.open[len(s.open)-1], nil
}

func (s *server) enters(ctx context.Context, l lab.Login, lines ...string) error {
	x, err := s.SSH(ctx, l)
	if err != nil {
		return err
	}
	for _, line := range lines {
		s.tick(4 * time.Second)
		if err := x.Run(ctx, line); err != nil {
			return err
		}
	}
	s.open = append(s.open, x.(*visit))
	return nil
}
