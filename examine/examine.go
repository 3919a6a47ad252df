// Package examine runs the stages over a case in their order: open the evidence, walk
// each host once, read its traces oldest first, let the detections see every event, ask
// for the story. It keeps the coverage: what was read, what was passed over, what was
// damaged and why. All that runs at the same time runs here; parsers and detections are sequential.
package examine

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sort"
	"time"

	"filippo.io/age"

	"telltale/artifact"
	"telltale/casefile"
	"telltale/detect"
	"telltale/detect/complaint"
	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/story"
)

// Options of Run.
type Options struct {
	Evidence   []string
	Live       func(host.Options) (*host.Input, error) // opens the running machine; nil: none is examined
	RemoteLogs []string                                // folders or archives that a remote log server kept of the same host
	Spool      string                                  // folder for unpacked evidence
	Since      time.Time
	Until      time.Time
	Zone       *time.Location
	Artifacts  []*artifact.Artifact
	Detections []*detect.Detection
	Secret     func(what string, try int) ([]byte, error) // for encrypted volumes, as volume.Options has it; may be nil
	Identities []age.Identity                             // open evidence that is encrypted by age
	Signers    []ed25519.PublicKey                        // by one of which a collection must be signed; none for any
	Log        *slog.Logger
	Progress   Progress // may be nil
	Quick      bool     // of the running machine, only its state and what stands on it: no logs, no digests
	FilesOnly  bool     // only walk: read no logs
	Timeline   Timeline // is shown all files and events; may be nil
	Complaints []complaint.Complaint
	Network    func(address string) story.Network // what a database of networks says; nil for none
	Baseline   string                             // a folder, archive or image of the same system, known to be good; "" for none
	Partial    time.Duration                      // how long to go on when the context is done, to answer with what was read until then; 0: no answer
	Known      *Known                             // digests of files known to be good; nil for none
}

// Progress is told what is being done.
type Progress interface {
	Stage(what string)
	Bytes(done, total int64)
}

// Timeline is shown everything that is read, as it is read: what it is given is valid only during the call.
type Timeline interface {
	Again() error // what was shown so far is void: the evidence is read once more, with its clocks set right
	Entry(h *host.Host, e *host.Entry) error
	Deleted(h *host.Host, path string, r *filesystem.Recovered) error
	Event(*event.Event) error
}

// Result is what Run found.
type Result struct {
	Hosts    []casefile.Host
	Sources  []casefile.Source
	Coverage []casefile.Coverage
	Clocks   []casefile.Clock
	Damage   []casefile.Damage
	Rules    casefile.Rules
	Recovery []casefile.Recovery
	Removed  []casefile.Removed
	Story    story.Story
	Events   int64
}

// ErrNothing says that none of the evidence could be examined.
var ErrNothing = errors.New("none of the evidence could be examined")

// run is one run of the stages.
type run struct {
	o       Options
	ctx     context.Context
	inputs  []*host.Input
	res     *Result
	folds   []fold
	wants   [256][]detect.Fold
	wanted  [256]bool // by kind: whether wants has any
	hosts   []*seenHost
	jobs    int
	event   event.Event // the one being shown
	latest  time.Time   // the latest time told by a log that has years
	hashing []*hashed
	refused map[string]int
	pump    *pump
	again   bool                  // the logs have to be read once more, with times set right
	zones   map[daemonLog]ownZone // of daemons that live elsewhere than their host
	daemons *daemons              // nil in the second reading, and where there is nothing to compare
	clocks  []casefile.Clock      // what was found of daemons' zones
	witness *witnesses            // nil where there is but one clock
	rhythms []rhythm              // of the logs that carry what programs say
	marks   []mark                // what explains that logs are silent
	failed  error                 // of the timeline
	cancel  context.CancelFunc
	dug     bool // deleted files were looked for
	graves  []grave
	buried  []burial
	base    *baseline // nil for none
}

type fold struct {
	d *detect.Detection
	f detect.Fold
}

