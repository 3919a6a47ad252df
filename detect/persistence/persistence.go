// Package persistence judges what starts by itself or lets somebody in: cron entries,
// units and timers, authorised keys, preloaded libraries, start-up files. Each becomes a
// finding that says what runs, as whom, since when and which package owns the file; only what
// is odd in itself gets a level above info, for most of such entries are the administrator's.
package persistence

import (
	"context"
	"iter"
	"path"
	"sort"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "persistence", Title: "What starts by itself or lets somebody in", IDs: []string{"D46", "D47", "D48", "D49", "D50"},
		Doc:    "lists what is run, loaded or let in by itself, from cron entries to modules of PAM, that no package owns, and judges it (persistence.md names all of it)",
		Attack: []string{"T1053.003", "T1543.002", "T1098.004", "T1574.006", "T1546.004", "T1546", "T1556.003", "T1547.006", "T1542", "T1505.003"},
		Wants: []event.Kind{event.CronEntry, event.ServiceUnit, event.AuthorizedKey, event.PreloadLibrary, event.StartupCommand, event.SudoRule, event.CronRan, event.CronEdited,
			event.Hookup, event.File, event.UnownedFile, event.Package},
		New: func(s detect.Scene) detect.Fold {
			return &fold{scene: s, ran: map[string]*detect.Finding{}, skel: map[string]bool{}, hooks: newHookups()}
		},
	}
}

type fold struct {
	scene  detect.Scene
	items  []detect.Finding
	ran    map[string]*detect.Finding // commands that cron ran, by user and command
	edited []detect.Finding
	skel   map[string]bool // lines that useradd copies into each new home: name of the file, then the line
	hooks  *hookups
}

// skel is where the files of a new account's home come from.
const skel = "/etc/skel/"

const maxItems = 50_000

var shapes = map[event.Kind]struct{ mechanism, id, attack string }{
	event.CronEntry:      {"cron", "D47", "T1053.003"},
	event.ServiceUnit:    {"systemd-unit", "D48", "T1543.002"},
	event.AuthorizedKey:  {"ssh-key", "D46", "T1098.004"},
	event.PreloadLibrary: {"ld-preload", "D50", "T1574.006"},
	event.StartupCommand: {"startup-file", "D49", "T1546.004"},
	event.SudoRule:       {"sudoers", "D40", "T1548.003"},
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.CronRan:
		f.cronRan(e)
		return
	case event.Hookup:
		f.hooks.observe(f, e)
		return
	case event.File:
		f.hooks.file(f, e)
		return
	case event.UnownedFile:
		f.hooks.noteUnowned(e)
		return
	case event.Package:
		f.hooks.managed = true
		return
	case event.CronEdited:
		if len(f.edited) < 1000 && strings.Contains(strings.ToUpper(e.Text(event.Change)), "REPLACE") {
			f.edited = append(f.edited, detect.Finding{Detection: "D47", What: detect.Command, Level: detect.Info, Rung: evidence.Accepted, First: e.At, Last: e.At, Account: e.Text(event.UserName),
				Mechanism: "cron", Title: "crontab of " + e.Text(event.UserName) + " was replaced", Detail: e.Text(event.Change), Attack: []string{"T1053.003"}, For: []evidence.Quote{e.Quote()}})
		}
		return
	}
	if len(f.items) >= maxItems || generated(e) {
		return
	}
	sh := shapes[e.Kind]
	r := detect.Finding{Detection: sh.id, What: detect.Persistence, Level: detect.Info, Rung: evidence.Effect, Mechanism: sh.mechanism, Attack: []string{sh.attack}, Count: 1,
		Path: e.Text(event.FilePath), Runs: e.Text(event.CommandLine), As: e.Text(event.UserName), Package: e.Text(event.FilePackage), Detail: e.Text(event.Schedule),
		For: []evidence.Quote{e.Quote()}}
	f.when(&r, e)
	switch e.Kind {
	case event.AuthorizedKey:
		f.key(&r, e)
	case event.CronEntry:
		if r.Detail == "once" && strings.Contains(r.Path, "/spool/") {
			r.Mechanism, r.Attack = "at-job", []string{"T1053.002"}
		}
		r.Title = r.Mechanism + " entry in " + r.Path + " runs " + r.Runs
	case event.StartupCommand:
		r.Title = r.Mechanism + " entry in " + r.Path + " runs " + r.Runs
		f.startup(&r)
	case event.ServiceUnit:
		if e.Text(event.Schedule) != "" {
			r.Mechanism, r.Attack = "systemd-timer", []string{"T1053.006"}
		}
		f.afar(&r)
		r.Title = "unit " + e.Text(event.UnitName) + " runs " + r.Runs
		if r.As == "" {
			r.As = "root"
		}
	case event.PreloadLibrary:
		r.As = "every user"
		r.Title = "every program loads " + r.Runs + " first"
		r.Level, r.Detail = detect.High, "a library in ld.so.preload is loaded into every program, the way that user-land rootkits hide"
	case event.SudoRule:
		r.Title = r.As + " may run " + r.Runs
		if daemon(r.As) && allOf(r.Runs) && strings.Contains(r.Runs, "NOPASSWD") {
			r.Level, r.Detail = detect.Medium, "lets the account that a network service runs as become root without a password"
		}
	default:
		r.Title = r.Mechanism + " entry in " + r.Path + " runs " + r.Runs
	}
	if e.Kind != event.AuthorizedKey && e.Kind != event.SudoRule {
		why, l := detect.SuspiciousCommand(read(&r))
		if l > r.Level && r.Package == "" {
			r.Level, r.Detail = l, why
		}
		if h := detect.HiddenPath(r.Path); h != "" && r.Level < detect.High {
			r.Level, r.Detail = detect.High, "its file has the hidden name "+h
		}
		if u, ok := f.scene.User(r.As); ok && e.Kind == event.CronEntry && r.Package == "" && daemon(u.Name) && strings.HasPrefix(r.Path, "/var/spool/cron") && r.Level < detect.Medium {
			r.Level, r.Detail = detect.Medium, "a crontab of the account that a network service runs as, which nobody logs in with"
		}
	}
	if strings.HasPrefix(r.Path, skel) {
		f.skel[line(&r)] = true
	}
	f.items = append(f.items, r)
}

