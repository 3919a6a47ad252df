package persistence

import (
	"path"
	"strings"

	"telltale/detect"
)

// judge says what is odd of a hook: by the rules for all, then by those of its mechanism.
func judge(x *hook) judgement {
	j := judgement{"", detect.Info}
	if why, l := detect.SuspiciousCommand(x.runs); l > j.level && (!x.owned || l == detect.Critical) && !plain[x.mechanism] && x.runs != nasScript {
		j = judgement{why, l}
	}
	if h := detect.HiddenPath(x.path); h != "" && j.level < detect.High {
		j = judgement{"stands in a file with the hidden name " + h, detect.High}
	}
	if f := judges[x.mechanism]; f != nil {
		if k := f(x); k.level > j.level {
			j = k
		}
	}
	return j
}

// nasScript is where devices of QNAP mount what their owner has them run at boot.
const nasScript = "/tmp/config/autorun.sh"

// plain are mechanisms whose value is no command: a path that is made, the name of a module.
var plain = map[string]bool{"tmpfiles-rule": true, "sysusers-rule": true, "package-source": true, "sudo-setting": true, "boot-option": true, "sshd-setting": true}

var judges = map[string]func(*hook) judgement{
	"sshd-setting": sshd, "trusted-host": trusted, "environment": environment, "pam-rule": pam, "sudo-setting": sudo, "doas-rule": doas, "library-path": library, "kernel-helper": helper, "binary-format": format,
	"modprobe-rule": modprobe, "boot-option": boot, "tmpfiles-rule": tmpfile, "sysusers-rule": sysuser, "package-source": source, "apt-hook": apt, "inetd-service": shellServed, "xinetd-service": shellServed, "web-handler": handler, "web-module": module,
	"php-setting": php, "php-user-ini": php, "python-path": python, "container-unit": container, "database-setting": module, "name-service": module, "converter-module": module, "tcp-wrapper": wrapper, "package-runner": runner,
	"udev-rule": device, "initramfs-content": bootFile, "efi-file": bootFile,
}

func none() judgement { return judgement{"", detect.Info} }

func sshd(x *hook) judgement {
	v := strings.ToLower(x.runs)
	switch strings.ToLower(x.setting) {
	case "permitemptypasswords":
		if v == "yes" {
			return judgement{"lets accounts without a password in", detect.Medium}
		}
	case "permituserenvironment":
		if v != "no" && v != "lang,lc_*" {
			return judgement{"lets keys and accounts set variables that make programs load libraries", detect.Medium}
		}
	case "strictmodes":
		if v == "no" {
			return judgement{"takes keys from files that others may write", detect.Medium}
		}
	case "hostbasedauthentication":
		if v == "yes" {
			return judgement{"lets users of other hosts in without asking them", detect.Low}
		}
	case "setenv":
		if loader(x.runs) {
			return judgement{"makes every session load a library", detect.Medium}
		}
	case "authorizedkeyscommand", "authorizedprincipalscommand", "forcecommand", "subsystem", "match exec", "xauthlocation":
		if why, l := detect.SuspiciousCommand(x.runs); l > detect.Info {
			return judgement{why, l}
		}
	case "authorizedkeysfile", "trustedusercakeys", "authorizedprincipalsfile", "include", "securitykeyprovider":
		for _, p := range strings.Fields(x.runs) {
			if odd(p) || strings.HasPrefix(p, "/") && strings.HasPrefix(path.Base(p), ".") && !strings.Contains(p, "/.ssh/") {
				return judgement{"takes what lets in from " + p, detect.High}
			}
		}
	}
	return none()
}

// device judges a rule of udev: who hangs a program on /dev/random wants it started, and not looked for there.
func device(x *hook) judgement {
	if !x.owned && strings.HasPrefix(x.on, "at each boot") {
		return judgement{"is started by the device manager, for a device that needs no program", detect.High}
	}
	return none()
}

func trusted(x *hook) judgement {
	if who := strings.TrimPrefix(x.runs, "a login of "); strings.HasPrefix(who, "+") {
		if w := strings.Fields(who); strings.HasPrefix(x.path, "/root/") || len(w) > 1 && w[1] == "+" { // "+ +": as whoever the client says
			return judgement{"lets whoever asks in without a password, from any host", detect.High}
		}
		return judgement{"lets users of any host in without a password", detect.Medium}
	}
	return none()
}

