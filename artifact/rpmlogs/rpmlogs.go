// Package rpmlogs reads what package managers of RPM systems did: yum, dnf and zypper. What an intruder installed stands here, what was removed, and when the
// last update came.
package rpmlogs

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// Yum gives the artefact of the logs of yum and dnf.
func Yum() *artifact.Artifact {
	return &artifact.Artifact{Name: "yum", Doc: "packages that yum and dnf installed, updated and removed", Spec: "yum 3.x yum/rpmtrans.py (yum.log); dnf 2 to 4 dnf/logging.py (dnf.rpm.log, dnf.log)",
		Files: []string{"/var/log/yum.log", "/var/log/dnf.rpm.log", "/var/log/dnf.log", "/var/log/hawkey.log", "/var/log/dnf5.log"}, Log: true, Sniff: artifact.MostLines(ofYum), Parse: reader(yum), Kinds: []event.Kind{event.PackageChanged, event.PackageRun}}
}

// Zypper gives the artefact of zypper's history.
func Zypper() *artifact.Artifact {
	return &artifact.Artifact{Name: "zypper", Doc: "packages that zypper installed and removed, and who ran it", Spec: "libzypp 17 zypp/target/commitpackagecache, zypp/HistoryLog.cc", Files: []string{"/var/log/zypp/history"}, Log: true,
		Sniff: func(head []byte) bool {
			c := &logclock.Clock{}
			line := head
			for bytes.HasPrefix(line, []byte("#")) {
				_, line, _ = bytes.Cut(line, []byte("\n"))
			}
			_, n := c.ISO(line)
			return n == 19 && len(line) > 20 && line[19] == '|' && line[10] == ' ' && line[20] >= 'a' && line[20] <= 'z' // what was done
		}, Parse: reader(zypper), Kinds: []event.Kind{event.PackageChanged, event.PackageRun}}
}

// reader makes a Parse of a function that reads one line.
func reader(read func(c *logclock.Clock, t []byte, e *event.Event) (at evidence.Time, known, yields bool)) func(context.Context, *artifact.Input) iter.Seq2[event.Event, error] {
	return func(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			var e event.Event
			for ref, t := range artifact.EachLine(ctx, in, yield) {
				at, known, yields := read(in.Clock, t, &e)
				if !known {
					in.Seen.Unknown(unread)
					continue
				}
				in.Seen.Record(at)
				if !yields {
					continue
				}
				e.At, e.Ref, e.Raw = at, ref, t
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

var unread = []byte("package line")

// changes are the words of yum and dnf, and ours.
var changes = []struct{ word, change string }{
	{"Installed: ", "install"}, {"Updated: ", "upgrade"}, {"Upgraded: ", "upgrade"}, {"Upgrade: ", "upgrade"}, {"Erased: ", "remove"}, {"Removed: ", "remove"}, {"Reinstalled: ", "reinstall"}, {"Downgraded: ", "downgrade"}, {"Dep-Installed: ", "install"}, {"Obsoleted: ", "remove"},
}

// yum reads "Jul 09 03:00:00 Installed: foo-1.2-3.el7.x86_64" and "2024-07-09T03:00:00+0200 SUBDEBUG Installed: foo-1.2-3.el9.x86_64", and of dnf.log "... DDEBUG
// Command: dnf install foo".
func yum(c *logclock.Clock, t []byte, e *event.Event) (at evidence.Time, known, yields bool) {
	at, n := c.ISO(t)
	if n == 0 {
		at, n = c.BSD(t)
	}
	if n == 0 || n >= len(t) || t[n] != ' ' {
		return at, false, false
	}
	rest := bytes.TrimLeft(t[n:], " ")
	if word, after := said.FirstWord(rest); len(word) > 0 && word[len(word)-1] != ':' && bytes.Equal(word, bytes.ToUpper(word)) { // the level
		rest = after
	}
	if command, ok := said.Rest(rest, "Command: "); ok {
		e.Reset(event.PackageRun)
		e.Add(event.CommandLine, command)
		return at, true, true
	}
	for _, x := range changes {
		name, ok := said.Rest(rest, x.word)
		if !ok {
			continue
		}
		if before, rest, ok := said.Cut(name, ":"); ok && len(said.Number(before)) == len(before) { // an epoch
			name = rest
		}
		e.Reset(event.PackageChanged)
		split(e, name)
		e.AddText(event.Change, x.change)
		return at, true, true
	}
	return at, true, false
}

// split reads "name-version-release.arch"; yum writes erased ones by name alone.
func split(e *event.Event, t []byte) {
	name, arch, ok := said.CutLast(t, ".")
	if !ok {
		e.Add(event.PackageName, t)
		return
	}
	name, release, ok := said.CutLast(name, "-")
	name2, version, ok2 := said.CutLast(name, "-")
	if !ok || !ok2 {
		e.Add(event.PackageName, t)
		return
	}
	e.Add(event.PackageName, name2)
	e.Add(event.PackageArch, arch)
	e.Add(event.PackageVersion, append(append(bytes.Clone(version), '-'), release...))
}

// zypper reads "2024-07-09 03:00:40|install|foo|1.2-3|x86_64|root@host|repo|checksum|" and "...|command|root@host|'zypper' 'install' 'foo'|".
func zypper(c *logclock.Clock, t []byte, e *event.Event) (at evidence.Time, known, yields bool) {
	if t[0] == '#' {
		return at, true, false
	}
	at, n := c.ISO(t)
	if n != 19 || len(t) < 21 || t[19] != '|' {
		return at, false, false
	}
	f := bytes.SplitN(t[20:], []byte("|"), 7)
	switch what := string(f[0]); {
	case what == "command" && len(f) > 2:
		e.Reset(event.PackageRun)
		user, _, _ := said.Cut(f[1], "@")
		e.Add(event.UserName, user)
		e.Add(event.CommandLine, f[2])
		return at, true, true
	case (what == "install" || what == "remove " || what == "remove") && len(f) > 3:
		e.Reset(event.PackageChanged)
		e.Add(event.PackageName, f[1])
		e.Add(event.PackageArch, f[3])
		e.Add(event.PackageVersion, f[2])
		e.AddText(event.Change, string(bytes.TrimSpace(f[0])))
		return at, true, true
	}
	return at, true, false
}

// ofYum tells a line of these logs.
func ofYum(line []byte) bool {
	var e event.Event
	_, known, yields := yum(&logclock.Clock{Year: 2000}, line, &e)
	return known && yields || bytes.Contains(line, []byte(" --- logging initialized ---"))
}
