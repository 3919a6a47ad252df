package examine

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/host/pkgdb"
)

// judge says what is unlike the package's word about one file.
func (v *verifier) judge(r *run, c *candidate, t *tally) {
	if c.found.err != nil {
		t.unread++
		v.damaged = append(v.damaged, evidence.Damage{Ref: v.h.Ref(&host.Entry{Path: c.path, Mount: c.mount}), Reason: "comparing with its package: " + c.found.err.Error()})
		return
	}
	if c.found.skipped {
		v.dropped++
		return
	}
	if !c.owned {
		v.unowned(r, c, t)
		return
	}
	v.owned(r, c, t)
}

// owned holds a file against every package that ships its path: one that fits is enough.
func (v *verifier) owned(r *run, c *candidate, t *tally) {
	best, rival, diff, known := v.closest(c)
	if best == nil {
		return
	}
	switch {
	case best.Flags&pkgdb.Config != 0: // not a program
	case known:
		t.checked++
	default:
		t.noDigest++
	}
	if len(diff) == 0 {
		v.fits(r, c, best)
		if rival != nil {
			v.odd(c, rival, fmt.Sprintf("%s fits the digest of package %s, while package %s ships another file there: one of the two is not what it says", c.path, best.Package.Name, rival.Package.Name))
		}
		return
	}
	t.differ++
	ev := v.changed(r, c, best, diff)
	if best.Flags&pkgdb.Config != 0 {
		t.differ--
		ev.AddText(event.RecordType, "config")
	} else if s := v.late[best.Package]; s != nil && programPlace(c.path) {
		s.differ++
	}
	v.events = append(v.events, ev)
}

// closest gives the statement that a file fits best, in which ways it does not, whether its content could be compared, and another statement
// that says that the content is another.
func (v *verifier) closest(c *candidate) (best, rival *pkgdb.Expected, diff []string, known bool) {
	for x := range v.h.owners.Claims(c.path) {
		d, ok := v.differences(c, &x)
		if known && !ok {
			continue // whoever claims a file without a digest says nothing against those who have one
		}
		if slices.Contains(d, "content") {
			rival = &x
		}
		if best == nil || ok && !known || len(d) < len(diff) {
			best, diff = &x, d
		}
		known = known || ok
	}
	return best, rival, diff, known
}

// differences tells in which ways a file is unlike a statement, and whether its content could be compared.
func (v *verifier) differences(c *candidate, x *pkgdb.Expected) (diff []string, known bool) {
	if c.link {
		if x.Type == filesystem.Symlink || x.Algo == pkgdb.SHA1 && x.Type == filesystem.UnknownType { // apk: the digest of the target
			return nil, false
		}
		return []string{"type"}, true
	}
	if x.Type == filesystem.Symlink {
		return nil, false
	}
	if equal, ok := same(x, &c.found); ok && x.Flags&pkgdb.Unchecked == 0 {
		known = true
		if !equal {
			diff = append(diff, "content")
		}
		if x.Size >= 0 && x.Size != c.size {
			diff = append(diff, "size")
		}
	}
	if x.Flags&pkgdb.Config != 0 {
		return diff, known
	}
	gained := uint16(filesystem.SetUID | filesystem.SetGID | 0o002)
	if v.h.CopyTimes { // some copies give everybody every right, none sets these two
		gained = filesystem.SetUID | filesystem.SetGID
	}
	if x.HasMode && c.mode&^x.Mode&gained != 0 {
		diff = append(diff, "mode")
	}
	if x.User == "root" && c.uid != 0 && !v.h.CopyTimes {
		diff = append(diff, "owner")
	}
	if x.Type != filesystem.UnknownType && x.Caps == "" && len(capability(c)) > 0 {
		diff = append(diff, "capability")
	}
	return diff, known
}

func capability(c *candidate) []byte {
	if x, ok := c.mount.FS.(filesystem.Xattrer); ok && c.mode&0o111 != 0 {
		if attrs, err := x.Xattrs(c.inode); err == nil {
			return attrs["security.capability"]
		}
	}
	return nil
}

