// Package elasticsearch reads of the logs of Elasticsearch and OpenSearch which indices were made and deleted. Who asked for it does not stand there.
package elasticsearch

import (
	"bytes"
	"context"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/internal/logclock"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "elasticsearch", Doc: "indices of Elasticsearch and OpenSearch that were made and deleted", Spec: "Elasticsearch 1 to 8: cluster/metadata/MetadataCreateIndexService.java, MetadataDeleteIndexService.java, config/log4j2.properties",
		Files: []string{"/var/log/{elasticsearch,opensearch}/*.log", "/{opt,usr/share,srv}/{elasticsearch,opensearch}*/logs/*.log"}, Log: true, Sniff: artifact.MostLines(ours), Parse: parse,
		Kinds: []event.Kind{event.DatabaseCommand},
	}
}

// ours tells, among other logs in brackets, "[2023-06-03T06:49:20,110][INFO ][o.e.n.Node] [node-1] TEXT".
func ours(line []byte) bool {
	if len(line) < 30 || line[0] != '[' {
		return false
	}
	_, n := (&logclock.Clock{Year: 2000}).ISO(line[1:])
	if n < 19 {
		return false
	}
	rest, ok := said.Rest(line[n+1:], "][")
	if !ok || len(rest) < 9 || !bytes.HasPrefix(rest[5:], []byte("][")) { // the level has a place of five
		return false
	}
	return bytes.HasPrefix(rest[7:], []byte("o.")) || bytes.HasPrefix(rest[7:], []byte("org.")) // packages, cut to their first letters
}

var (
	service  = []byte("elasticsearch")
	deleting = []byte("deleting index")
	creating = []byte("creating index")
)

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var e event.Event
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			if t[0] != '[' {
				continue // a trace of a fault goes on
			}
			at, n := in.Clock.ISO(t[1:])
			if n < 19 {
				continue
			}
			in.Seen.Record(at)
			verb, name := index(t[n+1:])
			if verb == "" {
				continue
			}
			e.Reset(event.DatabaseCommand)
			e.At, e.Ref, e.Raw = at, ref, t
			e.Add(event.ServiceName, service)
			e.AddText(event.Message, verb+" "+string(name))
			if !yield(e, nil) {
				return
			}
		}
	}
}

// maxName bounds an index' name: Elasticsearch itself takes no longer one.
const maxName = 255

// index reads "… [NAME/UUID] deleting index" and "… [NAME] creating index, cause …". What stands behind the name is the server's own.
func index(t []byte) (verb string, name []byte) {
	before, _, ok := said.Cut(t, "] deleting index")
	verb = "deleteIndex"
	if !ok || !bytes.HasSuffix(t, deleting) {
		if before, _, ok = said.Cut(t, "] creating index"); !ok || !bytes.Contains(t, creating) {
			return "", nil
		}
		verb = "createIndex"
	}
	i := bytes.LastIndexByte(before, '[')
	if i < 0 || len(before)-i > 2*maxName {
		return "", nil
	}
	name, _, _ = bytes.Cut(before[i+1:], []byte("/"))
	if len(name) == 0 || len(name) > maxName {
		return "", nil
	}
	return verb, name
}
