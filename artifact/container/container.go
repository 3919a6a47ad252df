// Package container reads what container engines leave: what the programs in containers wrote (Docker's json-file, the CRI's and podman's k8s-file), what the
// engines say of themselves and of the containers, and how each container is set up. A container's log carries another program's log; it is unwrapped and
// given to the member that knows it.
package container

import (
	"bytes"
	"context"
	"iter"
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/jsonline"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// Logs gives the artefact of what programs in containers wrote. Its events are those of the members that know the programs.
func Logs() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "container-log", Doc: "what the programs in containers wrote: web servers, databases and others",
		Spec: "Docker daemon/logger/jsonfilelog; Kubernetes pkg/kubelet/kuberuntime/logs (CRI logging format); podman conmon ctr_logging.c (k8s-file)",
		Files: []string{
			"/var/lib/docker/containers/*/*-json.log", "{home}/.local/share/docker/containers/*/*-json.log", "/var/log/containers/*.log", "/var/log/pods/**/*.log",
			"/var/lib/containers/storage/*-containers/*/userdata/ctr.log", "{home}/.local/share/containers/storage/*-containers/*/userdata/ctr.log",
		},
		Log: true, Sniff: sniff, Parse: parse,
	}
}

// wrapped is one line of a container's log.
type wrapped struct {
	at     evidence.Time
	stderr bool
	part   bool // the next one of the same stream goes on with it
	text   []byte
}

// unread is what lines count as that are no container's, output what counts that no member knows.
var unread, output = []byte("container line"), []byte("output of a program in a container")

type reader struct {
	in      *artifact.Input
	streams [2]*stream // what the program wrote to its standard output and to its standard error are logs of their own
	room    []byte
	id      []byte // of the container, as the path says it
	going   bool
	out     func(*event.Event, error)
}

func parse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		r := reader{in: in, id: []byte(idOf(in.Path)), going: true}
		r.out = func(e *event.Event, err error) { r.going = r.going && yield(*e, err) }
		for i := range r.streams {
			r.streams[i] = &stream{r: &r, ctx: ctx}
		}
		defer func() {
			for _, s := range r.streams {
				s.stop()
			}
		}()
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			w, ok := r.unwrap(t)
			if !ok {
				in.Seen.Unknown(unread)
				continue
			}
			s := r.streams[0]
			if w.stderr {
				s = r.streams[1]
			}
			if s.take(&w, ref); !r.going {
				return
			}
		}
		for _, s := range r.streams {
			if s.end(); !r.going {
				return
			}
		}
	}
}

// idOf gives the name of a container's directory: its id, or, below /var/log/pods, the pod's namespace, name and id.
func idOf(path string) string {
	for _, dir := range [...]string{"/containers/", "-containers/", "/pods/"} {
		if _, rest, ok := strings.Cut(path, dir); ok {
			if id, _, ok := strings.Cut(rest, "/"); ok && len(id) > 11 {
				return id
			}
		}
	}
	return ""
}

// unwrap reads {"log":"text\n","stream":"stdout","time":"2024-01-02T03:04:05.123456789Z"} and "2024-01-02T03:04:05.123456789Z stdout F text".
func (r *reader) unwrap(t []byte) (w wrapped, ok bool) {
	if t[0] != '{' {
		return cri(t)
	}
	var log, stream, stamp []byte
	rest, whole := jsonline.Members(t, func(key, value []byte) {
		switch string(key) {
		case "log":
			log = value
		case "stream":
			stream = value
		case "time":
			stamp = value
		}
	})
	if !whole || len(rest) > 0 || len(stamp) < 2 {
		return w, false
	}
	if w.at, ok = absolute(stamp[1 : len(stamp)-1]); !ok {
		return w, false
	}
	if w.text, r.room, ok = jsonline.Text(r.room[:0], log); !ok {
		return w, false
	}
	w.stderr = string(stream) == `"stderr"`
	text, ended := bytes.CutSuffix(w.text, []byte("\n"))
	w.text, w.part = bytes.TrimSuffix(text, []byte("\r")), !ended
	return w, true
}

// cri reads "STAMP stdout F text"; the tag may be followed by others behind colons.
func cri(t []byte) (w wrapped, ok bool) {
	stamp, rest, _ := bytes.Cut(t, []byte(" "))
	if w.at, ok = absolute(stamp); !ok {
		return w, false
	}
	stream, rest, _ := bytes.Cut(rest, []byte(" "))
	tag, text, _ := bytes.Cut(rest, []byte(" "))
	tag, _, _ = bytes.Cut(tag, []byte(":"))
	if s := string(stream); s != "stdout" && s != "stderr" || string(tag) != "F" && string(tag) != "P" {
		return w, false
	}
	w.stderr, w.part, w.text = stream[3] == 'e', tag[0] == 'P', text
	return w, true
}

// absolute reads a stamp that says its zone, and nothing behind it.
func absolute(b []byte) (evidence.Time, bool) {
	c := logclock.Clock{}
	at, n := c.ISO(b)
	return at, n > 0 && n == len(b) && !c.Zoneless
}

// sniff tells a container's log by its first line.
func sniff(head []byte) bool {
	first, _, _ := bytes.Cut(head, []byte("\n"))
	if first = bytes.TrimRight(first, "\r"); len(first) == 0 {
		return false
	}
	_, ok := (&reader{}).unwrap(first)
	return ok
}

// place is where a line that was unwrapped stands in the evidence.
type place struct {
	from, to int64 // in the unwrapped text, its end not counted
	ref      evidence.Ref
	at       evidence.Time
}

// maxPlaces bounds how far back a member may point: a record of several lines is told when its last was read.
const maxPlaces = 1024

// places are those of the newest lines, oldest first from next on once it is full.
type places struct {
	ring []place
	next int
}

func (p *places) add(x place) {
	if len(p.ring) < maxPlaces {
		p.ring = append(p.ring, x)
		return
	}
	p.ring[p.next] = x
	p.next = (p.next + 1) % maxPlaces
}

// find gives the place of the line that holds off; the oldest that is kept for one before it.
func (p *places) find(off int64) (place, bool) {
	n := len(p.ring)
	if n == 0 {
		return place{}, false
	}
	low, high := 0, n-1
	for low < high {
		mid := (low + high) / 2
		if p.ring[(p.next+mid)%n].to < off {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return p.ring[(p.next+low)%n], true
}

// outer gives the place in the evidence of a piece of the unwrapped text.
func (p *places) outer(inner evidence.Ref) (place, bool) {
	x, ok := p.find(inner.Off)
	if !ok {
		return x, false
	}
	if last, _ := p.find(inner.Off + max(inner.Len-1, 0)); last.ref.Off >= x.ref.Off {
		x.ref.Len = last.ref.Off + last.ref.Len - x.ref.Off
	}
	return x, true
}
