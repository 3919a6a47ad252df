// Package tree is the lab's written tier: a server whose files, logs and times are written by the formats of their
// daemons. It needs no rights and takes seconds; what it lacks are the daemons' own surprises, deleted inodes
// and a journal.
package tree

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"telltale/lab"
)

// Maker makes written cases.
type Maker struct {
	s    *server
	play *lab.Play
	tar  bool
	// without are the kinds of sources that the evidence lacks.
	without []string
}

// New gives a maker. Its evidence is an ext4 image where mkfs.ext4 and debugfs are at hand, else, or where archive
// is asked for, a tar archive.
func New(archive bool) *Maker { return &Maker{tar: archive || !hasExt4()} }

// Tier gives the tier.
func (*Maker) Tier() lab.Tier { return lab.Tree }

// Clock says how the times were made.
func (*Maker) Clock() string {
	return "written: every time, of files and logs, is the case's own; no daemon ran, nothing was installed"
}

// Begin writes the server and lets it start.
func (m *Maker) Begin(_ context.Context, p *lab.Play, setup lab.Setup) (lab.Stage, error) {
	setup.RemoteLogs = setup.RemoteLogs || slices.Contains(m.without, "server") || slices.Contains(m.without, "disk")
	s, err := build(p, setup, func(r *rand.Rand) time.Time {
		return time.Date(2023, 2, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, r.IntN(900)).Add(time.Duration(r.IntN(36_000_000)) * time.Millisecond)
	})
	if err != nil {
		return nil, err
	}
	s.clock = s.clock.AddDate(0, 0, 25+s.rand.IntN(60)).Truncate(24 * time.Hour).Add(time.Duration(5*3600+s.rand.IntN(7200)) * time.Second)
	s.boot()
	s.watched = slices.Contains(m.without, "disk")
	m.s, m.play = s, p
	return s, nil
}

// build writes a server that was installed then, and was not started yet.
func build(p *lab.Play, setup lab.Setup, installed func(*rand.Rand) time.Time) (*server, error) {
	zone, err := time.LoadLocation(setup.Zone)
	if err != nil {
		return nil, fmt.Errorf("%w: install tzdata", err)
	}
	s := &server{setup: setup, play: p, zone: zone, rand: rand.New(rand.NewPCG(p.Seed, uint64(len(setup.Hostname)))), logs: map[string]*inode{}, users: map[string]*user{}, offers: map[string][]byte{}, daemons: map[string]int{}}
	s.clock = installed(s.rand)
	s.files = newFiles(s.Now)
	if setup.RemoteLogs {
		s.remote = &strings.Builder{}
	}
	return s, s.build()
}

// End writes the evidence into a folder.
func (m *Maker) End(ctx context.Context, dir string) ([]string, error) {
	if m.s == nil {
		return nil, fmt.Errorf("no server was begun")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var taker *visit
	if m.s.watched {
		var err error
		if taker, err = m.watch(ctx); err != nil {
			return nil, err
		}
	}
	if r := m.s.remote; r != nil && !slices.Contains(m.without, "remote") {
		m.play.Truth.Remote = "remote"
		if err := os.MkdirAll(filepath.Join(dir, "remote"), 0o755); err != nil {
			return nil, err
		}
		log := filepath.Join(dir, "remote", m.s.setup.Hostname+".log")
		if err := errors.Join(os.WriteFile(log, []byte(r.String()), 0o644), os.Chtimes(log, m.s.clock, m.s.clock)); err != nil { // it came as it was
			return nil, err
		}
	}
	if m.s.watched {
		return []string{stateName}, m.s.writeState(filepath.Join(dir, stateName), taker)
	}
	m.s.lack(m.without)
	if slices.Contains(m.without, "server") {
		m.play.Truth.Remote = ""
		return []string{"remote"}, nil
	}
	if m.tar {
		return []string{"evidence.tar.gz"}, m.s.archive(filepath.Join(dir, "evidence.tar.gz"))
	}
	return []string{"evidence.img"}, m.s.image(ctx, filepath.Join(dir, "evidence.img"))
}

// Discard has nothing to undo: nothing but files in the case's folder was made.
func (m *Maker) Discard() error { m.s = nil; return nil }
