// Package codeconf reads the settings by which interpreters, desktops and tools of programmers run code of others: variables of the environment, PHP's and Python's hooks,
// git's configuration, programs of desktops. Scripts that run by their place are package hookscript's.
package codeconf

import (
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/hook"
)

// All gives the artefacts.
func All() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Settings("environment", "variables that make programs load or run code of others", "environment(5), pam_env.conf(5), environment.d(5), ld.so(8)", []string{"/etc/environment", "/etc/security/pam_env.conf", "/{etc,run,usr/lib,usr/local/lib}/environment.d/*.conf", "{home}/.config/environment.d/*.conf", "{home}/.pam_environment", "{home}/.ssh/environment",
			"/etc/default/*", "/etc/sysconfig/*", "/etc/conf.d/*", "/etc/systemd/{system,user}.conf", "/etc/systemd/{system,user}.conf.d/*.conf", "/{etc,run}/systemd/{system,user}/*.service", "/{etc,run}/systemd/{system,user}/*.d/*.conf", "{home}/.config/systemd/user/*.service"}, environment),
		hook.Settings("php-setting", "files and libraries that PHP runs or loads with each script", "php.ini, core directives", []string{"/etc/php*/**", "/etc/php.ini", "/etc/php.d/*.ini", "/etc/opt/remi/*/php.{ini,d/*}", "/usr/local/etc/php/**", "/usr/local/lib/php.ini", "/opt/{cpanel,plesk}/**/php.ini"}, hook.Each(php)),
		hook.Settings("php-user-ini", "files that PHP runs with each script of a folder", ".user.ini files", []string{"{webroot}/**/.user.ini", "{webroot}/.user.ini", "{webroot}/**/php.ini"}, hook.Each(php)),
		hook.Settings("python-path", "lines that every start of Python runs", "Python's module site", []string{"/usr/{lib,local/lib,lib64}/python*/**/*.pth", "{home}/.local/lib/python*/site-packages/*.pth", "/opt/**/site-packages/*.pth", "{home}/**/site-packages/*.pth"}, hook.Each(pth)),
		hook.Settings("git-setting", "commands that git's configuration makes git run", "git-config(1)", []string{"/etc/gitconfig", "/usr/local/etc/gitconfig", "{home}/.gitconfig", "{home}/.config/git/config", "{home}/**/.git/config", "{home}/**/*.git/config", "/var/{lib,opt}/{gitea,forgejo,gogs,gitolite3}/**/*.git/config", "/data/git/**/*.git/config", "/{srv,opt,etc,var/www}/**/.git/config", "/{etc,opt,srv}/.git/config", "{webroot}/.git/config", "{webroot}/**/.git/config"}, git),
		hook.Settings("desktop-entry", "programs that a desktop starts at login", "Desktop Application Autostart Specification", []string{"/etc/xdg/autostart/*.desktop", "/usr/share/{gdm,gnome}/**/autostart/*.desktop", "{home}/.config/autostart/*.desktop", "/usr/share/autostart/*.desktop"}, hook.Named("=", "#[", map[string]string{"exec": "at each graphical login"})),
		hook.Settings("converter-module", "libraries that programs load to convert characters", "iconvconfig(8)", []string{"/usr/lib/**/gconv/gconv-modules", "/usr/lib/**/gconv/gconv-modules.d/*.conf", "/usr/lib64/gconv/gconv-modules", "/usr/lib64/gconv/gconv-modules.d/*"}, hook.Each(gconv)),
		hook.Settings("package-runner", "code that package managers of languages run", "npm's config, pip's configuration, gemrc", []string{"/etc/npmrc", "{home}/.npmrc", "/etc/pip.conf", "{home}/.pip/pip.conf", "{home}/.config/pip/pip.conf", "{home}/.gemrc"}, hook.Named("=", "#;", map[string]string{"node-options": "at each start of node by npm", "script-shell": "when npm runs a script", "index-url": "when pip fetches a package", "extra-index-url": "when pip fetches a package", "registry": "when npm fetches a package", "onload-script": "when npm starts"})),
	}
}

// variables make programs run or load code: those of the loader, of shells and of interpreters.
var variables = map[string]string{"LD_PRELOAD": "when a program starts", "LD_AUDIT": "when a program starts", "LD_LIBRARY_PATH": "when a program starts", "BASH_ENV": "when bash runs a script", "ENV": "when sh starts", "PROMPT_COMMAND": "at each prompt", "PYTHONSTARTUP": "when Python starts", "PYTHONPATH": "when Python imports", "PYTHONHOME": "when Python starts",
	"PERL5OPT": "when Perl starts", "PERL5LIB": "when Perl loads a module", "PERL5DB": "when Perl starts", "RUBYOPT": "when Ruby starts", "RUBYLIB": "when Ruby loads", "NODE_OPTIONS": "when node starts", "NODE_PATH": "when node loads", "JAVA_TOOL_OPTIONS": "when Java starts", "_JAVA_OPTIONS": "when Java starts", "JDK_JAVA_OPTIONS": "when Java starts",
	"GIT_SSH_COMMAND": "when git connects", "GIT_SSH": "when git connects", "GCONV_PATH": "when a program converts characters", "PHP_INI_SCAN_DIR": "when PHP starts", "PHPRC": "when PHP starts", "LUA_INIT": "when Lua starts", "GIO_EXTRA_MODULES": "when a program of GNOME starts", "OPENSSL_CONF": "when a program loads OpenSSL", "SSH_ASKPASS": "when ssh asks for a password"}

