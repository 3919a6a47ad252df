// Package packages reads the records of dpkg, apt, rpm and apk: what is installed, what was installed when, by which command.
package packages

import (
	"bytes"
	"context"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
)

// Status gives the artefact of dpkg's status file.
func Status() *artifact.Artifact {
	return &artifact.Artifact{Name: "dpkg-status", Doc: "the packages that are installed", Spec: "deb-control(5), dpkg(1) PACKAGE STATES", Files: []string{"/var/lib/dpkg/status", "/var/lib/dpkg/status.d/*"},
		Kinds: []event.Kind{event.Package}, Parse: status}
}

// DpkgLog gives the artefact of dpkg.log.
func DpkgLog() *artifact.Artifact {
	return &artifact.Artifact{Name: "dpkg-log", Doc: "packages installed, upgraded and removed, with times", Spec: "dpkg(1) FILES, dpkg 1.21 lib/dpkg/log.c", Files: []string{"/var/log/dpkg.log"},
		Log: true, Kinds: []event.Kind{event.PackageChanged}, Parse: dpkgLog}
}

// AptHistory gives the artefact of apt's history.
func AptHistory() *artifact.Artifact {
	return &artifact.Artifact{Name: "apt-history", Doc: "runs of apt, with the command line and who asked", Spec: "apt 2.6 apt-pkg/deb/dpkgpm.cc", Files: []string{"/var/log/apt/history.log"},
		Log: true, Sniff: aptSniff, Kinds: []event.Kind{event.PackageRun}, Parse: aptHistory}
}

func each(ctx context.Context, in *artifact.Input, yield func(event.Event, error) bool, f func(l lines.Line) bool) {
	lr := lines.NewReader(in.R)
	for l, ok := lr.Next(); ok && ctx.Err() == nil; l, ok = lr.Next() {
		if !f(l) {
			return
		}
	}
	if err := lr.Err(); err != nil && ctx.Err() == nil {
		yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
	}
}

func at(in *artifact.Input, l lines.Line) evidence.Ref {
	r := in.Ref
	r.Off, r.Len, r.Line = l.Off, l.Len, l.Num
	return r
}

// record keeps a stanza's lines from the name to the version, as the quotation of what is installed.
type record struct{ text []byte }

// line adds a line of the stanza.
func (r *record) line(l lines.Line, first bool) {
	if first {
		r.text = r.text[:0]
	}
	if len(r.text) <= evidence.MaxQuote {
		r.text = append(append(r.text, l.Text...), '\n')
	}
}

// end makes the event's record reach to the line of the version; where they lie far apart, it is that line alone.
func (r *record) end(e *event.Event, in *artifact.Input, l lines.Line) {
	if n := l.Off + l.Len - e.Ref.Off; e.Raw != nil && n > 0 && n <= evidence.MaxQuote && len(r.text) <= evidence.MaxQuote {
		e.Ref.Len, e.Raw = n, bytes.Clone(bytes.TrimRight(r.text, "\n"))
		return
	}
	e.Ref, e.Raw = at(in, l), bytes.Clone(l.Text)
}

// status reads stanzas of "Field: value", one a package.
func status(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
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
			k, v, ok := bytes.Cut(l.Text, []byte(": "))
			rec.line(l, string(k) == "Package")
			if !ok || len(k) == 0 || k[0] == ' ' {
				return true
			}
			key := event.NoKey
			switch string(k) {
			case "Package":
				key, e.Ref, e.Raw = event.PackageName, at(in, l), bytes.Clone(l.Text)
				e.AddText(event.PackageType, "deb")
			case "Version":
				key = event.PackageVersion
				rec.end(&e, in, l)
			case "Architecture":
				key = event.PackageArch
			case "Source":
				key = event.PackageSource
			case "Status":
				key = event.PackageStatus
			default:
				return true
			}
			e.Add(key, bytes.Clone(v))
			return true
		})
		if going {
			flush()
		}
	}
}

// dpkgLog reads "2024-01-02 03:04:05 install name:arch <none> 1.2" in local time.
func dpkgLog(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		each(ctx, in, yield, func(l lines.Line) bool {
			if len(l.Text) == 0 {
				return true
			}
			t, n := in.Clock.ISO(l.Text)
			if n == 0 || n >= len(l.Text) {
				in.Seen.Unknown([]byte("dpkg line"))
				return true
			}
			in.Seen.Record(t)
			f := bytes.Fields(l.Text[n:])
			if len(f) < 4 {
				return true
			}
			what, pkg, previous, version := f[0], f[1], f[2], f[3]
			switch string(what) {
			case "install", "upgrade", "remove", "purge":
			case "configure": // the package's script begins to run
				version, previous = f[2], f[3]
			case "status": // "status installed name:arch version": its script has ended
				if string(f[1]) != "installed" {
					return true
				}
				what, pkg, previous = f[1], f[2], nil
			default:
				return true
			}
			e.Reset(event.PackageChanged)
			e.At, e.Ref, e.Raw = t, at(in, l), l.Text
			name, arch, _ := bytes.Cut(pkg, []byte(":"))
			e.Add(event.PackageName, name)
			e.Add(event.PackageArch, arch)
			e.Add(event.PackagePrevious, previous)
			e.Add(event.PackageVersion, version)
			e.Add(event.Change, what)
			return yield(e, nil)
		})
	}
}

// aptHistory reads stanzas: Start-Date, Commandline, Requested-By, Install, Upgrade, Remove, End-Date.
// aptSniff tells a history of apt under another name.
func aptSniff(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(head, "\r\n"), []byte("Start-Date: ")) && bytes.Contains(head, []byte("\nEnd-Date: "))
}

func aptHistory(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		e.Reset(event.PackageRun)
		each(ctx, in, yield, func(l lines.Line) bool {
			k, v, ok := bytes.Cut(l.Text, []byte(": "))
			if !ok {
				return true
			}
			switch string(k) {
			case "Start-Date":
				e.Reset(event.PackageRun)
				v = bytes.Replace(v, []byte("  "), []byte(" "), 1)
				t, _ := in.Clock.ISO(v)
				e.At, e.Ref = t, at(in, l)
				e.At.Step = time.Second
				in.Seen.Record(t)
			case "Commandline":
				e.Ref = at(in, l)
				e.Raw = bytes.Clone(l.Text)
				e.Add(event.CommandLine, bytes.Clone(v))
			case "Requested-By":
				user, _, _ := bytes.Cut(v, []byte(" "))
				e.Add(event.UserName, bytes.Clone(user))
			case "Install", "Upgrade", "Remove", "Purge":
				e.Add(event.Change, append(append(bytes.Clone(k), ": "...), v[:min(len(v), 400)]...))
			case "End-Date":
				if e.Ref.Path != "" || e.Ref.Source != "" {
					return yield(e, nil)
				}
			}
			return true
		})
	}
}
