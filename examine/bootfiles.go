package examine

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/host"
	"telltale/host/pkgdb"
	"telltale/internal/initramfs"
)

// The bounds of what is read of what boots the machine.
const (
	maxImages     = 20
	maxImage      = 1 << 30  // bytes of one, as it lies there
	maxMembers    = 100_000  // files of one that are compared
	maxScript     = 64 << 10 // bytes of a script that are kept to be judged
	maxScripts    = 16 << 20 // of all scripts of one
	maxScriptLine = 2000     // lines of one script that are shown
	maxStrange    = 20       // files of one image that are told
	maxLoaders    = 500      // programs of the firmware's partition
	maxHookBases  = 50_000   // files that first root file systems are made from, and no package owns
)

// bootFiles are what the walk met that boots the machine.
type bootFiles struct {
	images  []host.Entry
	loaders []host.Entry        // programs of the firmware's partition
	sources map[string][]string // by name: files that first root file systems are made from

	untakenImages bool // there are images whose content was not collected
}

// sourceDirs hold what first root file systems are made from.
var sourceDirs = []string{"/usr/share/initramfs-tools/", "/etc/initramfs-tools/", "/usr/lib/initramfs-tools/", "/usr/lib/dracut/", "/usr/share/dracut/", "/etc/dracut", "/usr/lib/initcpio/", "/etc/initcpio/", "/usr/share/cryptsetup/", "/lib/cryptsetup/", "/usr/lib/cryptsetup/"}

// visit notes a file of the walk.
func (b *bootFiles) visit(e *host.Entry) {
	base := path.Base(e.Path)
	if e.Meta.Type != filesystem.Regular || e.Meta.Size == 0 {
		return
	}
	if e.Meta.Flags&filesystem.Untaken != 0 {
		b.untakenImages = b.untakenImages || strings.HasPrefix(e.Path, "/boot/") && initrd(base)
		return
	}
	switch {
	case strings.HasPrefix(e.Path, "/boot/"):
		if len(b.images) < maxImages && initrd(base) && e.Meta.Size <= maxImage {
			b.images = append(b.images, *e)
		}
		if len(b.loaders) < maxLoaders && strings.EqualFold(path.Ext(base), ".efi") {
			b.loaders = append(b.loaders, *e)
		}
	case slices.ContainsFunc(sourceDirs, func(d string) bool { return strings.HasPrefix(e.Path, d) }):
		if b.sources == nil {
			b.sources = map[string][]string{}
		}
		if len(b.sources) < maxHookBases && len(b.sources[base]) < 8 {
			b.sources[base] = append(b.sources[base], e.Path)
		}
	}
}

// initrd tells a first root file system by its name: initrd.img-6.1, initramfs-6.1.img, initrd-6.1, initramfs-linux.img.
func initrd(base string) bool {
	for _, end := range []string{".old", ".bak", ".dpkg-bak", ".sig", ".hmac"} {
		if strings.HasSuffix(base, end) {
			return false
		}
	}
	return strings.HasPrefix(base, "initrd") || strings.HasPrefix(base, "initramfs") && strings.HasSuffix(base, ".img")
}

// member is one file of an image that is code.
type member struct {
	initramfs.File
	found  digests
	script []byte // of one that is not known, later shown line by line
}

// boot compares what boots the machine with its packages, and shows what differs.
func (v *verifier) boot(r *run) error {
	for i := range v.bootFiles.images {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		e := &v.bootFiles.images[i]
		r.stage("unpacking " + e.Path)
		if err := v.image(r, e); err != nil {
			v.damaged = append(v.damaged, evidence.Damage{Ref: v.h.Ref(e), Reason: "unpacking the first root file system: " + err.Error()})
		}
	}
	if v.untakenImages {
		v.notes = append(v.notes, "first root file systems were not unpacked, for their content was not collected")
	}
	return v.loaders(r)
}

// image compares one first root file system. An error does not stop the comparison of what came before it.
func (v *verifier) image(r *run, e *host.Entry) error {
	var all []*member
	kept := 0
	buf := make([]byte, 64<<10)
	err := initramfs.Read(io.NewSectionReader(v.h.File(e), 0, e.Meta.Size), func(f *initramfs.File, c io.Reader) error {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if len(all) >= maxMembers || !code(f) {
			return nil
		}
		var text limited
		m := &member{File: *f, found: sumsOf(r.ctx, io.TeeReader(c, &text), f.Size, buf, []pkgdb.Algo{pkgdb.MD5, pkgdb.SHA1, pkgdb.SHA256})}
		if m.kind() == "" || m.found.err != nil {
			return m.found.err
		}
		if m.kind() == "script" && kept < maxScripts {
			kept += len(text.b)
			m.script = text.b
		}
		all = append(all, m)
		return nil
	})
	v.judgeImage(r, e, all)
	return err
}

