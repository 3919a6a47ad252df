package alarms_test

import (
	"strings"
	"testing"

	"telltale/artifact"
	"telltale/artifact/alarms"
	"telltale/artifact/artifacttest"
	"telltale/event"
)

// syslog is all members that decode messages, in one.
func syslog() *artifact.Artifact {
	members := []*artifact.Artifact{alarms.Lfd(), alarms.SSHGuard(), alarms.Scans(), alarms.Suhosin(), alarms.CrowdSecSaid(), alarms.ClamAVSaid(), alarms.Maldet(), alarms.AIDESaid()}
	d := artifact.NewDecoders(members)
	a := &artifact.Artifact{Name: "alarms", Kinds: members[0].Kinds, Decode: func(m *artifact.Message, yield func(*event.Event)) bool {
		_, understood := d.Decode(m, yield)
		return understood
	}}
	for _, x := range members {
		a.Programs = append(a.Programs, x.Programs...)
	}
	return a
}

// files are the members with logs of their own, by their samples.
var files = map[string]func() *artifact.Artifact{"crowdsec": alarms.CrowdSec, "denyhosts": alarms.DenyHosts, "clamav": alarms.ClamAV, "aide": alarms.AIDE, "rkhunter": alarms.Rkhunter, "chkrootkit": alarms.Chkrootkit}

func TestGolden(t *testing.T) { artifacttest.Golden(t, syslog()) }

func TestOwnLogs(t *testing.T) {
	for _, name := range []string{"aide", "aide-json", "aide-mixed", "rkhunter", "chkrootkit", "clamav", "clamscan", "crowdsec"} {
		member, _, _ := strings.Cut(strings.Replace(name, "clamscan", "clamav", 1), "-")
		artifacttest.GoldenAs(t, files[member](), "debian12-"+name+".txt", "/var/log/"+member+".log", "")
	}
	for name, made := range files {
		artifacttest.GoldenAs(t, made(), name+".txt", "/var/log/"+name+".log", "")
	}
}

func TestSniff(t *testing.T) {
	heads := map[string]string{
		"crowdsec": `time="2024-01-02T03:04:05Z" level=info msg="Ip 203.0.113.5 performed 'crowdsecurity/ssh-bf' (6 events over 2s) at x"`, "denyhosts": "2024-01-02 03:04:05,123 - denyhosts   : INFO     new denied hosts: ['203.0.113.5']",
		"clamav": "Tue Jan  2 03:04:05 2024 -> /x: Y FOUND", "aide": "AIDE 0.16 found differences between database and filesystem!!", "rkhunter": "[03:04:05] Running Rootkit Hunter version 1.4.6 on web1", "chkrootkit": "ROOTDIR is `/'",
	}
	for name, head := range heads {
		for other, made := range files {
			if got := made().Sniff([]byte(head + "\n")); got != (name == other) {
				t.Errorf("%s takes a log of %s: %v", other, name, got)
			}
		}
	}
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, syslog) }

func FuzzFiles(f *testing.F) {
	f.Add([]byte("time=\"02-01-2024 03:04:05\" level=info msg=\"(x/y) z by ip 203.0.113.5 (US/1) : 4h ban on Ip 203.0.113.5\"\n2024-01-02 03:04:05,123 - denyhosts   : INFO     new denied hosts: ['203.0.113.5']\n"))
	f.Add([]byte("Tue Jan  2 03:04:05 2024 -> /x: Y FOUND\nStart timestamp: 2024-01-02 03:04:05 +0000 (AIDE 0.16)\nChanged entries:\nf = ...: /etc/x\n[03:04:05] Info: Start date is Tue Jan  2 03:04:05 UTC 2024\n[03:04:06] Warning: '/x'\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, made := range files {
			made().Sniff(b)
			artifacttest.Run(t, made(), artifacttest.Input(b))
		}
	})
}