// fits looks at a file that is as its package says for signs that the package's word was changed to fit.
func (v *verifier) fits(r *run, c *candidate, x *pkgdb.Expected) {
	s := v.late[x.Package]
	special := c.mode&(filesystem.SetUID|filesystem.SetGID) != 0 && !x.HasMode
	switch {
	case x.Flags&pkgdb.Config != 0 || c.link:
	case r.base != nil && r.base.differs(r, c, x):
		ev := v.changed(r, c, x, []string{"baseline"})
		v.events = append(v.events, ev)
	case special && !v.h.CopyTimes && after(c.ctime, x.Package.Installed) && s != nil && s.alone(s.changed):
		ev := v.changed(r, c, x, []string{"mode"})
		v.events = append(v.events, ev)
	case programPlace(c.path) && x.Algo != pkgdb.NoDigest && after(c.mtime, x.Package.Installed) && s != nil && s.alone(s.written):
		v.odd(c, x, fmt.Sprintf("%s fits the package's digest, but was written %s, after the package was installed %s, and alone among its programs", c.path, c.mtime, x.Package.Installed))
	}
}

// odd tells what speaks against a package's record.
func (v *verifier) odd(c *candidate, x *pkgdb.Expected, why string) {
	ev := v.event(event.PackageRecordOdd, c.path, x.Package)
	e := v.meta(&ev, c)
	ev.AddText(event.Message, why)
	ev.Raw = []byte(describe(e, &ev))
	v.events = append(v.events, ev)
}

// changed makes the event of a file that is unlike its package's word.
func (v *verifier) changed(r *run, c *candidate, x *pkgdb.Expected, diff []string) event.Event {
	ev := v.event(event.PackageFileChanged, c.path, x.Package)
	e := v.meta(&ev, c)
	ev.AddText(event.Change, strings.Join(diff, " "))
	ev.AddText(event.FileContent, c.found.kind())
	ev.AddText(event.HashExpected, told(x))
	if sum := c.found.of(x.Algo); sum != nil {
		ev.AddText(event.HashFound, fmt.Sprintf("%s:%x", x.Algo, sum))
	}
	if c.link {
		if target, err := e.Mount.FS.Readlink(e.Meta.Inode); err == nil {
			ev.Add(event.FileTarget, target)
		}
	}
	ev.AddText(event.Message, v.benign(r, c, x, &ev, diff))
	ev.Raw = []byte(describe(e, &ev))
	return ev
}

// meta adds what the inode says.
func (v *verifier) meta(ev *event.Event, c *candidate) *host.Entry {
	e := &host.Entry{Path: c.path, Mount: c.mount}
	e.Meta, _ = c.mount.FS.Stat(c.inode) // the walk told what is wrong with it
	m := &e.Meta
	ev.At, ev.Ref = m.Mtime, v.h.Ref(e)
	if m.Ref != (evidence.Ref{}) {
		ev.Ref.Off, ev.Ref.Len = m.Ref.Off, m.Ref.Len
	}
	ev.AddInt(event.FileSize, m.Size)
	ev.AddText(event.FileMode, strconv.FormatUint(uint64(m.Mode), 8))
	ev.AddInt(event.FileUID, int64(m.UID))
	ev.AddText(event.FileMtime, exact(m.Mtime))
	if !v.h.CopyTimes {
		ev.AddText(event.FileCtime, exact(m.Ctime))
		ev.AddText(event.FileCrtime, exact(m.Crtime))
	}
	return e
}

