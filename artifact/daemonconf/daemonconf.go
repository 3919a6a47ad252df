// Package daemonconf reads the settings of servers by which they run programs, load modules or start by themselves: inetd's and its heirs', mail, file, web and name
// servers, databases, logging and monitoring. A file is read as it stands; which of several is in force is not worked out.
package daemonconf

import (
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/hook"
)

// All gives the artefacts.
func All() []*artifact.Artifact {
	return append(append(supers(), mail()...), append(servers(), watchers()...)...)
}

// supers start other servers, or let hosts in.
func supers() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Settings("inetd-service", "programs that inetd starts for a connection", "inetd.conf(5)", []string{"/etc/inetd.conf", "/etc/inetd.d/*"}, hook.Each(inetd)),
		hook.Settings("xinetd-service", "programs that xinetd starts for a connection", "xinetd.conf(5)", []string{"/etc/xinetd.conf", "/etc/xinetd.d/*"}, xinetd),
		hook.Settings("tcp-wrapper", "commands that run when a host connects", "hosts_options(5)", []string{"/etc/hosts.allow", "/etc/hosts.deny"}, hook.Each(wrapper)),
		hook.Settings("trusted-host", "hosts whose users get in without a password", "hosts.equiv(5)", []string{"/etc/hosts.equiv", "/etc/shosts.equiv", "/etc/ssh/shosts.equiv", "{home}/.{rhosts,shosts}"}, hook.Each(trusted)),
		hook.Settings("supervised-program", "programs that supervisord keeps running", "Supervisor, Configuration File", []string{"/etc/supervisor/*.conf", "/etc/supervisor/conf.d/*", "/etc/supervisord.conf", "/etc/supervisord.d/*"}, supervisor),
		hook.Settings("container-unit", "containers that systemd starts from Podman's files", "podman-systemd.unit(5)", []string{"/{etc,run,usr/share}/containers/systemd/*.{container,kube}", "/etc/containers/systemd/users/**/*.{container,kube}", "{home}/.config/containers/systemd/*.{container,kube}"}, hook.Named("=", "#;[", quadlet)),
		hook.Settings("lxc-hook", "programs that run when a container of LXC starts or stops", "lxc.container.conf(5)", []string{"/var/lib/lxc/*/config", "/etc/lxc/*.conf", "/etc/pve/lxc/*.conf", "/usr/share/lxc/config/*"}, hook.Each(lxc)),
	}
}

func mail() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Settings("mail-pipe", "programs that a mail server hands mail to", "master(5), pipe(8), exim's specification", []string{"/etc/postfix/master.cf", "/etc/postfix/main.cf", "/etc/exim*/exim*.conf*", "/etc/exim*/conf.d/*/*", "/etc/exim.conf", "/etc/dovecot/dovecot.conf", "/etc/dovecot/conf.d/*.conf", "/etc/mail/sendmail.cf"}, pipes),
		hook.Settings("mail-alias", "mail that goes to a program", "aliases(5), local(8), forward(5), procmailrc(5), dot-qmail(5)", []string{"/etc/aliases", "/etc/mail/aliases", "/etc/postfix/aliases", "{home}/.{forward,procmailrc,mailfilter}", "{home}/.qmail*", "/etc/procmailrc", "/var/qmail/alias/.qmail*"}, hook.Each(alias)),
		hook.Settings("mail-filter", "programs that a mailbox's filters run", "RFC 5228, Pigeonhole's Extprograms plugin", []string{"{home}/**/*.sieve", "{home}/*.sieve", "{home}/.dovecot.sieve", "/var/lib/dovecot/sieve/**/*.sieve", "/var/vmail/**/*.sieve", "/var/mail/vhosts/**/*.sieve"}, hook.Each(sieve)),
	}
}

