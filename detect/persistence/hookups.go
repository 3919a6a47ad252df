package persistence

import (
	"cmp"
	"path"
	"strconv"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// hook is one Hookup as its judge sees it.
type hook struct {
	mechanism, setting, runs, path, on string
	owned                              bool // a package owns the file that it stands in
}

// judgement is what is odd of a hook, in words that follow "It", and how grave that is.
type judgement struct {
	why   string
	level detect.Level
}

// hookups are the Hookups of a machine: the scripts, of which each line is an event, by mechanism and path; and the others.
type hookups struct {
	known   map[string]detect.Mechanism
	scripts map[string]*detect.Finding
	others  []detect.Finding
	foreign int             // of files that are not root's though root runs them
	rooted  int             // of those that are
	unowned map[string]bool // programs and libraries that no package owns, where packages put theirs
	managed bool            // a package database was read, so "no package owns it" means something
	files   map[string]*scriptFile
}

func newHookups() *hookups {
	h := &hookups{known: map[string]detect.Mechanism{}, scripts: map[string]*detect.Finding{}, unowned: map[string]bool{}, files: map[string]*scriptFile{}}
	for _, m := range detect.Mechanisms() {
		h.known[m.ID] = m
	}
	return h
}

// maxUnowned bounds hookups.unowned.
const maxUnowned = 50_000

func (h *hookups) observe(f *fold, e *event.Event) {
	m, ok := h.known[e.Text(event.RecordType)]
	if !ok || len(h.others)+len(h.scripts) >= maxItems {
		return
	}
	if m.ID == jobScript {
		h.observeScript(f, e)
		return
	}
	x := hook{m.ID, e.Text(event.SettingName), e.Text(event.CommandLine), e.Text(event.FilePath), e.Text(event.Message), len(e.Get(event.FilePackage)) > 0}
	line := e.Text(event.ProcessScript)
	r := detect.Finding{Detection: m.Row, What: detect.Persistence, Rung: evidence.Effect, Mechanism: m.ID, Attack: []string{m.Attack}, Count: 1, Path: x.path, Runs: x.runs, As: e.Text(event.UserName), Package: e.Text(event.FilePackage),
		Detail: x.on, For: []evidence.Quote{e.Quote()}, Title: m.Words + " in " + x.path + " runs " + x.runs + " " + x.on}
	f.when(&r, e)
	if uid := e.Text(event.FileUID); m.ID == "git-hook" && uid != "" && uid != "0" { // whoever works there, which in a server's repository is the service that owns it
		r.As, r.Account = cmp.Or(f.scene.UserByUID(uid), uid), ""
	}
	if line != "" {
		h.line(&r, &x, line)
		return
	}
	j := judge(&x)
	if w := writable(e, &r); w.level > j.level {
		j = w
	}
	h.owner(e, &r)
	if said[m.ID] && x.setting != "" {
		r.Runs = x.setting + " " + x.runs
		r.Title = m.Words + " in " + x.path + ": " + r.Runs + ", " + x.on
	}
	if j.level > detect.Info {
		r.Level, r.Detail = j.level, j.why+" ("+x.on+")"
	} else if x.owned && !strings.HasPrefix(x.path, "/etc/") || m.ID == "package-script" {
		return // as its package ships it: what differs is told by package checks
	}
	if x.runs == x.path {
		key := m.ID + "\x00" + x.path
		if h.scripts[key] == nil {
			h.scripts[key] = &r
		}
		return
	}
	h.others = append(h.others, r)
}

// said are mechanisms whose setting's name has to be told with its value: "yes" alone says nothing.
var said = map[string]bool{"sshd-setting": true, "ssh-setting": true, "environment": true, "pam-rule": true, "php-setting": true, "php-user-ini": true, "database-setting": true, "git-setting": true, "samba-command": true, "kernel-helper": true, "web-module": true, "web-handler": true, "container-unit": true, "package-runner": true}

// line judges a line of a script. Of a package's own only what is never innocent is told: they are long, and fetch and unpack for a living.
func (h *hookups) line(r *detect.Finding, x *hook, line string) {
	why, l := detect.SuspiciousCommand(line)
	if l == detect.Critical && firstBoot(x) && strings.HasPrefix(why, "runs code that it fetches") {
		l = detect.High
	}
	if l == detect.Info || l < detect.Critical && (x.owned || x.mechanism == "package-script" || x.mechanism == "cloud-script" || x.mechanism == "initramfs-content") {
		return
	}
	key := x.mechanism + "\x00" + x.path
	old := h.scripts[key]
	if old != nil && old.Level >= l {
		return
	}
	r.Level, r.Runs, r.Detail = l, line, why+" ("+x.on+")"
	if old != nil && len(old.For) > 0 {
		r.For = append(r.For, old.For[0])
	}
	h.scripts[key] = r
}

// firstBoot tells what whoever ordered a machine gave it to run when it was new, which fetches from where he keeps the rest.
func firstBoot(x *hook) bool {
	return x.mechanism == "cloud-script" && strings.HasPrefix(x.path, "/var/lib/cloud/instances/") && (strings.HasPrefix(path.Base(x.path), "user-data.txt") || strings.HasPrefix(path.Base(x.path), "part-"))
}

// writable tells a file that anybody may change, though what it names runs as root.
func writable(e *event.Event, r *detect.Finding) judgement {
	mode, err := strconv.ParseUint(e.Text(event.FileMode), 8, 16)
	if err == nil && mode&0o002 != 0 && r.As == "root" {
		return judgement{"may be changed by everybody, and runs as root", detect.Medium}
	}
	return judgement{}
}

// owner counts files of root's hooks that belong to others. A tree that was copied by somebody belongs to him as a whole.
func (h *hookups) owner(e *event.Event, r *detect.Finding) {
	uid := e.Text(event.FileUID)
	if r.As != "root" || uid == "" || !strings.HasPrefix(r.Path, "/etc/") && !strings.HasPrefix(r.Path, "/usr/") {
		return
	}
	if uid == "0" {
		h.rooted++
		return
	}
	h.foreign++
	r.Account = uid
}

// file takes notice of what the walk shows: alternatives, and accounts whose services start at boot.
func (h *hookups) file(f *fold, e *event.Event) {
	p, target := e.Text(event.FilePath), e.Text(event.FileTarget)
	id, runs, on := "", target, "when somebody calls "+path.Base(p)
	j := judgement{"", detect.Info}
	switch {
	case strings.HasPrefix(p, "/etc/alternatives/") && target != "":
		if id = "alternative"; odd(target) {
			j = judgement{"points to a place where no package puts programs", detect.High}
		} else if !ordinary(target) {
			j = judgement{"points to a place where packages seldom put programs", detect.Medium}
		}
		if j.level == detect.Info {
			return // as update-alternatives sets them, by the hundred
		}
	case strings.HasPrefix(p, "/var/lib/systemd/linger/"):
		id, runs, on = "lingering", "its units", "at boot, without a login"
	default:
		return
	}
	m := h.known[id]
	r := detect.Finding{Detection: m.Row, What: detect.Persistence, Level: j.level, Rung: evidence.Effect, Mechanism: id, Attack: []string{m.Attack}, Count: 1, Path: p, Runs: runs, As: "whoever calls it", Detail: on, For: []evidence.Quote{e.Quote()}}
	if id == "lingering" {
		r.As = path.Base(p)
	}
	if j.level > detect.Info {
		r.Detail = j.why
	}
	r.Title = m.Words + " " + p + " runs " + runs + " " + on
	f.when(&r, e)
	if len(h.others) < maxItems {
		h.others = append(h.others, r)
	}
}

// ordinary tells places of programs and libraries.
func ordinary(p string) bool {
	for _, d := range []string{"/usr/", "/bin/", "/sbin/", "/lib", "/etc/", "/opt/", "/var/lib/", "/snap/", "/nix/", "/gnu/"} {
		if strings.HasPrefix(p, d) {
			return true
		}
	}
	return p[0] != '/'
}

// odd tells a path where everybody may write or that hides itself.
func odd(p string) bool {
	return detect.InVolatileDir(p) || detect.HiddenPath(p) != "" || strings.HasPrefix(p, "/dev/") && p != "/dev/null"
}

// findings gives the hookups, after a last judgement that needs all of them.
func (h *hookups) findings(yield func(detect.Finding) bool) bool {
	for i := range h.others {
		if !yield(h.last(h.others[i])) {
			return false
		}
	}
	for _, k := range sorted(h.scripts) {
		if !yield(h.last(*h.scripts[k])) {
			return false
		}
	}
	return true
}

func (h *hookups) last(r detect.Finding) detect.Finding {
	uid := r.Account
	r.Account = ""
	switch {
	case r.Level >= detect.Medium:
	case uid != "" && h.foreign*4 < h.rooted:
		r.Level, r.Detail = detect.Medium, "belongs to the account with the number "+uid+", and runs as root ("+r.Detail+")"
	case h.managed && r.Package == "" && r.Runs == r.Path && vendor(r.Path) && vendored[r.Mechanism]:
		r.Level, r.Detail = detect.Medium, "lies among files of packages, and no package owns it ("+r.Detail+")"
	case h.managed && r.Package == "" && r.Mechanism == "systemd-generator":
		r.Level, r.Detail = detect.Medium, "is a generator that no package owns ("+r.Detail+")"
	case loads[r.Mechanism]:
		if lib := h.stranger(r.Runs); lib != "" {
			r.Level, r.Detail = detect.Medium, "loads "+lib+", which no package owns ("+r.Detail+")"
		}
	}
	return r
}

// vendored are mechanisms whose files below /usr and /lib come with packages only: administrators have places of their own in /etc.
var vendored = map[string]bool{"systemd-generator": true, "systemd-sleep": true, "network-hook": true, "dhcp-hook": true, "initramfs-hook": true, "kernel-hook": true, "motd": true, "package-plugin": true}

func vendor(p string) bool {
	return (strings.HasPrefix(p, "/usr/") || strings.HasPrefix(p, "/lib/")) && !strings.HasPrefix(p, "/usr/local/")
}

// loads are mechanisms that load a module into a program.
var loads = map[string]bool{"pam-rule": true, "name-service": true, "web-module": true, "php-setting": true, "database-setting": true, "sudo-setting": true, "audit-plugin": true, "converter-module": true, "environment": true}

// stranger gives the file of a module that no package owns.
func (h *hookups) stranger(runs string) string {
	for _, w := range strings.FieldsFunc(runs, func(r rune) bool { return strings.ContainsRune(" \t,:'\"", r) }) {
		if !strings.Contains(w, ".so") {
			continue
		}
		if h.unowned[w] || h.unowned[path.Base(w)] {
			return w
		}
	}
	return ""
}

// noteUnowned keeps a file that no package owns, by path and by name; one with an ordinary explanation is not kept, but for one that is only
// probably published: what is hooked in is to be judged by what it is there for.
func (h *hookups) noteUnowned(e *event.Event) {
	p, why := e.Text(event.FilePath), e.Text(event.Message)
	if len(h.unowned) < maxUnowned && (why == "" || strings.HasPrefix(why, "probably published")) && strings.Contains(p, ".so") {
		h.unowned[p], h.unowned[path.Base(p)] = true, true
	}
}