// loader tells a variable of the loader that names a library.
func loader(s string) bool {
	return strings.Contains(s, "LD_PRELOAD") || strings.Contains(s, "LD_AUDIT")
}

// allocators are libraries that administrators preload to make programs faster or safer.
var allocators = []string{"jemalloc", "tcmalloc", "libmimalloc", "eatmydata", "libhugetlbfs", "faketime", "libstdc++", "libgomp", "nss_wrapper", "stdbuf"}

func usualPreload(v string) bool {
	for _, a := range allocators {
		if strings.Contains(path.Base(strings.Fields(v + " x")[0]), a) {
			return true
		}
	}
	return false
}

// options are variables whose value is a command line: a path in it may be of anything, a folder for dumps for one.
var options = map[string]bool{"JAVA_TOOL_OPTIONS": true, "_JAVA_OPTIONS": true, "JDK_JAVA_OPTIONS": true, "NODE_OPTIONS": true, "PERL5OPT": true, "RUBYOPT": true, "PROMPT_COMMAND": true, "GIT_SSH_COMMAND": true}

func environment(x *hook) judgement {
	if !options[x.setting] {
		for _, p := range strings.FieldsFunc(x.runs, func(r rune) bool { return r == ':' || r == ' ' }) {
			if odd(p) {
				return judgement{"sets " + x.setting + " to " + p, detect.High}
			}
		}
	}
	switch x.setting {
	case "LD_PRELOAD", "LD_AUDIT":
		if !x.owned && !usualPreload(x.runs) {
			return judgement{"makes programs load " + x.runs + " first", detect.Medium}
		}
	case "BASH_ENV", "PERL5DB":
		if !x.owned {
			return judgement{"makes every script run " + x.runs + " first", detect.Medium}
		}
	case "PERL5OPT", "NODE_OPTIONS", "RUBYOPT", "JAVA_TOOL_OPTIONS":
		if strings.Contains(x.runs, "-M") || strings.Contains(x.runs, "--require") || strings.Contains(x.runs, "--import") {
			return judgement{"makes programs load code: " + x.runs, detect.Low} // as agents that measure do
		}
	}
	return none()
}

// logins are the services of PAM by which people get in and gain rights.
var logins = map[string]bool{"sshd": true, "login": true, "su": true, "su-l": true, "sudo": true, "common-auth": true, "system-auth": true, "password-auth": true, "system-login": true, "remote": true, "base-auth": true}

func pam(x *hook) judgement {
	kind, control, _ := strings.Cut(x.setting, " ")
	mod, args, _ := strings.Cut(x.runs, " ")
	enough := control == "sufficient" || strings.Contains(control, "success=done")
	switch name := path.Base(mod); {
	case strings.HasPrefix(mod, "/") && odd(mod):
		return judgement{"loads a module from " + path.Dir(mod), detect.High}
	case strings.HasPrefix(mod, "/") && !strings.Contains(mod, "/security/") && !x.owned:
		return judgement{"loads a module from outside the system's folder of modules", detect.Medium}
	case name == "pam_permit.so" && kind == "auth" && enough && !x.owned:
		if logins[x.on[strings.LastIndexByte(x.on, ' ')+1:]] {
			return judgement{"lets in whatever the password is", detect.High}
		}
		return judgement{"lets in whatever the password is", detect.Medium} // as a machine that logs its only user in does
	case name == "pam_exec.so" && kind != "session" && strings.Contains(args, "expose_authtok") && !x.owned:
		return judgement{"hands each password to a program", detect.Medium}
	case name == "pam_exec.so" && strings.Contains(args, "/"):
		return suspicious(args[strings.IndexByte(args, '/'):])
	case (name == "pam_python.so" || name == "pam_script.so" || name == "pam_lua.so") && !x.owned:
		return judgement{"asks a script who may log in", detect.Medium}
	case name == "pam_succeed_if.so" && kind == "auth" && (strings.Contains(args, "user =") || strings.Contains(args, "user in ")) && !x.owned:
		return judgement{"lets an account in without a password", detect.Medium}
	case name == "pam_rhosts.so" && kind == "auth" && enough && !x.owned:
		return judgement{"lets users of other hosts in without a password", detect.Medium}
	}
	return none()
}