func servers() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Settings("samba-command", "commands that the file server runs", "smb.conf(5)", []string{"/etc/samba/*.conf", "/etc/samba/conf.d/*"}, samba),
		hook.Settings("ftp-command", "commands and modules of the FTP server", "mod_exec of ProFTPD", []string{"/etc/proftpd/*.conf", "/etc/proftpd.conf", "/etc/proftpd/conf.d/*"}, hook.Each(proftpd)),
		hook.Settings("web-module", "modules, handlers and piped logs of web servers", "Apache HTTP Server Documentation, nginx's documentation", []string{"/etc/{apache2,httpd,apache}/**", "/etc/nginx/**", "!/etc/{apache2,httpd,apache}/logs/**", "!/etc/{apache2,httpd}/{mime.types,magic}"}, hook.Each(web)),
		hook.Settings("web-handler", "files that a folder's own settings make programs", "Apache HTTP Server Documentation, .htaccess files", []string{"{webroot}/**/.htaccess", "{webroot}/.htaccess"}, hook.Each(htaccess)),
		hook.Settings("database-setting", "libraries and commands that databases load and run", "MySQL's and MariaDB's option files, postgresql.conf, redis.conf", []string{"/etc/mysql/**", "/etc/my.cnf", "/etc/my.cnf.d/*", "{home}/.my.cnf", "/etc/postgresql/*/*/{postgresql.conf,conf.d/*}", "/var/lib/{pgsql,postgresql}/**/postgresql{,.auto}.conf", "/etc/redis/*.conf", "/etc/redis*.conf", "/etc/valkey/*.conf", "/var/lib/{mysql,mysql-files}/mysqld-auto.cnf"}, hook.Each(database)),
		hook.Settings("printer-filter", "commands of printers' descriptions", "foomatic-rip(1); PPD specification 4.3", []string{"/etc/cups/ppd/*.ppd{,.O}", "/var/cache/cups/*.ppd", "/usr/share/ppd/*.ppd"}, func(*artifact.Input) hook.Reader { return printer() }),
		hook.Settings("vpn-script", "scripts and plugins of OpenVPN", "openvpn(8)", []string{"/etc/openvpn/*.{conf,ovpn}", "/etc/openvpn/{server,client}/*.{conf,ovpn}"}, hook.Each(openvpn)),
	}
}

func watchers() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Settings("log-program", "programs that log daemons hand messages to", "rsyslog's omprog, syslog-ng's program()", []string{"/etc/rsyslog.conf", "/etc/rsyslog.d/*.conf", "/etc/syslog-ng/*.conf", "/etc/syslog-ng/conf.d/*.conf"}, hook.Each(logged)),
		hook.Settings("logrotate-script", "commands that run when logs are rotated", "logrotate(8)", []string{"/etc/logrotate.conf", "/etc/logrotate.d/*"}, logrotate),
		hook.Settings("audit-plugin", "programs that the audit daemon hands records to", "auditd-plugins(5), auditd.conf(5)", []string{"/etc/{audit,audisp}/plugins.d/*.conf", "/etc/audit/auditd.conf"}, hook.Named("=", "#", map[string]string{"path": "while the audit daemon runs", "dispatcher": "while the audit daemon runs"})),
		hook.Settings("monitor-command", "commands of monitoring agents", "zabbix_agentd.conf, nrpe.cfg, snmpd.conf(5), monit(1)", []string{"/etc/zabbix/*.conf", "/etc/zabbix/*.d/*", "/etc/nagios/nrpe*.cfg", "/etc/nagios/nrpe.d/*", "/etc/nrpe.d/*", "/etc/snmp/snmpd.conf", "/etc/snmp/snmpd.conf.d/*", "/etc/monit/monitrc", "/etc/monitrc", "/etc/monit/conf.d/*", "/etc/monit.d/*", "/etc/telegraf/telegraf.conf", "/etc/telegraf/telegraf.d/*", "/etc/collectd/collectd.conf"}, hook.Each(monitor)),
		hook.Settings("ban-action", "commands that fail2ban runs", "jail.conf(5)", []string{"/etc/fail2ban/action.d/*.{conf,local}"}, hook.Named("=", "#;", map[string]string{"actionstart": "when fail2ban starts", "actionstop": "when fail2ban stops", "actioncheck": "before each ban", "actionban": "at each ban", "actionunban": "at the end of each ban"})),
	}
}

