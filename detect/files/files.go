// Package files looks at the files of the host themselves: setuid programs that no
// package owns, executables where everybody may write, hidden names, plain files in /dev.
package files

import (
	"context"
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
		ID: "files", Title: "Files that do not belong", IDs: []string{"D39", "D42", "D64"},
		Doc:    "finds unowned setuid programs, programs in places everybody may write to, hidden names",
		Attack: []string{"T1548.001", "T1564.001"},
		Wants:  []event.Kind{event.File, event.Package},
		New:    func(s detect.Scene) detect.Fold { return &fold{scene: s} },
	}
}

const maxFiles = 5000

type fold struct {
	scene    detect.Scene
	found    []detect.Finding
	renamed  map[string]*renamed // by the ending behind a file's own
	told     map[string]bool     // databases whose names ask for ransom
	kits     map[string]int      // folders of kits that bear no time themselves, with their findings' places
	packages bool                // a package database was read, so "no package owns it" means something
}

func (f *fold) Observe(e *event.Event) {
	if e.Kind == event.Package {
		f.packages = true
		return
	}
	if len(f.found) >= maxFiles {
		return
	}
	p, kind := e.Text(event.FilePath), string(e.Get(event.FileType))
	owned := len(e.Get(event.FilePackage)) > 0
	mode, _ := strconv.ParseUint(e.Text(event.FileMode), 8, 16)
	executable := kind == "file" && mode&0o111 != 0
	facts := e.Text(event.FileFacts)
	f.behindOwn(e, p, kind)
	f.withinKit(e, p)
	if f.demand(e, p) || f.ofDatabase(e, p, facts, kind, owned) || f.disguised(e, p, facts, owned) || f.module(e, p, facts, owned) || f.locked(e, p, owned) || f.rootkit(e, p, owned) || f.made(e, p, facts, owned) {
		return
	}
	switch {
	case kind == "file" && mode&0o6000 != 0 && mode&0o111 != 0 && !owned:
		l := detect.Low
		if detect.InVolatileDir(p) || detect.HiddenPath(p) != "" || strings.HasPrefix(p, "/home/") || strings.HasPrefix(p, "/var/") {
			l = detect.High
		}
		if detect.HiddenPath(p) != "" && e.Text(event.FileUID) == "0" && mode&0o4000 != 0 {
			l = detect.Critical // root for whoever knows the name
		}
		f.add(e, "D39", "T1548.001", l, "runs with its owner's rights (mode "+e.Text(event.FileMode)+") and no package owns it")
	case kind == "file" && devices[p]:
		f.add(e, "D64", "T1564.001", detect.Low, "is a plain file and should be a device: something wrote to it where /dev was not mounted")
	case kind == "file" && strings.HasPrefix(p, "/dev/") && !detect.InVolatileDir(p) && !owned && !strings.HasPrefix(p, "/dev/.udev"):
		f.add(e, "D64", "T1564.001", detect.High, "is a plain file in /dev")
	case detect.HiddenPath(p) != "" && !owned && (kind == "dir" || executable):
		name, deep := detect.Hidden(p)
		l := detect.High
		if deep {
			l = detect.Low
		}
		f.add(e, "D64", "T1564.001", l, "has a name that hides it: "+strconv.Quote(name))
	case detect.HiddenPath(p) != "" && !owned && kind == "file" && detect.InVolatileDir(p):
		if _, deep := detect.Hidden(p); deep {
			return
		}
		f.add(e, "D64", "T1564.001", detect.Medium, "lies in a hidden place")
	case executable && !owned && !document(p) && f.belowRoot(p) && webOwner(f.scene.UserByUID(e.Text(event.FileUID))):
		l := detect.Low
		if strings.Contains(p, "/.") {
			l = detect.High
		}
		f.add(e, "D42", "T1036", l, "is a program below the web root that the web server's own account made")
	case (executable || strings.HasPrefix(facts, "script(") || strings.HasPrefix(facts, "elf")) && detect.InVolatileDir(p) && f.ofService(e) && !library(p, facts):
		f.add(e, "D42", "T1036", detect.High, "is a program of the account that a network service runs as, in a place where everybody may write")
	case executable && detect.InVolatileDir(p):
		if strings.Contains(facts, "packed(") {
			f.add(e, "D42", "T1027.002", detect.High, "is a packed program in a place where everybody may write ("+facts+")")
			return
		}
		l := detect.Medium
		if loadedOnly(facts) && !strings.HasPrefix(p, "/dev/shm/") { // what runs it is looked at by itself
			f.add(e, "D42", "T1036", detect.Low, "is a library in a place where everybody may write")
			return
		}
		if strings.HasPrefix(p, "/dev/shm/") && strings.HasPrefix(facts, "elf") && !library(p, facts) { // it is memory, in which nobody installs anything
			l = detect.High
		}
		f.add(e, "D42", "T1036", l, "is a program in a place where everybody may write")
	}
}

// devices are names that scripts redirect to, in build roots too, where no device is behind them.
var devices = map[string]bool{"/dev/null": true, "/dev/zero": true, "/dev/console": true, "/dev/tty": true, "/dev/stdin": true, "/dev/stdout": true, "/dev/stderr": true, "/dev/random": true, "/dev/urandom": true}

