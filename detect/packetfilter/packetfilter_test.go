package packetfilter_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/packetfilter"
)

// Rules as they stand on clean machines.
const (
	docker = `- filter-rule record.type=nftables file.path="ip nat PREROUTING" network.direction=prerouting setting.name=policy setting.value=accept
		- filter-rule record.type=nftables file.path="ip nat PREROUTING" network.direction=prerouting setting.name="jump DOCKER" change=addrtype
		- filter-rule record.type=nftables file.path="ip nat DOCKER" setting.name=dnat setting.value=172.17.0.2:22 destination.port=2222 network.transport=tcp
		- filter-rule record.type=nftables file.path="ip nat DOCKER" setting.name=dnat setting.value=172.17.0.3:80 destination.port=8080 network.transport=tcp
		- filter-rule record.type=nftables file.path="ip filter FORWARD" network.direction=forward setting.name=policy setting.value=drop
		- filter-rule record.type=nftables file.path="ip filter DOCKER" setting.name=accept destination.ip=172.17.0.2 destination.port=22 network.transport=tcp`
	ufw = `- filter-rule record.type=iptables file.path="ip filter INPUT" network.direction=input setting.name=policy setting.value=drop
		- filter-rule record.type=iptables file.path="ip filter INPUT" network.direction=input setting.name="jump ufw-before-input"
		- filter-rule record.type=iptables file.path="ip filter ufw-user-input" setting.name=accept source.ip=198.51.100.7 destination.port=22 network.transport=tcp
		- filter-rule record.type=iptables file.path="ip filter ufw-user-input" setting.name=accept destination.port=443 network.transport=tcp
		- filter-rule record.type=iptables file.path="ip filter ufw-before-output" setting.name=accept network.interface=lo`
	fail2ban = `- filter-rule record.type=nftables file.path="ip filter INPUT" network.direction=input setting.name=policy setting.value=accept
		- filter-rule record.type=nftables file.path="ip filter INPUT" network.direction=input setting.name=accept source.ip=198.51.100.7
		- filter-rule record.type=nftables file.path="ip filter INPUT" network.direction=input setting.name="jump f2b-sshd" destination.port=22 network.transport=tcp
		- filter-rule record.type=nftables file.path="ip filter f2b-sshd" setting.name=reject source.ip=203.0.113.9
		- filter-rule record.type=nftables file.path="ip filter f2b-sshd" setting.name=return`
)

func TestRules(t *testing.T) {
	for _, tc := range []struct {
		name, events string
		level        detect.Level // of the gravest
		says, source string
	}{
		{"docker", docker, detect.Info, "", ""},
		{"ufw", ufw, detect.Info, "", ""},
		{"fail2ban", fail2ban, detect.Info, "", ""},
		{"all at once", docker + "\n" + ufw + "\n" + fail2ban, detect.Info, "", ""},
		{"a proxy of the web for all", `- filter-rule file.path="ip nat PREROUTING" network.direction=prerouting setting.name=redirect setting.value=:3128 destination.port=80`, detect.Info, "", ""},
		{"a service of one partner within", `- filter-rule file.path="ip nat PREROUTING" network.direction=prerouting setting.name=dnat setting.value=10.0.0.5:3306 source.ip=198.51.100.7 destination.port=3306`, detect.Medium, "sent on to 10.0.0.5:3306", "198.51.100.7"},
		{"a door for one", `- filter-rule file.path="ip nat PREROUTING" network.direction=prerouting setting.name=redirect setting.value=:42391 source.ip=203.0.113.66 destination.port=443`, detect.High, "turned to port 42391", "203.0.113.66"},
		{"a door for a private address", `- filter-rule file.path="ip nat PREROUTING" network.direction=prerouting setting.name=redirect setting.value=:8443 source.ip=10.0.0.7 destination.port=443`, detect.Info, "", ""},
		{"ssh behind another port", `- filter-rule file.path="ip nat PREROUTING" network.direction=prerouting setting.name=redirect setting.value=:22 destination.port=443`, detect.Low, "leads to the login port", ""},
		{"sent on to a stranger", `- filter-rule file.path="ip nat OUTPUT" network.direction=output setting.name=dnat setting.value=203.0.113.66:8080 destination.port=80`, detect.Medium, "foreign machine", ""},
		{"one is let in where none is kept out", `- filter-rule file.path="ip filter INPUT" network.direction=input setting.name=policy setting.value=accept
			- filter-rule file.path="ip filter INPUT" network.direction=input setting.name=accept source.ip=203.0.113.66`, detect.Low, "by name", "203.0.113.66"},
		{"one is let in, the rest is kept out", `- filter-rule file.path="ip filter INPUT" network.direction=input setting.name=accept source.ip=203.0.113.66 destination.port=22
			- filter-rule file.path="ip filter INPUT" network.direction=input setting.name=reject`, detect.Info, "", ""},
		{"the log server is cut off", `- filter-rule file.path="inet x out" network.direction=output setting.name=drop destination.ip=192.0.2.5 destination.port=514`, detect.Medium, "syslog", ""},
		{"a server of the web is cut off", `- filter-rule file.path="inet x out" network.direction=output setting.name=drop destination.ip=192.0.2.5`, detect.Low, "of 192.0.2.5", ""},
		{"no mail by programs of the web", `- filter-rule file.path="inet x out" network.direction=output setting.name=drop destination.port=25`, detect.Info, "", ""},
		{"banned addresses", `- filter-rule file.path="ip filter INPUT" network.direction=input setting.name=drop source.ip=203.0.113.9`, detect.Info, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var worst detect.Finding
			sums := 0
			for _, f := range detecttest.Run(t, packetfilter.New(), detecttest.Scene(), tc.events) {
				if f.Level > worst.Level {
					worst = f
				}
				if f.Mechanism == "rules" {
					sums++
				}
				if f.Level == detect.Info && f.Explained == "" {
					t.Errorf("%q is told without a reason", f.Title)
				}
			}
			if worst.Level != tc.level || !strings.Contains(worst.Title, tc.says) || worst.Source != tc.source || sums != 1 {
				t.Errorf("%v %q from %q, %d sums, want %v %q from %q", worst.Level, worst.Title, worst.Source, sums, tc.level, tc.says, tc.source)
			}
		})
	}
}