// environment reads NAME=value, "export NAME=value", systemd's Environment="NAME=value" ... and DefaultEnvironment=, and pam_env's "NAME DEFAULT=value OVERRIDE=value".
func environment(in *artifact.Input) hook.Reader {
	pam := strings.HasSuffix(in.Path, "pam_env.conf") || strings.HasSuffix(in.Path, ".pam_environment")
	as := "everybody who logs in"
	if strings.Contains(in.Path, "/systemd/") {
		as = "the unit's account"
	} else if strings.HasPrefix(in.Path, "/etc/default/") || strings.HasPrefix(in.Path, "/etc/sysconfig/") || strings.HasPrefix(in.Path, "/etc/conf.d/") {
		as = "the service's account"
	}
	if in.Host.UserByHome(in.Path) != "" || strings.HasPrefix(in.Path, "/home/") || strings.HasPrefix(in.Path, "/root/") {
		as = ""
	}
	return func(t []byte, give func(hook.Found)) {
		if hook.Comment(t, "#;") {
			return
		}
		s := strings.TrimPrefix(string(t), "export ")
		if name, rest := hook.Word(s); pam && strings.Contains(rest, "=") {
			if on, ok := variables[name]; ok {
				_, v, _ := strings.Cut(rest, "=")
				give(hook.Found{Runs: hook.Unquoted(v), As: as, On: on, Setting: name})
				return
			}
		}
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return
		}
		k = strings.TrimSpace(k)
		if k == "Environment" || k == "DefaultEnvironment" || k == "ManagerEnvironment" {
			for _, w := range strings.Fields(v) {
				name, value, _ := strings.Cut(strings.Trim(w, `"'`), "=")
				if on, ok := variables[name]; ok {
					give(hook.Found{Runs: value, As: as, On: on, Setting: name})
				}
			}
			return
		}
		if on, ok := variables[k]; ok && strings.TrimSpace(v) != "" {
			give(hook.Found{Runs: hook.Unquoted(strings.TrimSpace(v)), As: as, On: on, Setting: k})
		}
	}
}

// php reads "name = value", and a pool's "php_admin_value[name] = value".
func php(t []byte, give func(hook.Found)) {
	k, v, ok := hook.Assigned(t, "=")
	if !ok || hook.Comment(t, ";#[") || v == "" || v == "none" {
		return
	}
	if _, name, ok := strings.Cut(k, "["); ok && strings.HasPrefix(k, "php_") {
		k = strings.TrimSuffix(name, "]")
	}
	switch k = strings.ToLower(k); k {
	case "auto_prepend_file", "auto_append_file":
		give(hook.Found{Runs: v, As: "the web server's account", On: "before or after each script of PHP", Setting: k})
	case "extension", "zend_extension":
		give(hook.Found{Runs: v, As: "the web server's account", On: "when PHP starts", Setting: k})
	case "sendmail_path", "unserialize_callback_func", "ffi.preload", "opcache.preload", "mail.log", "session.save_handler":
		if strings.Contains(v, "/") {
			give(hook.Found{Runs: v, As: "the web server's account", On: "when PHP runs", Setting: k})
		}
	}
}

// pth gives the lines that Python runs: those that begin with import and a blank. All others are directories.
func pth(t []byte, give func(hook.Found)) {
	if s := string(t); strings.HasPrefix(s, "import ") || strings.HasPrefix(s, "import\t") {
		give(hook.Found{Runs: s, As: "whoever runs Python", On: "at each start of Python", Setting: "import"})
	}
}

// gitSettings are the names below their sections that make git run something.
var gitSettings = map[string]bool{"core.hookspath": true, "core.pager": true, "core.fsmonitor": true, "core.sshcommand": true, "core.editor": true, "core.askpass": true, "core.gitproxy": true, "core.alternaterefscommand": true, "diff.external": true, "init.templatedir": true, "sequence.editor": true, "gpg.program": true,
	"sendemail.sendmailcmd": true, "uploadpack.packobjectshook": true, "interactive.difffilter": true, "credential.helper": true, "include.path": true, "ssh.variant": false}

func git(in *artifact.Input) hook.Reader {
	section := ""
	on := "when somebody works with git in that repository"
	if !strings.HasSuffix(in.Path, "/.git/config") {
		on = "when the account works with git"
	}
	return func(t []byte, give func(hook.Found)) {
		if s, ok := hook.Section(t); ok {
			section, _, _ = strings.Cut(strings.ToLower(s), " ")
			return
		}
		k, v, ok := hook.Assigned(t, "=")
		if !ok || hook.Comment(t, "#;") {
			return
		}
		name := section + "." + strings.ToLower(k)
		sub := section == "filter" && (k == "clean" || k == "smudge" || k == "process") || (section == "diff" || section == "merge") && (k == "textconv" || k == "command" || k == "driver") ||
			section == "alias" && strings.HasPrefix(v, "!") || section == "pager" || section == "submodule" && strings.HasPrefix(v, "!") || section == "remote" && strings.HasPrefix(v, "ext::") || section == "difftool" || section == "mergetool"
		if gitSettings[name] || sub {
			give(hook.Found{Runs: v, On: on, Setting: name})
		}
	}
}

// gconv reads "module FROM TO path cost".
func gconv(t []byte, give func(hook.Found)) {
	w := strings.Fields(string(t))
	if len(w) >= 4 && w[0] == "module" && strings.Contains(w[3], "/") { // the plain names are the library's own, by the hundred
		give(hook.Found{Runs: w[3], As: "every user", On: "when a program converts characters of " + w[1], Setting: w[0]})
	}
}
