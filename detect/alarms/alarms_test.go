package alarms_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/alarms"
	"telltale/detect/detecttest"
)

func TestAlarms(t *testing.T) {
	const (
		later   = "\n09:00:00 alarm-raised service.name=x change=unbanned"
		changed = "03:00:00 alarm-raised service.name=aide change=\"file changed\" file.path=/usr/sbin/sshd message=changed"
	)
	infected := func(p string) string {
		return "03:00:00 alarm-raised service.name=clamav change=infected message=Php.Webshell.C99-1 file.path=" + p
	}
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"bans", "03:00:00 alarm-raised service.name=fail2ban change=banned source.ip=203.0.113.6 message=sshd\n03:00:00 alarm-raised service.name=fail2ban change=banned source.ip=203.0.113.7 message=sshd", detect.Low, 1},
		{"lets go again", "03:00:00 alarm-raised service.name=fail2ban change=unbanned source.ip=203.0.113.6", detect.Info, 0},
		{"infected below the web root", infected("/var/www/html/uploads/x.php"), detect.High, 1},
		{"infected in a letter", infected("/home/amy/Maildir/cur/1:2,S"), detect.Low, 1},
		{"infected in a home", infected("/home/amy/x.zip"), detect.Medium, 1},
		{"a test of the scanner", strings.Replace(infected("/var/www/html/x"), "Php.Webshell.C99-1", "Eicar-Signature", 1), detect.Low, 1},
		{"a program changed, and no package", changed, detect.Low, 1},
		{"a program changed, after an update", "02:00:00 package-changed package.name=openssh-server change=upgrade\n" + changed, detect.Low, 1},
		{"a rootkit by its name", "03:00:00 alarm-raised service.name=chkrootkit change=warned message=\"Possible Linux/Ebury 1.4 - Operation Windigo installetd\"", detect.Medium, 1},
		{"a habit", "03:00:00 alarm-raised service.name=chkrootkit change=warned message=\"eth0: PACKET SNIFFER(/sbin/dhclient[123])\"", detect.Info, 1},
		{"a guard stopped", "03:00:00 service-stopped service.name=crowdsec" + later, detect.Low, 1},
		{"a guard started again", "03:00:00 service-stopped service.name=crowdsec\n03:00:05 service-started service.name=crowdsec" + later, detect.Info, 0},
		{"the server goes down", "03:00:00 service-stopped service.name=crowdsec", detect.Info, 0},
		{"another service stopped", "03:00:00 service-stopped service.name=nginx" + later, detect.Info, 0},
		{"a guard removed", "03:00:00 package-changed package.name=fail2ban change=remove", detect.Medium, 1},
		{"one guard for another", "03:00:00 package-changed package.name=fail2ban change=remove\n03:10:00 package-changed package.name=crowdsec change=install", detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, alarms.New(), detecttest.Scene(), tc.events)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestAProgramThatNoUpdateChanged has packages that changed on another day.
func TestAProgramThatNoUpdateChanged(t *testing.T) {
	f := alarms.New().New(detecttest.Scene())
	for _, e := range detecttest.Events(t, "02:00:00 package-changed package.name=openssh-server change=upgrade\n03:00:00 alarm-raised service.name=aide change=\"file changed\" file.path=/usr/sbin/sshd message=changed") {
		if e.At.Sec%3600 == 0 && e.Kind.String() == "alarm-raised" {
			e.At.Sec += 10 * 24 * 3600
		}
		f.Observe(&e)
	}
	n := 0
	for r := range f.Findings(t.Context()) {
		if n++; r.Level != detect.Medium || r.Path != "/usr/sbin/sshd" {
			t.Errorf("%+v", r)
		}
	}
	if n != 1 {
		t.Errorf("%d findings", n)
	}
}
