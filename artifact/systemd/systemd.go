// Package systemd decodes what the service manager says of the services that an
// investigation asks about, of the clock, and of the system going down.
package systemd

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "systemd",
		Doc:      "services for logins, logging, defence and the web started and stopped; the clock set; the system going down",
		Spec:     "systemd 204 to 257: src/core/job.c (job_print_done_status_message), src/core/manager.c; descriptions from the distributions' unit files",
		Programs: []string{"systemd"},
		Decode:   decode,
		Kinds:    []event.Kind{event.ServiceStarted, event.ServiceStopped, event.ClockChanged, event.Shutdown},
	}
}

// decode takes every message as understood: the manager names every unit there is, and only
// those in services, and only of the system's manager, are of use.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if len(m.PID) > 0 && string(m.PID) != "1" {
		return true // a user's manager
	}
	t := m.Text
	kind, rest, ok := event.ServiceStarted, t, false
	if rest, ok = said.Rest(t, "Started "); !ok {
		if rest, ok = said.Rest(t, "Stopped "); ok {
			kind = event.ServiceStopped
		}
	}
	switch {
	case ok:
		if name := service(rest); len(name) > 0 {
			e := m.Event(kind)
			e.Add(event.ServiceName, name)
			yield(e)
		}
	case said.BeginsAny(t, []string{"Time has been changed", "System clock time unset or jumped backwards", "System time advanced to"}):
		e := m.Event(event.ClockChanged)
		e.Add(event.Change, t)
		yield(e)
	case said.BeginsAny(t, []string{"Reached target Shutdown", "Reached target shutdown.target"}):
		yield(m.Event(event.Shutdown))
	}
	return len(t) > 0
}

// service reads "ssh.service - OpenBSD Secure Shell server." (since 249, or as configured)
// and "OpenBSD Secure Shell server.", and gives the unit's name without its type.
func service(b []byte) []byte {
	word, _ := said.FirstWord(b)
	if name, ok := bytes.CutSuffix(bytes.TrimSuffix(word, []byte(".")), []byte(".service")); ok {
		name, _, _ = said.Cut(name, "@") // "sshd@1-10.0.0.1:22-..." is one for each connection
		if len(name) == 0 || bytes.IndexByte(word, '@') >= 0 {
			return nil
		}
		for _, s := range services {
			if string(name) == s.name {
				return name
			}
		}
		return nil
	}
	b = bytes.TrimSuffix(b, []byte("."))
	b, _ = said.Rest(b, "LSB: ")
	for _, s := range services {
		if s.description != "" && string(b) == s.description {
			return []byte(s.name)
		}
	}
	return nil
}

// services are the units of interest with what their files' Description= says.
var services = []struct{ name, description string }{
	{"ssh", "OpenBSD Secure Shell server"}, {"sshd", "OpenSSH server daemon"}, {"sshd", "OpenSSH Daemon"}, {"dropbear", "Lightweight SSH server"},
	{"rsyslog", "System Logging Service"}, {"rsyslog", "enhanced syslogd"}, {"syslog", "System Logger Daemon"}, {"syslog-ng", "System Logger Daemon"},
	{"auditd", "Security Auditing Service"}, {"systemd-journald", "Journal Service"}, {"fail2ban", "Fail2Ban Service"}, {"sshguard", ""}, {"crowdsec", "Crowdsec agent"},
	{"ufw", "Uncomplicated firewall"}, {"firewalld", "firewalld - dynamic firewall daemon"}, {"nftables", "nftables"}, {"iptables", "IPv4 firewall with iptables"}, {"netfilter-persistent", "netfilter persistent configuration"},
	{"apparmor", "Load AppArmor profiles"}, {"clamav-daemon", "Clam AntiVirus userspace daemon"}, {"wazuh-agent", "Wazuh agent"}, {"ossec", ""},
	{"cron", "Regular background program processing daemon"}, {"crond", "Command Scheduler"}, {"cronie", ""}, {"atd", "Deferred execution scheduler"},
	{"apache2", "The Apache HTTP Server"}, {"apache2", "Apache2 web server"}, {"apache2", "The Apache Webserver"}, {"httpd", ""}, {"nginx", "A high performance web server and a reverse proxy server"},
	{"nginx", "The nginx HTTP and reverse proxy server"}, {"nginx", "nginx - high performance web server"}, {"lighttpd", "Lighttpd Daemon"},
	{"vsftpd", "vsftpd FTP server"}, {"vsftpd", "Vsftpd ftp daemon"}, {"proftpd", "ProFTPD FTP Server"}, {"postfix", "Postfix Mail Transport Agent"}, {"exim4", ""}, {"dovecot", "Dovecot IMAP/POP3 email server"},
	{"mariadb", ""}, {"mysql", "MySQL Community Server"}, {"mysqld", "MySQL Server"}, {"postgresql", "PostgreSQL RDBMS"}, {"redis", ""}, {"redis-server", "Advanced key-value store"}, {"smbd", "Samba SMB Daemon"}, {"docker", "Docker Application Container Engine"},
}
