// Package servicelog reads the logs of services that no other member knows, and the messages of such programs, for what any of them may tell: commands that
// a shell is to run, code that starts programs, the answers of such commands, and who was refused or let in. It understands no service's grammar, and tells nothing else.
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
	r := newRefusals()
	return &artifact.Artifact{
		Name: "service-log", Doc: "what looks like orders to a shell, and who was refused or let in, in the logs of services of any kind", Spec: "id(1) of coreutils; java.lang.Runtime; the logs of Solr, Elasticsearch, Salt, Hadoop and CouchDB as their makers document them",
		Files: []string{
			"/var/log/{rabbitmq,ejabberd,prosody,artifactory,sonarqube,vaultwarden,paperless,radarr,sonarr,prowlarr,salt,solr,elasticsearch,opensearch,hadoop*,yarn,couchdb,nexus,jenkins,activemq,openfire,airflow,ray,ollama,jupyter,kibana,logstash,nodejs,pm2,kubernetes,kube-apiserver,apiserver}/**", "/var/log/kube*audit*.log",
			"/var/log/gitlab/gitlab-workhorse/*", "/var/{solr,couchdb,nexus}/{log,logs}/*", "/var/lib/*/{log,logs}/*.{log,out}", "/{opt,srv}/*/{log,logs,data}/*.{log,out}", "/{home/*,root}/.pm2/logs/*.log",
			"/root/{log,logs}/**", "/{home/*,root,opt,srv,data,usr/local}/**/{log,logs}/*.{log,out}", "!/home/*/{log,logs}/**", "!/usr/local/{psa,hestia,vesta,directadmin,cpanel,apache*,lsws,CyberCP,mgr5,cwpsrv,ispconfig,maldetect,nginx}/**", "/data/applogs/**/*.log", "/tmp/ray/session_*/logs/**", "/var/www/*/log/*.log", "/var/log/{pan,rocketmq*,minecraft,distccd*,consul,nomad,geth}/**", "/var/log/{distccd,minecraft}.log",
			"!**/{catalina,localhost,manager,host-manager}*", "!**/*access*", "!**/{jetty-request,*.request}.log", "!**/*.gz", "!**/*_gc.log*", "!/opt/zimbra/**", "!/opt/gitlab/**",
		},
		Log: true, Sniff: r.sniff, Parse: r.parse, Kinds: []event.Kind{event.ProgramSaid, event.AuthFailed, event.ConnectionSeen, event.AuthAccepted},
	}
}

// marks are words of which one stands in every line that is told.
var marks = [][]byte{[]byte(" gid="), []byte("curl"), []byte("wget"), []byte("java.lang.Runtime"), []byte("ProcessBuilder"), []byte("base64"), []byte("dr.who"), []byte(`"system:anonymous"`), []byte("_config/query_servers"), []byte("/dev/tcp/"), []byte("${jndi:"), []byte("${IFS}")}

// maxHead bounds what is kept of a line that others may go on, in bytes.
const maxHead = 500

// maxMessage bounds what is told of a line, in bytes.
const maxMessage = 2000

// sniff tells a log of any service by its first lines: one of them tells of a refusal, a login or an order, and has a time, or goes on one that has.
func (r *refusals) sniff(head []byte) bool {
	c := &logclock.Clock{Year: 2000}
	var above []byte // the last line with a time
	for t := range bytes.Lines(head) {
		t = bytes.TrimRight(t, "\r\n")
		_, ok := stamped(c, t)
		if ok {
			above = t
		} else if begins(t) {
			above = nil
		}
		_, _, told := r.find(t)
		if !told && !ok {
			_, _, told = r.goesOn(above, t)
		}
		if (told || marked(t)) && above != nil {
			return true
		}
	}
	return false
}

func (r *refusals) parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		name := service(in.Path)
		var e event.Event
		var at evidence.Time
		var head []byte // the beginning of the last line with a stamp, which those below it go on
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			if stamp, ok := stamped(in.Clock, t); ok {
				at, head = stamp, append(head[:0], t[:min(len(t), maxHead)]...)
			} else if begins(t) {
				at, head = evidence.Time{}, head[:0] // it has a time of its own, in a form that nobody can tell
			}
			in.Seen.Record(at)
			kind, from, told := r.find(t)
			if !told {
				kind, from, told = r.goesOn(head, t)
			}
			phone, letIn := registered(t)
			switch {
			case letIn:
				kind, from = event.ProgramSaid, phone
			case marked(t):
				kind, from = event.ProgramSaid, client(t)
				if len(from) == 0 && len(head) > 0 {
					from = client(head)
				}
			case !told:
				continue
			}
			e.Reset(kind)
			e.At, e.Ref, e.Raw = at, ref, t // a line without a stamp goes on what the one above began
			if kind == event.ProgramSaid {
				e.AddText(event.ServiceName, name)
				e.Add(event.SourceIP, from)
				e.Add(event.Message, t[:min(len(t), maxMessage)])
			} else {
				describe(&e, []byte(name), t, from)
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// begins tells whether a line begins with a number, as a stamp does, and so goes on no line above it.
func begins(t []byte) bool {
	t = bytes.TrimLeft(t, "[")
	return len(said.Number(t[:min(len(t), 2)])) == 2
}

func marked(t []byte) bool {
	for _, m := range marks {
		if bytes.Contains(t, m) {
			return true
		}
	}
	return false
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

// fetched tells by what stands before an address that something is to be fetched from there: a scheme, or curl or wget with its options.
func fetched(before []byte) bool {
	tail := strings.ReplaceAll(string(before[max(0, len(before)-48):]), "${IFS}", " ")
	tail = strings.TrimRight(tail, "'\" +")
	for _, s := range []string{"http://", "https://", "ftp://", "ldap://", "ldaps://", "rmi://", "/dev/tcp/"} {
		if strings.HasSuffix(tail, s) {
			return true
		}
	}
	for {
		i := strings.LastIndexAny(tail, " +(;|&'\"`")
		word := tail[i+1:]
		if word == "curl" || word == "wget" || strings.HasSuffix(word, "/curl") || strings.HasSuffix(word, "/wget") {
			return true
		}
		if !strings.HasPrefix(word, "-") || i < 0 {
			return false
		}
		tail = strings.TrimRight(tail[:i], " +")
	}
}

// service names the service by the folder of its log.
func service(p string) string {
	if strings.HasPrefix(p, "/tmp/ray/") {
		return "ray"
	}
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
