package tomcat_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/tomcat"
)

func TestGolden(t *testing.T) {
	a := tomcat.New()
	a.Decode = nil
	artifacttest.Golden(t, a)
}

func TestSyslog(t *testing.T) {
	a := tomcat.New()
	a.Parse = nil
	artifacttest.GoldenAs(t, a, "syslog.txt", "/var/log/syslog", "")
}

func TestLogOfHost(t *testing.T) {
	a := tomcat.New()
	a.Decode = nil
	artifacttest.GoldenAs(t, a, "localhost.txt", "/var/log/tomcat10/localhost.2026-11-25.log", "")
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, "started\n02-Jan-2024 15:04:05.123 INFO [main] org.apache.catalina.startup.Catalina.start Server startup": true,
		"Jan 3, 2016 6:53:29 PM org.apache.catalina.startup.HostConfig deployDirectory\nINFO: x": true,
		"02-Jan-2024 15:04:05.123 client 203.0.113.4#52115: query: example.org IN A":             false,
		"2024-01-02 15:04:05,123 fail2ban.actions [812]: NOTICE [sshd] Ban 203.0.113.4":          false,
		"2024-01-02 15:04:05,123 INFO [main] com.example.App - started":                          false,
		"Jan  3 06:53:29 web sshd[812]: Accepted password for root from 203.0.113.4 port 1 ssh2": false,
	} {
		if tomcat.New().Sniff([]byte(in)) != want {
			t.Errorf("%q: want %v", in, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, tomcat.New, "Jan 2, 2024 3:04:05\u202fPM a.b c\nINFO: Server startup in 1 ms\n", "02-Jan-2024 15:04:05.123 INFO [a[b]] org.apache.catalina.core.ContainerBase.[Catalina] x\n")
}
