package container

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const engineSpec = "Docker 1.6 to 28: cmd/dockerd/daemon.go, api/server/middleware/debug.go, libcontainerd; containerd 1.2 to 2.0 internal/cri; podman 1.6 to 5 libpod/events/events.go; logrus text_formatter.go"

// New gives the artefact of what engines send to syslog and the journal.
func New() *artifact.Artifact {
	return &artifact.Artifact{Name: "container", Doc: "containers that were made, entered and removed, and engines that take orders from the network", Spec: engineSpec,
		Programs: []string{"dockerd", "dockerd-current", "docker", "docker.io", "containerd", "docker-containerd", "podman"}, Decode: decode,
		Kinds: []event.Kind{event.ContainerChange, event.ServerSetting, event.ServiceStarted, event.ServiceStopped, event.ProgramSaid}}
}

// File gives the artefact of log files of the engine's own.
func File() *artifact.Artifact {
	return &artifact.Artifact{Name: "docker-log", Doc: New().Doc, Spec: engineSpec, Files: []string{"/var/log/docker", "/var/log/docker.log", "/var/log/dockerd.log", "/var/log/upstart/docker.log", "/var/log/docker/*.log", "/var/log/containerd.log"},
		Log: true, Sniff: artifact.MostLines(ours), Parse: artifact.Stamped("docker", stamp, decode), Kinds: New().Kinds}
}

// entry is a message of logrus taken apart. Values are quoted as Go quotes them, so that none can look like another.
type entry struct {
	at                           evidence.Time
	level, text, container, host []byte
	remote, id, topic            []byte
}

// read takes apart `time="..." level=info msg="..." key=value`, and "INFO[stamp] text  key=value", which is written to terminals.
func read(t []byte) (x entry, ok bool) {
	if level, rest, coloured := terminal(t); coloured {
		stamp, rest, closed := said.Cut(rest, "] ")
		x.level = level
		x.at, _ = absolute(stamp)
		x.text, rest, _ = said.Cut(rest, "  ")
		x.text = bytes.TrimRight(x.text, " ")
		x.fields(bytes.TrimLeft(rest, " "))
		return x, closed
	}
	x.fields(t)
	return x, x.level != nil && x.text != nil
}

// terminal reads "INFO[".
func terminal(t []byte) (level, rest []byte, ok bool) {
	i := bytes.IndexByte(t[:min(len(t), 8)], '[')
	if i < 4 {
		return nil, t, false
	}
	switch string(t[:i]) {
	case "INFO", "WARN", "ERRO", "DEBU", "FATA", "PANI":
		return t[:i], t[i+1:], true
	}
	return nil, t, false
}

// fields reads "key=value key="quoted value""; of a key that comes twice the first is the engine's.
func (x *entry) fields(t []byte) {
	for len(t) > 0 {
		key, rest, ok := said.Cut(t, "=")
		if !ok || bytes.IndexByte(key, ' ') >= 0 {
			return
		}
		var value []byte
		if len(rest) > 0 && rest[0] == '"' {
			end := 1
			for end < len(rest) && rest[end] != '"' {
				if rest[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(rest) {
				return
			}
			value, rest = rest[1:end], rest[end+1:]
		} else {
			value, rest = said.FirstWord(rest)
		}
		x.field(key, value)
		t = bytes.TrimLeft(rest, " ")
	}
}

func (x *entry) field(key, value []byte) {
	var to *[]byte
	switch string(key) {
	case "time":
		if !x.at.Known() {
			x.at, _ = absolute(value)
		}
		return
	case "level":
		to = &x.level
	case "msg":
		to = &x.text
	case "container":
		to = &x.container
	case "host":
		to = &x.host
	case "remote":
		to = &x.remote
	case "id":
		to = &x.id
	case "topic":
		to = &x.topic
	default:
		return
	}
	if *to == nil {
		*to = value
	}
}

var docker, podman, containerd = []byte("docker"), []byte("podman"), []byte("containerd")

// decode takes every message of the engines' form as understood: they say much, and little of it concerns anybody.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if string(m.Program) == "podman" && happened(m, yield) {
		return true
	}
	x, ok := read(m.Text)
	if !ok {
		return false
	}
	service := docker
	if bytes.HasSuffix(m.Program, containerd) {
		service = containerd
	} else if string(m.Program) == "podman" {
		service = podman
	}
	x.tell(m, service, yield)
	return true
}

// stamp finds the time that stands in a line of a file; the line stays whole.
func stamp(_ *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	x, ok := read(t)
	return x.at, t, ok && x.at.Known()
}

// ours tells a line of an engine: other programs in Go write the same form, and those that serve a network say who asks.
func ours(line []byte) bool {
	x, ok := read(line)
	return ok && x.at.Known() && !bytes.Contains(line, []byte(" remote_ip=")) && !bytes.Contains(line, []byte(" remoteAddr=")) && (bytes.HasPrefix(line, []byte(`time="`)) || x.level != nil && line[0] < 'a')
}
