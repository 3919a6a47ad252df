package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sort"
	"time"
)

// Play is a scenario while it is played: the cast, the stage, and the truth that grows.
type Play struct {
	Cast
	Ctx   context.Context
	Rand  *rand.Rand
	Seed  uint64
	Setup Setup
	Stage Stage
	Truth Truth
	tier  Tier
	past  func(*Play) error
}

// Past plays the scenario's ordinary days on a written stage.
func (p *Play) Past(s Stage) error {
	now := p.Stage
	p.Stage = s
	defer func() { p.Stage = now }()
	return p.past(p)
}

// Make plays a scenario by a maker and writes the case, evidence and truth.json, into a folder.
func Make(ctx context.Context, s *Scenario, m Maker, seed uint64, dir string) (t *Truth, err error) {
	r := rand.New(rand.NewPCG(seed, hash(s.Name)))
	p := &Play{Ctx: ctx, Rand: r, Seed: seed, Cast: newCast(r), tier: m.Tier(), past: s.Past}
	p.Setup = s.Setup(p)
	p.Setup.Live = s.Live
	if s.Live && m.Tier() != Container {
		return nil, ErrNotRunning
	}
	p.Truth = Truth{Name: s.Name, Title: s.Title, Question: s.Question, Tier: m.Tier(), Seed: seed, Hostname: p.Setup.Hostname, Zone: p.Setup.Zone,
		Expect: Expect{Entry: []EntryTruth{}, Persistence: []StayTruth{}, Altered: []AlteredTruth{}, Impact: []ImpactTruth{}, Files: []string{}}}
	p.innocent()
	defer func() { err = errors.Join(err, m.Discard()) }()
	if p.Stage, err = m.Begin(ctx, p, p.Setup); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := s.Story(p); err != nil {
		return nil, fmt.Errorf("play %s: %w", s.Name, err)
	}
	if s.Live {
		by := Login{From: p.Admin.Address, Account: p.Admin.Account, Key: p.Admin.Key}
		p.Truth.Evidence, err = p.Stage.(Running).Look(ctx, by, dir)
	} else {
		p.Truth.Evidence, err = m.End(ctx, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("take the evidence: %w", err)
	}
	if d, ok := m.(Disk); ok && !s.Live {
		p.Truth.Expect.Altered = slices.DeleteFunc(p.Truth.Expect.Altered, func(a AlteredTruth) bool { return a.Kind == "timestomped" && !d.Has(a.Path) })
		p.Truth.Expect.Files = slices.DeleteFunc(p.Truth.Expect.Files, func(f string) bool {
			if d.Has(f) {
				return false
			}
			p.Truth.Expect.Gone = append(p.Truth.Expect.Gone, f)
			return true
		})
	}
	p.Truth.Clock = m.Clock()
	sort.SliceStable(p.Truth.Acts, func(i, j int) bool { return p.Truth.Acts[i].Start < p.Truth.Acts[j].Start })
	return &p.Truth, p.Truth.Write(dir + "/truth.json")
}

func hash(s string) (h uint64) {
	h = 14695981039346656037
	for _, c := range []byte(s) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// innocent takes down who must not be accused; a scenario whose intruder uses an account or an address of these calls Guilty.
func (p *Play) innocent() {
	m := &p.Truth.MustNot
	m.Accounts, m.Addresses, m.Files = []string{}, []string{}, []string{}
	for _, a := range p.Setup.Accounts {
		m.Accounts = append(m.Accounts, a.Name)
		if len(a.Keys) > 0 {
			m.Files = append(m.Files, "/home/"+a.Name+"/.ssh/authorized_keys")
		}
	}
	for _, a := range append([]Person{p.Cast.Admin}, append(p.Staff, p.Visitors...)...) {
		m.Addresses = append(m.Addresses, a.Address.String())
	}
	for _, a := range p.Scanners {
		m.Addresses = append(m.Addresses, a.Address.String())
	}
	for _, a := range p.Guessers {
		m.Addresses = append(m.Addresses, a.String())
	}
	for _, f := range p.Setup.Files {
		m.Files = append(m.Files, f.Path)
	}
}

// Guilty takes accounts, addresses and files off the list of the innocent: the intruder has them, too.
func (p *Play) Guilty(names ...string) {
	m := &p.Truth.MustNot
	for _, list := range []*[]string{&m.Accounts, &m.Addresses, &m.Files} {
		kept := (*list)[:0]
		for _, x := range *list {
			if !contains(names, x) {
				kept = append(kept, x)
			}
		}
		*list = kept
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Stamp writes a time as the truth does.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Act does a thing and takes down who did it and when.
func (p *Play) Act(kind, by, account string, src netip.Addr, what string, do func() error) error {
	a := Act{Kind: kind, By: by, Account: account, What: what, Start: Stamp(p.Stage.Now())}
	if src.IsValid() {
		a.Src = src.String()
	}
	err := do()
	a.End = Stamp(p.Stage.Now())
	p.Truth.Acts = append(p.Truth.Acts, a)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Pause lets a person's time pass, about so many seconds.
func (p *Play) Pause(seconds float64) error {
	return p.Stage.Wait(p.Ctx, time.Duration(seconds*(0.6+0.8*p.Rand.Float64())*float64(time.Second)))
}

// realTries is how many wrong passwords a real stage tries of one list.
const realTries = 8

// Refused tries passwords that are wrong.
func (p *Play) Refused(by string, from netip.Addr, account string, passwords ...string) error {
	if !p.Stage.Written() && len(passwords) > realTries { // each takes seconds
		passwords = passwords[:realTries]
	}
	for _, w := range passwords {
		err := p.Act("ssh_guess", by, account, from, "tries "+account+" with "+w+": refused", func() error {
			s, err := p.Stage.SSH(p.Ctx, Login{From: from, Account: account, Password: w})
			if err == nil {
				return errors.Join(errors.New("the password was accepted"), s.Close(p.Ctx))
			}
			if errors.Is(err, ErrRefused) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := p.Pause(1.2); err != nil {
			return err
		}
	}
	return nil
}

// Visit logs in by ssh, types lines as a person does, and leaves. The line ":cron" waits for cron, ":stay" stays a while.
func (p *Play) Visit(by, what string, l Login, lines ...string) error {
	return p.Act("ssh_login", by, l.Account, l.From, what, func() error {
		s, err := p.Stage.SSH(p.Ctx, l)
		if err != nil {
			return err
		}
		as := l.Account
		for _, line := range lines {
			if err := p.Pause(2); err != nil {
				return errors.Join(err, s.Close(p.Ctx))
			}
			var err error
			switch line {
			case ":cron":
				err = p.Stage.Cron(p.Ctx)
			case ":stay":
				err = p.Stage.Wait(p.Ctx, time.Duration(200+p.Rand.IntN(900))*time.Second)
			default:
				err = p.Act("command", by, as, l.From, line, func() error { return s.Run(p.Ctx, line) })
			}
			if err != nil {
				return errors.Join(err, s.Close(p.Ctx))
			}
			switch line {
			case "sudo -i", "sudo su -", "su -":
				as = "root"
			case "exit":
				as = l.Account
			}
		}
		if err := p.Pause(1.5); err != nil {
			return errors.Join(err, s.Close(p.Ctx))
		}
		return s.Close(p.Ctx)
	})
}

// Get asks the web server for something and takes it down as an act.
func (p *Play) Get(kind, by, what string, r Request) (status int, err error) {
	err = p.Act(kind, by, "", r.From, what, func() error { status, err = p.Stage.HTTP(p.Ctx, r); return err })
	return status, err
}

// First gives the time of the act that was taken down last and whose description holds what: the start of a way in.
func (p *Play) First(what string) string {
	from, _, err := p.Truth.ActOf(what)
	if err != nil {
		return ""
	}
	return Stamp(from)
}

// Entered adds a way in to the truth.
func (p *Play) Entered(vector, account, firstAct string, shown []string, sources ...netip.Addr) {
	e := EntryTruth{Vector: vector, Account: account, First: p.First(firstAct), FirstAct: firstAct, Tolerance: 5, Shown: Shown{By: shown}}
	for _, s := range sources {
		e.Sources = append(e.Sources, s.String())
	}
	p.Truth.Expect.Entry = append(p.Truth.Expect.Entry, e)
	p.Guilty(append([]string{account}, e.Sources...)...)
}

// Left adds a way to come back.
func (p *Play) Left(mechanism, path, as string) {
	p.Truth.Expect.Persistence = append(p.Truth.Expect.Persistence, StayTruth{Mechanism: mechanism, Path: path, As: as})
	p.Guilty(path)
}

// Altered adds something tampered with.
func (p *Play) Altered(kind, path string) {
	p.Truth.Expect.Altered = append(p.Truth.Expect.Altered, AlteredTruth{Path: path, Kind: kind})
}

// Root says whether root was reached.
func (p *Play) Root(reached bool) { p.Truth.Expect.Root = &reached }