func suspicious(cmd string) judgement {
	why, l := detect.SuspiciousCommand(cmd)
	return judgement{why, l}
}

func sudo(x *hook) judgement {
	switch {
	case strings.HasPrefix(x.setting, "Plugin"):
		lib, _, _ := strings.Cut(x.runs, " ")
		if base := path.Base(lib); odd(lib) {
			return judgement{"makes sudo load " + lib, detect.High}
		} else if base != "sudoers.so" && base != "group_file.so" && base != "system_group.so" && base != "sample_approval.so" && !x.owned {
			return judgement{"makes sudo load " + lib + ", which sees what is called and typed", detect.Medium}
		}
	case strings.HasPrefix(x.setting, "Path"):
		if lib, _, _ := strings.Cut(x.runs, " "); odd(lib) {
			return judgement{"makes sudo use " + lib, detect.High}
		}
	case strings.HasSuffix(x.setting, "env_keep") && (loader(x.runs) || strings.Contains(x.runs, "LD_LIBRARY_PATH")):
		return judgement{"lets whoever may call sudo load a library as root", detect.Medium}
	case strings.HasSuffix(x.setting, "!authenticate") && !strings.Contains(x.setting, ":"):
		return judgement{"makes sudo ask nobody for a password", detect.Medium}
	case strings.HasSuffix(x.setting, "env_file") || strings.HasSuffix(x.setting, "secure_path"):
		for _, p := range strings.FieldsFunc(x.runs, func(r rune) bool { return strings.ContainsRune(" =:\"+", r) }) {
			if odd(p) {
				return judgement{"makes sudo look for programs in " + p, detect.High}
			}
		}
	}
	return none()
}

func doas(x *hook) judgement {
	w := strings.Fields(x.on)
	if len(w) == 0 || x.runs != "any command" || !strings.Contains(x.on, "nopass") {
		return none()
	}
	for _, who := range w {
		if daemon(who) {
			return judgement{"lets the account that a network service runs as become root", detect.Medium}
		}
	}
	return none()
}

func library(x *hook) judgement {
	if odd(x.runs) || strings.HasPrefix(x.runs, "/home/") {
		l := detect.High
		if !odd(x.runs) {
			l = detect.Medium
		}
		return judgement{"makes every program look for libraries in " + x.runs, l}
	}
	return none()
}

// catchers are programs of distributions that the kernel gives the memory of crashed programs.
var catchers = map[string]bool{"systemd-coredump": true, "apport": true, "abrt-hook-ccpp": true, "abrt-server": true, "false": true, "true": true, "save_crash.sh": true, "cockpit-coredump": true, "drkonqi-coredump-processor": true, "core_collector": true}

func helper(x *hook) judgement {
	first, _, _ := strings.Cut(strings.TrimLeft(x.runs, "| "), " ")
	switch path.Base(strings.ReplaceAll(strings.ToLower(x.setting), ".", "/")) {
	case "core_pattern":
		if j := suspicious(strings.TrimLeft(x.runs, "| ")); strings.HasPrefix(x.runs, "|") && j.level > detect.Info {
			return j
		}
		if strings.HasPrefix(x.runs, "|") && !catchers[path.Base(first)] && !x.owned {
			return judgement{"makes the kernel run a program as root whenever one crashes", detect.Medium}
		}
	case "modprobe", "hotplug", "poweroff_cmd":
		if b := path.Base(first); first != "" && b != "modprobe" && b != "true" && b != "false" && b != "poweroff" && b != "systemctl" && b != "kmod" {
			return judgement{"makes the kernel run another program as root", detect.Medium}
		}
	}
	return none()
}

func format(x *hook) judgement {
	if odd(x.runs) {
		return judgement{"makes the kernel run " + x.runs, detect.High}
	}
	flags := strings.TrimPrefix(x.setting, "flags ")
	if flags != x.setting && strings.Contains(flags, "C") && !x.owned && !strings.Contains(path.Base(x.runs), "qemu") && !strings.Contains(x.runs, "box64") && !strings.Contains(x.runs, "FEX") {
		return judgement{"gives an interpreter the rights of setuid programs that it runs in the place of", detect.Medium}
	}
	return none()
}

