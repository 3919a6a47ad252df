// Package accesslog reads the access logs of web servers: common, combined and vhost_combined, told
// line by line, and any LogFormat (Apache) or log_format (nginx) that the server's configuration names.
// Strings stay as the server escaped them: \" and \x22 for a quote.
package accesslog

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "accesslog", Doc: "requests to the web server",
		Spec: "Apache 2.4 mod_log_config, server/util.c (ap_escape_logitem); nginx ngx_http_log_module; lighttpd mod_accesslog; the Common Logfile Format of the W3C",
		Files: []string{
			"/var/webmin/miniserv.log", "/var/usermin/miniserv.log", "/var/log/{webmin,usermin}/miniserv.log",
			"/var/log/{apache2,httpd,apache,apache-ssl,nginx,lighttpd}/*access*", "/var/log/{apache2,httpd,apache}/*{request,transfer,custom,combined}_log",
			"/var/log/apache2/other_vhosts_access.log", "/var/log/{nginx,apache2,httpd}/*/*access*", "/var/log/{ispconfig/httpd,virtualmin}/**/*access*",
			"/var/www/**/{log,logs}/*access*", "/srv/www/**/{log,logs}/*access*", "/home/*/{log,logs,access-logs}/*access*",
			"/usr/local/apache*/logs/*access*", "/usr/local/nginx/logs/*access*", "{accesslog}",
			"/opt/{tomcat*,apache-tomcat*}/logs/*access*", "/opt/{tomcat*,apache-tomcat*}/*/logs/*access*", "/{usr/share,usr/local,var/lib,srv}/{tomcat*,apache-tomcat*}/logs/*access*",
			"/home/*/{tomcat*,apache-tomcat*}/logs/*access*", "/var/log/tomcat*/*access*",
			// cPanel: a log is named by its site alone, beside what counts bytes and places. Its archives are in the accounts' homes, a month in each.
			"/var/log/{apache2,httpd,nginx}/domlogs/**", "/usr/local/apache/domlogs/**", "/etc/apache2/logs/domlogs/**", "/home/*/access-logs/*",
			"/home/*/logs/*-{Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec}-20*", "!**/{domlogs,access-logs}/**/*{-bytes_log,.offset,.bkup,ftpxferlog,-ftp_log}*", "!/home/*/logs/*-ftp_log-*",
			// Application servers, forges and panels that bring a web server of their own.
			"/{opt,u01,usr/local}/**/{log,logs}/*access*", "/{opt,usr/local,var/log,var/lib}/**/{jetty-request,*.request}.log", // Jetty's own name: yyyy_mm_dd.request.log
			"/opt/zimbra/log/{access_log,nginx.access}*", "/var/log/gitlab/nginx/*access*", "!/usr/local/cpanel/**",
			// Plesk, HestiaCP and VestaCP.
			"/usr/local/psa/admin/logs/*access*", "/var/log/{plesk,sw-cp-server}/*access*", "/var/log/{apache2,httpd,nginx}/domains/*.log", "!/var/log/*/domains/*.error.log*",
		},
		Log: true, Sniff: sniff, Parse: parse, Kinds: []event.Kind{event.HTTPRequest},
	}
}

// sniffed is how many lines Sniff looks at.
const sniffed = 20

func sniff(head []byte) bool {
	n, good := 0, 0
	var e event.Event
	for len(head) > 0 && n < sniffed {
		line, rest, whole := bytes.Cut(head, []byte("\n"))
		if !whole && n > 0 {
			break // the head may end within a line
		}
		head = rest
		n++
		e.Reset(event.HTTPRequest)
		if fixed(bytes.TrimRight(line, "\r"), &e) && (e.Get(event.HTTPVersion) != nil || e.Get(event.HTTPMethod) == nil || e.Get(event.URLDomain) != nil && line[0] == '[') {
			good++ // without a version: the log of Pure-FTPd's transfers looks so
		}
	}
	return good*2 > n
}

// unread is what a line of no known form counts as.
var unread = []byte("access line")

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		configured := compile(format(in), in.Clock)
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			if !read(configured, t, &e) {
				in.Seen.Unknown(unread)
				continue
			}
			e.Ref, e.Raw = ref, t
			in.Seen.Record(e.At)
			if !yield(e, nil) {
				return
			}
		}
	}
}

// read tries the configured format, then the fixed ones: a log may be older than its configuration.
func read(configured *layout, t []byte, e *event.Event) bool {
	if configured != nil {
		e.Reset(event.HTTPRequest)
		if configured.read(t, e) {
			return true
		}
	}
	e.Reset(event.HTTPRequest)
	return fixed(t, e)
}

// format gives the format that the configuration sets for a log or for the log that this one is a rotation of.
func format(in *artifact.Input) string {
	if in.Host == nil {
		return ""
	}
	for n := len(in.Path); n > 0; n-- {
		if x, ok := in.Host.AccessFormats[in.Path[:n]]; ok && rotation(in.Path[n:]) {
			return x.Format
		}
		if in.Path[n-1] == '/' {
			break
		}
	}
	return ""
}

// rotation tells whether s is what rotating a log adds to its name: "", ".1", "-20240131", ".2.gz", ".old".
func rotation(s string) bool {
	for s != "" {
		if s[0] != '.' && s[0] != '-' && s[0] != '_' {
			return false
		}
		n := 1
		for n < len(s) && s[n] != '.' && s[n] != '-' && s[n] != '_' {
			n++
		}
		switch w := s[1:n]; w {
		case "gz", "bz2", "xz", "zst", "lz4", "Z", "old", "save", "log":
		default:
			if !number([]byte(w)) {
				return false
			}
		}
		s = s[n:]
	}
	return true
}
