package sigma

import (
	"strings"
	"testing"
	"testing/fstest"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/event"
)

// load compiles one file.
func load(t testing.TB, text string) *Rules {
	t.Helper()
	rs, err := Load(fstest.MapFS{"x.yml": {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// rule writes a rule around a detection.
func rule(source, detection string) string {
	indent := func(s string) string { return "    " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ") }
	return "title: x\nid: 11111111-1111-1111-1111-111111111111\nlogsource:\n" + indent(strings.ReplaceAll(source, ", ", "\n")) + "\ndetection:\n" + indent(detection) + "\nlevel: high\n"
}

func TestMatches(t *testing.T) {
	const web = "category: webserver"
	const process = "category: process_creation, product: linux"
	request := func(url, more string) string {
		return `03:04:05 http-request source.ip=203.0.113.7 http.request.method=GET http.response.status_code=200 "url.original=` + url + `" ` + more
	}
	for _, tc := range []struct {
		name, source, detection, events string
		want                            int64
	}{
		{"contains, any case", web, "s:\n  cs-uri-query|contains: '/CGI-bin/'\ncondition: s", request("/cgi-BIN/x", ""), 1},
		{"contains, absent", web, "s:\n  cs-uri-query|contains: '/cgi-bin/'\ncondition: s", request("/cgi/bin", ""), 0},
		{"encoded twice", web, "s:\n  cs-uri-query|contains: '../etc/passwd'\ncondition: s", request("/x?f=%252e%252e%252fetc%252fpasswd", ""), 1},
		{"a list is or", web, "s:\n  cs-uri-stem|endswith:\n    - '.bak'\n    - '.old'\ncondition: s", request("/a.old?x", ""), 1},
		{"all is and", web, "s:\n  c-uri|contains|all:\n    - 'a='\n    - 'b='\ncondition: s", request("/?a=1", ""), 0},
		{"fields are and", web, "s:\n  cs-method: GET\n  sc-status: 404\ncondition: s", request("/", ""), 0},
		{"number", web, "s:\n  sc-status: 200\ncondition: s", request("/", ""), 1},
		{"greater", web, "s:\n  sc-status|gte: 200\ncondition: s", request("/", ""), 1},
		{"a list of maps is or", web, "s:\n  - cs-method: POST\n  - c-uri: '/'\ncondition: s", request("/", ""), 1},
		{"wildcards", web, "s:\n  c-uri: '/a?c*z'\ncondition: s", request("/abc-yz", ""), 1},
		{"escaped wildcard", web, "s:\n  c-uri: '/a\\*c'\ncondition: s", request("/abc", ""), 0},
		{"expression", web, "s:\n  c-uri|re: 'id=[0-9]{3}$'\ncondition: s", request("/?id=123", ""), 1},
		{"cased", web, "s:\n  c-uri|contains|cased: 'Admin'\ncondition: s", request("/admin", ""), 0},
		{"network", web, "s:\n  c-ip|cidr: '203.0.113.0/24'\ncondition: s", request("/", ""), 1},
		{"not in network", web, "s:\n  c-ip|cidr: '203.0.113.0/24'\ncondition: not s", request("/", ""), 0},
		{"absent", web, "s:\n  cs-user-agent: null\ncondition: s", request("/", ""), 1},
		{"exists", web, "s:\n  cs-user-agent|exists: true\ncondition: s", request("/", ""), 0},
		{"exception", web, "s:\n  c-uri|contains: x\nfilter_a:\n  sc-status: 200\ncondition: s and not 1 of filter_*", request("/x", ""), 0},
		{"keywords", web, "keywords:\n  - 'union select'\n  - 'http-request'\ncondition: keywords", request("/", ""), 1},
		{"all keywords", web, "keywords:\n  '|all':\n    - 'http'\n    - 'nowhere'\ncondition: keywords", request("/", ""), 0},
		{"of them", web, "a:\n  c-uri: '/'\nb:\n  sc-status: 404\ncondition: 1 of them", request("/", ""), 1},
		{"all of", web, "sel_a:\n  c-uri: '/'\nsel_b:\n  sc-status: 404\ncondition: all of sel_*", request("/", ""), 0},
		{"precedence", web, "a:\n  c-uri: '/'\nb:\n  sc-status: 404\ncondition: a or b and not a", request("/", ""), 1},
		{"parentheses", web, "a:\n  c-uri: '/'\nb:\n  sc-status: 404\ncondition: (a or b) and not a", request("/", ""), 0},
		{"base64 at any offset", web, "s:\n  c-uri|base64offset|contains: '/bin/bash'\ncondition: s", request("/?x=eHkvYmluL2Jhc2ggLWk=", ""), 1},
		{"field of the common schema", web, "s:\n  url.original: '/'\ncondition: s", request("/", ""), 1},
		{"same fields", web, "s:\n  cs-referer|fieldref: c-uri\ncondition: s", request("/a", "http.request.referrer=/A"), 1},

		{"a program by its path", process, "s:\n  Image|endswith: '/wget'\ncondition: s", "03:04:05 process-started process.executable=/usr/bin/wget \"process.command_line=wget http://x\"", 1},
		{"a program in a shell's history", process, "s:\n  Image|endswith: '/wget'\ncondition: s", "03:04:05 shell-command \"process.command_line=cd /tmp; wget http://x\"", 1},
		{"a word is no program", process, "s:\n  Image|endswith: '/wget'\ncondition: s", "03:04:05 shell-command \"process.command_line=man wget\"", 0},
		{"the parent", process, "s:\n  ParentImage|endswith: '/apache2'\n  Image|endswith: '/dash'\ncondition: s", "03:04:04 process-started process.pid=7 process.executable=/usr/sbin/apache2\n03:04:05 process-started process.pid=8 process.parent.pid=7 process.executable=/usr/bin/dash", 1},
		{"another parent", process, "s:\n  ParentImage|endswith: '/apache2'\n  Image|endswith: '/dash'\ncondition: s", "03:04:05 process-started process.pid=8 process.parent.pid=7 process.executable=/usr/bin/dash", 0},

		{"audit, words in hexadecimal", "product: linux, service: auditd", "s:\n  type: EXECVE\n  a1|contains: '/dev/tcp'\ncondition: s", `03:04:05 audit-record record.type=EXECVE "message=argc=2 a0=bash a1=2F6465762F7463702F782031"`, 1},
		{"audit, a call by its number", "product: linux, service: auditd", "s:\n  type: SYSCALL\n  syscall: init_module\ncondition: s", `03:04:05 audit-record record.type=SYSCALL "message=arch=c000003e syscall=175 success=yes"`, 1},
		{"audit, a pointer is no word", "product: linux, service: auditd", "s:\n  a0: 'Ab'\ncondition: s", `03:04:05 audit-record record.type=SYSCALL "message=arch=c000003e syscall=175 a0=4162"`, 0},

		{"sudo's USER is whom it runs as", "product: linux, service: sudo", "s:\n  USER: root\ncondition: s", "03:04:05 sudo-command user.name=amy user.effective.name=root service.name=sudo", 1},
		{"sudo's USER is not who asked", "product: linux, service: sudo", "s:\n  USER: amy\ncondition: s", "03:04:05 sudo-command user.name=amy user.effective.name=root service.name=sudo", 0},
		{"another service", "product: linux, service: sshd", "keywords:\n  - refused\ncondition: keywords", "03:04:05 log-line service.name=ntpd message=refused", 0},

		{"counting, old form", "product: linux, service: auth", "s:\n  pam_message: authentication failure\n  pam_user: '*'\n  pam_rhost: '*'\ntimeframe: 24h\ncondition: s | count(pam_user) by pam_rhost > 2",
			"03:04:05 auth-failed user.name=a source.ip=203.0.113.7\n03:04:06 auth-failed user.name=b source.ip=203.0.113.7\n03:04:07 auth-failed user.name=c source.ip=203.0.113.7", 1},
		{"counting, from several", "product: linux, service: auth", "s:\n  pam_user: '*'\ntimeframe: 24h\ncondition: s | count(pam_user) by pam_rhost > 2",
			"03:04:05 auth-failed user.name=a source.ip=203.0.113.7\n03:04:06 auth-failed user.name=b source.ip=203.0.113.8\n03:04:07 auth-failed user.name=c source.ip=203.0.113.7", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rs := load(t, rule(tc.source, tc.detection))
			if len(rs.List) != 1 {
				t.Fatalf("refused: %v %v", rs.Refused, rs.Absent)
			}
			var n int64
			for _, f := range detecttest.Run(t, New(rs), detecttest.Scene(), tc.events) {
				n += f.Count
				if f.Level != detect.High || f.What != detect.RuleHit {
					t.Errorf("level %s, what %s", f.Level, f.What)
				}
			}
			if n != tc.want {
				t.Errorf("%d hits, not %d", n, tc.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct{ name, text, why string }{
		{"no condition", rule("category: webserver", "s:\n  c-uri: x"), "no condition"},
		{"unknown search", rule("category: webserver", "s:\n  c-uri: x\ncondition: t"), `names "t"`},
		{"unknown modifier", rule("category: webserver", "s:\n  c-uri|frobnicate: x\ncondition: s"), "frobnicate"},
		{"contradiction", rule("category: webserver", "s:\n  c-uri|re|contains: x\ncondition: s"), "contradict"},
		{"unknown field", rule("category: webserver", "s:\n  Hashes: x\ncondition: s"), "Hashes"},
		{"an exception that cannot be seen", rule("category: webserver", "s:\n  c-uri: x\nf:\n  Hashes: y\ncondition: s and not f"), "exception"},
		{"bad expression", rule("category: webserver", "s:\n  c-uri|re: '('\ncondition: s"), "expression"},
		{"open parenthesis", rule("category: webserver", "s:\n  c-uri: x\ncondition: (s"), "not closed"},
		{"deep", rule("category: webserver", "s:\n  c-uri: x\ncondition: "+strings.Repeat("not ", 200)+"s"), "nested"},
		{"references that grow", "a: &a [x, x, x]\nb: &b [*a, *a, *a]\n" + rule("category: webserver", "s: *b\ncondition: s"), "references"},
		{"brackets without end", "title: x\ndetection: " + strings.Repeat("[", 200_000), "nested"},
		{"no YAML", "title: [x", ""},
		{"bad level", strings.Replace(rule("category: webserver", "s:\n  c-uri: x\ncondition: s"), "level: high", "level: huge", 1), "huge"},
		{"a correlation of nothing", "title: c\ncorrelation:\n  type: event_count\n  rules: [nobody]\n  timespan: 5m\n  condition:\n    gte: 3\n", "nobody"},
		{"a correlation that needs an end", "title: c\ncorrelation:\n  type: event_count\n  rules: [nobody]\n  timespan: 5m\n  condition:\n    lt: 3\n", "cannot be told"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rs := load(t, tc.text)
			if len(rs.List) != 0 || len(rs.Refused) != 1 || !strings.Contains(rs.Refused[0].Why, tc.why) {
				t.Errorf("%d rules, refused %+v", len(rs.List), rs.Refused)
			}
		})
	}
	if rs := load(t, rule("product: windows, category: process_creation", "s:\n  Image: x\ncondition: s")); rs.Absent["windows/process_creation"] != 1 || len(rs.Refused) != 0 {
		t.Errorf("a rule for another system: %+v", rs)
	}
	// One branch of an alternative may rest on what is not known here.
	if rs := load(t, rule("category: webserver", "s:\n  c-uri: x\nt:\n  Hashes: y\ncondition: s or t")); len(rs.List) != 1 {
		t.Errorf("refused: %+v", rs.Refused)
	}
}

const guessing = `title: base
id: base-rule
name: failed
logsource:
    product: linux
    service: sshd
detection:
    s:
        event.kind: never
    keywords:
        - auth-failed
    condition: keywords or s
level: low
---
title: many
id: many-rule
correlation:
    type: event_count
    rules:
        - failed
    group-by:
        - client_ip
    timespan: 1m
    condition:
        gte: 5
level: medium
`

func TestCorrelations(t *testing.T) {
	failed := "03:04:05 auth-failed service.name=sshd source.ip=203.0.113.7 user.name=amy "
	for _, tc := range []struct {
		name, rules, events string
		want                int64 // hits of the correlation; -1: the base rule must speak, too
	}{
		{"enough", guessing, failed + "x5", 1},
		{"too few", guessing, failed + "x4", 0},
		{"too slow", guessing, failed + "x4\n03:09:05 auth-failed service.name=sshd source.ip=203.0.113.7", 0},
		{"from others", guessing, failed + "x4\n03:04:20 auth-failed service.name=sshd source.ip=203.0.113.8", 0},
		{"in order", ordered("temporal_ordered"), "03:04:05 auth-failed service.name=sshd user.name=amy\n03:04:30 auth-accepted service.name=sshd user.name=amy", 1},
		{"in the wrong order", ordered("temporal_ordered"), "03:04:05 auth-accepted service.name=sshd user.name=amy\n03:04:30 auth-failed service.name=sshd user.name=amy", 0},
		{"in any order", ordered("temporal"), "03:04:05 auth-accepted service.name=sshd user.name=amy\n03:04:30 auth-failed service.name=sshd user.name=amy", 1},
		{"of different users", ordered("temporal"), "03:04:05 auth-accepted service.name=sshd user.name=bob\n03:04:30 auth-failed service.name=sshd user.name=amy", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rs := load(t, tc.rules)
			if len(rs.Refused) != 0 {
				t.Fatal(rs.Refused)
			}
			var n int64
			for _, f := range detecttest.Run(t, New(rs), detecttest.Scene(), tc.events) {
				if f.Title == "base" {
					t.Error("a rule that only a correlation uses spoke for itself")
				}
				n += f.Count
			}
			if n != tc.want {
				t.Errorf("%d hits, not %d", n, tc.want)
			}
		})
	}
}

func ordered(kind string) string {
	base := func(name, kind string) string {
		return "title: " + name + "\nname: " + name + "\nlogsource:\n  product: linux\n  service: sshd\ndetection:\n  keywords:\n    - " + kind + "\n  condition: keywords\n---\n"
	}
	return base("failed", "auth-failed") + base("accepted", "auth-accepted") + "title: both\ncorrelation:\n  type: " + kind + "\n  rules: [failed, accepted]\n  group-by: [user.name]\n  timespan: 5m\nlevel: high\n"
}

// TestReport: a rule that could see nothing is not one that found nothing.
func TestReport(t *testing.T) {
	rs := load(t, rule("category: webserver", "s:\n  c-uri|contains: evil\ncondition: s")).Add(load(t, rule("product: linux, service: auditd", "s:\n  type: X\ncondition: s"))).Add(load(t, rule("product: zeek, service: dns", "s:\n  a: b\ncondition: s")))
	f := New(rs).New(detecttest.Scene())
	for _, e := range detecttest.Events(t, "03:04:05 http-request url.original=/evil") {
		f.Observe(&e)
	}
	got := f.(detect.Reporter).Report()
	if got.Read != 3 || got.Hit != 1 || got.Blind["linux/auditd"] != 1 || got.Blind["zeek/dns"] != 1 || len(got.Blind) != 2 {
		t.Errorf("%+v", got)
	}
}

// TestPrefilter: words looked for beforehand must never hide a hit. Each rule is tried with and without them.
func TestPrefilter(t *testing.T) {
	for _, d := range []string{
		"s:\n  c-uri|contains: 'ab'\nk:\n  - 'xy'\ncondition: s or k", "s:\n  c-uri|startswith: '/a'\n  cs-method: GET\ncondition: s", "s:\n  c-uri|re: '^/[a-c]+$'\ncondition: s", "s:\n  c-uri|re: '(?i)X(Y|z)+|aB'\ncondition: s", "s:\n  c-uri|re|i: 'XY$'\ncondition: s", "s:\n  c-uri: '*'\ncondition: s", "s:\n  c-uri|contains:\n    - a\n    - bcd\ncondition: s",
	} {
		rs := load(t, rule("category: webserver", d))
		for _, url := range []string{"/", "/a", "/ab", "/xy", "/abc?bcd", "/%61b", "/XY"} {
			e := detecttest.Events(t, "03:04:05 http-request http.request.method=GET url.original="+url)[0]
			with, without := newFold(rs), newFold(rs)
			without.byKind[event.HTTPRequest] = &wordlist{always: []int{0}}
			with.Observe(&e)
			without.Observe(&e)
			if with.byRule[0].count != without.byRule[0].count {
				t.Errorf("%s on %s: %d with the words, %d without", d, url, with.byRule[0].count, without.byRule[0].count)
			}
		}
	}
}

func FuzzRule(f *testing.F) {
	f.Add(guessing, "/x?y=%41")
	f.Add(ordered("temporal"), "a; b | c")
	f.Add(rule("category: webserver", "s:\n  c-uri|base64offset|contains: a\n  cs-method|windash: -x\n  c-ip|cidr: ::/0\ncondition: 1 of s* | count() by c-ip > 3"), "type=X a=41")
	f.Fuzz(func(t *testing.T, text, value string) {
		rs, err := Load(fstest.MapFS{"x.yml": {Data: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		fold := New(rs).New(detecttest.Scene())
		for k := event.Kind(1); k.String() != "unknown"; k++ {
			e := event.Event{Kind: k, Raw: []byte(value)}
			for _, a := range []event.Key{event.URL, event.CommandLine, event.Message, event.UserName, event.ProcessPID, event.RecordType} {
				e.AddText(a, value)
			}
			fold.Observe(&e)
		}
		for range fold.Findings(t.Context()) {
		}
		fold.(detect.Reporter).Report()
	})
}

func BenchmarkObserve(b *testing.B) {
	rs := load(b, rule("category: webserver", "s:\n  c-uri|contains:\n    - evil\n    - '/etc/passwd'\n    - 'union select'\ncondition: s"))
	f := New(rs).New(detecttest.Scene())
	e := event.Event{Kind: event.HTTPRequest, Raw: []byte(`203.0.113.7 - - [02/Jan/2024:03:04:05 +0000] "GET /index.php?id=12&page=about HTTP/1.1" 200 5123 "https://example.org/" "Mozilla/5.0 (X11; Linux x86_64)"`)}
	e.AddText(event.URL, "/index.php?id=12&page=about")
	b.SetBytes(int64(len(e.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		f.Observe(&e)
	}
}