func modprobe(x *hook) judgement {
	if x.owned || strings.Contains(x.runs, "modprobe") || strings.Contains(x.runs, "echo ") || strings.Contains(x.runs, "logger") || strings.Contains(x.runs, "sysctl") {
		return none()
	}
	return judgement{"runs a command in place of a module", detect.Medium}
}

// firsts are programs that distributions start first.
var firsts = map[string]bool{"/sbin/init": true, "/usr/sbin/init": true, "/lib/systemd/systemd": true, "/usr/lib/systemd/systemd": true, "/bin/systemd": true, "/usr/bin/init": true, "/lib/sysvinit/init": true, "/sbin/openrc-init": true, "/sbin/runit-init": true}

func boot(x *hook) judgement {
	switch x.setting {
	case "init", "rdinit", "systemd.run":
		_, v, _ := strings.Cut(x.runs, "=")
		if odd(v) {
			return judgement{"makes the kernel start " + v + " first", detect.High}
		}
		if !firsts[v] && !strings.Contains(x.runs, "nix") {
			return judgement{"makes the kernel start " + v + " first", detect.Medium}
		}
		return none()
	case "single", "systemd.unit=rescue": // of the boot menu's entries for repair
		return none()
	}
	return judgement{"switches off what watches or asks, as administrators do, too", detect.Low}
}

// keys of the kingdom: who makes a file there anew at each boot comes back whenever it is removed.
var sensitive = []string{"/etc/cron", "/var/spool/cron", "/etc/ld.so", "/etc/profile", "/etc/sudoers", "/etc/systemd/system/", "/root/.ssh", "/.ssh/", "/etc/passwd", "/etc/shadow", "/etc/pam.d", "/etc/rc.local", "/etc/init.d", "/etc/ssh/", "/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/lib/systemd/", "/etc/update-motd.d"}

func tmpfile(x *hook) judgement {
	kind, mode, _ := strings.Cut(x.setting, " ")
	mode = strings.TrimLeft(mode, "~:")
	if x.owned {
		return none()
	}
	if len(mode) >= 4 && (mode[len(mode)-4] == '4' || mode[len(mode)-4] == '6') && strings.ContainsAny(kind, "fFCzZ") {
		return judgement{"makes a setuid file at each boot", detect.Medium}
	}
	for _, p := range sensitive {
		if strings.Contains(x.runs, p) && strings.ContainsAny(kind, "fFwCL") {
			return judgement{"makes " + x.runs + " anew at each boot", detect.Medium}
		}
	}
	return none()
}

func sysuser(x *hook) judgement {
	if id, _, _ := strings.Cut(strings.TrimPrefix(x.setting, "uid "), ":"); id == "0" && x.runs != "root" {
		return judgement{"makes an account with root's number", detect.Medium}
	}
	return none()
}

func source(x *hook) judgement {
	for _, near := range []string{"file:", "cdrom:", "copy:", "copy+file"} {
		if strings.Contains(x.runs, near) {
			return none()
		}
	}
	return judgement{"takes packages that nobody signed", detect.Low}
}

func apt(x *hook) judgement {
	low := strings.ToLower(x.setting)
	if (strings.HasSuffix(low, "allowunauthenticated") || strings.HasSuffix(low, "allowinsecurerepositories")) && (x.runs == "true" || x.runs == "1" || x.runs == "yes") {
		return judgement{"takes packages that nobody signed", detect.Low}
	}
	return none()
}

// shellServed tells a shell that anybody gets who connects.
func shellServed(x *hook) judgement {
	first, _, _ := strings.Cut(x.runs, " ")
	switch path.Base(first) {
	case "sh", "bash", "dash", "zsh", "ksh", "csh", "tcsh", "ash":
		if args := strings.Fields(x.runs)[1:]; len(args) == 0 || strings.Trim(strings.Join(args, ""), "-il") == "" {
			return judgement{"gives a shell to whoever connects", detect.High}
		}
	}
	if odd(first) {
		return judgement{"gives a program in " + path.Dir(first) + " to whoever connects", detect.High}
	}
	return none()
}

// pictures are endings of files that no server runs.
var pictures = []string{".jpg", ".jpeg", ".png", ".gif", ".ico", ".svg", ".css", ".txt", ".pdf", ".log", ".webp", ".bmp", ".zip", ".woff"}

