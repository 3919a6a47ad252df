package accesslog_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"telltale/artifact"
	"telltale/artifact/accesslog"
	"telltale/artifact/artifacttest"
	"telltale/event"
	"telltale/internal/golden"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, accesslog.New()) }

// parse gives the events of text as lines, read as the file at path of a host with these formats.
func parse(t testing.TB, path, text string, formats map[string]string) string {
	in := artifacttest.Input([]byte(text))
	in.Path = path
	in.Host.AccessFormats = map[string]artifact.AccessFormat{}
	for p, f := range formats {
		in.Host.AccessFormats[p] = artifact.AccessFormat{Format: f}
	}
	return string(artifacttest.Run(t, accesslog.New(), in))
}

const at = "2024-07-09T13:55:36Z"

func TestConfiguredFormats(t *testing.T) {
	for _, tc := range []struct{ breaks, format, line, want string }{
		{"a field before the client", `%v %h %l %u %t "%r" %>s %b`, `www.example.org 203.0.113.9 - bob [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200 5`,
			at + " url.domain=www.example.org source.ip=203.0.113.9 user.name=bob http.request.method=GET url.original=/ http.version=1.1 http.response.status_code=200 http.response.body.bytes=5 "},
		{"the last proxy's word where the peer is not logged", `%{X-Forwarded-For}i %l %u %t "%r" %>s %b`, `198.51.100.1, 203.0.113.9 - - [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200 5`,
			at + " source.ip=203.0.113.9 http"},
		{"the peer goes before what it says", `%{X-Forwarded-For}i %h %t "%r" %>s`, `198.51.100.1, 203.0.113.5 203.0.113.9 [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200`,
			at + " source.ip=203.0.113.9 http"},
		{"an own proxy's word goes before its own address", `%h %{X-Forwarded-For}i %t "%r" %>s`, `10.0.0.9 198.51.100.1, 203.0.113.5 [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200`,
			at + " source.ip=203.0.113.5 http"},
		{"an own proxy that stands behind the list", `%{X-Forwarded-For}i %h %t "%r" %>s`, `203.0.113.5 10.0.0.9 [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200`,
			at + " source.ip=203.0.113.5 http"},
		{"the peer goes before what it says", `%{X-Forwarded-For}i %h %t "%r" %>s`, `198.51.100.1 203.0.113.9 [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200`,
			at + " source.ip=203.0.113.9 http"},
		{"time spent in seconds", `$remote_addr [$time_iso8601] "$request" $status $request_time`, `203.0.113.9 [2024-07-09T13:55:36+00:00] "GET / HTTP/1.1" 200 1.25`,
			"http.response.status_code=200 http.duration_us=1250000 "},
		{"time counted from 1970", `$msec $remote_addr "$request_method $request_uri" ${status}`, `1720533336.123 203.0.113.9 "GET /a?b" 404`,
			"2024-07-09T13:55:36.123Z source.ip=203.0.113.9 http.request.method=GET url.original=/a?b http.response.status_code=404 "},
		{"json", `{"t":"$time_iso8601","ip":"$remote_addr","r":"$request","s":$status,"ua":"$http_user_agent"}`, `{"t":"2024-07-09T13:55:36Z","ip":"203.0.113.9","r":"GET /\" HTTP/1.1","s":200,"ua":"a\",\"x"}`,
			`url.original="/\\\"" http.version=1.1 http.response.status_code=200 user_agent.original="a\\\",\\\"x" `},
		{"final status, body bytes", `%h %t "%r" %s %>s %O %b`, `203.0.113.9 [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200 500 900 7`,
			"http.response.status_code=500 http.response.body.bytes=7 "},
		{"path and query apart", `%h %t %m "%U%q" %>s`, `203.0.113.9 [09/Jul/2024:13:55:36 +0000] GET "/a?b=c d" 200`,
			`http.request.method=GET url.original="/a?b=c d" http.response.status_code=200 `},
		{"a bare request", `%h %t %r %>s`, `203.0.113.9 [09/Jul/2024:13:55:36 +0000] GET /a b HTTP/1.1 200`,
			`url.original="/a b" http.version=1.1 http.response.status_code=200 `},
		{"a user with blanks", `%h %l %u %t "%r" %>s %b %D`, `203.0.113.9 - a b c [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 401 5 77`,
			`user.name="a b c" http.request.method=GET url.original=/ http.version=1.1 http.response.status_code=401 http.response.body.bytes=5 http.duration_us=77 `},
		{"a user who tells a request", `%h %l %u %t "%r" %>s %b %D`, `203.0.113.9 - x [01/Jan/2001:00:00:00 +0000] \"GET /fake HTTP/1.1\" 200 1 1 [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 401 5 77`,
			"url.original=/ http.version=1.1 http.response.status_code=401 http.response.body.bytes=5 http.duration_us=77 "},
		{"lines older than the format", `%h %t "%r" %>s`, `203.0.113.9 - - [09/Jul/2024:13:55:36 +0000] "GET /old HTTP/1.1" 200 5 "-" "curl/8"`,
			"url.original=/old http.version=1.1 http.response.status_code=200 http.response.body.bytes=5 user_agent.original=curl/8 "},
		{"no format", `%`, `203.0.113.9 - - [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200 5`, at + " source.ip=203.0.113.9 "},
	} {
		got := parse(t, "/var/log/x/access.log.2.gz", tc.line+"\n", map[string]string{"/var/log/x/access.log": tc.format, "/var/log/x/access.lo": "%r"})
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s:\n got %swant %s", tc.breaks, got, tc.want)
		}
	}
}

