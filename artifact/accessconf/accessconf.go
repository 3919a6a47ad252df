// Package accessconf reads the settings that decide who gets in and with what rights, as far as they name programs, modules or key files: of
// sshd and ssh, PAM, sudo, doas, polkit, D-Bus and the name service switch. Keys themselves are package authorizedkeys', rules of sudo package startup's.
package accessconf

import (
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/hook"
)

// All gives the artefacts.
func All() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Settings("sshd-setting", "settings of sshd that name key files and programs, or weaken it", "sshd_config(5)", []string{"/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf", "/usr/{etc,share}/ssh/sshd_config", "/usr/etc/ssh/sshd_config.d/*.conf", "/etc/dropbear/*.conf"}, sshd),
		hook.Settings("ssh-setting", "commands that the ssh client runs", "ssh_config(5)", []string{"/etc/ssh/ssh_config", "/etc/ssh/ssh_config.d/*.conf", "{home}/.ssh/config"}, hook.Each(ssh)),
		hook.Settings("pam-rule", "modules and programs that PAM asks", "pam.conf(5), pam_exec(8)", []string{"/etc/pam.d/*", "/usr/lib/pam.d/*", "/etc/pam.conf"}, pam),
		hook.Settings("sudo-setting", "plugins of sudo, and defaults that keep dangerous variables or ask for no password", "sudo.conf(5), sudoers(5)", []string{"/etc/sudo.conf", "/etc/sudoers", "/etc/sudoers.d/*", "/usr/local/etc/sudoers"}, sudo),
		hook.Settings("doas-rule", "who may run what by doas", "doas.conf(5)", []string{"/etc/doas.conf", "/etc/doas.d/*.conf"}, hook.Each(doas)),
		hook.Settings("polkit-rule", "rules of polkit, and the programs that they run", "polkit(8)", []string{"/{etc,run,usr/share,usr/local/share}/polkit-1/rules.d/*.rules", "/{etc,var/lib}/polkit-1/localauthority/*/*.pkla"}, hook.Each(polkit)),
		hook.Settings("dbus-service", "programs that the message bus starts when somebody asks for their name", "D-Bus Specification, Message Bus Starting Services", []string{"/usr/{share,local/share}/dbus-1/{system-services,services}/*.service", "/etc/dbus-1/system-services/*.service", "{home}/.local/share/dbus-1/services/*.service"}, dbus),
		hook.Settings("name-service", "libraries that every program loads to look up names", "nsswitch.conf(5)", []string{"/etc/nsswitch.conf"}, hook.Each(nss)),
	}
}

var sshdSettings = map[string]string{
	"authorizedkeysfile": "at each login by key", "authorizedkeyscommand": "at each login by key", "authorizedprincipalsfile": "at each login by certificate", "authorizedprincipalscommand": "at each login by certificate",
	"trustedusercakeys": "at each login by certificate", "forcecommand": "at each login, in place of the command asked for", "subsystem": "when a client asks for the subsystem", "permituserenvironment": "at each login",
	"permitemptypasswords": "at each login", "strictmodes": "at each login by key", "xauthlocation": "at each login with X11", "securitykeyprovider": "at each login by key", "include": "when sshd starts", "hostbasedauthentication": "at each login", "ignorerhosts": "at each login",
	"setenv": "at each login",
}

// sshd reads "Keyword arguments"; the arguments of AuthorizedKeysCommand run as AuthorizedKeysCommandUser, which may stand before it or after. Under Match a
// setting is for those only whom the line names.
func sshd(*artifact.Input) hook.Reader {
	match := ""
	return func(t []byte, give func(hook.Found)) {
		if hook.Comment(t, "#") {
			return
		}
		name, v := hook.Word(strings.Replace(string(t), "=", " ", 1))
		v = hook.Unquoted(v)
		low := strings.ToLower(name)
		if low == "match" {
			match = v
			if _, cmd, ok := strings.Cut(v, "exec "); ok { // ssh_config knows it, sshd since 9.9
				give(hook.Found{Runs: hook.Unquoted(cmd), On: "at each login", Setting: "Match exec"})
			}
			return
		}
		on, ok := sshdSettings[low]
		if !ok {
			return
		}
		if match != "" && !strings.EqualFold(match, "all") {
			on += ", if " + match
		}
		as := "the account that logs in"
		if low == "subsystem" {
			_, v = hook.Word(v)
		}
		if strings.HasSuffix(low, "command") && low != "forcecommand" {
			as = "the account that " + name + "User names"
		}
		give(hook.Found{Runs: v, As: as, On: on, Setting: name})
	}
}

var sshSettings = map[string]string{"proxycommand": "at each connection by ssh to the host", "localcommand": "after each connection by ssh to the host", "knownhostscommand": "at each connection by ssh", "pkcs11provider": "at each connection by ssh",
	"securitykeyprovider": "at each connection by ssh", "xauthlocation": "at each connection by ssh with X11", "remotecommand": "at each connection by ssh, on the other host"}

func ssh(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#") {
		return
	}
	name, v := hook.Word(strings.Replace(string(t), "=", " ", 1))
	low := strings.ToLower(name)
	if _, cmd, ok := strings.Cut(v, "exec "); ok && low == "match" {
		give(hook.Found{Runs: hook.Unquoted(strings.TrimSpace(cmd)), On: "at each connection by ssh", Setting: "Match exec"})
	}
	if on, ok := sshSettings[low]; ok && !strings.EqualFold(v, "none") {
		give(hook.Found{Runs: hook.Unquoted(v), On: on, Setting: name})
	}
}

