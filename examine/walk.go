package examine

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
)

// job is one file to be read by one artefact.
type job struct {
	entry   host.Entry
	art     *artifact.Artifact
	family  string // the log that it is a rotation of
	age     int64
	first   time.Time // filled by order: the time of its first line, where the clock was solved
	looked  *look     // what scan found: a log's every rotation asks it of all newer ones
	places  []place   // of a log that was made of removed lines: where they lie
	tells   telling
	guessed bool       // its year is but a guess
	begun   bool       // it was read, or was being read
	inside  *host.Host // the container that it is of; nil for the host's own
}

// look is what a first look at a log gives.
type look struct {
	years yearless
	mtime evidence.Time
}

// maxSniff bounds how many files of unknown name are looked into.
const maxSniff = 5000

// walk goes through a host's tree once: it notes which files are traces, and shows the detections the
// metadata of those that no package owns.
func (r *run) walk(h *seenHost) error {
	m := newMatcher(r.o.Artifacts, h.Host)
	var strangers []host.Entry
	n := 0
	damaged := func(p string, err error) {
		if h.Kind == host.KindLive && errors.Is(err, filesystem.ErrNotExist) {
			return // the machine runs: files go
		}
		var d *evidence.Damage
		if errors.As(err, &d) {
			x := *d
			x.Ref.Source = h.Source
			if x.Ref.Path == "" {
				x.Ref.Path = p
			}
			r.damage(x)
			return
		}
		r.damage(evidence.Damage{Ref: evidence.Ref{Source: h.Source, Path: p}, Reason: err.Error()})
	}
	if h.verify == nil && !h.Flat {
		h.verify = newVerifier(h)
	}
	err := h.Walk(r.ctx, damaged, func(e *host.Entry) error {
		n++
		if e.Meta.Type == filesystem.Regular && e.Meta.Flags&filesystem.Untaken == 0 && (e.Meta.Size > 0 || e.Meta.Flags&filesystem.Encrypted != 0) {
			if base, known := r.match(h, m, e); !known && len(strangers) < maxSniff && (h.Flat || h.Logs.Holds(base) && !h.ofContainer(e.Path)) {
				strangers = append(strangers, *e)
			}
		}
		if r.o.Timeline != nil {
			r.timelineError(r.o.Timeline.Entry(h.Host, e))
		}
		if (!h.Flat || h.ofSite(e.Path)) && !h.ofContainer(e.Path) {
			r.file(h, e)
			r.secret(h, e)
			if h.verify != nil {
				h.verify.visit(e)
			}
		}
		return nil
	})
	if err == nil {
		err = r.containers(h, damaged)
	}
	if err != nil {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		r.damage(evidence.Damage{Ref: evidence.Ref{Source: h.Source}, Reason: "walk: " + err.Error()})
	}
	for i := range strangers {
		r.sniff(h, &strangers[i])
	}
	r.state(h, damaged)
	r.unentered(h)
	r.o.Log.Info("walked", "host", h.label(), "files", n, "traces", len(h.jobs))
	return nil
}

// ofSite tells whether a path lies in a site that was handed over without its server.
func (h *seenHost) ofSite(p string) bool {
	return slices.ContainsFunc(h.Sites.Roots, func(r string) bool { return strings.HasPrefix(p, r+"/") })
}

// match adds the jobs that a file's path calls for; base is the log that it would be a rotation of.
func (r *run) match(h *seenHost, m *matcher, e *host.Entry) (base string, known bool) {
	arts := m.find(e.Path)
	base, age, rotated := rotation(e.Path)
	for _, a := range arts {
		h.jobs = append(h.jobs, &job{entry: *e, art: a, family: familyOf(a, e.Path, base), age: ageOf(a, age)})
	}
	if rotated || base != e.Path {
		for _, a := range m.find(base) {
			if a.Log && !has(arts, a) {
				arts = append(arts, a)
				h.jobs = append(h.jobs, &job{entry: *e, art: a, family: base, age: age})
			}
		}
	}
	if len(arts) == 0 && h.Flat {
		for _, a := range r.loose(m, path.Base(base)) {
			arts = append(arts, a)
			h.jobs = append(h.jobs, &job{entry: *e, art: a, family: base, age: age})
		}
	}
	return base, len(arts) > 0
}