// What stands in logs whose configuration is not at hand.
func TestProxies(t *testing.T) {
	const behind = ` - - [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"`
	for _, tc := range []struct{ breaks, line, want string }{
		{"a list in the client's place", `198.51.100.1, 203.0.113.9` + behind, "source.ip=203.0.113.9 http"},
		{"a quoted list before the peer", `"198.51.100.1, 203.0.113.9" 10.2.1.185` + behind, "source.ip=203.0.113.9 http"},
		{"a list behind the site", `www.example.org 198.51.100.1, 203.0.113.9` + behind, "url.domain=www.example.org source.ip=203.0.113.9 http"},
		{"a quoted list behind site and port", `www.example.org:80 "198.51.100.1, 203.0.113.9" 10.2.1.185` + behind, "url.domain=www.example.org source.ip=203.0.113.9 http"},
		{"two own proxies", `203.0.113.9, 10.225.192.17 10.2.2.121` + behind, "source.ip=203.0.113.9 http"},
		{"a client of the local network", `10.0.0.2, 10.0.0.1, 127.0.0.1` + behind, "source.ip=10.0.0.2 http"},
		{"a list before a foreign peer", `198.51.100.1, 198.51.100.2 203.0.113.9` + behind, "source.ip=203.0.113.9 http"},
		{"nginx's own form behind a proxy", `10.0.0.9` + behind + ` "192.0.2.66, 203.0.113.9"`, "source.ip=203.0.113.9 http"},
		{"nginx's own form, the header sent by a stranger", `203.0.113.9` + behind + ` "192.0.2.66"`, "source.ip=203.0.113.9 http"},
		{"nginx's own form without a proxy", `10.0.0.9` + behind + ` "-"`, "source.ip=10.0.0.9 http"},
		{"words for an address", `10.0.0.9` + behind + ` "unknown, \"x"`, "source.ip=10.0.0.9 http"},
	} {
		if got := parse(t, "/var/log/x/access.log", tc.line+"\n", nil); !strings.Contains(got, " "+tc.want) || strings.Count(got, "source.") != 1 || !strings.Contains(got, "user_agent.original=curl/8") {
			t.Errorf("%s:\n got %swant %s", tc.breaks, got, tc.want)
		}
	}
}

func TestConfiguredFiles(t *testing.T) {
	for name, format := range map[string]string{
		"apache-configured": `%v|%h|%t|"%r"|%>s|%O|%b|"%{Referer}i"|"%{User-Agent}i"|%{X-Forwarded-For}i`,
		"nginx-configured":  `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time "$host"`,
	} {
		b, err := os.ReadFile("testdata/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, "testdata/"+name+".golden", []byte(parse(t, "/l", string(b), map[string]string{"/l": format})))
	}
}

func TestLostWritesAreTold(t *testing.T) {
	line := `203.0.113.9 - - [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200 5`
	got := parse(t, "/l", "203.0.113\x00\x00\x00\x00\x00\x00\x00\x00"+line+"\n"+line+" \"-\" \""+strings.Repeat("x", 2<<20)+"\"\n"+line+"\n", nil)
	for _, want := range []string{"damage \"NUL bytes", "status_code=200 http.response.body.bytes=5 @17+67 line 1", "damage \"a line longer", "line 2\nhttp-request", "line 3\nseen 3 records, 0 unparsed"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func TestSniff(t *testing.T) {
	b, err := os.ReadFile("testdata/combined.log")
	if err != nil {
		t.Fatal(err)
	}
	if sniff := accesslog.New().Sniff; !sniff(b) || sniff(nil) || sniff([]byte("Jul  9 01:02:03 host sshd[1]: x \"y\"\n")) {
		t.Error("an access log is not told from others")
	}
}

func FuzzParse(f *testing.F) {
	artifacttest.Fuzz(f, accesslog.New, "203.0.113.9 - x [01/Jan/2001:00:00:00 +0000] \\\"")
}

// FuzzFormat gives hostile formats hostile lines.
func FuzzFormat(f *testing.F) {
	f.Add(`%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D %{ms}T`, `a:80 203.0.113.9 - u [09/Jul/2024:13:55:36 +0000] "GET / HTTP/1.1" 200 5 "-" "-" 1 2`)
	f.Add(`{"t":"$time_iso8601","ip":"${remote_addr}","r":"$request",$msec}`, `{"t":"2024-07-09T13:55:36Z","ip":"203.0.113.9","r":"GET /",1.5}`)
	f.Fuzz(func(t *testing.T, format, line string) { parse(t, "/l", line, map[string]string{"/l": format}) })
}

func benchmark(b *testing.B, format string) {
	line := `203.0.113.9 - - [09/Jul/2024:13:55:36 +0000] "GET /index.php?id=1 HTTP/1.1" 200 5123 "https://www.example.org/" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"` + "\n"
	data := bytes.Repeat([]byte(line), 20000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		in := artifacttest.Input(data)
		in.Path = "/l"
		in.Host.AccessFormats = map[string]artifact.AccessFormat{"/l": {Format: format}}
		n := 0
		for e, err := range accesslog.New().Parse(context.Background(), in) {
			if err == nil && e.Kind == event.HTTPRequest {
				n++
			}
		}
		if n != 20000 {
			b.Fatal(n)
		}
	}
}

func BenchmarkFixed(b *testing.B) { benchmark(b, "") }
func BenchmarkConfigured(b *testing.B) {
	benchmark(b, `%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"`)
}
