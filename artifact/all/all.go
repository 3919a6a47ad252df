// Package all lists the artefacts.
package all

import (
	"slices"

	"telltale/artifact"
	"telltale/artifact/accessconf"
	"telltale/artifact/accesslog"
	"telltale/artifact/accounts"
	"telltale/artifact/alarms"
	"telltale/artifact/auditd"
	"telltale/artifact/authorizedkeys"
	"telltale/artifact/bootconf"
	"telltale/artifact/catscale"
	"telltale/artifact/cms"
	"telltale/artifact/codeconf"
	"telltale/artifact/container"
	"telltale/artifact/courier"
	"telltale/artifact/cpanel"
	"telltale/artifact/cron"
	"telltale/artifact/crontab"
	"telltale/artifact/crushftp"
	"telltale/artifact/cyrus"
	"telltale/artifact/daemonconf"
	"telltale/artifact/directadmin"
	"telltale/artifact/dissect"
	"telltale/artifact/dovecot"
	"telltale/artifact/dropbear"
	"telltale/artifact/elasticsearch"
	"telltale/artifact/errorlog"
	"telltale/artifact/exim"
	"telltale/artifact/fail2ban"
	"telltale/artifact/firewall"
	"telltale/artifact/freeradius"
	"telltale/artifact/froxlor"
	"telltale/artifact/gin"
	"telltale/artifact/grafana"
	"telltale/artifact/haproxy"
	"telltale/artifact/hestia"
	"telltale/artifact/hookscript"
	"telltale/artifact/horde"
	"telltale/artifact/ispconfig"
	"telltale/artifact/journald"
	"telltale/artifact/jsonaccess"
	"telltale/artifact/jupyter"
	"telltale/artifact/kernel"
	"telltale/artifact/knownhosts"
	"telltale/artifact/login"
	"telltale/artifact/loginsdb"
	"telltale/artifact/modsecurity"
	"telltale/artifact/mongodb"
	"telltale/artifact/mosquitto"
	"telltale/artifact/mssql"
	"telltale/artifact/mysql"
	"telltale/artifact/named"
	"telltale/artifact/opensmtpd"
	"telltale/artifact/openvpn"
	"telltale/artifact/packages"
	"telltale/artifact/pam"
	"telltale/artifact/phpmail"
	"telltale/artifact/phpmyadmin"
	"telltale/artifact/plesk"
	"telltale/artifact/postfix"
	"telltale/artifact/postgresql"
	"telltale/artifact/pppd"
	"telltale/artifact/printed"
	"telltale/artifact/proftpd"
	"telltale/artifact/proxmox"
	"telltale/artifact/pureftpd"
	"telltale/artifact/redis"
	"telltale/artifact/resolver"
	"telltale/artifact/rlogin"
	"telltale/artifact/roundcube"
	"telltale/artifact/rpmlogs"
	"telltale/artifact/rsyncd"
	"telltale/artifact/rsyslog"
	"telltale/artifact/samba"
	"telltale/artifact/sendmail"
	"telltale/artifact/servicelog"
	"telltale/artifact/shellhistory"
	"telltale/artifact/slapd"
	"telltale/artifact/software"
	"telltale/artifact/sshd"
	"telltale/artifact/startup"
	"telltale/artifact/sudo"
	"telltale/artifact/suexec"
	"telltale/artifact/syslogfile"
	"telltale/artifact/sysmon"
	"telltale/artifact/systemd"
	"telltale/artifact/tomcat"
	"telltale/artifact/uac"
	"telltale/artifact/units"
	"telltale/artifact/users"
	"telltale/artifact/utmp"
	"telltale/artifact/uwimap"
	"telltale/artifact/velociraptor"
	"telltale/artifact/volatile"
	"telltale/artifact/vpopmail"
	"telltale/artifact/vsftpd"
	"telltale/artifact/webmin"
	"telltale/artifact/webscript"
	"telltale/artifact/wuftpd"
	"telltale/artifact/xferlog"
	"telltale/artifact/xrdp"
	"telltale/artifact/zimbra"
)

