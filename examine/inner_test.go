package examine_test

import (
	"context"
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	artifacts "telltale/artifact/all"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
)

// innerTold keeps what events say, one line each.
type innerTold struct{ lines *[]string }

func (f innerTold) Observe(e *event.Event) {
	s := e.At.String() + " " + e.Kind.String()
	for _, k := range []event.Key{event.SourceIP, event.UserName, event.FilePath} {
		s += " " + e.Text(k)
	}
	*f.lines = append(*f.lines, strings.TrimRight(s, " "))
}

func (f innerTold) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

// TestLogsInContainers reads what servers in containers wrote, on a host in another zone than theirs. The right member must be found among all.
func TestLogsInContainers(t *testing.T) {
	for name, tc := range map[string]struct{ log, want string }{
		"nginx":   {`203.0.113.7 - - [02/Mar/2024:08:00:05 +0000] "GET /x HTTP/1.1" 200 612 "-" "curl/8.0" "-"`, "2024-03-02T08:00:05Z http-request 203.0.113.7"},
		"caddy":   {`{"level":"info","ts":1709366405.1,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"203.0.113.7","remote_port":"1","proto":"HTTP/2.0","method":"GET","host":"www.example.com","uri":"/"},"status":200}`, "http-request 203.0.113.7"},
		"mongodb": {`{"t":{"$date":"2024-03-02T08:00:05.000+00:00"},"s":"I","c":"ACCESS","id":5286306,"ctx":"conn5","msg":"Successfully authenticated","attr":{"client":"203.0.113.7:58126","mechanism":"SCRAM-SHA-256","user":"admin","db":"admin"}}`, "2024-03-02T08:00:05.000Z auth-accepted 203.0.113.7 admin"},
		"mysql":   {`2024-03-02T08:00:05.123456Z 8 [Note] [MY-010926] [Server] Access denied for user 'root'@'203.0.113.7' (using password: YES)`, "2024-03-02T08:00:05.123456Z auth-failed 203.0.113.7 root"},
		"redis":   {`1:M 02 Mar 2024 08:00:05.000 # Failed opening the RDB file root (in server root dir /var/spool/cron) for saving: Permission denied`, "2024-03-02T08:00:05.000Z database-command   /var/spool/cron/root"},
		"tomcat":  {`02-Mar-2024 08:00:05.000 INFO [main] org.apache.catalina.startup.HostConfig.deployWAR Deploying web application archive [/usr/local/tomcat/webapps/x9.war]`, "2024-03-02T08:00:05.000Z deployed   /usr/local/tomcat/webapps/x9.war"},
		"sshd":    {`Accepted password for root from 203.0.113.7 port 40022 ssh2`, "2024-03-02T08:00:05.500Z auth-accepted 203.0.113.7 root"},
		"syslog":  {`Mar  2 08:00:05 89a04170593a sshd[12]: Accepted password for root from 203.0.113.7 port 40022 ssh2`, "2024-03-02T08:00:05Z auth-accepted 203.0.113.7 root"},
	} {
		t.Run(name, func(t *testing.T) {
			quoted, err := json.Marshal(tc.log + "\n")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for p, text := range map[string]string{"etc/os-release": "ID=debian\n", "etc/timezone": "America/New_York\n",
				"var/lib/docker/containers/89a04170593a/89a04170593a-json.log": `{"log":` + string(quoted) + `,"stream":"stdout","time":"2024-03-02T08:00:05.5Z"}` + "\n"} {
				p = filepath.Join(dir, p)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			collect := &detect.Detection{ID: "collect", Wants: []event.Kind{event.HTTPRequest, event.AuthAccepted, event.AuthFailed, event.DatabaseCommand, event.Deployed}, New: func(detect.Scene) detect.Fold {
				got = nil
				return innerTold{&got}
			}}
			res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || !strings.Contains(got[0], tc.want) {
				t.Errorf("got %q, want %q: %+v", got, tc.want, res.Coverage)
			}
		})
	}
}