// when sets since when a finding is there: from its file's birth to its last change.
func (f *fold) when(r *detect.Finding, e *event.Event) {
	mtime, ctime, crtime := detect.ParseTime(e.Text(event.FileMtime)), detect.ParseTime(e.Text(event.FileCtime)), detect.ParseTime(e.Text(event.FileCrtime))
	r.First, r.Last = crtime, evidence.Max(ctime, mtime)
	if !f.scene.ChangeTimes {
		r.First, r.Last = mtime, mtime
	}
	if !r.First.Known() {
		r.First = r.Last
	}
}

func line(r *detect.Finding) string { return path.Base(r.Path) + "\x00" + r.Runs }

// copied tells whether a line of somebody's start-up file is there because useradd copied it, which says nothing about him.
func (f *fold) copied(r *detect.Finding) bool {
	return r.Mechanism == "startup-file" && r.Level < detect.Medium && !strings.HasPrefix(r.Path, skel) && f.skel[line(r)]
}

func daemon(name string) bool {
	switch name {
	case "www-data", "apache", "nginx", "httpd", "wwwrun", "mysql", "postgres", "nobody", "daemon", "ftp", "redis", "tomcat", "exim", "Debian-exim", "postfix", "bind", "named":
		return true
	}
	return false
}

// key judges an authorised key: for whom, with what options.
func (f *fold) key(r *detect.Finding, e *event.Event) {
	r.Key, r.Runs = e.Text(event.KeyFingerprint), e.Text(event.KeyOptions)
	comment := e.Text(event.KeyComment)
	r.Title = "key " + r.Key + " (" + comment + ") may log in as " + r.As
	r.Detail = comment
	if u, ok := f.scene.User(r.As); ok && daemon(u.Name) {
		r.Level, r.Detail = detect.High, "a key for the account that a network service runs as, which nobody logs in with"
	}
	if why, l := detect.SuspiciousCommand(r.Runs); l > r.Level {
		r.Level, r.Detail = l, "its forced command "+why
	}
}

func (f *fold) cronRan(e *event.Event) {
	k := e.Text(event.UserName) + "\x00" + e.Text(event.CommandLine)
	r := f.ran[k]
	if r == nil {
		if len(f.ran) >= 20_000 {
			return
		}
		r = &detect.Finding{Detection: "D47", What: detect.Command, Level: detect.Info, Rung: evidence.Effect, Mechanism: "cron-ran", Account: e.Text(event.UserName), Runs: e.Text(event.CommandLine),
			Title: "cron ran for " + e.Text(event.UserName) + ": " + e.Text(event.CommandLine), Attack: []string{"T1053.003"}, For: []evidence.Quote{e.Quote()}}
		if why, l := detect.SuspiciousCommand(read(r)); l > detect.Info {
			r.Level, r.Detail = l, why
		}
		f.ran[k] = r
	}
	r.Count++
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		f.keyWatch()
		for _, r := range f.items {
			if f.copied(&r) {
				continue
			}
			if !yield(r) {
				return
			}
		}
		for _, r := range f.edited {
			if !yield(r) {
				return
			}
		}
		if !f.hooks.findings(yield) || !f.hooks.scriptsOf(f, yield) {
			return
		}
		for _, k := range sorted(f.ran) {
			if !yield(*f.ran[k]) {
				return
			}
		}
	}
}

// sorted gives the keys in their order, so that a run says the same as the one before.
func sorted(m map[string]*detect.Finding) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
