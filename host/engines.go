package host

import (
	"encoding/json"
	"path"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem/overlay"
)

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
	for _, id := range e.h.names(root + "/containers") {
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
