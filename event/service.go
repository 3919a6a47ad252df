package event

import "strings"

// Class is what a login to a service opens. One list of services stands here, for a service that one part knows and another does not
// gives answers that contradict each other.
type Class uint8

// The classes.
const (
	OtherService Class = iota
	ShellService       // a shell of the host, as one of its accounts
	PanelService       // a panel that changes files of the host or runs commands, as one of its accounts
	FileService        // files, by a protocol of their own
	MailService        // a mailbox, or the right to send
	DataService        // a database
	SiteService        // software behind a web server, with accounts of its own
)

// ClassOf gives the class of a service by its name in service.name. A name that no decoder writes, as a service that nobody knows gives itself, tells its class by
// the protocol that stands in it.
func ClassOf(service string) Class {
	switch service {
	case "sshd", "sshd-session", "dropbear", "login", "remote", "su", "telnetd", "in.telnetd", "rlogin", "rlogind", "rshd", "xrdp-sesman", "gdm", "lightdm", "sddm":
		return ShellService
	case "webmin", "usermin", "cockpit", "cpaneld", "whostmgrd", "jupyter", "pveproxy":
		return PanelService
	case "smbd", "samba", "rsyncd", "crushftp":
		return FileService
	case "dovecot", "postfix", "exim", "sendmail", "courier", "cyrus", "zimbra", "roundcube", "horde", "sogo", "sieve":
		return MailService
	case "mysql", "mariadb", "postgresql", "mongodb", "redis", "mssql", "elasticsearch":
		return DataService
	case "cpanel", "plesk", "directadmin", "ispconfig", "pvedaemon", "nextcloud", "gitlab", "gitea", "grafana", "odoo", "wordpress", "joomla", "drupal", "tomcat", "jenkins", "vaultwarden":
		return SiteService
	}
	for _, x := range [...]struct {
		holds string
		Class
	}{{"ftp", FileService}, {"smtp", MailService}, {"imap", MailService}, {"pop3", MailService}, {"mail", MailService}} {
		if strings.Contains(service, x.holds) {
			return x.Class
		}
	}
	return OtherService
}