// seenHost is a host with what the walk found on it.
type seenHost struct {
	*host.Host
	id     string
	source *casefile.Source
	owners *host.Owners
	jobs   []*job
	kernel string
	boot   evidence.Time
	number int // in the order of hosts
	look   looker
	passed []string // mounts that were not entered
	verify *verifier
	seer   *secretSeer
}

// Run examines the evidence.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &run{o: o, res: &Result{}, refused: map[string]int{}}
	r.ctx, r.cancel = context.WithCancel(ctx)
	defer func() { r.cancel() }()
	defer r.close()
	if r.cutShort(ctx) {
		r.goOn(ctx)
	}
	if err := r.open(); err != nil {
		return r.res, err
	}
	defer r.sparing()()
	var err error
	if ctx.Err() == nil {
		err = r.read()
	}
	cut := r.cutShort(ctx)
	if cut {
		r.goOn(ctx)
		r.rescue()
	} else if err != nil {
		return r.res, errors.Join(r.failed, err)
	}
	r.finish()
	if err := r.hashes(); err != nil {
		return r.res, err
	}
	r.stage("reasoning")
	fs := r.findings()
	r.res.Story = story.Build(r.ctx, fs, r.setting())
	r.covers()
	if cut {
		r.unfinished()
	}
	return r.res, ctx.Err()
}

func (r *run) stage(s string) {
	if r.o.Progress != nil {
		r.o.Progress.Stage(s)
	}
}

func (r *run) close() {
	for _, in := range r.inputs {
		in.Close()
	}
	r.base.close()
}

// maxDamage bounds the damage that is told one by one.
const maxDamage = 2000

func (r *run) damage(d evidence.Damage) {
	switch n := len(r.res.Damage); {
	case n == maxDamage:
		d.Reason = "more damage than is told one by one"
	case n > maxDamage:
		return
	}
	r.res.Damage = append(r.res.Damage, casefile.Damage{Ref: casefile.Ref{Source: d.Ref.Source, Path: printable(d.Ref.Path), Offset: d.Ref.Off, Length: d.Ref.Len}, Reason: printable(d.Reason)})
}

// read walks the hosts and reads their traces; twice, if the first time shows that a clock has to be set right before anything is joined.
func (r *run) read() error {
	told := len(r.res.Damage)
	if err := r.pass(); err != nil {
		return err
	}
	if r.witness != nil && r.witness.compare(r.hosts) {
		r.again = true
	}
	zones, clocks := r.daemons.compare(r.hosts)
	r.daemons, r.clocks = nil, clocks
	if len(zones) > 0 {
		if r.zones == nil {
			r.zones = map[daemonLog]ownZone{}
		}
		maps.Copy(r.zones, zones)
		r.again = true
	}
	if !r.again {
		return nil
	}
	if r.o.Timeline != nil {
		if err := r.o.Timeline.Again(); err != nil {
			return err
		}
	}
	r.folds, r.wants, r.refused = nil, [256][]detect.Fold{}, map[string]int{}
	r.res.Coverage, r.res.Damage, r.res.Events = nil, r.res.Damage[:told], 0
	r.jobs, r.latest = 0, time.Time{}
	r.rhythms, r.marks = nil, nil
	for _, h := range r.hosts {
		h.jobs, h.kernel, h.boot, h.look, h.passed = nil, "", evidence.Time{}, looker{}, nil
	}
	return r.pass()
}

func (r *run) pass() error {
	r.prepare()
	r.pump = newPump(&r.wants)
	defer func() {
		for _, f := range r.pump.close() {
			r.damage(evidence.Damage{Reason: f.Error()})
		}
	}()
	for _, h := range r.hosts {
		r.stage("walking " + h.label())
		if err := r.walk(h); err != nil {
			return err
		}
		if r.o.FilesOnly || r.o.Quick {
			continue
		}
		if err := r.verify(h); err != nil {
			return err
		}
	}
	if r.o.FilesOnly {
		return r.digFiles()
	}
	if r.o.Quick {
		r.onlyState()
	}
	r.order()
	if r.witness == nil {
		r.witness = newWitnesses(r.hosts)
	}
	if !r.again {
		r.daemons = newDaemons(r.hosts)
	}
	if err := r.dig(); err != nil {
		return err
	}
	for i, h := range r.hosts {
		h.number = i
		for _, j := range h.jobs {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			r.stage("reading " + j.entry.Path)
			j.begun = true
			r.parse(h, j)
		}
	}
	r.exhume()
	r.deleted()
	r.heartbeats()
	if r.jobs == 0 {
		return fmt.Errorf("%w: no file in it is a log or a trace that is known", ErrNothing)
	}
	return nil
}

