package host

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/overlay"
)

// Container is what an engine's files say of a container on a host.
type Container struct {
	ID, Name, Image string
	Runtime         string // "docker", "podman", "containerd"
	State           string // "running", "exited", "created"; "" where it is not told
	Hostname        string
	Created         evidence.Time
	Started         evidence.Time
	Finished        evidence.Time
	Upper           string // where in the host's tree lies what it changed
	Merged          string // where the engine shows the union: in a copy of a running host it holds everything once more
}

// Title names a container among hosts.
func (h *Host) Title() string {
	c := h.Container
	if c == nil {
		return h.Name
	}
	s := "container " + c.name()
	if c.Image != "" {
		s += " (" + c.Image + ")"
	}
	if h.Parent != nil && h.Parent.Name != "" {
		s += " on " + h.Parent.Name
	}
	return s
}

func (c *Container) name() string {
	if c.Name != "" {
		return c.Name
	}
	return c.ID[:min(len(c.ID), 12)]
}

// Changes gives the union that a container's tree is; nil for a host that is none.
func (h *Host) Changes() *overlay.FS {
	if h.Container == nil || len(h.Mounts) == 0 {
		return nil
	}
	f, _ := h.Mounts[0].FS.(*overlay.FS)
	return f
}

// maxContainers bounds how many containers of one host are put together.
const maxContainers = 64

// engines looks for containers on a host, and makes each whose layers are there a host of its own below it.
type engines struct {
	h     *Host
	o     Options
	over  int // containers beyond maxContainers
	notes []string
	snaps []Container // Docker's, whose layers containerd keeps (since Docker 29 that is usual)
}

// findContainers fills Containers, and gives what a user must know.
func (h *Host) findContainers(o Options) []string {
	if h.Flat || h.Kind == KindRemote || h.Container != nil {
		return nil
	}
	e := &engines{h: h, o: o}
	roots := map[string]bool{}
	dirs := []string{"/var/lib/containerd", "/var/lib/rancher/k3s/agent/containerd"}
	for _, d := range append([]string{"/var/lib/docker", h.dockerRoot()}, h.homes("/.local/share/docker")...) {
		if d != "" && !roots[d] {
			roots[d] = true
			e.docker(d, strings.HasSuffix(d, "/.local/share/docker"))
		}
	}
	for _, d := range append([]string{"/var/lib/containers/storage", h.podmanRoot()}, h.homes("/.local/share/containers/storage")...) {
		if d != "" && !roots[d] {
			roots[d] = true
			e.podman(d, strings.HasSuffix(d, "/.local/share/containers/storage"))
		}
	}
	for d := range roots { // dockerd's own containerd, where the system has none
		dirs = append(dirs, d+"/containerd/daemon")
	}
	slices.Sort(dirs)
	for _, d := range dirs {
		e.containerd(d)
	}
	for _, c := range e.snaps {
		e.note("container %s: containerd has no snapshot of it", c.name())
	}
	if e.over > 0 {
		e.note("%d more containers than the %d that are put together", e.over, maxContainers)
	}
	return e.notes
}

func (e *engines) note(format string, a ...any) { e.notes = append(e.notes, fmt.Sprintf(format, a...)) }

// homes gives a place in every account's home that is there.
func (h *Host) homes(rest string) (out []string) {
	const maxHomes = 1000
	seen := map[string]bool{}
	for _, u := range h.Users {
		if len(u.Home) < 2 || u.Home[0] != '/' || seen[u.Home] || len(seen) >= maxHomes {
			continue
		}
		seen[u.Home] = true
		if p := path.Clean(u.Home) + rest; exists(h, p) {
			out = append(out, p)
		}
	}
	return out
}

// dockerRoot reads where dockerd keeps its data, dockerd(8).
func (h *Host) dockerRoot() string {
	var x struct {
		Root string `json:"data-root"`
		Old  string `json:"graph"`
	}
	if b, err := h.ReadFile("/etc/docker/daemon.json"); err != nil || json.Unmarshal(b, &x) != nil {
		return ""
	}
	for _, p := range []string{x.Root, x.Old} {
		if strings.HasPrefix(p, "/") {
			return path.Clean(p)
		}
	}
	return ""
}

// podmanRoot reads graphroot of containers-storage.conf(5).
func (h *Host) podmanRoot() string {
	b, _ := h.ReadFile("/etc/containers/storage.conf")
	if p := assignment(b, "graphroot"); strings.HasPrefix(p, "/") {
		return path.Clean(p)
	}
	return ""
}

// add makes a host of a container whose layers lie at dirs, the upper one first.
func (e *engines) add(c Container, dirs []string, o overlay.Options) {
	if len(e.h.Containers) >= maxContainers {
		e.over++
		return
	}
	var layers []overlay.Layer
	missing := 0
	for i, d := range dirs {
		at, err := e.h.Lookup(d)
		if err != nil || at.Meta.Type != filesystem.Directory {
			if i == 0 {
				e.note("container %s: what it changed is not there: %s", c.name(), d)
				return
			}
			missing++
			continue
		}
		if i == 0 {
			c.Upper = at.Path
		}
		layers = append(layers, overlay.Layer{FS: at.Mount.FS, Root: at.Meta.Inode, Name: d})
	}
	if missing > 0 {
		e.note("container %s: %d of its image's %d layers are not there", c.name(), missing, len(dirs)-1)
	}
	f, err := overlay.Open(layers, o)
	if err != nil {
		e.note("container %s: %v", c.name(), err)
		return
	}
	root := Mount{At: "/", FS: f, Prefix: e.h.Mounts[0].Prefix + "container:" + c.name() + "!"}
	child := &Host{Kind: e.h.Kind, CopyTimes: e.h.CopyTimes, Parent: e.h, Container: &c, View: View{Source: e.h.Source, Mounts: []Mount{root}}}
	child.finish(e.o)
	if c.Hostname != "" { // /etc/hostname is the engine's file, mounted over the image's
		child.Name = c.Hostname
	}
	e.h.Containers = append(e.h.Containers, child)
}

