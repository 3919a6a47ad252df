package container

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"path"
	"strconv"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// Podman gives the artefact of how Podman's containers are set up: config.json is what the runtime is told of one, containers.json has the names of all. The id joins them.
func Podman() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "podman-config", Doc: Config().Doc, Spec: "OCI runtime-spec 1.0 config.md; containers/storage containers.go (Container); Podman 4.3 libpod/define/annotations.go",
		Files: []string{"/var/lib/containers/storage/*-containers/{containers.json,*/userdata/config.json}", "{home}/.local/share/containers/storage/*-containers/{containers.json,*/userdata/config.json}"},
		Parse: parsePodman, Kinds: []event.Kind{event.Container},
	}
}

// spec has the fields of config.json that are read.
type spec struct {
	Process struct {
		Args         []string
		User         struct{ UID uint32 }
		Capabilities struct{ Bounding []string }
	}
	Mounts []struct {
		Type, Source, Destination string
		Options                   []string
	}
	Annotations map[string]string
	Linux       struct{ Namespaces []struct{ Type string } }
}

// stored is one of containers.json.
type stored struct {
	ID       string
	Names    []string
	Created  string
	Metadata string // JSON again
}

// maxStored bounds how many containers of one file are told.
const maxStored = 10000

func parsePodman(_ context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var one spec
		var all []stored
		var into any = &one
		names := path.Base(in.Path) == "containers.json"
		if names {
			into = &all
		}
		var quote start
		d := json.NewDecoder(io.TeeReader(io.LimitReader(in.R, maxConfig), &quote))
		if err := d.Decode(into); err != nil {
			in.Seen.Unknown([]byte(path.Base(in.Path)))
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: "a container's configuration that cannot be read: " + err.Error()})
			return
		}
		e := event.Event{Kind: event.Container, Ref: in.Ref, Raw: quote.b}
		e.Ref.Len = d.InputOffset()
		if !names {
			in.Seen.Record(evidence.Time{})
			one.tell(&e, in.Path)
			yield(e, nil)
			return
		}
		for i := range all[:min(len(all), maxStored)] {
			in.Seen.Record(evidence.Time{})
			e.Attrs = e.Attrs[:0]
			if all[i].tell(&e); !yield(e, nil) {
				return
			}
		}
	}
}

func (c *stored) tell(e *event.Event) {
	e.At = created(c.Created)
	e.AddText(event.ContainerID, c.ID)
	if len(c.Names) > 0 {
		e.AddText(event.ContainerName, c.Names[0])
	}
	var meta struct {
		Image string `json:"image-name"`
	}
	if json.Unmarshal([]byte(c.Metadata), &meta) == nil {
		e.AddText(event.ContainerImage, meta.Image)
	}
}

func (s *spec) tell(e *event.Event, p string) {
	e.At = created(s.Annotations["io.kubernetes.cri-o.Created"])
	e.AddText(event.ContainerID, idOf(p))
	command := strings.Join(s.Process.Args, " ")
	e.AddText(event.CommandLine, command[:min(len(command), maxCommand)])
	e.AddText(event.UserID, strconv.FormatUint(uint64(s.Process.User.UID), 10))
	var powers powers
	privileged := s.Annotations["io.podman.annotations.privileged"] == "TRUE"
	if privileged {
		powers.add("privileged")
	}
	for _, n := range [...]struct{ kind, of string }{{"pid", "processes"}, {"network", "network"}, {"ipc", "shared memory"}, {"uts", "name"}} {
		own := len(s.Linux.Namespaces) == 0 // cut off, or of another system
		for _, x := range s.Linux.Namespaces {
			own = own || x.Type == n.kind
		}
		if !own {
			powers.add("the host's " + n.of)
		}
	}
	for _, m := range s.Mounts {
		if m.Type == "bind" {
			powers.mounted(m.Source, m.Destination, !readOnly(strings.Join(m.Options, ",")))
		}
	}
	if !privileged { // which has all of them
		for _, c := range s.Process.Capabilities.Bounding {
			powers.capability(c)
		}
	}
	e.AddText(event.Change, powers.String())
}

// created reads "2026-11-25T15:44:39.035145195+01:00".
func created(s string) (at evidence.Time) {
	if t, n := (&logclock.Clock{}).ISO([]byte(s)); n > 0 && n == len(s) {
		at = t
	}
	return at
}
