// Package bootconf reads the settings by which the kernel, the boot loader, the device manager, the loader of libraries and the package
// manager run or load something: modules, helpers, rules of udev, hooks of apt. Files are read as they stand; what of them is in force is not worked out.
package bootconf

import (
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/hook"
)

// All gives the artefacts.
func All() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Settings("kernel-module", "modules that are loaded at boot", "modules-load.d(5), modules(5)", []string{"/etc/modules", "/{etc,run,usr/lib,usr/local/lib}/modules-load.d/*.conf", "/etc/sysconfig/modules/*.modules", "/etc/dkms/*.conf"}, hook.Each(module)),
		hook.Settings("modprobe-rule", "commands that run in place of loading a module", "modprobe.d(5)", []string{"/{etc,run,usr/lib,lib,usr/local/lib}/modprobe.d/*.conf", "/etc/modprobe.conf"}, hook.Each(modprobe)),
		hook.Settings("kernel-helper", "programs that the kernel starts itself", "sysctl.d(5), core(5), proc_sys_kernel(5)", []string{"/etc/sysctl.conf", "/{etc,run,usr/lib,lib,usr/local/lib}/sysctl.d/*.conf"}, hook.Named("=", "#;", helpers)),
		hook.Settings("binary-format", "interpreters that the kernel starts by a file's first bytes", "binfmt.d(5), Documentation/admin-guide/binfmt-misc.rst", []string{"/{etc,run,usr/lib,usr/local/lib}/binfmt.d/*.conf", "/var/lib/binfmts/*"}, hook.Each(binfmt)),
		hook.Settings("udev-rule", "programs that run when a device appears", "udev(7)", []string{"/{etc,run,usr/lib,lib,usr/local/lib}/udev/rules.d/*.rules"}, hook.Each(udev)),
		hook.Settings("boot-option", "what the boot loader tells the kernel", "bootparam(7), kernel-command-line(7), kernel's Documentation/admin-guide/kernel-parameters.txt", []string{"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/{efi/EFI,EFI}/*/grub.cfg", "/etc/default/grub", "/etc/default/grub.d/*.cfg", "/boot/loader/entries/*.conf", "/boot/extlinux/extlinux.conf", "/boot/syslinux.cfg", "/etc/kernel/cmdline", "/boot/firmware/cmdline.txt"}, hook.Each(boot)),
		hook.Settings("library-path", "directories in which every program looks for libraries", "ldconfig(8)", []string{"/etc/ld.so.conf", "/etc/ld.so.conf.d/*.conf", "/etc/ld-musl-*.path"}, hook.Each(libraries)),
		hook.Settings("tmpfiles-rule", "files that systemd makes anew at each boot", "tmpfiles.d(5)", []string{"/{etc,run,usr/lib,usr/local/lib}/tmpfiles.d/*.conf", "/{etc,usr/share,usr/local/share}/user-tmpfiles.d/*.conf"}, hook.Each(tmpfiles)),
		hook.Settings("sysusers-rule", "accounts that systemd makes anew", "sysusers.d(5)", []string{"/{etc,run,usr/lib,usr/local/lib}/sysusers.d/*.conf"}, hook.Each(sysusers)),
		hook.Settings("apt-hook", "commands that apt and dpkg run", "apt.conf(5), dpkg.cfg(5)", []string{"/etc/apt/apt.conf", "/etc/apt/apt.conf.d/*", "/etc/dpkg/dpkg.cfg", "/etc/dpkg/dpkg.cfg.d/*"}, apt),
		hook.Settings("package-source", "sources of packages that nobody has signed", "sources.list(5), dnf.conf(5)", []string{"/etc/apt/sources.list", "/etc/apt/sources.list.d/*.{list,sources}", "/etc/yum.repos.d/*.repo", "/etc/dnf/dnf.conf", "/etc/yum.conf", "/etc/zypp/repos.d/*.repo", "/etc/apk/repositories"}, source),
		hook.Settings("interface-hook", "commands that run when an interface goes up or down", "interfaces(5), wg-quick(8)", []string{"/etc/network/interfaces", "/etc/network/interfaces.d/*", "/etc/wireguard/*.conf"}, hook.Each(iface)),
		hook.Settings("upstart-job", "what upstart starts", "init(5) of upstart", []string{"/etc/init/*.conf"}, hook.Each(upstart)),
		hook.Settings("dracut-setting", "modules and files that dracut puts into the first root file system", "dracut.conf(5)", []string{"/{etc,usr/lib}/dracut.conf.d/*.conf", "/etc/dracut.conf"}, hook.Each(dracut)),
	}
}

