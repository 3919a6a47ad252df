// Package all lists the artefacts.
package all

import (
	"telltale/artifact"
	"telltale/artifact/accesslog"
	"telltale/artifact/accounts"
	"telltale/artifact/auditd"
	"telltale/artifact/authorizedkeys"
	"telltale/artifact/cron"
	"telltale/artifact/crontab"
	"telltale/artifact/dovecot"
	"telltale/artifact/dropbear"
	"telltale/artifact/errorlog"
	"telltale/artifact/exim"
	"telltale/artifact/firewall"
	"telltale/artifact/journald"
	"telltale/artifact/kernel"
	"telltale/artifact/login"
	"telltale/artifact/mysql"
	"telltale/artifact/packages"
	"telltale/artifact/pam"
	"telltale/artifact/postfix"
	"telltale/artifact/postgresql"
	"telltale/artifact/proftpd"
	"telltale/artifact/pureftpd"
	"telltale/artifact/redis"
	"telltale/artifact/rsyslog"
	"telltale/artifact/samba"
	"telltale/artifact/shellhistory"
	"telltale/artifact/sshd"
	"telltale/artifact/startup"
	"telltale/artifact/sudo"
	"telltale/artifact/syslogfile"
	"telltale/artifact/systemd"
	"telltale/artifact/units"
	"telltale/artifact/users"
	"telltale/artifact/utmp"
	"telltale/artifact/vsftpd"
	"telltale/artifact/webscript"
	"telltale/artifact/xferlog"
)

// Artifacts gives every artefact.
func Artifacts() []*artifact.Artifact {
	return []*artifact.Artifact{
		// What stands on the host.
		accounts.Passwd(), accounts.Shadow(), accounts.Group(), authorizedkeys.New(), crontab.New(), units.New(), startup.Preload(), startup.Commands(), startup.Sudoers(),
		shellhistory.New(), packages.Status(), webscript.New(), redis.Dump(),
		// Logs of their own.
		utmp.Logins(), utmp.Lastlog(), packages.DpkgLog(), packages.AptHistory(), accesslog.New(), errorlog.New(), vsftpd.New(), xferlog.New(), proftpd.Extended(), exim.New(), dovecot.File(), redis.New(), mysql.New(), postgresql.New(), samba.New(),
		firewall.New(), auditd.New(), // before kernel, which takes every line that the kernel says
		// What programs say, and the files that carry it.
		sshd.New(), dropbear.New(), pam.New(), errorlog.Syslog(), sudo.New(), login.New(), users.New(), cron.New(), systemd.New(), kernel.New(), rsyslog.New(), postfix.New(), dovecot.New(), proftpd.New(), pureftpd.New(),
		syslogfile.New(), journald.New(),
	}
}
