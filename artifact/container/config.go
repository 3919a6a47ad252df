package container

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// Config gives the artefact of how Docker's containers are set up. One container has two files: config.v2.json says what it is, hostconfig.json what of the host
// it is given. Each makes an event of its own, and the id joins them.
func Config() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "container-config", Doc: "containers as they are set up, and what of it gives power over the host",
		Spec:  "Docker 1.10 to 28: daemon/container/container.go (config.v2.json), api/types/container/hostconfig.go (hostconfig.json)",
		Files: []string{"/var/lib/docker/containers/*/{config.v2.json,hostconfig.json}", "{home}/.local/share/docker/containers/*/{config.v2.json,hostconfig.json}"},
		Parse: parseConfig, Kinds: []event.Kind{event.Container},
	}
}

// settings has the fields of both files. What the types of the fields do not fit is damage: the engine writes them so.
type settings struct {
	// config.v2.json
	ID, Name, Path string
	Created        string
	Args           []string
	Config         struct{ Image, User string }
	MountPoints    map[string]mount
	// hostconfig.json
	Binds                             []string
	Mounts                            []mount
	Privileged                        bool
	PidMode, NetworkMode, IpcMode     string
	UTSMode, UsernsMode, CgroupnsMode string
	CapAdd, SecurityOpt               []string
	Devices                           []struct{ PathOnHost string }
}

type mount struct {
	Type, Source, Destination, Target string
	RW, ReadOnly                      bool
}

const (
	maxConfig  = 4 << 20 // bytes of a file that are read
	maxCommand = 4000    // bytes of a command line that an event tells
	maxPowers  = 40      // how many words of what gives power over the host
)

func parseConfig(_ context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var x settings
		var quote start
		d := json.NewDecoder(io.TeeReader(io.LimitReader(in.R, maxConfig), &quote))
		if err := d.Decode(&x); err != nil {
			in.Seen.Unknown([]byte(path.Base(in.Path)))
			yield(event.Event{}, &evidence.Damage{Ref: in.Ref, Reason: "a container's configuration that cannot be read: " + err.Error()})
			return
		}
		in.Seen.Record(evidence.Time{})
		e := event.Event{Kind: event.Container, Ref: in.Ref, Raw: quote.b}
		e.Ref.Len = d.InputOffset()
		if path.Base(in.Path) == "hostconfig.json" {
			x.host(&e, in.Path)
		} else {
			x.container(&e, in.Path)
		}
		yield(e, nil)
	}
}

// container tells what a container is: config.v2.json.
func (x *settings) container(e *event.Event, p string) {
	if at, n := (&logclock.Clock{}).ISO([]byte(x.Created)); n == len(x.Created) {
		e.At = at
	}
	id := x.ID
	if id == "" {
		id = idOf(p)
	}
	e.AddText(event.ContainerID, id)
	e.AddText(event.ContainerName, strings.TrimPrefix(x.Name, "/"))
	e.AddText(event.ContainerImage, x.Config.Image)
	command := strings.Join(append([]string{x.Path}, x.Args...), " ")
	e.AddText(event.CommandLine, command[:min(len(command), maxCommand)])
	e.AddText(event.UserName, x.Config.User)
	var powers powers
	for _, at := range slices.Sorted(maps.Keys(x.MountPoints)) {
		if m := x.MountPoints[at]; m.Type == "bind" || m.Type == "" && m.Source != "" {
			powers.mounted(m.Source, at, m.RW)
		}
	}
	e.AddText(event.Change, powers.String())
}

// host tells what of the host a container is given: hostconfig.json.
func (x *settings) host(e *event.Event, p string) {
	e.AddText(event.ContainerID, idOf(p))
	var powers powers
	if x.Privileged {
		powers.add("privileged")
	}
	for _, m := range []struct{ mode, of string }{{x.PidMode, "processes"}, {x.NetworkMode, "network"}, {x.IpcMode, "shared memory"}, {x.UTSMode, "name"}, {x.UsernsMode, "users"}, {x.CgroupnsMode, "control groups"}} {
		if m.mode == "host" {
			powers.add("the host's " + m.of)
		}
	}
	for _, b := range x.Binds {
		parts := strings.Split(b, ":")
		if len(parts) >= 2 && strings.HasPrefix(parts[0], "/") {
			powers.mounted(parts[0], parts[1], len(parts) < 3 || !readOnly(parts[2]))
		}
	}
	for _, m := range x.Mounts {
		if m.Type == "bind" {
			powers.mounted(m.Source, m.Target, !m.ReadOnly)
		}
	}
	for _, c := range x.CapAdd {
		powers.capability(c)
	}
	for _, o := range x.SecurityOpt {
		if strings.HasSuffix(o, "unconfined") || strings.HasSuffix(o, "label=disable") || strings.HasSuffix(o, "label:disable") {
			powers.add("security option " + o)
		}
	}
	for _, d := range x.Devices {
		powers.add("device " + d.PathOnHost)
	}
	e.AddText(event.Change, powers.String())
}

// readOnly reads a bind's options, "ro,z".
func readOnly(options string) bool {
	for _, o := range strings.Split(options, ",") {
		if o == "ro" {
			return true
		}
	}
	return false
}

// powers are words for what gives a container power over its host.
type powers []string

func (p *powers) add(s string) {
	if len(*p) < maxPowers {
		*p = append(*p, s[:min(len(s), 300)])
	}
}

func (p *powers) String() string { return strings.Join(*p, "; ") }

// mounted tells of a directory of the host that a way out leads through: what can be written there is run, or read, as root.
func (p *powers) mounted(source, target string, writable bool) {
	source = path.Clean("/" + source)
	sensitive := source == "/" || path.Base(source) == "docker.sock" || path.Base(source) == "containerd.sock" || path.Base(source) == "podman.sock"
	for _, dir := range [...]string{"/etc", "/root", "/home", "/boot", "/dev", "/proc", "/sys", "/usr", "/bin", "/sbin", "/lib", "/var/spool/cron", "/var/lib/docker", "/var/lib/kubelet", "/var/log", "/run", "/var/run"} {
		sensitive = sensitive || source == dir
	}
	for _, dir := range [...]string{"/etc/cron", "/etc/systemd", "/etc/ssh", "/root/.ssh", "/var/spool/cron"} {
		sensitive = sensitive || strings.HasPrefix(source, dir)
	}
	if !sensitive || strings.HasPrefix(source, "/etc/localtime") {
		return
	}
	how := ", read-only"
	if writable {
		how = ""
	}
	p.add("mounts " + source + " at " + target + how)
}

// capability tells of a right beyond Docker's default that leads out of a container.
func (p *powers) capability(c string) {
	switch c = strings.TrimPrefix(strings.ToUpper(c), "CAP_"); c {
	case "ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH", "NET_ADMIN", "BPF", "PERFMON", "SYS_BOOT", "MAC_ADMIN", "SYSLOG":
		p.add("capability " + c)
	}
}

// start keeps the first bytes of what is read, for quoting.
type start struct{ b []byte }

func (s *start) Write(b []byte) (int, error) {
	if room := evidence.MaxQuote - len(s.b); room > 0 {
		s.b = append(s.b, b[:min(len(b), room)]...)
	}
	return len(b), nil
}