func module(t []byte, give func(hook.Found)) {
	if !hook.Comment(t, "#;") {
		give(hook.Found{Runs: string(t), As: "the kernel", On: "at boot"})
	}
}

// modprobe reads "install module command" and "remove module command". A command that only fails keeps a module out.
func modprobe(t []byte, give func(hook.Found)) {
	k, v := hook.Word(string(t))
	if k != "install" && k != "remove" {
		return
	}
	m, cmd := hook.Word(v)
	switch cmd {
	case "/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false", ":", "true", "false":
		return
	}
	give(hook.Found{Runs: cmd, On: "when the module " + m + " is to be loaded or removed", Setting: k})
}

var helpers = map[string]string{"kernel.core_pattern": "when a program crashes", "kernel/core_pattern": "when a program crashes", "kernel.modprobe": "when the kernel wants a module", "kernel/modprobe": "when the kernel wants a module",
	"kernel.hotplug": "when a device appears", "kernel.poweroff_cmd": "when the machine is switched off", "kernel.usermodehelper.bset": "when the kernel starts a program",
	"kernel.randomize_va_space": "at boot", "kernel.kptr_restrict": "at boot", "kernel.yama.ptrace_scope": "at boot", "kernel.unprivileged_bpf_disabled": "at boot", "kernel.modules_disabled": "at boot", "fs.suid_dumpable": "at boot"}

// binfmt reads ":name:type:offset:magic:mask:interpreter:flags", the first character being the separator; and, of Debian's binfmt-support, the lines package, type, offset,
// magic, mask, interpreter, detector and so on, of which only those that are paths matter.
func binfmt(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#;") {
		return
	}
	if t[0] == '/' && !strings.Contains(string(t[1:]), "/:") {
		give(hook.Found{Runs: string(t), On: "when a file of its format is run"})
		return
	}
	w := strings.Split(string(t), string(t[:1]))
	if len(w) == 8 {
		give(hook.Found{Runs: w[6], As: "the account that runs the file", On: "when a file of the format " + w[1] + " is run", Setting: "flags " + w[7]})
	}
}

// udev reads KEY{attribute}OP"value" pairs. A quote within a value stands behind a backslash.
func udev(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#") {
		return
	}
	on := "when a device appears that the rule fits"
	if alwaysThere(string(t)) {
		on = "at each boot, for the rule fits a device that is always there"
	}
	for s := string(t); s != ""; {
		key, rest, ok := strings.Cut(s, "\"")
		if !ok {
			return
		}
		end := 0
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(rest))
		name := strings.TrimRight(strings.Trim(key, " \t,"), "+:=!-e")
		builtin := strings.Contains(name, "{builtin}") || strings.Contains(name, "{db}") || strings.Contains(name, "{parent}") || strings.Contains(name, "{cmdline}") || strings.Contains(name, "{file}")
		if !builtin && (strings.HasPrefix(name, "RUN") || name == "PROGRAM" || name == "IMPORT" || name == "IMPORT{program}") && !strings.HasSuffix(key, "==") && !strings.HasSuffix(key, "!=") {
			give(hook.Found{Runs: rest[:end], On: on, Setting: name})
		}
		s = rest[min(end+1, len(rest)):]
	}
}

