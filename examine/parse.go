package examine

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/casefile"
	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/guard"
	"telltale/internal/limit"
	"telltale/internal/logclock"
	"telltale/internal/unpack"
)

// parse reads one trace and shows its events to the detections.
func (r *run) parse(h *seenHost, j *job) {
	ref := h.Ref(&j.entry)
	seen := &artifact.Seen{}
	clock := r.clock(h, j)
	err := guard.Run(j.art.Name+" on "+j.entry.Path, func() error { return r.stream(h, j, ref, clock, seen) })
	if err != nil && r.ctx.Err() == nil {
		var d *evidence.Damage
		if errors.As(err, &d) {
			r.damage(*d)
		} else {
			r.damage(evidence.Damage{Ref: ref, Reason: err.Error()})
		}
	}
	seen.Flush()
	if j.places != nil { // no log of the host: nothing can be missing from it
		return
	}
	r.jobs++
	if !clock.Yearless && seen.Last.Known() && seen.Last.Std().After(r.latest) && seen.Last.Std().Before(time.Now().AddDate(1, 0, 0)) {
		r.latest = seen.Last.Std()
	}
	if !j.art.Log && seen.Records == 0 && seen.Unparsed == 0 {
		return
	}
	if j.inside != nil { // its stamps say nothing of the host's clocks and silences
		r.covered(h, j, clock, seen)
		return
	}
	r.suspectUTC(h, j, clock, seen)
	if clock.Zoneless && r.witness != nil && carrier(j.art) {
		r.witness.books[clockOf(h, j)].local = true
	}
	if of := clockOf(h, j); r.witness.concerns(of, clock.Zoneless) {
		seen.First, seen.Last = r.witness.right(of, seen.First), r.witness.right(of, seen.Last)
		clock.Basis += "; set right by the events that two clocks tell"
	}
	r.keepRhythm(h, j, ref, clock, seen)
	r.covered(h, j, clock, seen)
}

// covered notes what was read of one trace.
func (r *run) covered(h *seenHost, j *job, clock *logclock.Clock, seen *artifact.Seen) {
	c := casefile.Coverage{Source: h.Source, Path: printable(j.entry.Path), Artifact: j.art.Name, First: seen.First.String(), Last: seen.Last.String(),
		Records: seen.Records, Unparsed: seen.Unparsed, Unknown: map[string]int64{}, Gaps: append(gaps(seen), r.cutOff(h, j, seen)...)}
	for k, n := range seen.ByProgram {
		c.Unknown[printable(k)] = n
	}
	c.Tells = j.tells.words()
	if clock.Yearless || clock.Zoneless {
		c.Time = clock.Basis
		c.Error = timeError(h, clock.Zoneless, clock.Yearless && j.guessed)
	}
	r.res.Coverage = append(r.res.Coverage, c)
}

func (r *run) stream(h *seenHost, j *job, ref evidence.Ref, clock *logclock.Clock, seen *artifact.Seen) error {
	section := h.File(&j.entry)
	src, kind, err := unpack.Reader(readAhead(section))
	if err != nil {
		return err
	}
	defer src.Close()
	content := io.Reader(src)
	if !j.art.Random && (kind != "" || section.Size() >= aheadFrom) {
		ahead := newReading(src)
		defer ahead.Close()
		content = ahead
	}
	in := r.input(h, j, content)
	in.Ref, in.Clock, in.Seen = ref, clock, seen
	if kind == "" {
		in.At, in.Size = section, section.Size()
	} else if j.art.Random {
		f, n, err := r.spool(src)
		if err != nil {
			return err
		}
		defer f.Close()
		in.At, in.Size, in.R = f, n, io.NewSectionReader(f, 0, n)
	}
	hear := hearing{run: r, h: h, job: j, clock: clock, may: r.declared(j.art), state: !j.art.Log, of: clockOf(h, j)}
	e := &r.event // one for all events: a loop's own would be a new one each time
	for parsed, err := range j.art.Parse(r.ctx, in) {
		*e = parsed
		if err != nil {
			var d *evidence.Damage
			if !errors.As(err, &d) {
				return err
			}
			x := *d
			if x.Ref.Source == "" {
				x.Ref.Source, x.Ref.Path = ref.Source, ref.Path
			}
			r.damage(x)
			continue
		}
		if hear.take(e) {
			r.emit(e)
		}
	}
	return r.ctx.Err()
}

// input gives an artefact what it reads by.
func (r *run) input(h *seenHost, j *job, content io.Reader) *artifact.Input {
	in := &artifact.Input{R: &metered{run: r, r: content, total: j.entry.Meta.Size}, Size: -1, Meta: j.entry.Meta, Path: j.entry.Path,
		Host: j.facts(h), Messages: artifact.NewDecoders(r.o.Artifacts), Inner: r.inner(j.art)}
	in.Wanted = r.wanted
	in.Messages.Wanted, in.Messages.Facts = &r.wanted, in.Host
	in.Messages.Lines = r.programs(event.LogLine, func(d *detect.Detection) []string { return d.LinesOf })
	in.Messages.Said = r.programs(event.ProgramSaid, func(d *detect.Detection) []string { return d.SaidBy })
	return in
}