// document tells a file that no system runs, whatever its mode: Windows shares set the bit on anything.
func document(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".html", ".htm", ".css", ".js", ".mjs", ".map", ".json", ".xml", ".txt", ".md", ".csv", ".pdf", ".jpg", ".jpeg", ".png", ".gif", ".svg", ".ico", ".webp", ".woff", ".woff2", ".ttf", ".mp3", ".mp4", ".doc", ".docx", ".xls", ".xlsx", ".odt",
		".php", ".phtml", ".inc", ".tpl", ".twig": // of scripts, the web detection judges
		return true
	}
	return false
}

// belowRoot tells whether a path lies below a web root, and not where developers' tools keep programs.
func (f *fold) belowRoot(p string) bool {
	for _, dir := range []string{"/.git/", "/.svn/", "/.hg/", "/node_modules/", "/vendor/", "/cgi-bin/"} {
		if strings.Contains(p, dir) {
			return false
		}
	}
	for _, r := range f.scene.WebRoots {
		if strings.HasPrefix(p, r+"/") {
			return true
		}
	}
	return false
}

// systemSetuid are programs that every system has with its owner's rights.
var systemSetuid = map[string]bool{"sudo": true, "su": true, "passwd": true, "chsh": true, "chfn": true, "newgrp": true, "gpasswd": true, "mount": true, "umount": true, "ping": true, "chage": true, "expiry": true, "crontab": true, "ssh-agent": true,
	"ssh-keysign": true, "dbus-daemon-launch-helper": true, "unix_chkpwd": true, "postdrop": true, "postqueue": true, "dotlockfile": true, "wall": true, "write": true, "pkexec": true, "polkit-agent-helper-1": true, "fusermount": true, "fusermount3": true,
	"at": true, "bwrap": true, "newuidmap": true, "newgidmap": true, "exim4": true, "procmail": true, "mlocate": true, "locate": true, "pam_extrausers_chkpwd": true, "staprun": true, "unix_update": true}

// nestedPrograms is how many of them make a folder the tree of another system: a container's layer, a chroot, a build root.
const nestedPrograms = 5

// layer tells the root of a container or of a layer of its image, as the tools that run them keep it: a layer holds what one step of the building added.
func layer(root string) bool {
	for _, dir := range []string{"/var/lib/docker/", "/var/lib/containers/", "/var/lib/containerd/", "/var/lib/rancher/", "/run/containerd/", "/run/k3s/", "/var/lib/lxc/", "/var/lib/lxd/", "/var/lib/incus/", "/var/snap/", "/snap/", "/var/lib/machines/", "/var/lib/flatpak/", "/var/lib/kubelet/"} {
		if strings.HasPrefix(root, dir) {
			return true
		}
	}
	return strings.Contains(root, "/.local/share/containers/")
}

// within cuts a program's path into the root of its system and its name: "/srv/chroot" and "sudo" of "/srv/chroot/usr/bin/sudo".
func within(p string) (root, name string) {
	for _, dir := range []string{"/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/bin/", "/sbin/"} {
		if i := strings.Index(p, dir); i > 0 {
			return p[:i], path.Base(p)
		}
	}
	return "", path.Base(p)
}

// nested counts the programs of systemSetuid by the tree that they lie in.
func (f *fold) nested() map[string]int {
	n := map[string]int{}
	for _, r := range f.found {
		if root, name := within(r.Path); r.Detection == "D39" && root != "" && systemSetuid[name] {
			n[root]++
		}
	}
	return n
}

func webOwner(name string) bool {
	switch name {
	case "www-data", "apache", "nginx", "httpd", "wwwrun", "http", "lighttpd", "nobody", "www":
		return true
	}
	return false
}

func (f *fold) add(e *event.Event, id, attack string, l detect.Level, why string) {
	p := e.Text(event.FilePath)
	r := detect.Finding{Detection: id, What: detect.OddFile, Level: l, Rung: evidence.Effect, Path: p, Detail: why, Account: f.scene.UserByUID(e.Text(event.FileUID)), Mechanism: e.Text(event.FileType), Attack: []string{attack},
		First: detect.ParseTime(e.Text(event.FileCrtime)), Last: detect.ParseTime(e.Text(event.FileCtime)), Title: p + " " + why, For: []evidence.Quote{e.Quote()}}
	if !r.First.Known() {
		r.First = detect.ParseTime(e.Text(event.FileMtime))
	}
	if strings.HasPrefix(e.Text(event.FileFacts), "script(") {
		r.Method = "script"
	}
	if attack == "T1014" && r.Mechanism == "dir" && !r.First.Known() {
		if f.kits == nil {
			f.kits = map[string]int{}
		}
		f.kits[p] = len(f.found)
	}
	f.found = append(f.found, r)
}

// Findings gives what was found.
func (f *fold) Findings(ctx context.Context) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		nested := f.nested()
		if r, ok := f.lockedUp(); ok && !yield(r) {
			return
		}
		for _, r := range f.found {
			if root, name := within(r.Path); r.Detection == "D39" && (nested[root] >= nestedPrograms || layer(root)) && systemSetuid[name] {
				r.Level, r.Detail = detect.Low, r.Detail+"; it lies in the tree of another system, "+root
			}
			if r.Detection == "D39" && !f.packages {
				r.Level, r.Detail = detect.Low, r.Detail+" that was read: there is no package database in the evidence"
			}
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}
