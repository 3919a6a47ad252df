package detect

import (
	"strings"
	"time"

	"telltale/evidence"
)

// ParseTime reads an RFC 3339 time as file events carry it; the unknown time where it is none.
func ParseTime(s string) evidence.Time {
	if s == "" {
		return evidence.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return evidence.Time{}
	}
	return evidence.At(t, time.Nanosecond)
}

// VolatileDirs are where everybody may write and no program of a distribution lives.
var VolatileDirs = []string{"/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/", "/var/lock/", "/dev/mqueue/"}

// InVolatileDir tells whether a path lies where everybody may write, or is a plain file in /dev.
func InVolatileDir(p string) bool {
	for _, d := range VolatileDirs {
		if strings.HasPrefix(p, d) {
			return true
		}
	}
	return false
}

// RansomName tells names that those who ask for ransom give to their notes: "README_TO_DECRYPT.txt", "HOW_TO_RESTORE_FILES.html".
func RansomName(p string) bool {
	if p == "/etc/motd" || strings.HasPrefix(p, "/usr/lib/vmware/hostd/docroot/") { // what everybody sees who logs in
		return true
	}
	name := strings.ToUpper(p[strings.LastIndexByte(p, '/')+1:])
	if !strings.HasSuffix(name, ".TXT") && !strings.HasSuffix(name, ".HTML") && !strings.HasSuffix(name, ".HTA") && !strings.HasSuffix(name, ".README") {
		return false
	}
	for _, w := range []string{"DECRYPT", "RESTORE", "RECOVER", "UNLOCK", "RANSOM", "YOUR_FILES", "YOUR-FILES", "READ_ME", "README_FOR", "!!!", "LIESMICH", "LIES_MICH", "ENTSCHL", "WIEDERHERST", "DESCIFRA", "RECUPERA", "DECHIFFR", "LISEZ"} {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// InstallHook tells a script of a package of npm that is run when the package is installed.
func InstallHook(p string) bool {
	name := p[strings.LastIndexByte(p, '/')+1:]
	return strings.Contains(p, "/node_modules/") && (strings.HasPrefix(name, "preinstall") || strings.HasPrefix(name, "postinstall"))
}

// TokenThief tells files by which worms of packages came: what a package's scripts run, under the names that they had, and workflows of a forge in a checkout.
func TokenThief(p string) bool {
	name := p[strings.LastIndexByte(p, '/')+1:]
	switch name {
	case "bundle.js", "setup_bun.js", "bun_environment.js":
		return strings.Contains(p, "/node_modules/")
	}
	return strings.Contains(p, "/.github/workflows/") && (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml"))
}

// ServiceAccount tells the accounts that daemons which strangers can reach run as. Those of build servers, which write programs everywhere, are none.
func ServiceAccount(name string) bool {
	switch name {
	case "www-data", "apache", "nginx", "httpd", "wwwrun", "http", "lighttpd", "www", "nobody", "mysql", "mariadb", "postgres", "redis", "valkey", "mongodb", "mongod", "tomcat", "tomcat6", "tomcat7", "tomcat8", "tomcat9", "tomcat10", "jetty", "wildfly", "jboss",
		"Debian-exim", "exim", "postfix", "mail", "mailnull", "smmsp", "dovecot", "cyrus", "proftpd", "ftp", "vsftpd", "distccd", "zimbra", "confluence", "jira", "atlassian", "solr", "elasticsearch", "opensearch", "kibana", "logstash", "activemq", "rabbitmq", "memcache", "memcached",
		"couchdb", "nagios", "icinga", "zabbix", "cacti", "asterisk", "named", "bind", "unbound", "gitea", "gogs", "grafana", "minio", "odoo", "openfire", "weblogic", "oracle", "squid", "proxy", "daemon", "sshd", "snmp", "Debian-snmp", "uucp", "news", "nfsnobody", "vhost", "hadoop", "spark", "airflow", "haproxy", "ntp", "cups", "lp", "avahi", "messagebus", "games", "sys", "bin", "adm":
		return true
	}
	return false
}

// HiddenPath gives the part of a path that is named so that a quick look misses it: a name that begins
// with a dot in a place where none is usual, names of dots and blanks, control characters. "" for none.
func HiddenPath(p string) string {
	name, _ := Hidden(p)
	return name
}

// Hidden is HiddenPath, and tells whether the name lies deep: below ordinary names in a place where everybody may write. Source trees that
// somebody unpacked there are full of such names; who hides, hides at the top.
func Hidden(p string) (name string, deep bool) {
	volatile := InVolatileDir(p) || strings.HasPrefix(p, "/dev/")
	names := strings.Split(p, "/")
	for i, name := range names {
		switch {
		case name == "" || name == "." || name == "..":
		case strings.Trim(name, ". \t") == "":
			return name, false
		case strings.HasSuffix(name, " ") || strings.HasPrefix(name, " ") || strings.HasPrefix(name, ".. "):
			return name, false
		case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return name, false
		case name[0] == '.' && (volatile || systemDirs[strings.Join(names[:i], "/")]) && !usualDot[name] && !strings.HasSuffix(name, ".hmac") && !(volatile && ofPrograms(p, name)) && !(i == 1 && homeless[name]):
			return name, volatile && below(names[:i])
		}
	}
	return "", false
}

// below tells whether an ordinary name stands between a place where everybody may write and what lies there.
func below(names []string) bool {
	for i, name := range names {
		if i > 0 && InVolatileDir(strings.Join(names[:i], "/")+"/") && name != "" && name[0] != '.' {
			return true
		}
	}
	return false
}

// ofPrograms tells names with a dot that well-known programs make in /tmp; in memory only browsers do.
func ofPrograms(p, name string) bool {
	if strings.HasPrefix(p, "/dev/") || strings.HasPrefix(p, "/run/") {
		return strings.HasPrefix(name, ".org.chromium.") || strings.HasPrefix(name, ".com.google.Chrome")
	}
	for _, p := range []string{".org.chromium.", ".com.google.Chrome", ".mount_", ".vbox-", ".wine-", ".java_pid", ".nfs0", ".s.PGSQL.", ".dotnet", ".ansible", ".esd-", ".snap", ".webmin", ".usermin", ".oracle", ".guestfs-", ".spamassassin", ".sapstream", ".sapicm", ".hdb_", ".truecrypt", ".fam", ".gdm", ".xfsm-ICE-", ".clamav", ".lsof_", ".vscode", ".mono", ".gradle", ".jenkins", ".org.jenkinsci.", ".apdisk", ".TemporaryItems"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return len(name) == len(".tmp")+6 && strings.HasPrefix(name, ".tmp") && !strings.ContainsAny(name[1:], ".-_ ") // of programs written in Rust
}

// systemDirs are directories in which a name with a dot is odd. Deeper down, software of any kind has its own.
var systemDirs = map[string]bool{"": true, "/bin": true, "/sbin": true, "/lib": true, "/lib64": true, "/usr": true, "/usr/bin": true, "/usr/sbin": true, "/usr/lib": true, "/usr/lib64": true, "/usr/libexec": true,
	"/usr/include": true, "/usr/share": true, "/usr/local/bin": true, "/usr/local/sbin": true, "/usr/local/lib": true, "/etc/cron.d": true, "/etc/init.d": true, "/var": true, "/var/lib": true, "/var/run": true, "/run": true}

// usualDot are the names with a dot that distributions themselves put into such places.
var usualDot = map[string]bool{
	".X11-unix": true, ".ICE-unix": true, ".XIM-unix": true, ".font-unix": true, ".Test-unix": true, ".X0-lock": true, ".udev": true, ".static": true,
	".mount": true, ".blkid.tab": true, ".initramfs": true, ".build-id": true, ".hmac": true, ".keep": true, ".gitignore": true, ".htaccess": true,
	".git": true, ".autorelabel": true, ".autofsck": true, ".readahead": true, ".dockerenv": true, ".java": true, ".nvm": true, ".rnd": true, ".bash_history": true, ".bashrc": true, ".profile": true, ".ssh": true, ".cache": true,
	".snapshots": true, ".cagefs": true, ".quota": true, ".k5login": true,
	".pwd.lock": true, ".updated": true, ".dwz": true, ".debug": true, ".placeholder": true, ".package-cache": true, ".cargo-ok": true, ".npmignore": true,
}

// homeless are names that programs make in the home of whom they run as; daemons and containers whose home is / have them there.
var homeless = map[string]bool{".npm": true, ".config": true, ".local": true, ".gnupg": true, ".pm2": true, ".composer": true, ".dbus": true, ".pki": true, ".node-gyp": true, ".yarn": true, ".cargo": true, ".rustup": true, ".m2": true, ".gradle": true, ".docker": true, ".kube": true, ".aws": true, ".azure": true, ".dotnet": true, ".nuget": true, ".ansible": true, ".mozilla": true, ".wget-hsts": true,
	".helm": true, ".mc": true, ".cpan": true, ".gem": true, ".bundle": true, ".subversion": true, ".vscode-server": true, ".pip": true, ".ipython": true, ".jupyter": true, ".keras": true, ".nv": true, ".fontconfig": true, ".oracle_jre_usage": true, ".rpmdb": true, ".viminfo": true, ".snapshot": true, ".pulumi": true, ".terraform.d": true}

// usualHomes are hidden folders of a home that hold programs of well-known tools.
var usualHomes = map[string]bool{".local": true, ".cargo": true, ".rbenv": true, ".nvm": true, ".pyenv": true, ".acme.sh": true, ".composer": true, ".npm": true, ".npm-global": true, ".dotnet": true, ".sdkman": true, ".rvm": true, ".vscode-server": true, ".cpan": true, ".gem": true, ".go": true, ".bin": true, ".scripts": true, ".cron": true, ".config": true,
	".venv": true, ".virtualenvs": true, ".yarn": true, ".bun": true, ".deno": true, ".asdf": true, ".linuxbrew": true, ".nix-profile": true, ".plenv": true, ".nodenv": true, ".volta": true, ".pm2": true, ".wp-cli": true, ".duplicati": true, ".rclone": true, ".borg": true, ".backup": true, ".backups": true, ".dropbox-dist": true, ".vim": true, ".oh-my-zsh": true, ".juju": true, ".steam": true, ".minecraft": true, ".dotfiles": true, ".trash": true, ".cagefs": true, ".cpanel": true, ".softaculous": true, ".htpasswds": true, ".git": true, ".github": true, ".gitlab-runner": true, ".ansible": true}

// tuckedAway gives the hidden folder of a home that a program lies in, where no well-known tool has its own; "" for none.
func tuckedAway(p string) string {
	if !strings.HasPrefix(p, "/home/") && !strings.HasPrefix(p, "/root/") && !strings.HasPrefix(p, "/config/") && !strings.HasPrefix(p, "/jffs/") { // the last two are what lasts on routers
		return ""
	}
	names := strings.Split(p, "/")
	for i, n := range names[:len(names)-1] {
		if len(n) > 1 && n[0] == '.' && !usualHomes[strings.ToLower(n)] {
			return strings.Join(names[:i+1], "/")
		}
	}
	return ""
}

// TuckedSettings tells a miner's usual file of settings, "config.json", in a hidden folder of a home or of data: it tells what the program beside it does.
func TuckedSettings(p string) bool {
	if !strings.HasSuffix(p, "/config.json") {
		return false
	}
	for _, dir := range []string{"/srv/", "/opt/", "/data/", "/mnt/", "/var/lib/", "/usr/local/"} {
		if rest, ok := strings.CutPrefix(p, dir); ok {
			return tuckedAway("/home/"+rest) != ""
		}
	}
	return tuckedAway(p) != ""
}

// SuspiciousCommand says in words what is odd about a command that is started by itself (cron, units, keys,
// start-up files), and how grave that is; "" where nothing is. It looks at what the command does, not at words
// in names: fetched code that is run, programs in places everybody may write to, decoding into a shell,
// sockets made by a shell.
func SuspiciousCommand(cmd string) (why string, level Level) {
	c := " " + strings.Join(strings.Fields(cmd), " ") + " "
	low := strings.ToLower(c)
	fetch := named(low, "curl") || named(low, "wget") || named(strings.ReplaceAll(low, "git fetch ", ""), "fetch") || strings.Contains(low, "lwp-download") || named(low, "tftp")
	switch {
	case strings.Contains(low, "/dev/udp/") || strings.Contains(low, "/dev/tcp/") && !looksAtPort(low):
		return "opens a network connection from the shell", Critical
	case pipesToShell(low) && fetch && !ownFetch(low):
		return "runs code that it fetches from the network", fetchedLevel(strings.TrimSpace(c))
	case pipesToShell(low) && (strings.Contains(low, "base64") || strings.Contains(low, "xxd -r") || strings.Contains(low, "openssl enc")):
		l := decodedLevel(c)
		if l == Low {
			return "runs code that it decodes, which does nothing odd", l
		}
		return "runs code that it decodes", l
	case (named(low, "nc") || named(low, "nc.traditional") || named(low, "ncat") || named(low, "netcat")) && (strings.Contains(low, " -e ") || strings.Contains(low, "mkfifo")):
		return "gives a shell to the network", Critical
	case strings.Contains(low, "socket.socket") && (strings.Contains(low, "dup2") || strings.Contains(low, "pty.spawn")),
		strings.Contains(low, "fsockopen") && strings.Contains(low, "exec"), strings.Contains(low, "socat ") && servesShell(low):
		return "gives a shell to the network", Critical
	case strings.Contains(low, "stratum+tcp") || strings.Contains(low, "stratum+ssl") || minesByOptions(low) || strings.Contains(low, "--donate-level") || strings.Contains(low, "xmrig") || strings.Contains(low, "minerd"):
		return "mines for a pool", minerLevel(c)
	}
	for _, w := range strings.FieldsFunc(c, func(r rune) bool { return strings.ContainsRune(" \t;|&<>()'\"`=", r) }) {
		if !strings.HasPrefix(w, "/") {
			continue
		}
		if h, deep := Hidden(w); h != "" && !deep {
			return "uses the hidden path " + w, High
		}
	}
	if loadsVolatile(c) {
		return "loads a library from where everybody may write", High
	}
	for _, w := range programs(c) {
		if InVolatileDir(w) {
			return "runs a program in " + w[:strings.LastIndexByte(w, '/')+1] + ", where everybody may write", High
		}
		if strings.HasPrefix(w, "/dev/") && w != "/dev/null" && !strings.HasPrefix(w, "/dev/fd/") && !strings.HasPrefix(w, "/dev/std") { // a shell hands itself scripts as /dev/fd/63
			return "runs a program in /dev", High
		}
	}
	if fetch && (strings.Contains(low, "chmod ") || strings.Contains(low, "/tmp/") || strings.Contains(low, "/dev/shm")) && !onlyCarries(c) {
		return "fetches a file and makes it a program", High
	}
	if from, l := FetchedFrom(c); fetch && (l >= High || Pasted(from)) && !ownFetch(low) && runsFetched(low) {
		if nearFetch(from) {
			return "fetches a file and makes it a program", Medium
		}
		return "fetches a file and makes it a program", High
	}
	for _, w := range programs(c) {
		if d := tuckedAway(w); d != "" {
			return "runs a program in the hidden folder " + d, Medium
		}
	}
	return "", Info
}

// named tells whether a command line holds a program's name as a word of its own, with or without a path: "rsync -e ssh" is no nc.
func named(c, program string) bool {
	for from := 0; ; {
		i := strings.Index(c[from:], program+" ")
		if i < 0 {
			return false
		}
		i += from
		if i == 0 || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_-.", rune(c[i-1])) {
			return true
		}
		from = i + len(program)
	}
}

// pipesToShell tells whether something is piped into a shell or interpreter, or evaluated by one.
func pipesToShell(c string) bool {
	if runsInput(c) {
		return true
	}
	for _, sh := range interpreters {
		if strings.Contains(c, sh+" -c \"$(") || strings.Contains(c, sh+" <(") || strings.Contains(c, sh+" -c '$(") || strings.Contains(c, "eval \"$(") || strings.Contains(c, "eval $(") {
			return true
		}
	}
	return false
}

// programs gives the words of a command line that are run: the first of each simple command, and the script
// given to an interpreter.
func programs(c string) (out []string) {
	for _, simple := range strings.FieldsFunc(c, func(r rune) bool { return r == ';' || r == '|' || r == '&' || r == '(' || r == ')' || r == '\n' }) {
		next := true
		for _, w := range strings.Fields(simple) {
			w = strings.Trim(w, `'"`)
			if !next {
				break
			}
			base := w[strings.LastIndexByte(w, '/')+1:]
			switch {
			case strings.HasPrefix(w, "-") || strings.Contains(w, "=") && !strings.HasPrefix(w, "/"):
				continue
			case w == "[" || w == "test" || w == "!" || w == "cd":
				next = false
			case base == "sh" || base == "bash" || base == "dash" || base == "perl" || strings.HasPrefix(base, "python") || base == "php" || base == "ruby" || base == "nohup" || base == "exec" ||
				base == "sudo" || base == "nice" || base == "ionice" || base == "timeout" || base == "setsid" || base == "env" || base == "source" || base == "." || base == "flock":
				out = append(out, w)
				continue
			default:
				out = append(out, w)
				next = false
			}
		}
	}
	return out
}