// list gives the directories' names in a directory, in order.
func (e *engines) list(dir string) (names []string) {
	const most = 10_000
	at, err := e.h.Lookup(dir)
	if err != nil {
		return nil
	}
	for d, err := range at.Mount.FS.ReadDir(at.Meta.Inode) {
		if err == nil && len(names) < most {
			names = append(names, string(d.Name))
		}
	}
	sort.Strings(names)
	return names
}

// dockerConfig is config.v2.json (daemon/container/container.go, Docker 1.10 to 28).
type dockerConfig struct {
	ID, Name, Driver, Created string
	Config                    struct{ Image, Hostname string }
	State                     struct {
		Running, Paused, Restarting bool
		StartedAt, FinishedAt       string
	}
}

func (e *engines) docker(root string, rootless bool) {
	for _, id := range e.list(root + "/containers") {
		b, err := e.h.ReadFile(root + "/containers/" + id + "/config.v2.json")
		if err != nil {
			continue
		}
		var x dockerConfig
		if err := json.Unmarshal(b, &x); err != nil {
			e.note("container %s: config.v2.json: %v", id[:min(len(id), 12)], err)
			continue
		}
		c := Container{ID: id, Name: strings.TrimPrefix(x.Name, "/"), Image: x.Config.Image, Runtime: "docker", Hostname: x.Config.Hostname, State: "exited",
			Created: moment(x.Created), Started: moment(x.State.StartedAt), Finished: moment(x.State.FinishedAt)}
		switch {
		case x.State.Running:
			c.State = "running"
		case !c.Started.Known():
			c.State = "created"
		}
		if x.Driver == "overlayfs" {
			if len(e.snaps) < maxContainers {
				e.snaps = append(e.snaps, c)
			} else {
				e.over++
			}
			continue
		}
		if x.Driver != "overlay2" && x.Driver != "fuse-overlayfs" {
			e.note("container %s: its layers are kept by the driver %q, which is not read", c.name(), x.Driver)
			continue
		}
		mount, err := e.h.ReadFile(root + "/image/" + x.Driver + "/layerdb/mounts/" + id + "/mount-id")
		if err != nil {
			e.note("container %s: which layers are its own is not told: %v", c.name(), err)
			continue
		}
		drv := root + "/" + x.Driver
		dir := drv + "/" + clean(mount)
		c.Merged = dir + "/merged"
		e.add(c, append([]string{dir + "/diff"}, e.lower(drv, dir)...), overlay.Options{UserXattr: rootless, Marks: x.Driver == "fuse-overlayfs"})
	}
}

// lower gives the layers below one: links to them, by the short names that let many fit on one page of mount options.
func (e *engines) lower(drv, dir string) (out []string) {
	b, err := e.h.ReadFile(dir + "/lower")
	if err != nil {
		return nil
	}
	for _, l := range strings.Split(strings.TrimSpace(string(b)), ":") {
		switch {
		case l == "" || len(out) >= overlay.MaxLayers:
		case strings.HasPrefix(l, "/"):
			out = append(out, l)
		default:
			out = append(out, drv+"/"+l)
		}
	}
	return out
}

// stored is one of containers.json (containers/storage, Container).
type stored struct {
	ID, Layer, Image, Metadata, Created string
	Names                               []string
}

func (e *engines) podman(root string, rootless bool) {
	b, err := e.h.ReadFile(root + "/overlay-containers/containers.json")
	if err != nil {
		return
	}
	var all []stored
	if err := json.Unmarshal(b, &all); err != nil {
		e.note("%s/overlay-containers/containers.json: %v", root, err)
		return
	}
	for _, x := range all {
		var meta struct {
			Image string `json:"image-name"`
			Name  string `json:"name"`
		}
		json.Unmarshal([]byte(x.Metadata), &meta) // words of whoever made the container; without them the ids do
		c := Container{ID: x.ID, Name: meta.Name, Image: meta.Image, Runtime: "podman", Created: moment(x.Created)}
		if len(x.Names) > 0 {
			c.Name = x.Names[0]
		}
		if c.Image == "" {
			c.Image = x.Image
		}
		if x.Layer == "" || strings.Contains(x.Layer, "/") {
			continue
		}
		drv := root + "/overlay"
		dir := drv + "/" + x.Layer
		c.Merged = dir + "/merged"
		e.add(c, append([]string{dir + "/diff"}, e.lower(drv, dir)...), overlay.Options{UserXattr: rootless, Marks: rootless})
	}
}

// moment reads an engine's time; the year 1 means never.
func moment(s string) evidence.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1970 {
		return evidence.Time{}
	}
	return evidence.At(t, time.Nanosecond)
}