// inetd reads "service type protocol wait user server arguments".
func inetd(t []byte, give func(hook.Found)) {
	w := strings.Fields(string(t))
	if hook.Comment(t, "#") || len(w) < 6 || w[5] == "internal" {
		return
	}
	as, _, _ := strings.Cut(w[4], ".")
	cmd := w[5]
	if len(w) > 6 { // the first argument is the program's own name
		cmd = strings.Join(append([]string{w[5]}, w[7:]...), " ")
	}
	give(hook.Found{Runs: cmd, As: as, On: "at each connection to the port " + w[0]})
}

// xinetd reads "service NAME { user = X server = Y server_args = Z }", and tells the server at the closing brace, for its settings stand in any order.
func xinetd(*artifact.Input) hook.Reader {
	name, set := "", map[string]string{}
	return func(t []byte, give func(hook.Found)) {
		if rest, ok := strings.CutPrefix(string(t), "service"); ok {
			name, set = strings.Trim(rest, " \t{"), map[string]string{}
			return
		}
		if k, v, ok := hook.Assigned(t, "=+"); ok && len(set) < 50 {
			set[k] = v
		}
		if len(t) == 0 || t[0] != '}' || set["server"] == "" {
			return
		}
		on := "at each connection to the service " + name
		if set["port"] != "" {
			on += " at port " + set["port"]
		}
		if set["disable"] == "yes" {
			on = "never, for it is disabled"
		}
		give(hook.Found{Runs: strings.TrimSpace(set["server"] + " " + set["server_args"]), As: set["user"], On: on})
		set = map[string]string{}
	}
}

func wrapper(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#") {
		return
	}
	for _, k := range []string{"spawn", "twist"} {
		if _, v, ok := strings.Cut(string(t), k); ok && len(v) > 1 && strings.ContainsRune(" \t(=:", rune(v[0])) {
			give(hook.Found{Runs: strings.Trim(v, " \t=():"), On: "when a host connects to " + strings.SplitN(string(t), ":", 2)[0], Setting: k})
			return
		}
	}
}

func trusted(t []byte, give func(hook.Found)) {
	if !hook.Comment(t, "#-") {
		give(hook.Found{Runs: "a login of " + string(t), On: "at each login by rsh, rlogin or ssh with host keys", Setting: string(t)})
	}
}

// supervisor reads the sections [program:x] and [eventlistener:x]; user stands before or behind command.
func supervisor(*artifact.Input) hook.Reader {
	section := ""
	return func(t []byte, give func(hook.Found)) {
		if s, ok := hook.Section(t); ok {
			section = s
			return
		}
		if k, v, ok := hook.Assigned(t, "="); ok && k == "command" && !hook.Comment(t, "#;") {
			give(hook.Found{Runs: v, On: "while supervisord runs", Setting: section})
		}
	}
}

var quadlet = map[string]string{"image": "when systemd starts the container", "exec": "when systemd starts the container", "podmanargs": "when systemd starts the container", "volume": "when systemd starts the container", "yaml": "when systemd starts the pod",
	"execstart": "when systemd starts the container", "execstartpre": "when systemd starts the container", "execstartpost": "when systemd starts the container"}

func lxc(t []byte, give func(hook.Found)) {
	if k, v, ok := hook.Assigned(t, "=:"); ok && !hook.Comment(t, "#") && (strings.HasPrefix(k, "lxc.hook.") && k != "lxc.hook.version" || k == "hookscript" || k == "lxc.init.cmd") {
		give(hook.Found{Runs: v, On: "when the container starts or stops", Setting: k})
	}
}

