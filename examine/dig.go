package examine

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/internal/carve"
)

// What was deleted is looked for once, before the logs are read: deleted files, by the filesystem's own memory, and lines of logs
// in them and in the space that belongs to nobody. Lines that still stand in a log are taken out again; of the rest only
// those that stood between lines of a living log are called removed.

// Bounds of what is kept of deleted files.
const (
	maxRecovered  = 200_000
	maxToldOf     = 20_000  // deleted files that are shown to the detections
	maxOldLog     = 1 << 30 // bytes of one deleted file that are looked through for lines
	maxOldLogHead = 64 << 10
)

// grave is what was found in one filesystem.
type grave struct {
	h     *seenHost
	mount *host.Mount
	files []filesystem.Recovered
}

// dig looks for deleted files and removed lines on every disk.
func (r *run) dig() error {
	if r.dug {
		return nil
	}
	r.dug = true
	if err := r.digMounts(); err != nil {
		return err
	}
	return r.unearth()
}

// digFiles looks for deleted files only, and shows them.
func (r *run) digFiles() error {
	if err := r.digMounts(); err != nil {
		return err
	}
	r.deleted()
	return r.ctx.Err()
}

func (r *run) digMounts() error {
	for _, h := range r.hosts {
		if h.Kind != host.KindDisk && h.Kind != host.KindVolume {
			continue
		}
		for i := range h.Mounts {
			if h.MountedBefore(i) {
				continue
			}
			if err := r.digMount(h, &h.Mounts[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) digMount(h *seenHost, m *host.Mount) error {
	u, ok := m.FS.(filesystem.Undeleter)
	if !ok {
		return nil
	}
	r.stage("looking for deleted files on " + strings.TrimRight(m.Prefix, ":!"))
	g := grave{h: h, mount: m}
	history, files := u.Deleted(r.ctx)
	c := recoveryOf(h.Source, m.Prefix, history)
	for f, err := range files {
		if err != nil {
			if r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			r.damage(evidence.Damage{Ref: evidence.Ref{Source: h.Source, Path: m.Prefix + "deleted"}, Reason: err.Error()})
			continue
		}
		count(&c, &f)
		if len(g.files) < maxRecovered {
			g.files = append(g.files, f)
		}
	}
	r.res.Recovery = append(r.res.Recovery, c)
	if c.Unread != "" {
		r.damage(evidence.Damage{Ref: evidence.Ref{Source: h.Source, Path: m.Prefix + c.Memory}, Reason: c.Unread + ": deleted files cannot be told from it"})
	}
	r.graves = append(r.graves, g)
	return r.ctx.Err()
}

func printables(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = printable(s)
	}
	return out
}

// full gives a deleted file's path on its host.
func (g *grave) full(f *filesystem.Recovered) string {
	if !strings.HasPrefix(f.Path, "/") {
		return f.Path
	}
	return g.h.PathOf(g.mount.FS, f.Path)
}

// ref gives where a deleted file is to be found.
func (g *grave) ref(f *filesystem.Recovered) evidence.Ref {
	p := f.Path
	if p == "" {
		p = fmt.Sprintf("#%d", f.Meta.Inode)
	}
	return evidence.Ref{Source: g.h.Source, Path: g.mount.Prefix + "deleted!" + p, Len: f.Meta.Size}
}

// deleted shows the detections the files that were deleted.
func (r *run) deleted() {
	told := 0
	for i := range r.graves {
		g := &r.graves[i]
		for k := range g.files {
			if r.o.Timeline != nil {
				r.timelineError(r.o.Timeline.Deleted(g.h.Host, g.full(&g.files[k]), &g.files[k]))
			}
			if f := &g.files[k]; told < maxToldOf && f.Meta.Type == filesystem.Regular {
				told++
				r.showDeleted(g, f)
			}
		}
	}
}

func (r *run) showDeleted(g *grave, f *filesystem.Recovered) {
	m := &f.Meta
	ev := event.Event{Kind: event.DeletedFile, Ref: g.ref(f), At: goneOf(f)}
	ev.AddText(event.FilePath, g.full(f))
	ev.AddText(event.FileType, m.Type.String())
	ev.AddText(event.FileMode, fmt.Sprintf("%o", m.Mode))
	ev.AddInt(event.FileSize, m.Size)
	ev.AddInt(event.FileInode, int64(m.Inode))
	ev.AddInt(event.FileUID, int64(m.UID))
	ev.AddText(event.FileMtime, exact(m.Mtime))
	ev.AddText(event.FileCtime, exact(m.Ctime))
	ev.AddText(event.FileCrtime, exact(m.Crtime))
	ev.AddText(event.FilePackage, g.h.owners.Of(g.full(f)))
	kind, facts := r.factsOf(g, f)
	ev.AddText(event.FileContent, kind)
	ev.AddText(event.FileFacts, facts)
	ev.AddText(event.Change, wordsOf(f))
	ev.Raw = []byte(fmt.Sprintf("inode %d %s mode %04o uid %d size %d, %s; %s", m.Inode, m.Type, m.Mode, m.UID, m.Size, wordsOf(f), whenOf(f)))
	r.emit(&ev)
}

// wordsOf says what has become of a deleted file.
func wordsOf(f *filesystem.Recovered) string {
	switch {
	case f.Meta.State == filesystem.Orphan:
		return "deleted while a program held it open"
	case f.Cut:
		return "cut shorter; what it held before is whole"
	case f.Whole():
		return "deleted; its content is whole"
	}
	return fmt.Sprintf("deleted; %d of %d bytes were given to other files since", f.Reused, f.Meta.Size)
}

func whenOf(f *filesystem.Recovered) string {
	switch {
	case f.After.Known() && f.After == f.Before:
		return "deleted " + f.Before.String()
	case f.Meta.Dtime.Known():
		return "deleted " + f.Meta.Dtime.String()
	case f.After.Known() && f.Before.Known():
		return "gone between " + f.After.String() + " and " + f.Before.String()
	case f.After.Known():
		return "gone after " + f.After.String()
	}
	return "nobody knows when"
}

// goneOf gives when a file was deleted or cut, unknown where nobody knows.
func goneOf(f *filesystem.Recovered) evidence.Time {
	if d := f.Meta.Dtime; d.Known() && (!f.Before.Known() || d.Before(f.Before)) {
		return d
	}
	return f.Before
}

// factsOf tells what a deleted file was, by its content: "elf", "script" or "php" where it is code, and all that is known in words.
func (r *run) factsOf(g *grave, f *filesystem.Recovered) (kind, facts string) {
	if f.Content == nil || f.Meta.Size == 0 {
		return "", ""
	}
	facts = g.h.look.facts(f.Path, f.Content, f.Meta.Size)
	switch {
	case strings.HasPrefix(facts, "elf"):
		kind = "elf"
	case strings.HasPrefix(facts, "script"):
		kind = "script"
	case strings.HasPrefix(facts, "php"):
		kind = "php"
	}
	return kind, facts
}

// oldLogs gives the deleted files that hold lines of logs, each with its path.
func (g *grave) oldLogs() iter.Seq2[*filesystem.Recovered, string] {
	return func(yield func(*filesystem.Recovered, string) bool) {
		for i := range g.files {
			f := &g.files[i]
			if f.Meta.Type != filesystem.Regular || f.Meta.Size < 64 || f.Content == nil {
				continue
			}
			if looksLikeLog(f) && !yield(f, g.full(f)) {
				return
			}
		}
	}
}

func looksLikeLog(f *filesystem.Recovered) bool {
	b := make([]byte, min(maxOldLogHead, f.Meta.Size))
	n, _ := f.Content.ReadAt(b, 0)
	lines := 0
	for p := range carve.Scan(context.Background(), strings.NewReader(string(b[:n])), oneExtent(0, int64(n))) {
		if lines++; lines == 3 || p.Form == carve.Login || p.Form == carve.JournalFile || len(p.Text) > n/4 {
			return true
		}
	}
	return false
}

func oneExtent(off, n int64) iter.Seq[carve.Extent] {
	return func(yield func(carve.Extent) bool) { yield(carve.Extent{Off: off, Len: n}) }
}

// freeSpace gives the runs of a filesystem that belong to nobody.
func (r *run) freeSpace(g *host.Mount, source string) iter.Seq[carve.Extent] {
	return func(yield func(carve.Extent) bool) {
		f, ok := g.FS.(filesystem.FreeSpacer)
		if !ok {
			return
		}
		for e, err := range f.FreeSpace(r.ctx) {
			if err != nil {
				r.damage(evidence.Damage{Ref: evidence.Ref{Source: source, Path: g.Prefix + "free space"}, Reason: err.Error()})
				continue
			}
			if !yield(carve.Extent{Off: e.Physical, Len: e.Length}) {
				return
			}
		}
	}
}

// artifactOf gives the artefact that reads lines of a form.
func (r *run) artifactOf(f carve.Form) *artifact.Artifact {
	want := map[carve.Form]string{carve.Syslog: "syslogfile", carve.Access: "accesslog", carve.Audit: "auditd", carve.Error: "errorlog", carve.Login: "utmp"}[f]
	for _, a := range r.o.Artifacts {
		if a.Name == want {
			return a
		}
	}
	return nil
}