// programs gives the programs whose events of a kind a detection wants, by the beginnings of their names.
func (r *run) programs(k event.Kind, of func(*detect.Detection) []string) (out []string) {
	for _, d := range r.o.Detections {
		switch list := of(d); {
		case !slices.Contains(d.Wants, k):
		case list == nil:
			return []string{""}
		default:
			out = append(out, list...)
		}
	}
	return out
}

// inner tells whose log it is that a file of another form carries.
func (r *run) inner(carrier *artifact.Artifact) func(head []byte) *artifact.Artifact {
	return func(head []byte) *artifact.Artifact {
		for _, a := range r.o.Artifacts {
			if a != carrier && inside(a) && a.Sniff(head) {
				return a
			}
		}
		return nil
	}
}

// inside tells whether an artefact's log may come wrapped in another's: it is told by its content, and read from its beginning to its end.
func inside(a *artifact.Artifact) bool { return a.Log && a.Sniff != nil && !a.Random }

// declared gives the kinds that an artefact may yield: its own, and those of the programs whose
// messages or logs it carries.
func (r *run) declared(a *artifact.Artifact) *[256]bool {
	may := &[256]bool{event.LogLine: a.Log, event.AuditRecord: a.Log} // these are asked for, by Input.Wanted
	add := func(kinds []event.Kind) {
		for _, k := range kinds {
			may[k] = true
		}
	}
	add(a.Kinds)
	logs := a.Name == "container-log"
	if a.Name != "syslogfile" && a.Name != "journald" && a.Name != "journal-export" && !logs {
		return may
	}
	for _, b := range r.o.Artifacts {
		if b.Decode != nil || logs && inside(b) {
			add(b.Kinds)
		}
	}
	return may
}

// ofItself tells what a journal says of its own completeness and clock: of one that was made of entries found elsewhere that is nobody's word.
func ofItself(a *artifact.Artifact, k event.Kind) bool {
	return a.Name == "journald" && (k == event.RecordsMissing || k == event.Boot || k == event.ClockChanged)
}

// note takes from an event what the report says of the host itself.
func (r *run) note(h *seenHost, e *event.Event) {
	r.mark(h, e)
	if e.Kind != event.Boot {
		return
	}
	if k := e.Text(event.OSKernel); k != "" && !e.At.Before(h.boot) {
		h.kernel = printable(k)
	}
	h.boot = evidence.Max(h.boot, e.At)
}

// facts gives what a parser is told of the machine: for a container's log, of the container.
func (j *job) facts(h *seenHost) *artifact.HostFacts {
	if j.inside != nil {
		return facts(j.inside)
	}
	return facts(h.Host)
}

func facts(h *host.Host) *artifact.HostFacts {
	f := &artifact.HostFacts{Name: h.Name, AccessFormats: map[string]artifact.AccessFormat{}, Shares: map[string]artifact.Share{}}
	for _, u := range h.Users {
		f.Users = append(f.Users, artifact.User(u))
	}
	f.Stands = func(p string) bool {
		e, err := h.Lookup(p)
		return err == nil && e.Meta.Type == filesystem.Regular
	}
	for p, x := range h.Sites.Formats {
		f.AccessFormats[p] = artifact.AccessFormat(x)
	}
	for name, x := range h.Shares {
		f.Shares[name] = artifact.Share(x)
	}
	return f
}

// suspectUTC notes a log whose daemon wrote in UTC though its host lives elsewhere, as vsftpd does unless it is told otherwise: the file was changed when its
// last line was written, and the two differ by just the host's offset.
func (r *run) suspectUTC(h *seenHost, j *job, clock *logclock.Clock, seen *artifact.Seen) {
	log := daemonLog{h.number, j.family}
	if _, known := r.zones[log]; known || !clock.Zoneless || clock.Yearless || carrier(j.art) || h.Zone == nil || !seen.Last.Known() || !j.entry.Meta.Mtime.Known() {
		return
	}
	_, offset := seen.Last.Std().In(h.Zone).Zone()
	if d := j.entry.Meta.Mtime.Sec - seen.Last.Sec - int64(offset); offset != 0 && d >= -2 && d <= 5 {
		if r.zones == nil {
			r.zones = map[daemonLog]ownZone{}
		}
		r.zones[log] = ownZone{time.UTC, "UTC, for the file was changed at its last line by that, not by the host's zone"}
		r.again = true
	}
}