// pipes reads master.cf's arguments of pipe(8), which go on in lines of their own, main.cf's commands, Exim's ${run and pipe transports, and Dovecot's executables.
func pipes(in *artifact.Input) hook.Reader {
	service := ""
	user := ""
	return func(t []byte, give func(hook.Found)) {
		if hook.Comment(t, "#") {
			return
		}
		s := string(t)
		if strings.HasSuffix(in.Path, "master.cf") {
			if w := strings.Fields(s); len(w) > 7 {
				service, user = w[0], ""
			}
			if _, u, ok := strings.Cut(s, "user="); ok {
				user, _ = hook.Word(u)
				user, _, _ = strings.Cut(user, ":")
			}
			if _, cmd, ok := strings.Cut(s, "argv="); ok {
				give(hook.Found{Runs: cmd, As: user, On: "when mail goes through " + service, Setting: service})
			}
			return
		}
		if _, v, ok := strings.Cut(s, "${run"); ok {
			give(hook.Found{Runs: strings.Trim(v, "{ "), On: "when Exim handles a mail", Setting: "${run"})
			return
		}
		if k, v, ok := hook.Assigned(t, "="); ok {
			if on, ok := mailSettings[strings.TrimPrefix(k, "hide ")]; ok && strings.ContainsAny(v, "/|") {
				give(hook.Found{Runs: strings.TrimLeft(v, "| "), On: on, Setting: k})
			}
		}
	}
}

var mailSettings = map[string]string{"mailbox_command": "when mail is delivered", "command": "when mail goes through the transport", "mail_spool_command": "when mail is delivered", "perl_startup": "when Exim starts", "executable": "when Dovecot starts the service",
	"sendmail_path": "when a filter sends mail", "sieve_pipe_bin_dir": "when a filter runs a program", "sieve_execute_bin_dir": "when a filter runs a program", "sieve_filter_bin_dir": "when a filter runs a program", "debugger_command": "when a daemon crashes"}

// alias reads "name: |program", the lines of .forward and .qmail that begin with a bar, with quotes or without, and the actions of procmail's recipes.
func alias(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#") {
		return
	}
	s := string(t)
	if name, _, ok := hook.Assigned(t, "="); ok && !strings.ContainsAny(name, " \t|\"/:") { // procmail's SHELL=, DEFAULT=
		return
	}
	i := strings.IndexByte(s, '|')
	if i < 0 {
		return
	}
	if head := strings.TrimSpace(strings.Trim(s[:i], "\" ")); head != "" && !strings.HasSuffix(head, ":") && !strings.HasSuffix(head, ",") {
		return
	}
	give(hook.Found{Runs: strings.Trim(s[i+1:], " \t\""), On: "when mail comes for " + strings.TrimSpace(strings.Trim(s[:i], ":\" ")), Setting: "|"})
}

func sieve(t []byte, give func(hook.Found)) {
	s := string(t)
	for _, k := range []string{"pipe ", "execute ", "filter "} {
		if i := strings.Index(s, k); i >= 0 && strings.Contains(s[i:], "\"") && !hook.Comment(t, "#") {
			give(hook.Found{Runs: strings.Trim(s[i+len(k):], " ;"), On: "when mail comes", Setting: strings.TrimSpace(k)})
			return
		}
	}
}

var sambaSettings = map[string]string{"preexec": "when somebody connects to the share", "exec": "when somebody connects to the share", "root preexec": "when somebody connects to the share", "postexec": "when somebody leaves the share", "root postexec": "when somebody leaves the share",
	"magic script": "when somebody closes the file of this name in the share", "panic action": "when smbd crashes", "add user script": "when an unknown user logs in", "check password script": "when a password is changed", "dfree command": "when somebody asks for free space",
	"username map script": "at each login", "print command": "when somebody prints", "log nt token command": "at each login", "message command": "when a message comes", "passwd program": "when a password is changed", "add machine script": "when a machine joins", "include": "when smbd starts", "preload modules": "when smbd starts", "server services": ""}

func samba(*artifact.Input) hook.Reader {
	share := ""
	return func(t []byte, give func(hook.Found)) {
		if s, ok := hook.Section(t); ok {
			share = s
			return
		}
		k, v, ok := hook.Assigned(t, "=")
		on := sambaSettings[strings.ToLower(k)]
		if !ok || hook.Comment(t, "#;") || on == "" {
			return
		}
		as := "the user who connects"
		if low := strings.ToLower(k); strings.HasPrefix(low, "root ") || !strings.Contains(low, "exec") && !strings.Contains(low, "magic") {
			as = "root"
		}
		give(hook.Found{Runs: v, As: as, On: on + ", in section " + share, Setting: k})
	}
}

