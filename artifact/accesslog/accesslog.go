// Package accesslog reads the access logs of web servers: common, combined and vhost_combined, told
// line by line, and any LogFormat (Apache) or log_format (nginx) that the server's configuration names.
package accesslog

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/lines"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "accesslog", Doc: "requests to the web server", Spec: "Apache 2.4 mod_log_config; nginx ngx_http_log_module; the Common Logfile Format of the W3C",
		Files: []string{
			"/var/log/{apache2,httpd,apache,apache-ssl,nginx,lighttpd}/*access*", "/var/log/{httpd,apache2,apache}/*access_log", "/var/log/apache2/other_vhosts_access.log",
			"/var/www/**/{log,logs}/*access*", "/home/*/{log,logs,access-logs}/*access*", "/usr/local/apache*/logs/*access*", "/usr/local/nginx/logs/*access*", "{accesslog}",
		},
		Log: true, Sniff: sniff, Parse: parse, Kinds: []event.Kind{event.HTTPRequest},
	}
}

func sniff(head []byte) bool {
	n, good := 0, 0
	var e event.Event
	for line := range bytes.Lines(head) {
		if n++; n > 20 {
			break
		}
		e.Reset(event.HTTPRequest)
		if fixed(bytes.TrimRight(line, "\r\n"), &e) {
			good++
		}
	}
	return n > 0 && good*2 > n
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		configured := compile(format(in))
		var e event.Event
		lr := lines.NewReader(in.R)
		for l, ok := lr.Next(); ok; l, ok = lr.Next() {
			if l.Num%4096 == 0 && ctx.Err() != nil {
				return
			}
			t := l.Text
			ref := in.Ref
			ref.Off, ref.Len, ref.Line = l.Off, l.Len, l.Num
			if i := bytes.IndexByte(t, 0); i >= 0 || l.Cut {
				why := "a line longer than is kept: its end was passed over"
				if i >= 0 {
					why = "NUL bytes in a log: the disk lost a write there, or somebody overwrote it"
					t = bytes.Trim(t, "\x00")
				}
				if !yield(event.Event{}, &evidence.Damage{Ref: ref, Reason: why}) {
					return
				}
			}
			if len(t) == 0 {
				continue
			}
			e.Reset(event.HTTPRequest)
			if !(configured != nil && configured.read(t, &e)) {
				e.Reset(event.HTTPRequest)
				if !fixed(t, &e) {
					in.Seen.Unknown([]byte("(no access line)"))
					continue
				}
			}
			e.Ref, e.Raw = ref, t
			in.Seen.Record(e.At)
			if !yield(e, nil) {
				return
			}
		}
		if err := lr.Err(); err != nil && ctx.Err() == nil {
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: err.Error()})
		}
	}
}

// format gives the format that the configuration sets for a log; a rotated one bears its log's name in front.
func format(in *artifact.Input) string {
	if in.Host == nil {
		return ""
	}
	best := ""
	f := ""
	for p, x := range in.Host.AccessFormats {
		if len(p) > len(best) && len(in.Path) >= len(p) && in.Path[:len(p)] == p {
			best, f = p, x.Format
		}
	}
	return f
}
