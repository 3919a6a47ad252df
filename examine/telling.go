package examine

import (
	"slices"
	"strings"

	"telltale/event"
	"telltale/filesystem"
	"telltale/host"
)

// telling is what a log was heard to tell of: a log's name promises little, for on one system it is auth.log that has the logins, on another messages,
// and a log server calls it by the host.
type telling uint8

const (
	tellsLogins telling = 1 << iota
	tellsWeb
	tellsFTP
	tellsMail
	tellsDatabase
)

var tellingNames = []string{"logins", "web", "ftp", "mail", "database"}

// words gives the names of what was told; never nil.
func (t telling) words() []string {
	out := []string{}
	for i, w := range tellingNames {
		if t&(1<<i) != 0 {
			out = append(out, w)
		}
	}
	return out
}

// tellsOf says of what an event of a log tells.
func tellsOf(e *event.Event) telling {
	switch e.Kind {
	case event.HTTPRequest:
		return tellsWeb
	case event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.MailRejected, event.MailRemoved:
		return tellsMail
	case event.DatabaseCommand:
		return tellsDatabase
	case event.SudoCommand, event.SwitchUser:
		return tellsLogins
	case event.AuthFailed, event.AuthAccepted, event.SessionOpened, event.SessionClosed, event.ConnectionSeen, event.FileUploaded, event.FileDownloaded:
		return ofService(string(e.Get(event.ServiceName)))
	}
	return 0
}

func ofService(s string) telling {
	switch event.ClassOf(s) {
	case event.ShellService:
		return tellsLogins
	case event.FileService:
		if strings.Contains(s, "ftp") {
			return tellsFTP
		}
	case event.MailService:
		return tellsMail
	case event.DataService:
		return tellsDatabase
	}
	switch s {
	case "sudo", "cron", "CRON", "systemd-logind":
		return tellsLogins
	}
	return 0
}

// daemons that stand on a host, by the service whose logs are missed if they are not there. A folder of configuration stays when a package is removed, so
// only programs count, and what a distribution puts beside them.
var daemonFiles = map[string][]string{
	"web": {"/usr/sbin/apache2", "/usr/sbin/httpd", "/usr/sbin/nginx", "/usr/sbin/lighttpd", "/usr/local/apache2/bin/httpd", "/usr/local/nginx/sbin/nginx", "/usr/local/lsws/bin/lshttpd", "/usr/bin/caddy"},
	"ftp": {"/usr/sbin/vsftpd", "/usr/sbin/proftpd", "/usr/sbin/pure-ftpd", "/usr/sbin/in.ftpd", "/usr/local/sbin/proftpd", "/usr/local/sbin/vsftpd"},
	"mail": {"/usr/lib/postfix/sbin/master", "/usr/libexec/postfix/master", "/usr/lib/postfix/master", "/usr/sbin/exim4", "/usr/sbin/exim", "/usr/sbin/dovecot", "/usr/sbin/sendmail.sendmail", "/usr/sbin/courierd",
		"/usr/lib/cyrus/bin/master"},
	"database": {"/usr/bin/redis-server", "/usr/bin/valkey-server", "/usr/sbin/mysqld", "/usr/sbin/mariadbd", "/usr/libexec/mysqld", "/usr/bin/mongod", "/usr/lib/postgresql", "/usr/bin/postgres", "/usr/local/bin/redis-server"},
	"share":    {"/usr/sbin/smbd", "/usr/local/samba/sbin/smbd"},
}

// daemonUnits are the names of the daemons' units and init scripts.
var daemonUnits = map[string][]string{"web": {"apache2", "httpd", "nginx", "lighttpd", "lshttpd", "lsws", "caddy"}, "ftp": {"vsftpd", "proftpd", "pure-ftpd", "pure-ftpd-common"}}

// services gives the kinds of services whose daemons stand on a host, by their files or by the lists of its package manager, and whether they start with it.
func services(h *seenHost) map[string]bool {
	out := map[string]bool{}
	for name, files := range daemonFiles {
		for _, p := range files {
			if _, err := h.Lookup(p); err == nil || h.owners != nil && h.owners.Read && h.owners.Of(p) != "" {
				out[name] = false
				break
			}
		}
	}
	if len(h.Sites.Files) > 0 {
		out["web"] = false
	}
	for _, p := range []string{"/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf", "/etc/proftpd/proftpd.conf", "/etc/proftpd.conf"} {
		if e, err := h.Lookup(p); err == nil && e.Meta.Type == filesystem.Regular {
			out["ftp"] = false
		}
	}
	started, known := starting(h)
	for name := range out {
		out[name] = !known || slices.ContainsFunc(daemonUnits[name], func(u string) bool { return started[u] })
	}
	return out
}

// maxStarting bounds the entries that are looked at of what starts with a host.
const maxStarting = 5000

// starting gives what starts with a host, by the links of systemd and of init; known is false where there are none.
func starting(h *seenHost) (started map[string]bool, known bool) {
	started = map[string]bool{}
	n := 0
	each := func(dir string, name func(string)) {
		e, err := h.Lookup(dir)
		if err != nil || e.Meta.Type != filesystem.Directory {
			return
		}
		for d, err := range e.Mount.FS.ReadDir(e.Meta.Inode) {
			if n++; err != nil || n > maxStarting {
				return
			}
			name(string(d.Name))
		}
	}
	for _, target := range []string{"multi-user", "default", "graphical", "sockets"} {
		each("/etc/systemd/system/"+target+".target.wants", func(s string) {
			unit, _, _ := strings.Cut(s, ".")
			started[unit], known = true, true
		})
	}
	for _, dir := range []string{"/etc/rc2.d", "/etc/rc3.d", "/etc/rc.d/rc3.d", "/etc/runlevels/default"} {
		each(dir, func(s string) {
			if rest := strings.TrimLeft(s, "S0123456789"); strings.HasPrefix(s, "S") || strings.HasSuffix(dir, "default") {
				started[rest], known = true, true
			}
		})
	}
	return started, known
}

// Errors of times, seconds.
const (
	zoneUnknown = 14 * 3600       // the farthest that a zone lies from UTC
	yearUnknown = 366 * 24 * 3600 // at least
)

// timeError says by how much the stamps of a log may be off because its zone or year stands nowhere.
func timeError(h *seenHost, zoneless, guessed bool) (seconds float64) {
	if zoneless && h.ZoneFrom == host.ZoneAssumed {
		seconds += zoneUnknown
	}
	if guessed {
		seconds += yearUnknown
	}
	return seconds
}