// clock gives the clock for one file: solved over the log's rotations, newest first, when the first of them is read.
func (r *run) clock(h *seenHost, j *job) *logclock.Clock {
	if j.inside != nil { // its own zone, with the host's jobs
		x := *h
		x.Host = j.inside
		h = &x
	}
	zoned := &logclock.Clock{Zone: h.Zone, Basis: "zone from " + h.ZoneFrom}
	if z, ok := r.zones[daemonLog{h.number, j.family}]; ok {
		zoned.Zone, zoned.Basis = z.zone, z.basis
	}
	if !j.art.Log || j.art.Random {
		return zoned
	}
	if j.places != nil { // no rotation of a log: sorted by what is known
		if y, mtime := r.scan(h, j); y.ok {
			c, _ := clockFor(y, h.Zone, h.ZoneFrom, mtime, time.Time{}, r.latest)
			j.guessed = strings.Contains(c.Basis, nothingBounds)
			return c
		}
		return zoned
	}
	var newer time.Time
	guessed := false                        // the year of a newer file, and with it that of all older ones
	for i := len(h.jobs) - 1; i >= 0; i-- { // jobs are oldest first
		k := h.jobs[i]
		if k.family != j.family || k.art != j.art {
			continue
		}
		if k != j {
			if !k.first.IsZero() {
				newer = k.first
			} else if y, mtime := r.scan(h, k); y.ok {
				var c *logclock.Clock
				c, newer = clockFor(y, h.Zone, h.ZoneFrom, mtime, newer, r.latest)
				k.first, k.guessed = newer, guessed || strings.Contains(c.Basis, nothingBounds)
			}
			guessed = k.guessed
			continue
		}
		y, mtime := r.scan(h, j)
		if !y.ok {
			return zoned
		}
		c, first := clockFor(y, h.Zone, h.ZoneFrom, mtime, newer, r.latest)
		j.first, j.guessed = first, guessed || strings.Contains(c.Basis, nothingBounds)
		return c
	}
	return zoned
}

// scan looks at a log's stamps. Its time is that of the file, or of the gzip header, which keeps the log's.
func (r *run) scan(h *seenHost, j *job) (yearless, evidence.Time) {
	if j.looked == nil {
		y, mtime := r.lookAt(h, j)
		j.looked = &look{y, mtime}
	}
	return j.looked.years, j.looked.mtime
}

func (r *run) lookAt(h *seenHost, j *job) (yearless, evidence.Time) {
	mtime := j.entry.Meta.Mtime
	section := h.File(&j.entry)
	var head [16]byte
	section.ReadAt(head[:], 0)
	if t := unpack.HeaderTime(head[:]); !t.IsZero() {
		mtime = evidence.At(t, time.Second)
	}
	src, _, err := unpack.Reader(section)
	if err != nil {
		return yearless{}, mtime
	}
	defer src.Close()
	return scan(src), mtime
}

// head gives the first bytes of a file's content, decompressed.
func (r *run) head(h *seenHost, e *host.Entry) ([]byte, error) {
	src, _, err := unpack.Reader(h.File(e))
	if err != nil {
		return nil, err
	}
	defer src.Close()
	b := make([]byte, 64<<10)
	n, err := io.ReadFull(src, b)
	if n > 0 || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:n], err
}

// spool unpacks a trace that is read in jumps into a file without a name.
func (r *run) spool(src io.Reader) (*os.File, int64, error) {
	f, err := scratch(r.o.Spool)
	if err != nil {
		return nil, 0, err
	}
	n, err := io.Copy(f, io.LimitReader(src, limit.Expansion))
	if err != nil && n == 0 {
		f.Close()
		return nil, 0, err
	}
	return f, n, nil
}

// scratch gives a file without a name: in the case, or in memory where nothing may be written to a disk.
func scratch(dir string) (*os.File, error) {
	if dir == "" {
		return inMemory()
	}
	f, err := os.CreateTemp(dir, "trace-*")
	if err == nil {
		err = os.Remove(f.Name())
	}
	return f, err
}

// metered reports progress and ends when the run is cancelled.
type metered struct {
	run   *run
	r     io.Reader
	done  int64
	total int64
}

func (m *metered) Read(p []byte) (int, error) {
	if err := m.run.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.done += int64(n)
	if m.run.o.Progress != nil && m.total > 1<<20 {
		m.run.o.Progress.Bytes(m.done, max(m.total, m.done))
	}
	return n, err
}

// readAhead reads the evidence in large pieces: the readers above it ask for small ones.
func readAhead(r io.Reader) io.Reader { return &ahead{r: r, buf: make([]byte, 1<<20)} }

type ahead struct {
	r    io.Reader
	buf  []byte
	have bytes.Reader
	err  error
}

func (a *ahead) Read(p []byte) (int, error) {
	if a.have.Len() == 0 {
		if a.err != nil {
			return 0, a.err
		}
		n, err := a.r.Read(a.buf)
		a.err = err
		a.have.Reset(a.buf[:n])
		if n == 0 {
			return 0, err
		}
	}
	return a.have.Read(p)
}
