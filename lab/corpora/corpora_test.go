package corpora_test

import (
	"os"
	"path/filepath"
	"testing"

	"telltale/lab/corpora"
)

// The lines below are written for this test, in the forms of the corpora.

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// measure gives the outcome of each sample by its text.
func measure(t *testing.T, f corpora.Folders) (map[string]corpora.Verdict, corpora.Row) {
	t.Helper()
	samples, err := corpora.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	vs, err := corpora.Measure(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]corpora.Verdict{}
	for _, v := range vs {
		by[v.Text] = v
	}
	if len(by) != len(vs) {
		t.Errorf("%d texts of %d samples", len(by), len(vs))
	}
	_, all, _ := corpora.Tabulate(vs)
	return by, all
}

func check(t *testing.T, by map[string]corpora.Verdict, text string, want corpora.Want, outcome corpora.Outcome) {
	t.Helper()
	v, ok := by[text]
	if !ok || v.Want != want || v.Outcome != outcome {
		t.Errorf("%s: %s, %s, %s (found: %v); want %s, %s", text, v.Want, v.Outcome, v.Why, ok, want, outcome)
	}
}

func TestFail2ban(t *testing.T) {
	dir := t.TempDir()
	const (
		right    = "Mar  4 05:06:07 srv sshd[10]: Failed password for root from 192.0.2.7 port 40000 ssh2"
		wrong    = "Mar  4 05:06:08 srv sshd[10]: Failed password for alice from 192.0.2.8 port 40000 ssh2"
		missed   = "Mar  4 05:06:09 srv sshd[10]: words that nobody wrote 192.0.2.9"
		accused  = "Mar  4 05:06:10 srv sshd[10]: Failed password for bob from 192.0.2.10 port 40000 ssh2"
		innocent = "Mar  4 05:06:11 srv sshd[10]: Accepted password for bob from 192.0.2.10 port 40000 ssh2"
	)
	write(t, dir, "sshd", `# failJSON: { "time": "2005-03-04T05:06:07", "match": true, "host": "192.0.2.7" }
`+right+`
# failJSON: { "time": "2005-03-04T05:06:08", "match": true, "host": "192.0.2.80", "desc": "a label of another address that the line has, too" }
`+wrong+`0
# failJSON: { "time": "2005-03-04T05:06:09", "match": true, "host": "192.0.2.9" }
`+missed+`
# a comment
# failJSON: { "match": false }
`+accused+`
# failJSON: { "match": false }
`+innocent+"\n")
	write(t, dir, "unknown-service", "# failJSON: { \"match\": false }\nx\n")
	by, all := measure(t, corpora.Folders{Fail2ban: dir})
	check(t, by, right, corpora.Failure, corpora.Right)
	check(t, by, missed, corpora.Failure, corpora.Missed)
	check(t, by, accused, corpora.Nothing, corpora.Accused)
	check(t, by, innocent, corpora.Nothing, corpora.Right)
	if all.Passes() || all.Negatives != 2 || all.Accused != 1 || all.Right != 1 {
		t.Errorf("%+v", all)
	}
}

func TestOSSEC(t *testing.T) {
	dir := t.TempDir()
	const (
		refused = "Feb 12 14:10:21 srv sshd[1]: Failed password for root from 192.0.2.7 port 53502 ssh2"
		login   = "Feb 12 14:10:22 srv sshd[1]: Accepted password for root from 192.0.2.7 port 53502 ssh2"
		neither = "Feb 12 14:10:23 srv sshd[1]: Server listening on 0.0.0.0 port 22."
		other   = "Feb 12 14:10:24 srv sshd[1]: a line of another rule"
	)
	write(t, dir, "etc/rules/my_rules.xml", `<var name="X">^a|\.b</var>
<group name="syslog,sshd,">
  <rule id="100" level="5"><if_sid>1</if_sid><match>a & b</match><group>authentication_failed,</group></rule>
  <rule id="101" level="3"><group>authentication_success,</group></rule>
  <rule id="102" level="0"><description>started</description></rule>
</group>
<group name="invalid_login,"><rule id="103" level="5" /></group>
`)
	write(t, dir, "contrib/ossec-testing/tests/sshd.ini", "[a]\nlog 1 pass = "+refused+"\nlog 2 fail = "+other+"\n\nrule = 100\nalert = 5\ndecoder = sshd\n\n[b]\nlog 1 pass = "+login+"\nrule = 101\n[c]\nlog 1 pass = "+neither+"\nrule = 102\n[d]\nlog 1 pass = x\nrule = 999\n")
	by, all := measure(t, corpora.Folders{OSSEC: dir})
	check(t, by, refused, corpora.Failure, corpora.Right)
	check(t, by, login, corpora.Login, corpora.Right)
	check(t, by, neither, corpora.Nothing, corpora.Right)
	if len(by) != 3 || !all.Passes() {
		t.Errorf("%d samples, %+v", len(by), all)
	}
	if v := by[refused]; v.Host != "192.0.2.7" {
		t.Errorf("host %q", v.Host)
	}
}