func (h *seenHost) label() string {
	if h.Name != "" {
		return h.Name
	}
	return h.id
}

// prepare makes the detections' folds.
func (r *run) prepare() {
	sc := detect.Scene{ChangeTimes: true, Machines: map[string]string{}}
	ran := map[string]bool{}
	for _, h := range r.hosts {
		if sc.Machines[h.Source] == "" {
			sc.Machines[h.Source] = h.Name
		}
		if h.State != nil {
			if ran[h.Source] {
				sc.Machines[h.Source] = detect.Several
			}
			ran[h.Source] = true
		}
		if h.owners == nil {
			h.owners = h.Owners()
		}
		for _, u := range h.Users {
			sc.Users = append(sc.Users, detect.User{Name: u.Name, Home: u.Home, Shell: u.Shell, UID: u.UID})
		}
		sc.WebRoots = append(sc.WebRoots, h.Sites.Roots...)
		if sc.HostName == "" {
			sc.HostName = h.Name
		}
		sc.ChangeTimes = sc.ChangeTimes && !h.CopyTimes
	}
	for _, d := range r.o.Detections {
		f := d.New(sc)
		r.folds = append(r.folds, fold{d, f})
		for _, k := range d.Wants {
			r.wants[k] = append(r.wants[k], f)
			r.wanted[k] = true
		}
	}
	if r.o.Timeline != nil {
		for k := range r.wanted {
			r.wanted[k] = event.Kind(k) != event.LogLine && event.Kind(k) != event.AuditRecord || r.wanted[k]
		}
	}
}

// emit shows an event to the detections that want its kind.
func (r *run) emit(e *event.Event) {
	r.res.Events++
	if r.o.Timeline != nil && e.Kind != event.File && e.Kind != event.DeletedFile {
		r.timelineError(r.o.Timeline.Event(e))
	}
	if len(r.wants[e.Kind]) > 0 {
		r.pump.push(e)
	}
}

// timelineError keeps the first failure of the timeline, and ends the run.
func (r *run) timelineError(err error) {
	if err != nil && r.failed == nil {
		r.failed = err
		r.cancel()
	}
}

// within tells whether an event lies in the time asked about. One without a time always does.
func (r *run) within(t evidence.Time) bool {
	if !t.Known() {
		return true
	}
	return (r.o.Since.IsZero() || t.Sec >= r.o.Since.Unix()) && (r.o.Until.IsZero() || t.Sec <= r.o.Until.Unix())
}

func (r *run) findings() []detect.Finding {
	var all []detect.Finding
	r.res.Rules = casefile.Rules{Blind: []casefile.Blind{}, Refused: []casefile.Refused{}}
	for _, f := range r.folds {
		for x := range f.f.Findings(r.ctx) {
			all = append(all, x)
		}
		if x, ok := f.f.(detect.Reporter); ok {
			r.fared(x.Report())
		}
	}
	return all
}

// fared tells how rules fared.
func (r *run) fared(x detect.RuleReport) {
	rs := &r.res.Rules
	rs.Read, rs.Hit = rs.Read+x.Read, rs.Hit+x.Hit
	for needs, n := range x.Blind {
		rs.Blind = append(rs.Blind, casefile.Blind{Needs: printable(needs), Rules: n})
	}
	sort.Slice(rs.Blind, func(i, j int) bool {
		a, b := rs.Blind[i], rs.Blind[j]
		return a.Rules > b.Rules || a.Rules == b.Rules && a.Needs < b.Needs
	})
	for _, f := range x.Refused {
		rs.Refused = append(rs.Refused, casefile.Refused{File: printable(f.File), Why: printable(f.Why)})
	}
}