func proftpd(t []byte, give func(hook.Found)) {
	k, v := hook.Word(string(t))
	switch k {
	case "ExecOnConnect", "ExecOnExit", "ExecOnCommand", "ExecOnError", "ExecOnEvent", "ExecBeforeCommand", "ExecOnRestart":
		give(hook.Found{Runs: v, On: "when a client does what " + k + " waits for", Setting: k})
	case "Include", "ModulePath":
		give(hook.Found{Runs: v, On: "when the FTP server starts", Setting: k})
	}
}

// web reads Apache's and nginx's directives that load modules, run programs or code.
func web(t []byte, give func(hook.Found)) {
	k, v := hook.Word(strings.TrimRight(string(t), ";"))
	switch strings.ToLower(k) {
	case "loadmodule", "loadfile", "load_module":
		_, lib := hook.Word(v)
		if strings.ToLower(k) != "loadmodule" {
			lib = v
		}
		give(hook.Found{Runs: hook.Unquoted(lib), As: "root, then the web server's account", On: "when the web server starts", Setting: k})
	case "customlog", "errorlog", "transferlog", "globallog":
		if v = strings.TrimLeft(v, "\"' "); strings.HasPrefix(v, "|") {
			give(hook.Found{Runs: strings.TrimLeft(v, "|$"), On: "while the web server runs", Setting: k})
		}
	case "extfilterdefine", "rewritemap", "dbdriver", "authextern", "defineexternalauth":
		if strings.Contains(v, "prg:") || strings.Contains(v, "cmd=") || strings.Contains(v, "pipe:") {
			give(hook.Found{Runs: v, As: "the web server's account", On: "at requests", Setting: k})
		}
	case "lua_package_path", "content_by_lua_file", "access_by_lua_file", "init_by_lua_file", "rewrite_by_lua_file", "log_by_lua_file", "luahookaccesschecker", "luamaphandler", "perl_require", "perlrequire", "js_import":
		give(hook.Found{Runs: v, As: "the web server's account", On: "at requests", Setting: k})
	default:
		htaccess(t, give)
	}
}

// htaccess reads the directives that make a file a script, and what PHP puts before each page.
func htaccess(t []byte, give func(hook.Found)) {
	k, v := hook.Word(string(t))
	switch strings.ToLower(k) {
	case "addhandler", "addtype", "sethandler", "forcetype", "action":
		if low := strings.ToLower(v); strings.Contains(low, "php") || strings.Contains(low, "cgi-script") || strings.Contains(low, "server-parsed") {
			give(hook.Found{Runs: v, As: "the web server's account", On: "when such a file is asked for", Setting: k})
		}
	case "php_value", "php_admin_value":
		name, value := hook.Word(v)
		if (name == "auto_prepend_file" || name == "auto_append_file") && value != "none" {
			give(hook.Found{Runs: hook.Unquoted(value), As: "the web server's account", On: "before or after each script of PHP", Setting: name})
		}
	}
}

var databaseSettings = map[string]string{"init_file": "when the database starts", "init_connect": "at each login to the database", "plugin_dir": "when a function is made of a library", "plugin_load": "when the database starts", "plugin_load_add": "when the database starts", "early_plugin_load": "when the database starts", "malloc_lib": "when the database starts",
	"shared_preload_libraries": "when the database starts", "session_preload_libraries": "at each login to the database", "local_preload_libraries": "at each login to the database", "archive_command": "when a log of the database is full", "restore_command": "when the database recovers", "archive_cleanup_command": "when the database recovers", "recovery_end_command": "when the database recovers",
	"ssl_passphrase_command": "when the database starts", "dynamic_library_path": "when a function is made of a library", "jit_provider": "when a query is compiled"}

