// Package servicelog reads the logs of services that no other member knows, for what an intruder's request leaves in any of them: commands that a shell is
// to run, code that starts programs, and the answers of such commands. It understands no service's words, and tells nothing else.
package servicelog

import (
	"bytes"
	"context"
	"iter"
	"path"
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "service-log", Doc: "what looks like orders to a shell in the logs of services of any kind", Spec: "id(1) of coreutils; java.lang.Runtime; the logs of Solr, Elasticsearch, Salt, Hadoop and CouchDB as their makers document them",
		Files: []string{
			"/var/log/{salt,solr,elasticsearch,opensearch,hadoop*,yarn,couchdb,nexus,jenkins,activemq,openfire,airflow,ray,ollama,jupyter,kibana,logstash,nodejs,pm2,kubernetes,kube-apiserver,apiserver}/**", "/var/log/kube*audit*.log",
			"/var/log/gitlab/gitlab-workhorse/*", "/var/{solr,couchdb,nexus}/{log,logs}/*", "/var/lib/*/{log,logs}/*.{log,out}", "/{opt,srv}/*/{log,logs,data}/*.{log,out}", "/{home/*,root}/.pm2/logs/*.log",
			"!**/{catalina,localhost,manager,host-manager}*", "!**/*access*", "!**/*.gz", "!**/*_gc.log*", "!/opt/zimbra/**", "!/opt/gitlab/**",
		},
		Log: true, Parse: parse, Kinds: []event.Kind{event.ProgramSaid},
	}
}

// marks are words of which one stands in every line that is told.
var marks = [][]byte{[]byte(" gid="), []byte("curl"), []byte("wget"), []byte("java.lang.Runtime"), []byte("ProcessBuilder"), []byte("base64"), []byte("dr.who"), []byte(`"system:anonymous"`), []byte("_config/query_servers"), []byte("/dev/tcp/")}

// maxMessage bounds what is told of a line, in bytes.
const maxMessage = 2000

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		name := service(in.Path)
		var e event.Event
		var at evidence.Time
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			if stamp, ok := stamped(in.Clock, t); ok {
				at = stamp
			}
			in.Seen.Record(at)
			if !marked(t) {
				continue
			}
			e.Reset(event.ProgramSaid)
			e.At, e.Ref, e.Raw = at, ref, t // a line without a stamp goes on what the one above began
			e.AddText(event.ServiceName, name)
			e.Add(event.SourceIP, client(t))
			e.Add(event.Message, t[:min(len(t), maxMessage)])
			if !yield(e, nil) {
				return
			}
		}
	}
}

func marked(t []byte) bool {
	for _, m := range marks {
		if bytes.Contains(t, m) {
			return true
		}
	}
	return false
}

// stamped reads the time at a line's beginning, in brackets or not, or behind "time":" in an object.
func stamped(c *logclock.Clock, t []byte) (evidence.Time, bool) {
	t = bytes.TrimLeft(t, " [")
	if len(t) > 0 && t[0] == '{' {
		for _, name := range []string{`requestReceivedTimestamp":"`, `time":"`} {
			if i := bytes.Index(t, []byte(name)); i >= 0 {
				at, n := c.ISO(t[i+len(name):])
				return at, n > 0
			}
		}
		return evidence.Time{}, false
	}
	if at, n := c.ISO(t); n > 0 {
		return at, true
	}
	at, n := rfc1123(t)
	return at, n
}

// rfc1123 reads "Sat, 03 Jun 2023 06:39:10 GMT".
func rfc1123(t []byte) (evidence.Time, bool) {
	const form = "Sat, 03 Jun 2023 06:39:10 GMT"
	if len(t) < len(form) || t[3] != ',' || string(t[26:29]) != "GMT" {
		return evidence.Time{}, false
	}
	day, year := logclock.Digits(t[5:7]), logclock.Digits(t[12:16])
	h, m, s := logclock.Digits(t[17:19]), logclock.Digits(t[20:22]), logclock.Digits(t[23:25])
	month := logclock.Month(t[8:11])
	if min(day, year, h, m, s) < 0 || month == 0 {
		return evidence.Time{}, false
	}
	return logclock.Offset(year, month, day, h, m, s, 0, 0, 1e9)
}

// client gives the address that a line names, where it names one alone and not as a place to fetch from: which of several is whose, only the service knows.
func client(t []byte) (found []byte) {
	for i := 0; i < len(t); {
		n := len(said.Number(t[i:]))
		if n == 0 || i > 0 && (t[i-1] == '.' || t[i-1] >= 'a' && t[i-1] <= 'z') {
			i += max(n, 1)
			continue
		}
		end := i
		for end < len(t) && (t[end] == '.' || t[end] >= '0' && t[end] <= '9') {
			end++
		}
		if a := said.Address(bytes.TrimRight(t[i:end], ".")); a != nil && !fetched(t[:i]) && string(a) != "127.0.0.1" && string(a) != "0.0.0.0" && !bytes.Equal(a, found) {
			if found != nil {
				return nil
			}
			found = a
		}
		i = end
	}
	return found
}

// fetched tells by what stands before an address that something is to be fetched from there.
func fetched(before []byte) bool {
	tail := string(bytes.TrimRight(before[max(0, len(before)-24):], "'\" +"))
	return strings.HasSuffix(tail, "http://") || strings.HasSuffix(tail, "https://") || strings.HasSuffix(tail, "ftp://") || strings.HasSuffix(tail, "/dev/tcp/") || strings.HasSuffix(tail, "curl") || strings.HasSuffix(tail, "wget") || strings.HasSuffix(tail, "-s") || strings.HasSuffix(tail, "-O-") || strings.HasSuffix(tail, "-q")
}

// service names the service by the folder of its log.
func service(p string) string {
	dirs := strings.Split(strings.Trim(path.Dir(p), "/"), "/")
	for i := len(dirs) - 1; i >= 0; i-- {
		switch d := strings.TrimPrefix(dirs[i], "."); d {
		case "log", "logs", "data", "var", "lib", "opt", "srv", "home", "root", "":
		case "pm2":
			return "node"
		default:
			return d
		}
	}
	return strings.TrimSuffix(path.Base(p), path.Ext(p))
}