// alwaysThere tells a rule for one of the kernel's own devices, such as /dev/random (1, 8): no hardware comes with it that a program could be needed for.
func alwaysThere(rule string) bool {
	rule = strings.ReplaceAll(rule, " ", "")
	if strings.Contains(rule, `ENV{MAJOR}=="1",`) && strings.Contains(rule, `ENV{MINOR}=="`) {
		return true
	}
	for _, name := range []string{"random", "urandom", "null", "zero", "full", "mem", "kmsg"} {
		if strings.Contains(rule, `KERNEL=="`+name+`"`) {
			return true
		}
	}
	return false
}

// options are parameters of the kernel's command line that say what runs first, or switch off what watches.
var options = []string{"init=", "rdinit=", "rd.break", "audit=0", "selinux=0", "enforcing=0", "apparmor=0", "security=none", "module.sig_enforce=0", "lockdown=none", "ima_appraise=off", "systemd.run=", "systemd.debug_shell", "systemd.debug-shell", "single", "systemd.unit=rescue"}

func boot(t []byte, give func(hook.Found)) {
	s := string(t)
	if hook.Comment(t, "#") || !(strings.HasPrefix(s, "linux") || strings.HasPrefix(s, "options") || strings.HasPrefix(s, "append") || strings.HasPrefix(s, "APPEND") || strings.HasPrefix(s, "GRUB_CMDLINE") || strings.HasPrefix(s, "root=") || strings.Contains(s, " root=")) {
		return
	}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '"' || r == '\'' }) {
		for _, o := range options {
			if w == o || strings.HasSuffix(o, "=") && strings.HasPrefix(w, o) {
				give(hook.Found{Runs: w, As: "the kernel", On: "at boot", Setting: strings.TrimSuffix(o, "=")})
			}
		}
	}
}

func libraries(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#") || strings.HasPrefix(string(t), "include /etc/ld.so.conf.d/") {
		return
	}
	for _, p := range strings.FieldsFunc(string(t), func(r rune) bool { return r == ' ' || r == ':' || r == ',' || r == '\t' }) {
		if p[0] == '/' {
			give(hook.Found{Runs: p, As: "every user", On: "when a program starts"})
		}
	}
}

// tmpfiles reads "type path mode user group age argument" of the types that make, write, copy or link files, or set modes.
func tmpfiles(t []byte, give func(hook.Found)) {
	w := strings.Fields(string(t))
	if hook.Comment(t, "#") || len(w) < 2 || strings.IndexByte("fFwCLzZ", w[0][0]) < 0 {
		return
	}
	mode := ""
	if len(w) > 2 {
		mode = w[2]
	}
	give(hook.Found{Runs: w[1], On: "at boot: " + strings.Join(w, " "), Setting: strings.TrimSpace(w[0][:1] + " " + mode)})
}

func sysusers(t []byte, give func(hook.Found)) {
	w := strings.Fields(string(t))
	if len(w) > 2 && strings.HasPrefix(w[0], "u") {
		give(hook.Found{Runs: w[1], As: w[1], On: "at boot, when the account is not there", Setting: "uid " + w[2]})
	}
}

