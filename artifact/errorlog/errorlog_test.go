package errorlog_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/errorlog"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, errorlog.New()) }

func parse(t *testing.T, path, text string) string {
	in := artifacttest.Input([]byte(text))
	in.Path = path
	return string(artifacttest.Run(t, errorlog.New(), in))
}

func TestBareLines(t *testing.T) {
	stamped := "[Tue Jul 09 13:55:36 2024] [notice] x\n"
	for _, tc := range []struct{ breaks, path, in, want string }{
		{"an application's log", "/var/www/a/logs/error.log", "ERROR wget failed\n", "seen 0 records, 1 unparsed error line=1\n"},
		{"a server's log by its lines", "/var/www/a/logs/error.log", stamped + "sh: 1: x: not found\n", `child-output 2024-07-09T13:55:36Z message="sh: 1: x: not found"`},
		{"a server's log by its place", "/var/log/apache2/error.log.1", "sh: 1: x: not found\n" + stamped, `child-output - message="sh: 1: x: not found"`},
		{"WordPress's log", "/var/www/a/wp-content/debug.log", "[02-Jan-2024 03:04:05 UTC] PHP Fatal error:  Uncaught Error in /x.php:3\nStack trace:\n#0 {main}\n  thrown in /x.php on line 3\nx\n", "seen 1 records, 1 unparsed error line=1\n"},
		{"a client's line, quoted by libxml2", "/var/log/apache2/error.log", stamped + "body.xml:1: parser error : Start tag expected\nwget: not found\n^\n", `http-error 2024-07-09T13:55:36Z message="wget: not found"`},
		{"a child behind what libxml2 quoted", "/var/log/apache2/error.log", stamped + "Entity: line 1: parser error : x\n<a\n^\nsh: 1: x: not found\n", `child-output 2024-07-09T13:55:36Z message="sh: 1: x: not found"`},
		{"NUL bytes that a client sent", "/var/log/nginx/error.log", "2026/11/25 15:18:12 [info] 1#1: *19 client sent invalid method while reading client request line, client: 203.0.113.66, server: x, request: \"\x16\x03\x00\x00sh: 1: x\"\n", "seen 1 records, 0 unparsed"},
		{"a lost write", "/var/log/httpd/error_log", "\x00\x00\x00" + stamped, "log.level=notice message=x @3+37 line 1"},
		{"a long line", "/var/log/httpd/error_log", strings.Repeat("x", 2<<20) + "\n" + stamped, "log.level=notice message=x @2097153+37 line 2"},
	} {
		if got := parse(t, tc.path, tc.in); !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q is missing in\n%.500s", tc.breaks, tc.want, got)
		}
	}
}

func TestSniff(t *testing.T) {
	sniff := errorlog.New().Sniff
	if !sniff([]byte("[Tue Jul 09 13:55:36 2024] [notice] x\nsh: 1: x\n[Tue Jul 09 13:55:36 2024] [notice] y\n")) || sniff(nil) || sniff([]byte("Jul  9 01:02:03 host sshd[1]: x\n")) {
		t.Error("an error log is not told from others")
	}
}

// TestWhoseLine: what applications and rsync write begins much as a server's line.
func TestWhoseLine(t *testing.T) {
	for line, want := range map[string]bool{
		"[2024-07-09 13:55:36.123456] [core:error] [pid 12] x":                   true,
		"[2024-07-09 13:55:36.123456] [error] [client 203.0.113.9] x":            true,
		"[2024-07-09 13:55:36.123456] [-:error] [pid 12] x":                      true,
		"[2024-07-09 13:55:36,123] [INFO] [app.auth] Login failed":               false,
		"[2024-07-09 13:55:36] [info] 12:11:24.051 [http-nio-1] WARN  o.x - y":   false,
		"2024/07/09 13:55:36 [error] 12#12: *1 x, client: 203.0.113.9":           true,
		"2024/07/09 13:55:36 [4711] auth failed on module data from unknown (x)": false,
	} {
		if errorlog.New().Sniff([]byte(line+"\n")) != want {
			t.Errorf("%s: %v", line, !want)
		}
	}
}

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, errorlog.New) }

func BenchmarkParse(b *testing.B) {
	data := bytes.Repeat([]byte("[Tue Jul 09 13:55:39.000001 2024] [cgi:error] [pid 812] [client 203.0.113.9:51236] AH01215: /bin/sh: 1: wgett: not found: /usr/lib/cgi-bin/x.cgi\n"), 10000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for range errorlog.New().Parse(context.Background(), artifacttest.Input(data)) {
		}
	}
}