func handler(x *hook) judgement {
	if strings.HasPrefix(x.setting, "auto_") {
		return php(x)
	}
	low := strings.ToLower(" " + x.runs + " ")
	if strings.ToLower(x.setting) == "sethandler" || strings.Contains(low, "server-parsed") || strings.Contains(low, "httpd-php-source") {
		return none()
	}
	for _, e := range pictures {
		if strings.Contains(low, " "+e+" ") || strings.Contains(low, " "+e[1:]+" ") {
			return judgement{"makes files that end in " + e + " scripts", detect.High}
		}
	}
	return none()
}

// module judges what is loaded by the place that it lies in.
func module(x *hook) judgement {
	if strings.HasPrefix(x.setting, "auto_") {
		return php(x)
	}
	low := strings.ToLower(x.setting)
	words := strings.FieldsFunc(x.runs, func(r rune) bool { return strings.ContainsRune(" ,;'\"$", r) })
	if len(words) > 1 && !strings.Contains(low, "load") && !strings.Contains(low, "plugin") && !strings.Contains(low, "librar") {
		words = words[:1] // what follows a command are its arguments: files that it reads and writes
	}
	for _, p := range words {
		if strings.HasPrefix(p, "/") && odd(p) {
			return judgement{"loads or runs " + p, detect.High}
		}
	}
	if strings.EqualFold(x.setting, "addtype") || strings.EqualFold(x.setting, "addhandler") {
		return handler(x)
	}
	return none()
}

func php(x *hook) judgement {
	switch {
	case odd(x.runs):
		return judgement{"makes PHP run or load " + x.runs, detect.High}
	case !strings.HasPrefix(x.setting, "auto_") || x.owned:
		return none()
	case strings.HasSuffix(x.runs, "wordfence-waf.php") || strings.Contains(x.runs, "wp-content/plugins/") || strings.Contains(x.runs, "firewall") || strings.Contains(x.runs, "imunify") || strings.Contains(x.runs, "nfwlog/ninjafirewall") || strings.Contains(x.runs, "/phpmyadmin/"):
		return none() // firewalls for web applications work so
	}
	for _, e := range pictures {
		if strings.HasSuffix(strings.ToLower(x.runs), e) {
			return judgement{"makes PHP run a file that is named as a picture or text before each script", detect.High}
		}
	}
	return judgement{"makes PHP run " + x.runs + " before or after each script", detect.Low}
}

func python(x *hook) judgement {
	for i, w := range []string{"b64decode", "subprocess", "os.system", "os.popen", "urlopen", "marshal.loads", "pty.spawn", "urllib", "socket.", "requests.", "zlib.decompress", "bytes.fromhex"} {
		if strings.Contains(x.runs, w) {
			l := detect.High
			if i > 6 {
				l = detect.Medium
			}
			return judgement{"runs hidden or foreign code (" + w + ")", l}
		}
	}
	return none()
}

func container(x *hook) judgement {
	low := strings.ToLower(x.runs)
	switch strings.ToLower(x.setting) {
	case "podmanargs":
		if strings.Contains(low, "--privileged") || strings.Contains(low, "--pid=host") || strings.Contains(low, "--pid host") {
			return judgement{"gives a container power over its host: " + x.runs, detect.Medium}
		}
	case "volume":
		if src, _, _ := strings.Cut(low, ":"); src == "/" || strings.HasPrefix(src, "/etc") || strings.HasPrefix(src, "/root") {
			return judgement{"gives a container the host's " + src, detect.Medium}
		}
	}
	return none()
}

func wrapper(x *hook) judgement {
	if x.setting == "twist" {
		return judgement{"runs a command in place of the service asked for", detect.Low}
	}
	return none()
}

func runner(x *hook) judgement {
	if strings.HasPrefix(x.runs, "http://") {
		return judgement{"fetches packages without a protected connection", detect.Low}
	}
	if strings.Contains(x.runs, "--require") || strings.Contains(x.runs, "--import") {
		return judgement{"makes node load code: " + x.runs, detect.Medium}
	}
	return none()
}

// Judged tells whether a mechanism has rules of its own beside those for all.
func Judged(mechanism string) bool {
	switch mechanism {
	case "cron", "at-job", "ssh-key", "ld-preload", "sudoers", "startup-file", "remote-access", "alternative", "systemd-generator":
		return true
	}
	return judges[mechanism] != nil
}
