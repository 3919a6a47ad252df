// Package startup reads the files whose commands run by themselves: preloaded libraries, rc.local, the
// shells' start-up files, sudo's rules.
package startup

import (
	"bytes"
	"strings"

	"telltale/artifact"
	"telltale/event"
)

// Preload gives the artefact of ld.so.preload.
func Preload() *artifact.Artifact {
	return &artifact.Artifact{Name: "ld-preload", Doc: "libraries that every program loads first", Spec: "ld.so(8)", Files: []string{"/etc/ld.so.preload"},
		Kinds: []event.Kind{event.PreloadLibrary}, Parse: artifact.Lines(preload)}
}

// Commands gives the artefact of the start-up files.
func Commands() *artifact.Artifact {
	return &artifact.Artifact{Name: "startup-files", Doc: "commands that run at boot and at login", Spec: "bash(1) INVOCATION, rc.local of systemd-rc-local-generator(8)",
		Files: []string{"/etc/rc.local", "/etc/rc.d/rc.local", "/etc/profile", "/etc/profile.d/*", "/etc/bash.bashrc", "/etc/bashrc", "/etc/bash.bash_logout", "/etc/{zsh,zshrc.d}/*", "/etc/{zshenv,zprofile,zshrc,zlogin,zlogout,csh.cshrc,csh.login,csh.logout,ksh.kshrc,mkshrc}", "/etc/csh/{cshrc,login,logout}.d/*", "/etc/fish/config.fish", "/etc/fish/{conf.d,functions}/*.fish", "/etc/inittab",
			"{home}/.{bashrc,bash_profile,bash_login,profile,bash_logout,bash_aliases,zshrc,zshenv,zprofile,zlogin,zlogout,kshrc,mkshrc,tcshrc,cshrc,login,logout}", "{home}/.config/fish/{config.fish,conf.d/*.fish,functions/*.fish}", "/etc/skel/.{bashrc,bash_profile,bash_login,profile,bash_logout,bash_aliases,zshrc,zshenv,zlogin,kshrc,tcshrc}", "{home}/.ssh/rc", "/etc/ssh/sshrc"},
		Kinds: []event.Kind{event.StartupCommand}, Parse: artifact.Lines(command)}
}

// Sudoers gives the artefact of sudo's rules.
func Sudoers() *artifact.Artifact {
	return &artifact.Artifact{Name: "sudoers", Doc: "who may run what with other users' rights", Spec: "sudoers(5)", Files: []string{"/etc/sudoers", "/etc/sudoers.d/*", "/usr/local/etc/sudoers"},
		Kinds: []event.Kind{event.SudoRule}, Parse: artifact.Lines(sudoRule)}
}

func preload(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	for _, lib := range bytes.FieldsFunc(t, func(r rune) bool { return r == ' ' || r == ':' || r == '\t' }) {
		x := *e
		x.Kind, x.Attrs = event.PreloadLibrary, nil
		x.Add(event.CommandLine, lib)
		yield(&x)
	}
}

// command gives each line that runs something; what only shapes the shell itself is left out.
func command(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	t = bytes.TrimSpace(t)
	if len(t) == 0 || t[0] == '#' {
		return
	}
	if in.Path == "/etc/inittab" {
		if t = process(t); t == nil {
			return
		}
	}
	e.Kind = event.StartupCommand
	user := in.Host.UserByHome(in.Path)
	if user == "" {
		user = "root"
		if strings.HasPrefix(in.Path, "/etc/profile") || strings.HasPrefix(in.Path, "/etc/bash") || strings.HasPrefix(in.Path, "/etc/zsh") || strings.HasPrefix(in.Path, "/etc/csh") || strings.HasPrefix(in.Path, "/etc/fish") || strings.Contains(in.Path, "kshrc") || in.Path == "/etc/ssh/sshrc" || in.Path == "/etc/zprofile" {
			user = "everybody who logs in"
		}
		if strings.HasPrefix(in.Path, "/etc/skel/") {
			user = "each account made since"
		}
	}
	e.AddText(event.UserName, user)
	e.Add(event.CommandLine, t)
	yield(e)
}

// process gives what a line of inittab starts: "id:runlevels:action:process", with a "+" before it that keeps it out of utmp.
func process(t []byte) []byte {
	w := bytes.SplitN(t, []byte(":"), 4)
	if len(w) < 4 || len(bytes.TrimLeft(w[3], "+ ")) == 0 {
		return nil
	}
	return bytes.TrimLeft(w[3], "+ ")
}

// sudoRule reads "who host=(as) what"; settings and aliases are left out.
func sudoRule(in *artifact.Input, t []byte, e *event.Event, yield func(*event.Event)) {
	t = bytes.TrimSpace(t)
	if len(t) == 0 || t[0] == '#' || t[0] == '@' || bytes.HasPrefix(t, []byte("Defaults")) || bytes.Contains(t, []byte("_Alias")) {
		return
	}
	who, rest, ok := bytes.Cut(t, []byte("="))
	if !ok {
		return
	}
	e.Kind = event.SudoRule
	name, _, _ := bytes.Cut(bytes.TrimSpace(who), []byte(" "))
	name, _, _ = bytes.Cut(name, []byte("\t"))
	e.Add(event.UserName, name)
	e.Add(event.CommandLine, bytes.TrimSpace(rest))
	yield(e)
}
