package host

import (
	"fmt"
	"path"
	"slices"
	"strings"

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

// Bounds of what is put together of one host. Looking a layer up reads its directory: crafted ones of millions of
// names would take hours.
const (
	maxContainers = 64
	maxHostLayers = 8192   // of all containers
	maxLayerNames = 20_000 // in the directory that layers lie in
)

// engines looks for containers on a host, and makes each whose layers are there a host of its own below it.
type engines struct {
	h     *Host
	o     Options
	over  int // containers beyond maxContainers
	notes []string
	names map[string]int // how many names the directories have that layers are looked up in
	dirs  int            // layers that were looked up
	snaps []Container    // Docker's, whose layers containerd keeps (since Docker 29 that is usual)
}

// findContainers fills Containers, and gives what a user must know.
func (h *Host) findContainers(o Options) []string {
	if h.Flat || h.Kind == KindRemote || h.Container != nil {
		return nil
	}
	e := &engines{h: h, o: o, names: map[string]int{}}
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

// add makes a host of a container whose layers lie at dirs, the upper one first.
func (e *engines) add(c Container, dirs []string, o overlay.Options) {
	if len(e.h.Containers) >= maxContainers {
		e.over++
		return
	}
	var layers []overlay.Layer
	missing := 0
	for i, d := range dirs {
		if e.dirs++; e.dirs > maxHostLayers || e.crowd(path.Dir(path.Dir(d))) > maxLayerNames || e.crowd(path.Dir(d)) > maxLayerNames {
			e.note("container %s: there are too many layers", c.name())
			return
		}
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

// crowd counts the names in a directory, as far as it matters.
func (e *engines) crowd(dir string) int {
	n, ok := e.names[dir]
	if ok {
		return n
	}
	if at, err := e.h.Lookup(dir); err == nil {
		for range at.Mount.FS.ReadDir(at.Meta.Inode) {
			if n++; n > maxLayerNames {
				break
			}
		}
	}
	e.names[dir] = n
	return n
}
