package packages

import (
	"bytes"
	"context"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/host/pkgdb"
	"telltale/internal/lines"
)

// RPM gives the artefact of rpm's database, in each of its forms.
func RPM() *artifact.Artifact {
	return &artifact.Artifact{Name: "rpm-packages", Doc: "the packages that are installed, and when each was", Spec: "rpm 4.18 docs/manual/format.md, lib/backend (SQLite, ndb, Berkeley DB)", Files: pkgdb.RPMPaths(), Random: true,
		Kinds: []event.Kind{event.Package}, Parse: rpm}
}

// Apk gives the artefact of apk's installed database.
func Apk() *artifact.Artifact {
	return &artifact.Artifact{Name: "apk-installed", Doc: "the packages that are installed", Spec: "apk-tools 2.14 src/database.c", Files: []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed"},
		Kinds: []event.Kind{event.Package}, Parse: apk}
}

func rpm(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		if in.At == nil || in.Size < 0 {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: "rpm's database cannot be read at any place"})
			return
		}
		for x, err := range pkgdb.Headers(ctx, in.At, in.Size) {
			ref := in.Ref
			if x.Off >= 0 {
				ref.Off, ref.Len = x.Off, x.Len
			}
			var p pkgdb.Package
			if err == nil {
				p, err = x.Package()
			}
			if err != nil {
				if !yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: err.Error()}) {
					return
				}
				continue
			}
			in.Seen.Record(evidence.Time{})
			e := event.Event{Kind: event.Package, Ref: ref, Raw: []byte(p.Name + "-" + p.Version + "." + p.Arch)}
			e.AddText(event.PackageType, "rpm")
			e.AddText(event.PackageName, p.Name)
			e.AddText(event.PackageVersion, p.Version)
			e.AddText(event.PackageArch, p.Arch)
			e.AddText(event.PackageSource, p.Source)
			if p.Installed.Known() {
				e.AddText(event.PackageInstalled, p.Installed.Std().Format(time.RFC3339))
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// apk reads stanzas of one letter, a colon and a value.
func apk(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		var rec record
		e.Reset(event.Package)
		flush := func() bool {
			if e.Get(event.PackageName) == nil {
				return true
			}
			in.Seen.Record(evidence.Time{})
			ok := yield(e, nil)
			e.Reset(event.Package)
			return ok
		}
		going := true
		each(ctx, in, yield, func(l lines.Line) bool {
			if len(l.Text) == 0 {
				going = flush()
				return going
			}
			k, v, _ := bytes.Cut(l.Text, []byte(":"))
			rec.line(l, string(k) == "P")
			switch string(k) {
			case "P":
				e.Ref, e.Raw = at(in, l), bytes.Clone(l.Text)
				e.AddText(event.PackageType, "apk")
				e.Add(event.PackageName, bytes.Clone(v))
			case "V":
				rec.end(&e, in, l)
				e.Add(event.PackageVersion, bytes.Clone(v))
			case "A":
				e.Add(event.PackageArch, bytes.Clone(v))
			case "o":
				e.Add(event.PackageSource, bytes.Clone(v))
			}
			return true
		})
		if going {
			flush()
		}
	}
}