// limited keeps the first bytes that are written to it.
type limited struct{ b []byte }

func (l *limited) Write(p []byte) (int, error) {
	l.b = append(l.b, p[:min(len(p), maxScript-len(l.b))]...)
	return len(p), nil
}

// code tells files that may be run, or are read by what runs: modules are other files than those of the machine if they are packed there.
func code(f *initramfs.File) bool {
	return !module(f.Name) && !strings.HasPrefix(f.Name, "kernel/") && path.Base(f.Name) != "ORDER" && !strings.HasPrefix(f.Name, "usr/lib/firmware/") && !strings.HasPrefix(f.Name, "lib/firmware/")
}

// kind tells what a member is: "elf", "script", "".
func (m *member) kind() string {
	if k := m.found.kind(); k != "" {
		return k
	}
	if strings.HasPrefix(m.Name, "scripts/") || strings.Contains(m.Name, "/hooks/") || strings.HasPrefix(m.Name, "hooks/") {
		return "script"
	}
	return ""
}

// plain gives the name of a file without the number that dracut puts before it to order it: "30-parse-x.sh".
func plain(base string) string {
	if i := strings.IndexFunc(base, func(c rune) bool { return c < '0' || c > '9' }); i > 0 && base[i] == '-' {
		return base[i+1:]
	}
	return base
}

// judgeImage tells members that are like no file of the machine and its packages. A few among many that fit tell something; where many differ, the image
// was made on another machine, or what went into it was stripped.
func (v *verifier) judgeImage(r *run, e *host.Entry, all []*member) {
	claims := v.claimsOf(all)
	var odd []strangeMember
	fit := map[string]int{}
	differ := map[string]int{}
	for _, m := range all {
		s, ok := v.compareMember(r, e, m, claims)
		if ok {
			fit[m.kind()]++
			continue
		}
		differ[m.kind()]++
		if s.explained == "" {
			odd = append(odd, s)
		}
	}
	n := fmt.Sprintf("%s: %d programs and libraries and %d scripts are those of the machine, %d and %d are not", e.Path, fit["elf"], fit["script"], differ["elf"], differ["script"])
	told := 0
	for _, kind := range []string{"elf", "script"} {
		few := differ[kind]*10 <= fit[kind] || differ[kind] <= 2 && fit[kind] >= 10
		for _, s := range odd {
			if s.m.kind() == kind && told < maxStrange && (few || kind == "script" && len(s.m.script) > 0) {
				told++
				v.strangeMember(e, s, few)
			}
		}
		if differ[kind] > 0 && !few {
			n += "; so many differ that they are not told one by one: the image was made elsewhere, or what went into it was stripped or written by what made it"
		}
	}
	v.notes = append(v.notes, n)
}

// strangeMember is a member that fits nothing, and why that may be.
type strangeMember struct {
	m         *member
	like      string // the file of the machine whose name it bears, "" for none
	explained string
}

// shipped is what packages say of an image's members.
type shipped struct {
	sums  map[string]bool      // digests of members: whether some package ships a file with it, under whatever name
	names map[string][]claimed // files that bear the name of a member
}

// claimsOf looks through all packages once. What goes into an image is often renamed, and of files with many names the last one alone has the content.
func (v *verifier) claimsOf(all []*member) *shipped {
	out := &shipped{sums: map[string]bool{}, names: map[string][]claimed{}}
	for _, m := range all {
		base := path.Base(m.Name)
		out.names[base], out.names[plain(base)] = nil, nil
		for _, sum := range m.found.sums {
			out.sums[string(sum)] = false
		}
	}
	for p, x := range v.h.owners.All() {
		if x.Algo == pkgdb.NoDigest {
			continue
		}
		if _, wanted := out.sums[string(x.Sum)]; wanted {
			out.sums[string(x.Sum)] = true
		}
		base := path.Base(p)
		if was, wanted := out.names[base]; wanted && len(was) < 200 {
			out.names[base] = append(was, claimed{p, x})
		}
	}
	return out
}

type claimed struct {
	path string
	pkgdb.Expected
}