// benign says what ordinary cause would leave a difference, "" for none.
func (v *verifier) benign(r *run, c *candidate, x *pkgdb.Expected, ev *event.Event, diff []string) string {
	p := x.Package
	if !p.Whole() {
		return "dpkg did not end installing the package (" + p.Status + "): files of the old and the new version may lie side by side"
	}
	if why := v.good(r, c); why != "" {
		return why
	}
	if by, ok := v.h.owners.Diverted(c.path); ok && by != p.Name {
		return "the path is diverted by " + by
	}
	if c.link && strings.HasPrefix(ev.Text(event.FileTarget), "/etc/alternatives/") {
		return "the system of alternatives put a link in its place"
	}
	if slices.Contains(diff, "mode") || slices.Contains(diff, "capability") || slices.Contains(diff, "baseline") {
		return ""
	}
	if c.found.kind() == "elf" && contains(r.ctx, io.NewSectionReader(content{c}, 0, c.size), prelinkMark) {
		return "prelink changed it: its digest says nothing"
	}
	if why := ordinary(c.path); why != "" && !programPlace(c.path) && c.found.kind() != "elf" {
		return why
	}
	soon := func(t evidence.Time) bool {
		d := t.Sub(p.Installed)
		return t.Known() && p.Installed.Known() && d > -installing && d < installing
	}
	if soon(c.mtime) && (v.h.CopyTimes || soon(c.ctime)) {
		return "it was written while the package was installed, as the package's own scripts would"
	}
	return ""
}

// good says by what a file is known to be good, "" for nothing.
func (v *verifier) good(r *run, c *candidate) string {
	if c.owned && r.o.Known != nil && !c.link { // of these only the package's own digest was computed
		d := sumsOf(r.ctx, io.NewSectionReader(content{c}, 0, c.size), c.size, make([]byte, 256<<10), r.o.Known.algos())
		if name := r.o.Known.has(&d); name != "" && d.err == nil {
			return "its " + name + " is among the digests known to be good"
		}
	}
	if name := r.o.Known.has(&c.found); name != "" {
		return "its " + name + " is among the digests known to be good"
	}
	if r.base != nil {
		if sum := r.base.sum(r, c.path); sum != nil && bytes.Equal(sum, c.found.of(pkgdb.SHA256)) {
			return "it is the same in the baseline"
		}
	}
	return ""
}

// unowned tells a program or library that no package owns.
func (v *verifier) unowned(r *run, c *candidate, t *tally) {
	t.unowned++
	ev := v.event(event.UnownedFile, c.path, nil)
	e := v.meta(&ev, c)
	ev.AddText(event.FileContent, c.found.kind())
	ev.AddText(event.FileSHA256, hex.EncodeToString(c.found.of(pkgdb.SHA256)))
	if caps := capability(c); len(caps) > 0 {
		ev.AddText(event.FileCaps, hex.EncodeToString(caps))
	}
	why := v.good(r, c)
	if why != "" {
		t.known++
	} else {
		why = ordinary(c.path)
	}
	if by, ok := v.h.owners.Diverted(c.path); ok && why == "" {
		why = "the path is diverted by " + by
	}
	if r.base != nil && r.base.sum(r, c.path) != nil && why == "" {
		ev.AddText(event.Change, "baseline")
	}
	ev.AddText(event.Message, v.published(r, c, &ev, why, t))
	ev.Raw = []byte(describe(e, &ev))
	v.events = append(v.events, ev)
}

// published adds what a filter of published files says of a file against which nothing else speaks; why is the better reason.
func (v *verifier) published(r *run, c *candidate, ev *event.Event, why string, t *tally) string {
	if why != "" || c.mode&(filesystem.SetUID|filesystem.SetGID) != 0 || ev.Get(event.FileCaps) != nil || ev.Get(event.Change) != nil {
		return why
	}
	said, err := r.o.Known.probably(&c.found)
	if err != nil {
		v.damaged = append(v.damaged, evidence.Damage{Reason: "files known to be good: " + err.Error()})
		r.o.Known.filters = nil
	}
	if said != "" {
		t.published++
	}
	return said
}

// ordinary says which usual thing puts unowned programs into a place, "" for none.
func ordinary(p string) string {
	in := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(p, w) {
				return true
			}
		}
		return false
	}
	switch {
	case strings.HasPrefix(p, "/lib/modules/") || strings.HasPrefix(p, "/usr/lib/modules/"):
		if in("/updates/", "/extra/", "/weak-updates/", "/misc/", "/dkms/") {
			return "a module that was built on the host (DKMS and the like)"
		}
	case in("/site-packages/", "/dist-packages/", "/node_modules/", "/gems/", "/perl5/", "/pear/"):
		return "a language's own package manager puts files here"
	case in("/jvm/", "/debug/", "/firmware/"):
		return "software that is unpacked by hand lies here"
	}
	return ""
}
