// Package errorlog reads the error logs of apache, nginx and lighttpd, and those of PHP beside them. Besides
// the server's own words they hold what its children wrote to their stderr: the words of wget, curl and the
// shell there are proof that a request ran commands.
package errorlog

import (
	"bytes"
	"context"
	"iter"
	"strings"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "errorlog", Doc: "errors of the web server, and what its children wrote to stderr",
		Spec: "Apache 2.2 and 2.4 server/log.c (ErrorLogFormat); nginx 1.22 src/core/ngx_log.c, src/http/ngx_http_request.c (ngx_http_log_error); lighttpd 1.4 log.c; OpenLiteSpeed 1.7 src/log4cxx; PHP 8 main/main.c (php_log_err)",
		Files: []string{
			"/var/log/{apache2,httpd,apache,apache-ssl,nginx,lighttpd}/*error*", "/var/log/{nginx,apache2,httpd}/*/*error*", "/var/log/{ispconfig/httpd,virtualmin}/**/*error*",
			"/var/www/**/{log,logs}/*error*", "/srv/www/**/{log,logs}/*error*", "/home/*/{log,logs}/*error*", "/usr/local/apache*/logs/*error*", "/usr/local/nginx/logs/*error*", "{errorlog}",
			"/usr/local/psa/admin/logs/*error*", "/var/log/{plesk,sw-cp-server}/*error*", "/usr/local/lsws/{logs,admin/logs}/{*error*,*stderr*}",
			// PHP's own, in each directory that a script ran in, and WordPress's.
			"{webroot}/**/{*error_log,*php_errorlog,*php_errors.log}", "{webroot}/**/wp-content/debug*.log", "{home}/public_html/**/{*error_log,*php_errorlog,*php_errors.log}", "{home}/public_html/**/wp-content/debug*.log",
		},
		Log: true, Sniff: sniff, Parse: parse, Kinds: []event.Kind{event.HTTPError, event.ChildOutput, event.ServiceStarted, event.AlarmRaised, event.AuthFailed, event.AuthAccepted},
	}
}

// Syslog gives the artefact of what apache sends to syslog ("ErrorLog syslog:").
func Syslog() *artifact.Artifact {
	return &artifact.Artifact{Name: "errorlog-syslog", Doc: "errors of apache that go to syslog", Spec: "Apache 2.2 and 2.4 server/log.c (ErrorLog syslog)",
		Programs: []string{"httpd", "httpd/", "apache2", "apache2/", "nginx"}, Decode: decode, Kinds: []event.Kind{event.HTTPError, event.ChildOutput, event.ServiceStarted, event.AlarmRaised}}
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t, form := m.Text, apacheLine
	if s, _, rest := stamp(&logclock.Clock{}, t); s == nginxLine && string(m.Program) == "nginx" {
		t, form = rest, nginxLine // it writes its own stamp, too
	} else if len(t) == 0 || t[0] != '[' {
		return false
	}
	e := m.Event(event.HTTPError)
	at, ref, raw := e.At, e.Ref, e.Raw
	fill(e, form, t)
	e.At, e.Ref, e.Raw = at, ref, raw
	yield(e)
	return true
}

// sniffed is how many lines Sniff looks at.
const sniffed = 20

func sniff(head []byte) bool {
	n, good := 0, 0
	c := &logclock.Clock{}
	for line := range bytes.Lines(head) {
		if n++; n > sniffed {
			break
		}
		if s, _, _ := stamp(c, line); s != bare && s != php {
			good++
		}
	}
	return n > 0 && good*2 > n
}

// childStep is how wrong the time of a child's line may be. It has none of its own: it lies behind the stamped
// line before it, by more than this if the server was quiet, and before the next one.
const childStep = time.Hour

// trace begins the lines behind one of PHP's errors that show where it came from.
var trace = []string{"Stack trace:", "#", "  thrown in ", "PHP Stack trace:", "PHP   "}

// unread is what a bare line counts as in a file that has not shown yet that a web server writes it.
var unread = []byte("error line")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		var last evidence.Time
		var shake handshake
		servers, customers, quoted := ofServer(in.Path), ofCustomer(in.Path), 0
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			server, at, rest := stamp(in.Clock, t)
			if server == bare {
				if !servers {
					if !last.Known() || !said.BeginsAny(t, trace) {
						in.Seen.Unknown(unread)
					}
					continue
				}
				if at = last; at.Known() {
					at.Step = childStep
				}
			} else {
				servers = servers || server != php
				last = at
			}
			in.Seen.Record(last)
			fill(&e, server, rest)
			if server == apacheLine {
				shake.line(&e)
			}
			if quoted = max(quoted-1, 0); server != bare {
				quoted = 0
			} else if ofXML(t) {
				quoted = 3
			}
			if quoted > 0 || customers && (e.Kind == event.AuthAccepted || e.Kind == event.AuthFailed) {
				e.Kind = event.HTTPError
			}
			e.At, e.Ref, e.Raw = at, ref, t
			if !yield(e, nil) {
				return
			}
		}
	}
}