// Artifacts gives every artefact.
func Artifacts() []*artifact.Artifact {
	return append(slices.Concat(volatile.All(), uac.All(), velociraptor.All(), catscale.All(), dissect.All(), // what ran
		hookscript.All(), accessconf.All(), bootconf.All(), daemonconf.All(), codeconf.All(), // what will run
		software.All()), // how old the software is
		// What stands on the host.
		accounts.Passwd(), accounts.Shadow(), accounts.Group(), authorizedkeys.New(), crontab.New(), units.New(), startup.Preload(), startup.Commands(), startup.Sudoers(),
		shellhistory.New(), knownhosts.New(), packages.Status(), packages.RPM(), packages.Apk(), webscript.New(), webscript.Pages(), redis.Dump(), container.Config(), container.Podman(),
		// Logs of their own.
		utmp.Logins(), utmp.Lastlog(), loginsdb.Wtmpdb(), loginsdb.Lastlog2(), packages.DpkgLog(), packages.AptHistory(), accesslog.New(), cms.Gitea(), errorlog.New(), vsftpd.New(), xferlog.New(), proftpd.Extended(), exim.New(), dovecot.File(), redis.New(), mysql.New(), mongodb.New(), postgresql.New(), samba.New(), named.File(), fail2ban.File(), roundcube.File(), directadmin.New(), webmin.Actions(), cpanel.New(), plesk.New(), hestia.New(), ispconfig.New(), resolver.UnboundFile(), suexec.New(), modsecurity.New(), cms.Joomla(), cms.NextcloudFile(), cms.GitLab(), cms.GitLabJSON(), cms.Odoo(), zimbra.New(), mosquitto.New(), freeradius.New(), gin.New(), exim.Spool(),
		alarms.AIDE(), alarms.Rkhunter(), alarms.Chkrootkit(), alarms.ClamAV(), alarms.CrowdSec(), alarms.DenyHosts(), phpmail.File(), rpmlogs.Yum(), rpmlogs.Zypper(), jsonaccess.New(), tomcat.New(), container.Logs(), container.File(),
		firewall.New(), auditd.New(), // before kernel, which takes every line that the kernel says
		// What programs say, and the files that carry it.
		sshd.New(), dropbear.New(), pam.New(), errorlog.Syslog(), sudo.New(), login.New(), users.New(), cron.New(), systemd.New(), kernel.New(), rsyslog.New(), postfix.New(), dovecot.New(), proftpd.New(), pureftpd.New(), wuftpd.New(), sysmon.New(), openvpn.New(), openvpn.Syslog(), xrdp.New(), xrdp.Syslog(), grafana.New(), jupyter.New(), crushftp.New(), rsyncd.New(), accesslog.Syslog(),
		sendmail.New(), cyrus.New(), uwimap.New(), courier.New(), haproxy.New(), named.New(), fail2ban.New(), webmin.New(), proxmox.New(), phpmyadmin.New(), roundcube.New(), phpmail.New(), cpanel.Hulk(), froxlor.New(), resolver.Unbound(), resolver.Dnsmasq(), cms.WordPress(), cms.Drupal(), cms.Nextcloud(), cms.GiteaSaid(), vpopmail.New(), horde.New(), slapd.New(), opensmtpd.New(), pppd.New(), mosquitto.Syslog(), freeradius.Syslog(), gin.Syslog(),
		alarms.Lfd(), alarms.SSHGuard(), alarms.Scans(), alarms.Suhosin(), alarms.CrowdSecSaid(), alarms.ClamAVSaid(), alarms.Maldet(), alarms.AIDESaid(), container.New(),
		syslogfile.New(), journald.New(), journald.Exported(),
		rlogin.New(), mssql.New(), elasticsearch.New(), proxmox.Access(),
		printed.New(),                       // what people saved of commands
		servicelog.New(), servicelog.Said(), // what nobody else knows
	)
}
