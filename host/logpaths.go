package host

import (
	"bytes"
	"path"
	"strings"

	"telltale/filesystem"
)

// LogPaths are the places where a host's own daemons write their logs.
type LogPaths struct {
	files   map[string]bool
	folders []string // each ends in a slash
}

// Holds tells whether a path is a log's by the daemons' configuration, or lies where logs do.
func (l *LogPaths) Holds(p string) bool {
	if l.files[p] || strings.HasPrefix(p, "/var/log/") {
		return true
	}
	for _, f := range l.folders {
		if strings.HasPrefix(p, f) {
			return true
		}
	}
	return false
}

// logSettings are the configurations whose settings name logs. Files of a folder are taken one by one; nothing is included.
var logSettings = []string{
	"/etc/rsyslog.conf", "/etc/rsyslog.d/*", "/etc/syslog.conf", "/etc/syslog.d/*", "/etc/syslog-ng/syslog-ng.conf", "/etc/syslog-ng/conf.d/*", "/etc/audit/auditd.conf",
	"/etc/vsftpd.conf", "/etc/vsftpd/*", "/etc/proftpd.conf", "/etc/proftpd/*", "/etc/proftpd/conf.d/*", "/etc/pure-ftpd/pure-ftpd.conf", "/etc/pure-ftpd/conf/*",
	"/etc/dovecot/dovecot.conf", "/etc/dovecot/conf.d/*", "/etc/dovecot/local.conf", "/etc/postfix/main.cf", "/etc/exim.conf", "/etc/exim/exim.conf", "/etc/exim4/exim4.conf", "/etc/exim4/exim4.conf.template", "/etc/exim4/conf.d/main/*",
	"/etc/samba/*", "/etc/my.cnf", "/etc/my.cnf.d/*", "/etc/mysql/my.cnf", "/etc/mysql/conf.d/*", "/etc/mysql/mysql.conf.d/*", "/etc/mysql/mariadb.conf.d/*", "/etc/redis.conf", "/etc/redis/*", "/etc/mongod.conf",
	"/etc/sudoers", "/etc/sudoers.d/*", "/etc/bind/named.conf*", "/etc/named.conf", "/etc/lighttpd/lighttpd.conf", "/etc/lighttpd/conf-enabled/*", "/etc/php.ini", "/etc/php.d/*", "/etc/php/*/*/php.ini", "/etc/php/*/fpm/pool.d/*", "/etc/php-fpm.d/*", "/etc/fail2ban/fail2ban.local",
}

const (
	maxLogPaths    = 1000
	maxLogSettings = 300     // files
	maxLogSetting  = 1 << 20 // bytes of one
)

// logPaths reads which logs the daemons' configuration names. It takes every absolute path of a line that speaks of a log: what is no log after all is
// found out by its content.
func (h *Host) logPaths() LogPaths {
	l := LogPaths{files: map[string]bool{}}
	read := 0
	for _, pattern := range logSettings {
		dir, name := path.Split(pattern)
		for _, d := range h.folders(dir) {
			for _, n := range h.fitting(d, name) {
				e, err := h.Lookup(d + "/" + n)
				if err != nil || e.Meta.Type != filesystem.Regular || e.Meta.Size > maxLogSetting || read >= maxLogSettings {
					continue
				}
				read++
				if b, err := h.ReadFile(e.Path); err == nil {
					l.take(b, strings.Contains(pattern, "syslog"))
				}
			}
		}
	}
	return l
}

// fitting gives the names in a folder that fit a pattern's last part, in which a star may end it.
func (h *Host) fitting(dir, name string) []string {
	before, star := strings.CutSuffix(name, "*")
	if !star {
		return []string{name}
	}
	var out []string
	for _, n := range h.names(dir) {
		if strings.HasPrefix(n, before) && !strings.HasSuffix(n, "~") {
			out = append(out, n)
		}
	}
	return out
}

// take notes the paths of a configuration's lines. A logging daemon's lines are all about logs.
func (l *LogPaths) take(b []byte, logging bool) {
	for line := range bytes.Lines(b) {
		s := strings.TrimSpace(string(line))
		if s == "" || s[0] == '#' || s[0] == ';' && !logging || !logging && !strings.Contains(strings.ToLower(s), "log") {
			continue
		}
		for _, w := range strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(" \t=\"'();,{}", c) }) {
			if w = strings.TrimPrefix(w, "-"); strings.HasPrefix(w, "/") && len(l.files) < maxLogPaths && len(l.folders) < maxLogPaths {
				l.add(w)
			}
		}
	}
}

// add notes a path. Where a part of it is a variable, as Samba's %m or rsyslog's %HOSTNAME%, the folder above is taken, unless that is one of the system's own.
func (l *LogPaths) add(p string) {
	at := strings.IndexAny(p, "%$")
	if at < 0 {
		if p = path.Clean(p); !system(p) {
			l.files[p] = true
		}
		return
	}
	if dir := p[:strings.LastIndexByte(p[:at], '/')+1]; strings.Count(dir, "/") > 2 && !system(dir) {
		l.folders = append(l.folders, dir)
	}
}

// system tells a path below which no daemon keeps logs: programs, settings, devices, and what the kernel shows.
func system(p string) bool {
	for _, d := range []string{"/usr/lib", "/usr/share", "/usr/bin", "/usr/sbin", "/lib", "/bin", "/sbin", "/etc", "/dev", "/proc", "/sys", "/run", "/var/run", "/var/lib/dpkg"} {
		if rest, ok := strings.CutPrefix(p, d); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}