// loose gives the artefacts of a file that lies without its directories, by its name alone.
func (r *run) loose(m *matcher, name string) (out []*artifact.Artifact) {
	for _, a := range m.findBase(name) {
		if a.Log || a.Random {
			out = append(out, a)
		}
	}
	for _, a := range r.o.Artifacts {
		if a.Loose != nil && a.Loose(name) && !has(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func familyOf(a *artifact.Artifact, p, base string) string {
	if a.Log {
		return base
	}
	return p
}

func ageOf(a *artifact.Artifact, age int64) int64 {
	if a.Log {
		return age
	}
	return 0
}

func has(as []*artifact.Artifact, a *artifact.Artifact) bool {
	for _, x := range as {
		if x == a {
			return true
		}
	}
	return false
}

// sniff tells a file of unknown name by its content: any one of a folder of logs, and a log of a server's tree.
func (r *run) sniff(h *seenHost, e *host.Entry) {
	head, err := r.head(h, e)
	if err != nil {
		r.damage(evidence.Damage{Ref: h.Ref(e), Reason: err.Error()})
		return
	}
	base, age, _ := rotation(e.Path)
	for _, a := range r.o.Artifacts {
		if a.Sniff != nil && (h.Flat || a.Log) && a.Sniff(head) {
			h.jobs = append(h.jobs, &job{entry: *e, art: a, family: base, age: age})
			return
		}
	}
}

// file shows a file's metadata to the detections. Files that a package owns and that have no special rights
// are left out: there are many, and each package's own check is another matter.
func (r *run) file(h *seenHost, e *host.Entry) {
	m := &e.Meta
	special := m.Mode&(filesystem.SetUID|filesystem.SetGID) != 0 && m.Type == filesystem.Regular
	pkg := h.owners.Of(e.Path)
	if pkg != "" && !special && !strings.HasPrefix(e.Path, "/etc/") {
		return
	}
	ev := r.fileEvent(h, e, pkg)
	r.emit(&ev)
}

// fileEvent is what is told of one file.
func (r *run) fileEvent(h *seenHost, e *host.Entry, pkg string) event.Event {
	m := &e.Meta
	ev := event.Event{Kind: event.File, Ref: h.Ref(e), At: m.Mtime}
	if m.Ref != (evidence.Ref{}) {
		ev.Ref.Off, ev.Ref.Len = m.Ref.Off, m.Ref.Len
	}
	ev.AddText(event.FilePath, e.Path)
	ev.AddText(event.FileType, m.Type.String())
	ev.AddText(event.FileMode, strconv.FormatUint(uint64(m.Mode), 8))
	ev.AddInt(event.FileSize, m.Size)
	ev.AddInt(event.FileInode, int64(m.Inode))
	ev.AddInt(event.FileLinks, int64(m.Links))
	r.fileTimes(h, e, &ev)
	ev.AddText(event.FilePackage, pkg)
	if r.worthALook(h, e, pkg) {
		ev.AddText(event.FileFacts, h.look.facts(e.Path, h.File(e), m.Size))
	}
	if m.Flags&filesystem.Immutable != 0 {
		ev.AddText(event.FileFlags, "immutable")
	}
	if m.Type == filesystem.Symlink {
		if t, err := e.Mount.FS.Readlink(m.Inode); err == nil {
			ev.Add(event.FileTarget, t)
		}
	}
	if x, ok := e.Mount.FS.(filesystem.Xattrer); ok && m.Type == filesystem.Regular && m.Mode&0o111 != 0 && pkg == "" {
		if attrs, err := x.Xattrs(m.Inode); err == nil && len(attrs["security.capability"]) > 0 {
			ev.AddText(event.FileCaps, hex.EncodeToString(attrs["security.capability"]))
		}
	}
	ev.Raw = []byte(describe(e, &ev))
	return ev
}

// fileTimes adds owner and times. Times of a copy are left out, but for the modification time, which copying keeps.
func (r *run) fileTimes(h *seenHost, e *host.Entry, ev *event.Event) {
	m := &e.Meta
	ev.AddInt(event.FileUID, int64(m.UID))
	ev.AddInt(event.FileGID, int64(m.GID))
	ev.AddText(event.FileMtime, exact(m.Mtime))
	if !h.CopyTimes {
		ev.AddText(event.FileCtime, exact(m.Ctime))
		ev.AddText(event.FileAtime, exact(m.Atime))
		ev.AddText(event.FileCrtime, exact(m.Crtime))
	}
}

func exact(t evidence.Time) string {
	if !t.Known() {
		return ""
	}
	return t.Std().Format(time.RFC3339Nano)
}

// describe is how an inode is quoted: as stat(1) would show it.
func describe(e *host.Entry, ev *event.Event) string {
	m := &e.Meta
	s := fmt.Sprintf("inode %d %s mode %04o uid %d gid %d size %d", m.Inode, m.Type, m.Mode, m.UID, m.GID, m.Size)
	for _, t := range []struct {
		name string
		at   evidence.Time
	}{{"modified", m.Mtime}, {"changed", m.Ctime}, {"born", m.Crtime}} {
		if t.at.Known() {
			s += " " + t.name + " " + t.at.String()
		}
	}
	if t := ev.Get(event.FileTarget); t != nil {
		s += " -> " + string(t)
	}
	return s
}

// order puts each host's jobs in the order in which they are read: what stands on the host, then the
// logs that have years, then those without, each log's rotations oldest first.
func (r *run) order() {
	for _, h := range r.hosts {
		sort.SliceStable(h.jobs, func(i, j int) bool {
			a, b := h.jobs[i], h.jobs[j]
			if x, y := a.rank(), b.rank(); x != y {
				return x < y
			}
			if a.family != b.family {
				return a.family < b.family
			}
			if a.art.Name != b.art.Name {
				return a.art.Name < b.art.Name
			}
			if a.age != b.age {
				return a.age > b.age
			}
			return a.entry.Path < b.entry.Path
		})
	}
}

// rank: syslog files come last, because the logs with years bound theirs.
func (j *job) rank() int {
	switch {
	case !j.art.Log:
		return 0
	case j.art.Name == "journald":
		return 1
	case j.art.Name == "syslogfile":
		return 3
	}
	return 2
}
