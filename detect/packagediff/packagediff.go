// Package packagediff judges what differs from the package manager's word: programs and libraries that were changed, setuid
// bits that were gained, programs that no package owns, and records of packages that their own traces contradict. A
// difference has many innocent causes; those that the evidence shows are told with it and lower the level.
package packagediff

import (
	"context"
	"fmt"
	"iter"
	"path"
	"strconv"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// New gives the detection.
func New() *detect.Detection {
	return &detect.Detection{
		ID: "packagediff", Title: "Programs unlike their packages", IDs: []string{"D39", "D51", "D52", "D53"},
		Doc:    "compares programs, libraries and PAM modules with the digests of their packages, finds unowned ones among them, and records of packages that were forged",
		Attack: []string{"T1554", "T1556.003", "T1548.001", "T1547.006"},
		Wants:  []event.Kind{event.PackageFileChanged, event.UnownedFile, event.PackageRecordOdd, event.File},
		New:    func(s detect.Scene) detect.Fold { return &fold{scene: s, alike: map[string]int{}} },
	}
}

const maxFound = 5000

type fold struct {
	scene detect.Scene
	found []detect.Finding
	alike map[string]int // of those that matter little: the one that stands for all, by package and cause
}

// keep adds a finding. Of those that matter little the first one of a package and a cause counts the others: a package
// that is brought up to date by other means differs in hundreds of files.
func (f *fold) keep(r detect.Finding) {
	if r.Level <= detect.Low {
		key := fmt.Sprint(r.What, r.Level, r.Package, r.Mechanism, r.Explained)
		if r.Package == "" {
			key += place(r.Path)
		}
		if i, ok := f.alike[key]; ok {
			f.found[i].Count++
			return
		}
		if len(f.found) < maxFound {
			f.alike[key] = len(f.found)
		}
	}
	if len(f.found) >= maxFound {
		return
	}
	r.Count = 1
	f.found = append(f.found, r)
}

// place gives the part of a path that files of one kind share: for programs the whole.
func place(p string) string {
	if w := strings.SplitN(p, "/", 6); len(w) == 6 && !strings.HasSuffix(path.Dir(p), "/security") {
		return strings.Join(w[:4], "/")
	}
	return p
}

func (f *fold) Observe(e *event.Event) {
	switch e.Kind {
	case event.PackageFileChanged:
		f.changed(e)
	case event.UnownedFile:
		f.unowned(e)
	case event.PackageRecordOdd:
		f.record(e)
	case event.File:
		f.setuid(e)
	}
}

// class is what a path is to an intruder.
type class struct {
	row, attack string
	level       detect.Level // of a change without a benign cause
}

// trojaned are the programs that rootkits replace: those that let in, and those that show processes, files and connections.
var trojaned = map[string]bool{"sshd": true, "ssh": true, "login": true, "su": true, "sudo": true, "passwd": true, "bash": true, "sh": true, "dash": true, "ls": true, "ps": true, "top": true, "htop": true, "pstree": true, "netstat": true, "ss": true,
	"lsof": true, "find": true, "du": true, "ifconfig": true, "ip": true, "w": true, "who": true, "last": true, "lsmod": true, "kill": true, "pidof": true, "md5sum": true, "sha1sum": true, "sha256sum": true, "dpkg": true, "rpm": true, "crontab": true,
	"cron": true, "crond": true, "syslogd": true, "rsyslogd": true, "auditd": true, "init": true, "systemd": true, "systemctl": true, "journalctl": true, "strings": true, "file": true, "stat": true, "cat": true, "grep": true, "nginx": true, "apache2": true, "httpd": true,
	"vsftpd": true, "proftpd": true, "scp": true, "sftp-server": true, "sshd-session": true, "ssh-agent": true, "agetty": true, "xinetd": true, "inetd": true}

// classOf judges a path.
func classOf(p string) class {
	b := path.Base(p)
	switch {
	case strings.Contains(p, "/security/") && strings.Contains(b, ".so") || strings.HasPrefix(b, "libpam"):
		return class{"D51", "T1556.003", detect.High}
	case strings.Contains(p, "/modules/") && strings.Contains(b, ".ko"):
		return class{"D53", "T1547.006", detect.High}
	case trojaned[b] && program(p), strings.HasPrefix(b, "libc.so"), strings.HasPrefix(b, "libc-2"), strings.HasPrefix(b, "ld-linux"), strings.HasPrefix(b, "ld-2"), strings.HasPrefix(b, "libkeyutils.so"), strings.HasPrefix(b, "liblzma.so"):
		return class{"D52", "T1554", detect.High}
	case program(p) || strings.Contains(b, ".so"):
		return class{"D52", "T1554", detect.Medium}
	}
	return class{"D52", "T1554", detect.Low}
}

// program tells a path in a directory of programs.
func program(p string) bool {
	return strings.Contains(p, "/bin/") || strings.Contains(p, "/sbin/") || strings.Contains(p, "/libexec/") || strings.Contains(p, "/openssh/") || strings.HasPrefix(p, "/usr/lib/systemd/") || strings.HasPrefix(p, "/lib/systemd/")
}

var words = map[string]string{"content": "has another content", "size": "has another size", "mode": "has rights that the package does not give it", "owner": "belongs to another account", "capability": "has capabilities that the package does not give it",
	"type": "was replaced by a link", "missing": "is gone", "baseline": "is another file than in the baseline, though the package's digest fits it"}

func say(change string) string {
	var out []string
	for _, w := range strings.Fields(change) {
		if w == "size" && strings.Contains(change, "content") {
			continue
		}
		if s := words[w]; s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " and ")
}

func (f *fold) changed(e *event.Event) {
	p, change := e.Text(event.FilePath), e.Text(event.Change)
	c := classOf(p)
	level := c.level
	switch {
	case e.Text(event.RecordType) == "config":
		level = detect.Info
	case change == "missing":
		level = detect.Low
	case change == "mode" || change == "capability":
		c.row, c.attack = "D39", "T1548.001"
		level = detect.Medium
		if shells[path.Base(p)] {
			level = detect.High
		}
	case change == "owner":
		level = detect.Low
	case e.Text(event.FileContent) == "script" && level > detect.Low && !trojaned[path.Base(p)]:
		level = detect.Low // administrators mend scripts in place
	}
	pkg := e.Text(event.PackageName)
	r := f.finding(e, c, level, detect.PackageDiff, fmt.Sprintf("%s of package %s %s", p, pkg, say(change)))
	r.Package, r.Mechanism = pkg, change
	r.Key, r.Method = e.Text(event.HashExpected), e.Text(event.HashFound)
	if why := e.Text(event.Message); why != "" && level > detect.Info {
		r.Level, r.Explained = detect.Low, why
		r.Detail = why
	}
	f.keep(r)
}

// shells give whoever runs them the rights of their owner, if they are setuid: no distribution ships them so.
var shells = map[string]bool{"bash": true, "sh": true, "dash": true, "zsh": true, "ksh": true, "busybox": true, "python3": true, "python": true, "perl": true, "ruby": true, "php": true, "node": true, "find": true, "vim": true, "vi": true, "nano": true,
	"cp": true, "mv": true, "less": true, "more": true, "awk": true, "gawk": true, "mawk": true, "sed": true, "env": true, "tar": true, "cat": true, "nmap": true, "gdb": true, "tee": true, "dd": true, "chmod": true, "chown": true, "socat": true, "nc": true}

// setuid tells a package's shell or the like that runs as its owner. dpkg keeps no modes, so this is judged by name.
func (f *fold) setuid(e *event.Event) {
	p := e.Text(event.FilePath)
	mode, _ := strconv.ParseUint(e.Text(event.FileMode), 8, 16)
	name := strings.TrimRight(path.Base(p), "0123456789.")
	if mode&0o4000 == 0 || mode&0o111 == 0 || len(e.Get(event.FilePackage)) == 0 || string(e.Get(event.FileType)) != "file" || !shells[name] && !shells[path.Base(p)] {
		return
	}
	r := f.finding(e, class{"D39", "T1548.001", detect.High}, detect.High, detect.PackageDiff, fmt.Sprintf("%s of package %s runs with its owner's rights (mode %o), which no distribution gives it", p, e.Text(event.FilePackage), mode))
	r.Package, r.Mechanism = e.Text(event.FilePackage), "mode"
	f.keep(r)
}

func (f *fold) unowned(e *event.Event) {
	p := e.Text(event.FilePath)
	c := classOf(p)
	level, why := detect.Low, "lies where packages put programs, and no package owns it"
	elf := e.Text(event.FileContent) == "elf"
	mode, _ := strconv.ParseUint(e.Text(event.FileMode), 8, 16)
	switch {
	case c.row == "D51" && elf:
		level, why = detect.High, "is a PAM module that no package owns"
	case c.row == "D53":
		level, why = detect.Medium, "is a kernel module that no package owns"
	case elf && (program(p) || strings.Contains(path.Base(p), ".so")):
		level = detect.Medium
	}
	if e.Text(event.Change) == "baseline" {
		level, why = max(level, detect.Medium), why+"; it is another file than in the baseline"
	}
	if len(e.Get(event.FileCaps)) > 0 && mode&0o6000 == 0 { // setuid without an owner is told by the files themselves
		c.row, c.attack, why = "D39", "T1548.001", why+"; it has capabilities"
		level = max(level, detect.Medium)
	}
	r := f.finding(e, c, level, detect.OddFile, p+" "+why)
	r.Detail, r.Account, r.Mechanism = why, f.scene.UserByUID(e.Text(event.FileUID)), "file"
	if sum := e.Text(event.FileSHA256); sum != "" {
		r.Method = "sha256:" + sum
	}
	if benign := e.Text(event.Message); strings.HasPrefix(benign, "probably published") {
		r.Detail = why + "; " + benign
		if level < detect.High && c.row == "D52" { // a PAM or kernel module that no package owns is none the better for being published
			r.Level, r.Explained = detect.Low, benign
		}
	} else if benign != "" {
		r.Level, r.Explained, r.Detail = detect.Info, benign, benign
		if strings.HasPrefix(benign, "a language's") || strings.HasPrefix(benign, "a module") || strings.HasPrefix(benign, "software") { // by the place alone
			r.Level = min(level, detect.Low)
		}
	}
	f.keep(r)
}

func (f *fold) record(e *event.Event) {
	pkg, why := e.Text(event.PackageName), e.Text(event.Message)
	c := class{"D52", "T1554", detect.Medium}
	r := f.finding(e, c, detect.Medium, detect.PackageDiff, fmt.Sprintf("the record of package %s may have been changed by hand: %s", pkg, why))
	r.Package, r.Mechanism, r.Path = pkg, "record", e.Text(event.FilePath)
	if strings.Contains(why, "no signature") || strings.Contains(why, "was written") && r.Path != "" { // packages that were built here; a file that was touched or put back
		r.Level = detect.Low
	}
	f.keep(r)
}

func (f *fold) finding(e *event.Event, c class, l detect.Level, w detect.What, title string) detect.Finding {
	r := detect.Finding{Detection: c.row, What: w, Title: title, Attack: []string{c.attack}, Level: l, Rung: evidence.Effect, Path: e.Text(event.FilePath), Account: f.scene.UserByUID(e.Text(event.FileUID)),
		First: detect.ParseTime(e.Text(event.FileMtime)), Last: detect.ParseTime(e.Text(event.FileCtime)), For: []evidence.Quote{e.Quote()}}
	if f.scene.ChangeTimes && r.Last.Known() { // a modification time is anybody's to set
		r.First = r.Last
	}
	return r
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for _, r := range f.found {
			if n := r.Count - 1; n > 0 {
				r.Title += fmt.Sprintf("; so it is with %d more", n)
			}
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}