// database reads "name = value" of MySQL, whose '-' and '_' are the same, and PostgreSQL, and Redis' "loadmodule path".
func database(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#;[") {
		return
	}
	if k, v := hook.Word(string(t)); k == "loadmodule" {
		give(hook.Found{Runs: v, As: "the database's account", On: "when the database starts", Setting: k})
		return
	}
	k, v, ok := hook.Assigned(t, "=")
	if on := databaseSettings[strings.TrimPrefix(strings.ReplaceAll(strings.ToLower(k), "-", "_"), "loose_")]; ok && on != "" {
		v, _, _ = strings.Cut(v, "\t#")
		give(hook.Found{Runs: strings.Trim(strings.TrimSpace(v), "'"), As: "the database's account", On: on, Setting: k})
	}
}

func openvpn(t []byte, give func(hook.Found)) {
	k, v := hook.Word(string(t))
	switch k {
	case "up", "down", "route-up", "route-pre-down", "ipchange", "client-connect", "client-disconnect", "learn-address", "auth-user-pass-verify", "tls-verify", "plugin", "iproute":
		give(hook.Found{Runs: hook.Unquoted(v), On: "when the tunnel or a client of it comes or goes", Setting: k})
	}
}

// logged reads rsyslog's binary="..." and its older "^program", and syslog-ng's program("...").
func logged(t []byte, give func(hook.Found)) {
	s := string(t)
	if hook.Comment(t, "#") {
		return
	}
	for _, k := range []string{"binary=\"", "program(\"", "program('"} {
		if i := strings.Index(s, k); i >= 0 {
			v := s[i+len(k):]
			v, _, _ = strings.Cut(v, k[len(k)-1:])
			give(hook.Found{Runs: v, On: "at each message that fits", Setting: strings.TrimRight(k, "=\"('")})
			return
		}
	}
	if w := strings.Fields(s); len(w) == 2 && strings.HasPrefix(w[1], "^/") {
		give(hook.Found{Runs: strings.TrimPrefix(w[1], "^"), On: "at each message that fits", Setting: "^"})
	}
}

// logrotate reads the lines between prerotate and the like and endscript.
func logrotate(*artifact.Input) hook.Reader {
	in := ""
	return func(t []byte, give func(hook.Found)) {
		switch s := string(t); s {
		case "prerotate", "postrotate", "firstaction", "lastaction", "preremove":
			in = s
		case "endscript":
			in = ""
		default:
			if in != "" && !hook.Comment(t, "#") {
				give(hook.Found{Runs: s, On: "when logs are rotated", Setting: in})
			} else if k, v := hook.Word(s); k == "compresscmd" || k == "uncompresscmd" || k == "mail" && strings.HasPrefix(v, "/") {
				give(hook.Found{Runs: v, On: "when logs are rotated", Setting: k})
			}
		}
	}
}

// monitor reads Zabbix' UserParameter=key,command, NRPE's command[name]=command, snmpd's extend, exec and pass, monit's exec "command", and telegraf's commands.
func monitor(t []byte, give func(hook.Found)) {
	if hook.Comment(t, "#") {
		return
	}
	k, v, _ := hook.Assigned(t, "=")
	word, rest := hook.Word(string(t))
	on := "when the monitor asks"
	switch {
	case k == "UserParameter":
		name, cmd, _ := strings.Cut(v, ",")
		give(hook.Found{Runs: cmd, As: "the agent's account", On: on + " for " + name, Setting: k})
	case k == "LoadModule" || k == "LoadModulePath":
		give(hook.Found{Runs: v, As: "the agent's account", On: "when the agent starts", Setting: k})
	case strings.HasPrefix(k, "command[") || k == "commands" || k == "command_prefix":
		give(hook.Found{Runs: v, As: "the agent's account", On: on, Setting: k})
	case word == "extend" || word == "exec" || word == "sh" || word == "pass" || word == "pass_persist" || word == "extend-sh":
		give(hook.Found{Runs: rest, As: "the agent's account", On: on, Setting: word})
	case strings.Contains(string(t), " exec \""):
		_, cmd, _ := strings.Cut(string(t), " exec \"")
		cmd, _, _ = strings.Cut(cmd, "\"")
		give(hook.Found{Runs: cmd, On: "when monit finds its condition", Setting: "exec"})
	}
}