// pam reads "[service] type control module arguments", control being a word or "[value=action ...]". Its plain modules are many and the same everywhere: given
// are those that run programs or code of others, those named by a path, and pam_permit where it suffices.
func pam(in *artifact.Input) hook.Reader {
	service := in.Path[strings.LastIndexByte(in.Path, '/')+1:]
	return func(t []byte, give func(hook.Found)) {
		if hook.Comment(t, "#@") {
			return
		}
		s := string(t)
		svc := service
		if service == "pam.conf" {
			svc, s = hook.Word(s)
		}
		kind, s := hook.Word(s)
		control, rest := hook.Word(s)
		if strings.HasPrefix(control, "[") {
			i := strings.IndexByte(s, ']')
			if i < 0 {
				return
			}
			control, rest = s[:i+1], strings.TrimSpace(s[i+1:])
		}
		module, args := hook.Word(rest)
		kind = strings.TrimPrefix(kind, "-")
		if on, ok := occasions[kind]; ok && noted(module, control, args) {
			give(hook.Found{Runs: strings.TrimSpace(module + " " + args), On: on + " by " + svc, Setting: kind + " " + control})
		}
	}
}

var occasions = map[string]string{"auth": "at each login", "account": "at each login", "session": "at each session", "password": "at each change of a password"}

func noted(module, control, args string) bool {
	switch module[strings.LastIndexByte(module, '/')+1:] {
	case "pam_exec.so", "pam_python.so", "pam_script.so", "pam_lua.so", "pam_perl.so", "pam_env.so", "pam_listfile.so", "pam_userdb.so", "pam_rhosts.so":
		return true
	case "pam_permit.so":
		return enough(control)
	case "pam_succeed_if.so":
		return enough(control)
	}
	return strings.HasPrefix(module, "/")
}

func enough(control string) bool {
	return control == "sufficient" || strings.Contains(control, "success=done")
}

// sudo reads of sudo.conf "Plugin name path" and "Path name path", of sudoers the Defaults.
func sudo(in *artifact.Input) hook.Reader {
	conf := strings.HasSuffix(in.Path, "sudo.conf")
	return func(t []byte, give func(hook.Found)) {
		name, v := hook.Word(string(t))
		switch {
		case hook.Comment(t, "#"):
		case conf && (name == "Plugin" || name == "Path"):
			what, lib := hook.Word(v)
			give(hook.Found{Runs: lib, On: "at each call of sudo", Setting: name + " " + what})
		case !conf && strings.HasPrefix(name, "Defaults"):
			for _, d := range []string{"env_keep", "!env_reset", "!authenticate", "setenv", "env_file", "restricted_env_file", "mailerpath", "editor", "!requiretty", "!use_pty", "!log_allowed", "!syslog", "timestamp_timeout", "rootpw", "pwfeedback", "secure_path"} {
				if strings.HasPrefix(v, d) {
					give(hook.Found{Runs: v, On: "at each call of sudo", Setting: name + " " + d})
				}
			}
		}
	}
}

func doas(t []byte, give func(hook.Found)) {
	w := strings.Fields(string(t))
	if hook.Comment(t, "#") || len(w) < 2 || w[0] != "permit" {
		return
	}
	as, cmd := "root", "any command"
	for i, x := range w[:len(w)-1] {
		switch x {
		case "as":
			as = w[i+1]
		case "cmd":
			cmd = strings.Join(w[i+1:], " ")
		}
	}
	give(hook.Found{Runs: cmd, As: as, On: "when the accounts call doas: " + strings.Join(w[1:], " "), Setting: "permit"})
}

// polkit reads lines of the rules' JavaScript that start a program or answer yes, and ResultAny of the older form.
func polkit(t []byte, give func(hook.Found)) {
	s := string(t)
	switch {
	case strings.HasPrefix(s, "//") || hook.Comment(t, "#"):
	case strings.Contains(s, "polkit.spawn"):
		give(hook.Found{Runs: s, As: "polkitd", On: "when somebody asks for a right", Setting: "polkit.spawn"})
	case strings.Contains(s, "polkit.Result.YES") || strings.HasPrefix(s, "ResultAny=yes"):
		give(hook.Found{Runs: s, On: "when somebody asks for a right", Setting: "yes"})
	}
}

// dbus reads Name, Exec and User of a service file. User may stand behind Exec: the account is told only where it stands before.
func dbus(in *artifact.Input) hook.Reader {
	name, user := "", ""
	if !strings.Contains(in.Path, "system-services") {
		user = "the account whose session it is"
	}
	return func(t []byte, give func(hook.Found)) {
		k, v, _ := hook.Assigned(t, "=")
		switch k {
		case "Name":
			name = v
		case "User":
			user = v
		case "Exec":
			give(hook.Found{Runs: v, As: user, On: "when somebody asks the message bus for " + name, Setting: k})
		}
	}
}

// glibc are the services that glibc and systemd bring themselves.
var glibc = map[string]bool{"files": true, "compat": true, "dns": true, "db": true, "hesiod": true, "nis": true, "nisplus": true, "systemd": true, "resolve": true, "myhostname": true, "mymachines": true}

// nss reads "database: service [action] service".
func nss(t []byte, give func(hook.Found)) {
	db, list, ok := strings.Cut(string(t), ":")
	if !ok || hook.Comment(t, "#") {
		return
	}
	list, _, _ = strings.Cut(list, "#")
	inside := false
	for _, w := range strings.Fields(list) {
		inside = inside || w[0] == '['
		if !inside && !glibc[w] {
			give(hook.Found{Runs: "libnss_" + w + ".so.2", As: "every user", On: "when a program looks up " + db, Setting: db})
		}
		inside = inside && w[len(w)-1] != ']'
	}
}