func TestCrowdSec(t *testing.T) {
	dir := t.TempDir()
	const (
		first   = "Feb 12 14:10:21 srv sshd[1]: Invalid user a\"b from 192.0.2.7 port 53502"
		unread  = "Feb 12 14:10:22 srv sshd[1]: Server listening on 0.0.0.0 port 22."
		third   = "Feb 12 14:10:23 srv sshd[1]: Failed password for root from 192.0.2.8 port 53502 ssh2"
		request = `192.0.2.9 - - [12/Feb/2024:14:10:21 +0100] "GET / HTTP/1.1" 200 12 "-" "-"`
	)
	write(t, dir, "sshd-logs/sshd-logs.log", first+"\n"+unread+"\n"+third+"\n")
	write(t, dir, "sshd-logs/parser.assert", `len(results) == 3
results["s00-raw"]["crowdsecurity/syslog-logs"][0].Success == true
results["s00-raw"]["crowdsecurity/syslog-logs"][0].Evt.Parsed["message"] == "Invalid user a\"b from 192.0.2.7 port 53502"
results["s00-raw"]["crowdsecurity/syslog-logs"][0].Evt.Parsed["timestamp"] == "Feb 12 14:10:21"
results["s01-parse"]["crowdsecurity/sshd-logs"][0].Success == true
results["s01-parse"]["crowdsecurity/sshd-logs"][0].Evt.Parsed["message"] == "Invalid user a\"b from 192.0.2.7 port 53502"
results["s01-parse"]["crowdsecurity/sshd-logs"][0].Evt.Meta["source_ip"] == "192.0.2.7"
results["s01-parse"]["crowdsecurity/sshd-logs"][0].Evt.Meta["log_type"] == "ssh_failed-auth"
results["s01-parse"]["crowdsecurity/sshd-logs"][1].Success == false
results["s01-parse"]["crowdsecurity/sshd-logs"][1].Evt.Parsed["message"] == "Server listening on 0.0.0.0 port 22."
results["s01-parse"]["crowdsecurity/sshd-logs"][2].Success == true
results["s01-parse"]["crowdsecurity/sshd-logs"][2].Evt.Parsed["message"] == "Failed password for root from 192.0.2.8 port 53502 ssh2"
results["s01-parse"]["crowdsecurity/sshd-logs"][2].Evt.Meta["source_ip"] == "192.0.2.80"
results["s01-parse"]["crowdsecurity/sshd-logs"][2].Evt.Meta["log_type"] == "ssh_failed-auth"
results["s01-parse"]["crowdsecurity/sshd-logs"][2].Evt.StrTime == "Feb 12 14:10:23"
`)
	write(t, dir, "apache2-logs/apache2-logs.log", request+"\n")
	write(t, dir, "cpanel-logs/cpanel-logs.log", "[2022-06-29 14:06:40 +1000] info [cpaneld] 192.0.2.5 - Root \"POST /login/?login_only=1 HTTP/1.1\" FAILED LOGIN cpaneld: user password incorrect\n")
	write(t, dir, "cpanel-logs/parser.assert", `results["s01-parse"]["crowdsecurity/cpanel-logs"][0].Success == true
results["s01-parse"]["crowdsecurity/cpanel-logs"][0].Evt.Parsed["message"] == "[2022-06-29 14:06:40 +1000] info [cpaneld] 192.0.2.5 - Root \"POST /login/?login_only=1 HTTP/1.1\" FAILED LOGIN cpaneld: user password incorrect"
results["s01-parse"]["crowdsecurity/cpanel-logs"][0].Evt.Parsed["date"] == "2022-06-29 14:06:40"
results["s01-parse"]["crowdsecurity/cpanel-logs"][0].Evt.Meta["source_ip"] == "192.0.2.5"
results["s01-parse"]["crowdsecurity/cpanel-logs"][0].Evt.Meta["log_type"] == "auth_bf_log"
`)
	write(t, dir, "apache2-logs/parser.assert", `results["s01-parse"]["crowdsecurity/apache2-logs"][0].Success == true
results["s01-parse"]["crowdsecurity/apache2-logs"][0].Evt.Line.Raw == "192.0.2.9 - - [12/Feb/2024:14:10:21 +0100] \"GET / HTTP/1.1\" 200 12 \"-\" \"-\""
results["s01-parse"]["crowdsecurity/apache2-logs"][0].Evt.Meta["source_ip"] == "192.0.2.9"
results["s01-parse"]["crowdsecurity/apache2-logs"][0].Evt.Meta["log_type"] == "http_access-log"
results["s01-parse"]["crowdsecurity/apache2-logs"][0].Evt.StrTime == "12/Feb/2024:14:10:21 +0100"
`)
	by, all := measure(t, corpora.Folders{CrowdSec: dir})
	check(t, by, first, corpora.Failure, corpora.Right)
	check(t, by, unread, corpora.Nothing, corpora.Right)
	check(t, by, third, corpora.Failure, corpora.Wrong)
	check(t, by, request, corpora.Seen, corpora.Right)
	if all.Lines != 4 || all.Right != 3 || all.Wrong != 1 {
		t.Errorf("%+v", all)
	}
}