// setting tells the story what was read, so that it knows what it cannot know.
func (r *run) setting() story.Setting {
	s := story.Setting{Complaints: r.o.Complaints, Network: r.o.Network, Services: map[string]bool{}, RemoteSource: map[string]bool{}, Machines: map[string]string{}, Coverage: r.res.Coverage, Until: r.o.Until, Since: r.o.Since}
	for _, h := range r.hosts {
		if h.Kind == host.KindRemote {
			s.Remote, s.RemoteSource[h.Source] = true, true
			continue
		}
		if h.State != nil && !h.State.Still {
			s.Running, s.Taken, s.Asked = true, h.State.Taken, h.State.Asked
			s.Dump = s.Dump || h.State.Dump
			s.NotEntered = append(s.NotEntered, h.passed...)
		}
		s.Disk = s.Disk || !h.Flat && (h.Kind == host.KindDisk || h.Kind == host.KindVolume)
		s.Tree = s.Tree || !h.Flat && stands(h)
		s.ChangeTimes = s.ChangeTimes || !h.CopyTimes && !h.Flat
		s.Packages = s.Packages || h.owners.Read
		for _, i := range h.Infos {
			s.Dirty = s.Dirty || i.Dirty
		}
		if s.HostName == "" {
			s.HostName = h.Name
		}
		if h.Name != "" && s.Machines[h.Source] == "" {
			s.Machines[h.Source] = h.Name
		}
		for _, u := range h.Users {
			s.Users = append(s.Users, detect.User{Name: u.Name, Home: u.Home, Shell: u.Shell, UID: u.UID})
		}
		s.WebRoots = append(s.WebRoots, h.Sites.Roots...)
		if !h.Flat {
			for name, starts := range services(h) {
				s.Services[name] = s.Services[name] || starts
			}
		}
	}
	s.Damaged = len(r.res.Damage)
	for _, x := range r.res.Recovery {
		if x.From != "" && (s.Remembers == "" || x.From > s.Remembers) {
			s.Remembers = x.From
		}
	}
	return s
}

// finish tells the hosts and clocks of the case.
func (r *run) finish() {
	for _, h := range r.hosts {
		if s := h.State; s != nil {
			h.kernel, h.boot = printable(s.Kernel), evidence.Max(h.boot, s.Booted)
		}
		r.res.Hosts = append(r.res.Hosts, casefile.Host{ID: h.id, Hostname: printable(h.Name), OS: printable(h.OS), Kernel: h.kernel, Zone: h.ZoneName, ZoneFrom: h.ZoneFrom, Boot: h.boot.String()})
		r.res.Clocks = append(r.res.Clocks, casefile.Clock{Source: h.Source, Zone: h.ZoneName, From: h.ZoneFrom, Error: 1})
	}
	for _, h := range r.hosts { // behind the hosts: the first is whom the report is about
		r.res.Hosts = append(r.res.Hosts, r.hostsOf(h)...)
	}
	r.res.Clocks = append(append(r.res.Clocks, r.witness.told(r.hosts)...), r.clocks...)
	r.explainGaps()
	for name, n := range r.refused {
		r.o.Log.Warn("parser yielded a kind that it did not declare", "parser", name, "events", n)
	}
	sort.SliceStable(r.res.Coverage, func(i, j int) bool { return r.res.Coverage[i].Path < r.res.Coverage[j].Path })
}

// covers says of each log whether it covers the time of the incident.
func (r *run) covers() {
	from, to := r.res.Story.Window()
	if from == "" {
		return
	}
	for i := range r.res.Coverage {
		c := &r.res.Coverage[i]
		switch {
		case c.First == "" || c.Last == "":
		case c.First <= from && c.Last >= to:
			c.Covers = "yes"
		case c.Last < from || c.First > to:
			c.Covers = "no"
		default:
			c.Covers = "partly"
		}
		for _, g := range c.Gaps {
			if c.Covers == "yes" && g.From < to && g.To > from {
				c.Covers = "partly"
			}
		}
	}
}