// compareMember tells whether a member is as a package ships a file of its name, or as a file of the machine at a place that it may be from.
func (v *verifier) compareMember(r *run, e *host.Entry, m *member, claims *shipped) (s strangeMember, ok bool) {
	s.m = m
	for _, sum := range m.found.sums {
		if claims.sums[string(sum)] {
			return s, true
		}
	}
	base := path.Base(m.Name)
	for _, b := range []string{base, plain(base)} {
		for i := range claims.names[b] {
			if c := &claims.names[b][i]; after(c.Package.Installed, e.Meta.Mtime) {
				s.explained = "its package was brought up to date since"
			}
		}
	}
	places := []string{"/" + m.Name, "/usr/share/initramfs-tools/" + m.Name, "/etc/initramfs-tools/" + m.Name}
	places = append(append(places, v.bootFiles.sources[base]...), v.bootFiles.sources[plain(base)]...)
	for _, p := range places {
		x, err := v.h.Lookup(p)
		if err != nil || x.Meta.Type != filesystem.Regular || x.Meta.Size > maxVerifyFile {
			continue
		}
		if s.like == "" {
			s.like = x.Path
		}
		if x.Meta.Size == m.Size {
			d := sumsOf(r.ctx, io.NewSectionReader(v.h.File(&x), 0, x.Meta.Size), x.Meta.Size, make([]byte, 64<<10), []pkgdb.Algo{pkgdb.SHA256})
			if d.err == nil && bytes.Equal(d.of(pkgdb.SHA256), m.found.of(pkgdb.SHA256)) {
				return s, true
			}
		}
		if after(x.Meta.Mtime, e.Meta.Mtime) || !v.h.CopyTimes && after(x.Meta.Ctime, e.Meta.Mtime) {
			s.explained = "the file of the machine was changed since"
		}
	}
	if generated(m.Name) {
		s.explained = "what makes the image writes such a file"
	}
	return s, false
}

// generated tells files that the makers of images write themselves: settings, orders, what dracut waits for.
func generated(name string) bool {
	for _, w := range []string{"conf/", "etc/", "cryptroot/", "run/", "lib/dracut/hooks/initqueue/", "usr/lib/dracut/hooks/initqueue/", "lib/dracut/hooks/emergency/", "usr/lib/dracut/hooks/emergency/", "var/lib/dracut/hooks/", "usr/lib/udev/rules.d/", "lib/udev/rules.d/", "lib/dracut/dracut-", "usr/lib/dracut/dracut-"} {
		if strings.HasPrefix(name, w) {
			return true
		}
	}
	return false
}

// strangeMember shows a member: as a whole where it is one of few, and line by line if it is a script.
func (v *verifier) strangeMember(e *host.Entry, s strangeMember, few bool) {
	m := s.m
	how, like := "stranger", "no package and no file of the machine is like it"
	if s.like != "" {
		how, like = "changed", "it is unlike "+s.like
	}
	ev := v.bootEvent("initramfs-content", e, e.Path+"!/"+m.Name, "/"+m.Name, "before the machine's own root file system is there")
	if few {
		ev.AddText(event.SettingName, how)
	}
	ev.AddText(event.FileSHA256, hex.EncodeToString(m.found.of(pkgdb.SHA256)))
	ev.Raw = []byte(fmt.Sprintf("%s holds %s (%s, %d bytes): %s", e.Path, m.Name, m.kind(), m.Size, like))
	if few {
		v.events = append(v.events, ev)
	}
	n := 0
	for line := range bytes.Lines(m.script) {
		line = bytes.TrimSpace(line)
		if n++; len(line) < 4 || line[0] == '#' || n > maxScriptLine {
			continue
		}
		l := ev.Clone()
		l.Raw = bytes.Clone(line)
		l.Add(event.ProcessScript, l.Raw)
		v.events = append(v.events, l)
	}
}

// bootEvent makes the event of something that runs at boot out of a file.
func (v *verifier) bootEvent(mechanism string, e *host.Entry, p, runs, on string) event.Event {
	ev := event.Event{Kind: event.Hookup, Ref: v.h.Ref(e), At: e.Meta.Mtime}
	ev.AddText(event.RecordType, mechanism)
	ev.AddText(event.FilePath, p)
	ev.AddText(event.CommandLine, runs)
	ev.AddText(event.UserName, "root")
	ev.AddText(event.Message, on)
	ev.AddText(event.FileMtime, exact(e.Meta.Mtime))
	if !v.h.CopyTimes {
		ev.AddText(event.FileCtime, exact(e.Meta.Ctime))
		ev.AddText(event.FileCrtime, exact(e.Meta.Crtime))
	}
	return ev
}