// ofServer tells a log by its place to be the server's own, so that a bare line in it is a child's. Elsewhere
// applications may write error logs of their own.
func ofServer(path string) bool {
	d, ok := strings.CutPrefix(path, "/var/log/")
	d, _, _ = strings.Cut(d, "/")
	return ok && (d == "apache2" || d == "httpd" || d == "apache" || d == "apache-ssl" || d == "nginx" || d == "lighttpd") && !strings.Contains(path, "php")
}

// ofCustomer tells a log that lies where a site's owner or its scripts may write: no line of it is a login, whatever it looks like.
func ofCustomer(path string) bool {
	return said.BeginsAny([]byte(path), []string{"/home/", "/home2/", "/var/www/", "/srv/", "/root/"}) || strings.Contains(path, "public_html") || strings.Contains(path, "htdocs") || strings.Contains(path, "httpdocs")
}

// server is whose form a line has.
type server uint8

const (
	bare server = iota // no stamp: somebody wrote to the server's stderr
	apacheLine
	nginxLine
	lighttpdLine
	litespeedLine
	php
)

// stamp reads "[Www Mon dd hh:mm:ss.us yyyy] " and "[yyyy-mm-dd hh:mm:ss.us] [" (apache), "yyyy/mm/dd hh:mm:ss " (nginx),
// "yyyy-mm-dd hh:mm:ss: (" (lighttpd), "yyyy-mm-dd hh:mm:ss.uuuuuu [LEVEL] [pid] " (LiteSpeed), "[dd-Mon-yyyy hh:mm:ss Zone] " (PHP). rest is behind it, or the whole of a bare line.
func stamp(c *logclock.Clock, t []byte) (s server, at evidence.Time, rest []byte) {
	if len(t) < 22 {
		return bare, at, t
	}
	if t[0] == '[' {
		return bracketed(c, t)
	}
	if t[4] == '/' && t[7] == '/' && t[10] == ' ' && t[13] == ':' && t[16] == ':' && t[19] == ' ' && !(t[20] == '[' && t[21] >= '0' && t[21] <= '9') { // rsync's has a process number there
		at, ok := c.Local(logclock.Digits(t[:4]), time.Month(logclock.Digits(t[5:7])), logclock.Digits(t[8:10]),
			logclock.Digits(t[11:13]), logclock.Digits(t[14:16]), logclock.Digits(t[17:19]), 0, time.Second)
		if ok {
			return nginxLine, at, t[20:]
		}
	}
	switch at, n := c.ISO(t); {
	case n == 19 && (string(t[n:n+3]) == ": (" || bytes.HasPrefix(t[n:], []byte(": mod_"))): // one release lost the parenthesis
		return lighttpdLine, at, t[n+2:]
	case n == 26 && litespeedFrame(t[n:]):
		return litespeedLine, at, t[n+1:]
	}
	return bare, at, t
}

// ofApache tells by what stands behind a stamp in brackets, "] [mod:lvl] " or "] [lvl] [", that apache wrote it: applications write "] [INFO] " and "] [info] text".
func ofApache(t []byte) bool {
	rest, ok := said.Rest(t, "] [")
	field, behind, ok2 := said.Cut(rest, "]")
	if !ok || !ok2 || len(field) == 0 || field[0] < 'a' || field[0] > 'z' && field[0] != '_' {
		return ok && ok2 && bytes.HasPrefix(field, []byte("-:")) // no module
	}
	return bytes.IndexByte(field, ':') > 0 || bytes.HasPrefix(behind, []byte(" ["))
}

func bracketed(c *logclock.Clock, t []byte) (s server, at evidence.Time, rest []byte) {
	at, n := c.Asctime(t[1:])
	if n == 0 {
		if at, n = c.ISO(t[1:]); n > 0 && !ofApache(t[1+n:]) {
			n = 0 // an application's
		}
	}
	if n > 0 && 1+n < len(t) && t[1+n] == ']' {
		return apacheLine, at, bytes.TrimLeft(t[n+2:], " ")
	}
	if i := bytes.IndexByte(t[:min(len(t), 64)], ']'); i >= 21 && t[3] == '-' && t[7] == '-' && t[12] == ' ' && t[15] == ':' && t[18] == ':' {
		year, month, day := logclock.Digits(t[8:12]), logclock.Month(t[4:7]), logclock.Digits(t[1:3])
		h, m, sec := logclock.Digits(t[13:15]), logclock.Digits(t[16:18]), logclock.Digits(t[19:21])
		var ok bool
		if zone := string(t[21:i]); zone == " UTC" || zone == " GMT" {
			at, ok = logclock.Offset(year, month, day, h, m, sec, 0, 0, time.Second)
		} else { // PHP's date.timezone: mostly the host's
			at, ok = c.Local(year, month, day, h, m, sec, 0, time.Second)
		}
		if ok {
			return php, at, bytes.TrimLeft(t[i+1:], " ")
		}
	}
	return bare, evidence.Time{}, t
}