// apt reads the lists of commands: NAME "command"; NAME { "command"; "command"; }; and NAME:: "command", in one line or over several. dpkg's lines are "pre-invoke=command".
func apt(in *artifact.Input) hook.Reader {
	name := ""
	return func(t []byte, give func(hook.Found)) {
		s := string(t)
		if hook.Comment(t, "#") || strings.HasPrefix(s, "//") {
			return
		}
		if strings.HasPrefix(in.Path, "/etc/dpkg/") {
			if k, v, ok := hook.Assigned(t, "= "); ok && (k == "pre-invoke" || k == "post-invoke" || k == "status-logger") {
				give(hook.Found{Runs: v, On: "when packages are installed or removed", Setting: k})
			}
			return
		}
		for s != "" {
			head, rest, quoted := strings.Cut(s, "\"")
			if w := strings.Trim(strings.ToLower(head), " \t{};:"); w != "" {
				w = strings.TrimSpace(w[strings.LastIndexAny(w, "{;}")+1:])
				if runs(w) {
					name = strings.Trim(strings.TrimSpace(head[strings.LastIndexAny(strings.TrimRight(head, " \t{};:"), "{;}")+1:]), " \t{};:")
				} else if w != "" {
					name = ""
				}
			} else if strings.Contains(head, "}") {
				name = ""
			}
			if !quoted {
				if strings.Contains(s, "}") {
					name = ""
				}
				return
			}
			value, more, _ := strings.Cut(rest, "\"")
			for strings.HasSuffix(value, "\\") && more != "" {
				v, m, _ := strings.Cut(more, "\"")
				value, more = value[:len(value)-1]+"\""+v, m
			}
			if name != "" {
				give(hook.Found{Runs: value, On: "when apt runs", Setting: name})
			}
			s = more
		}
	}
}

// runs tells the lists of apt.conf whose members are commands, and the switches that let unsigned packages in.
func runs(name string) bool {
	return strings.HasSuffix(name, "invoke") || strings.HasSuffix(name, "invoke-success") || strings.HasSuffix(name, "invoke-stats") || strings.Contains(name, "pre-install-pkgs") || strings.HasSuffix(name, "proxy-auto-detect") || strings.HasSuffix(name, "proxyautodetect") ||
		strings.HasSuffix(name, "allowunauthenticated") || strings.HasSuffix(name, "allowinsecurerepositories") || strings.HasSuffix(name, "::run")
}

// source gives the sources that ask for no signature.
func source(in *artifact.Input) hook.Reader {
	section, uri := "", ""
	return func(t []byte, give func(hook.Found)) {
		if hook.Comment(t, "#;") {
			return
		}
		if s, ok := hook.Section(t); ok && strings.HasSuffix(in.Path, ".repo") {
			section, uri = s, ""
			return
		}
		low := strings.ToLower(string(t))
		k, v, _ := hook.Assigned([]byte(low), "=:")
		switch {
		case (k == "uris" || k == "baseurl" || k == "mirrorlist" || k == "metalink") && !strings.HasPrefix(low, "deb"):
			uri = v
		case strings.HasPrefix(low, "deb") && (strings.Contains(low, "trusted=yes") || strings.Contains(low, "allow-insecure=yes")):
			give(hook.Found{Runs: string(t), On: "when packages are installed", Setting: "trusted"})
		case (k == "trusted" || k == "allow-insecure") && v == "yes":
			give(hook.Found{Runs: "packages of " + uri, On: "when packages are installed", Setting: k})
		case k == "gpgcheck" && (v == "0" || v == "no" || v == "false"):
			give(hook.Found{Runs: strings.TrimSpace("packages of " + section + " " + uri), On: "when packages are installed", Setting: k})
		}
	}
}

func iface(t []byte, give func(hook.Found)) {
	k, v := hook.Word(strings.Replace(string(t), "=", " ", 1))
	switch k {
	case "up", "pre-up", "post-up", "down", "pre-down", "post-down", "PreUp", "PostUp", "PreDown", "PostDown":
		give(hook.Found{Runs: v, On: "when the interface goes up or down", Setting: k})
	}
}

func upstart(t []byte, give func(hook.Found)) {
	if k, v := hook.Word(string(t)); k == "exec" {
		give(hook.Found{Runs: v, On: "when its job starts", Setting: k})
	}
}

func dracut(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#") {
		return
	}
	if k, v, ok := hook.Assigned(t, "+="); ok {
		switch v = hook.Unquoted(strings.TrimSpace(strings.TrimLeft(v, "= "))); k {
		case "install_items", "add_drivers", "force_drivers", "add_dracutmodules", "force_add_dracutmodules":
			give(hook.Found{Runs: strings.TrimSpace(v), On: "when the first root file system is made", Setting: k})
		}
	}
}
