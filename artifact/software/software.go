// Package software reads which software stands on the host beside what the package managers list, and in which version: applications of the web by
// the file that each of them keeps its own version in, libraries by what Composer wrote down and by the names of Java archives, daemons that were
// built by hand by the banner within their program. Each gives events of kind SoftwareSeen. What distributions install is left to their package
// databases: they mend faults without changing the number that such a file tells, so files below their folders say nothing here.
package software

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"path"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
)

// The worlds of versions, as event.PackageType has them.
const (
	Application = "application"
	Plugin      = "wordpress-plugin"
	Theme       = "wordpress-theme"
	Extension   = "joomla-extension"
	Module      = "drupal-module"
	Packagist   = "packagist"
	Maven       = "maven"
	Binary      = "binary"
)

// maxHead is how much of a file is looked at for its version: WordPress itself looks at 8 KiB of a plugin, other applications
// keep it within the first pages of a source file.
const maxHead = 64 << 10 // bytes

// maxVersion bounds a version, bytes.
const maxVersion = 64

// found is a version, and where it stands.
type found struct {
	name, version string
	off, n        int // of the line
}

// All gives the artefacts.
func All() []*artifact.Artifact {
	var out []*artifact.Artifact
	for _, s := range sites() {
		out = append(out, &artifact.Artifact{Name: s.name, Doc: s.doc, Spec: s.spec, Files: s.files, Kinds: []event.Kind{event.SoftwareSeen}, Parse: s.parse})
	}
	return append(out, composer(), jars(), daemons(), release())
}

// site is software that tells its version in the first pages of one file.
type site struct {
	name, doc, spec string
	world           string
	files           []string
	read            func(p string, head []byte) (found, bool)
}

func (s *site) parse(_ context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		if packaged(in.Path) {
			return
		}
		head, err := headOf(in.R, maxHead)
		if err != nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
		if f, ok := s.read(in.Path, head); ok && sound(f.version) {
			yield(seen(in, s.world, f, head[f.off:f.off+f.n]), nil)
		}
	}
}

// headOf reads the first bytes.
func headOf(r io.Reader, most int) ([]byte, error) {
	b := make([]byte, most)
	n, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:n], err
}

// packaged tells whether a path lies where only package managers put files. Webmin is its maker's own package, which keeps upstream's numbers.
func packaged(p string) bool {
	for _, dir := range []string{"/usr/share/", "/usr/lib/", "/usr/lib64/"} {
		if strings.HasPrefix(p, dir) {
			return !strings.HasPrefix(p, "/usr/share/webmin/")
		}
	}
	return false
}

// seen makes the event.
func seen(in *artifact.Input, world string, f found, raw []byte) event.Event {
	in.Seen.Record(evidence.Time{})
	e := event.Event{Kind: event.SoftwareSeen, Ref: in.Ref, Raw: bytes.Clone(raw[:min(len(raw), evidence.MaxQuote)])}
	e.Ref.Off, e.Ref.Len = int64(f.off), int64(f.n)
	e.AddText(event.PackageType, world)
	e.AddText(event.PackageName, f.name)
	e.AddText(event.PackageVersion, f.version)
	e.AddText(event.FilePath, in.Path)
	return e
}

// sound tells whether a word is a version: it begins with a digit, and nothing stands in it that no version has.
func sound(v string) bool {
	v = strings.TrimPrefix(v, "v")
	if v == "" || len(v) > maxVersion || v[0] < '0' || v[0] > '9' {
		return false
	}
	return strings.Trim(v, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+~_-") == ""
}

// lineAt gives the bounds of the line that holds a position, without its end.
func lineAt(b []byte, at int) (from, to int) {
	from = bytes.LastIndexByte(b[:at], '\n') + 1
	to = len(b)
	if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
		to = at + i
	}
	if to > from && b[to-1] == '\r' {
		to--
	}
	return from, to
}

// folder gives the name of the folder that a file lies in: WordPress's own name of a plugin.
func folder(p string) string { return path.Base(path.Dir(p)) }