func TestWhyscream(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "smtpd_1.yaml", "pattern: POSTFIX_SMTPD\ndata: \"NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <a@example.net>: Relay access denied; from=<b@example.org> to=<a@example.net> proto=ESMTP helo=<x>\"\nresults:\n    postfix_action: reject\n    postfix_client_ip: 192.0.2.7\n")
	write(t, dir, "qmgr_1.yaml", "pattern: POSTFIX_QMGR\ndata: '1234567890: removed'\nresults:\n    postfix_queueid: 1234567890\n")
	write(t, dir, "smtpd_2.yaml", "pattern: ^%{POSTFIX_SMTPD}$\nlogline: \"NOQUEUE: reject: RCPT from unknown[192.0.2.8]: 554 5.7.1 <a@example.net>: Relay access denied; from=<b@example.org> to=<a@example.net> proto=ESMTP helo=<x>\"\nresults:\n    postfix_action: reject\n    postfix_client_ip: 192.0.2.8\n")
	write(t, dir, "postscreen_1.yaml", "pattern: ^%{POSTFIX_POSTSCREEN}$\ndata: \"PREGREET 6 after 1.2 from [192.0.2.9]:4342: RSET\\r\\n\"\nresults:\n    postfix_postscreen_violation: PREGREET\n    postfix_client_ip: 192.0.2.9\n")
	write(t, dir, "part.yaml", "pattern: POSTFIX_CLIENT\ndata: unknown[192.0.2.7]\nresults: {}\n")
	by, all := measure(t, corpora.Folders{Whyscream: dir})
	if len(by) != 4 || all.Right != 3 || all.Negatives != 1 || !all.Passes() {
		t.Errorf("%+v", all)
	}
}

func TestNothingToRead(t *testing.T) {
	if _, err := corpora.Read(corpora.Folders{OSSEC: t.TempDir()}); err == nil {
		t.Error("an empty folder is measured")
	}
	if _, err := corpora.Read(corpora.Folders{Fail2ban: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a folder that is not there is measured")
	}
}
