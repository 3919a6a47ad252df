package event_test

import (
	"testing"

	"telltale/event"
)

func TestClassOf(t *testing.T) {
	for _, x := range []struct {
		service string
		want    event.Class
	}{
		{"sshd", event.ShellService}, {"login", event.ShellService}, {"webmin", event.PanelService}, {"vsftpd", event.FileService}, {"ftpd", event.FileService}, {"sftp", event.FileService},
		{"smbd", event.FileService}, {"courier", event.MailService}, {"smtpd", event.MailService}, {"imapd", event.MailService}, {"solid-pop3d", event.MailService}, {"nginx-mail", event.MailService},
		{"postgresql", event.DataService}, {"nextcloud", event.SiteService}, {"softethervpn", event.OtherService}, {"cron", event.OtherService}, {"", event.OtherService},
	} {
		if got := event.ClassOf(x.service); got != x.want {
			t.Errorf("%s: %d, want %d", x.service, got, x.want)
		}
	}
}
