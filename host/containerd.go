package host

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/overlay"
	"telltale/internal/bolt"
)

// Where containerd keeps its databases and layers, below its root (containerd 1.2 to 2.0).
const (
	metaDB      = "/io.containerd.metadata.v1.bolt/meta.db"
	snapshotter = "/io.containerd.snapshotter.v1.overlayfs"
)

// containerd joins its two databases: meta.db has the containers, by namespace (metadata/buckets.go); the
// snapshotter's metadata.db has which directory a snapshot is and what it stands on (snapshots/storage/bolt.go).
func (e *engines) containerd(root string) {
	meta := e.database(root + metaDB)
	snaps := e.database(root + snapshotter + "/metadata.db")
	if meta == nil || snaps == nil {
		return
	}
	dockers := e.ofDocker(root, meta, snaps)
	var spaces []string
	e.failed(root, meta.Each([]string{"v1"}, func(k, _ []byte, bucket bool) bool {
		if bucket {
			spaces = append(spaces, string(k))
		}
		return len(spaces) < 1000
	}))
	for _, ns := range spaces {
		var ids []string
		e.failed(root, meta.Each([]string{"v1", ns, "containers"}, func(k, _ []byte, _ bool) bool {
			ids = append(ids, string(k))
			return len(ids) < 10*maxContainers
		}))
		for _, id := range ids {
			if dockers[id] {
				continue
			}
			if len(e.h.Containers) >= maxContainers {
				e.over++
				continue
			}
			e.failed(root, e.contained(root, meta, snaps, ns, id))
		}
	}
}

// ofDocker finds the layers of Docker's containers: their snapshots have the containers' ids. It gives those found.
func (e *engines) ofDocker(root string, meta, snaps *bolt.DB) map[string]bool {
	found := map[string]bool{}
	var left []Container
	for _, c := range e.snaps {
		dirs, err := layersOf(root, meta, snaps, "moby", c.ID)
		e.failed(root, err)
		if len(dirs) == 0 {
			left = append(left, c)
			continue
		}
		found[c.ID] = true
		e.add(c, dirs, overlay.Options{})
	}
	e.snaps = left
	return found
}

// layersOf gives the directories of a snapshot, by the key that a namespace has for it.
func layersOf(root string, meta, snaps *bolt.DB, ns, key string) ([]string, error) {
	own, err := meta.Get([]string{"v1", ns, "snapshots", "overlayfs", key}, "name")
	if err != nil || len(own) == 0 {
		return nil, err // none, or of another snapshotter
	}
	return chain(snaps, root+snapshotter, string(own))
}

func (e *engines) failed(root string, err error) {
	if err != nil {
		e.note("%s: the containers' databases: %v", root, err)
	}
}

func (e *engines) database(p string) *bolt.DB {
	at, err := e.h.Lookup(p)
	if err != nil || at.Meta.Type != filesystem.Regular {
		return nil
	}
	r := e.h.File(&at)
	db, err := bolt.Open(r, r.Size())
	if err != nil {
		e.note("%s: %v", p, err)
		return nil
	}
	return db
}

func (e *engines) contained(root string, meta, snaps *bolt.DB, ns, id string) error {
	c := Container{ID: id, Runtime: "containerd"}
	key := ""
	err := meta.Each([]string{"v1", ns, "containers", id}, func(k, v []byte, _ bool) bool {
		switch string(k) {
		case "image":
			c.Image = string(v)
		case "snapshotKey":
			key = string(v)
		case "createdat":
			var t time.Time
			if t.UnmarshalBinary(v) == nil {
				c.Created = evidence.At(t, time.Nanosecond)
			}
		}
		return true
	})
	if err != nil || key == "" {
		return err
	}
	var pod, name string
	err = meta.Each([]string{"v1", ns, "containers", id, "labels"}, func(k, v []byte, _ bool) bool {
		switch string(k) {
		case "io.kubernetes.container.name", "nerdctl/name":
			name = string(v)
		case "io.kubernetes.pod.name":
			pod = string(v)
		}
		return true
	})
	if c.Name = name; pod != "" {
		c.Name = strings.TrimSuffix(pod+"/"+name, "/")
	}
	if err != nil {
		return err
	}
	dirs, err := layersOf(root, meta, snaps, ns, key)
	if err == nil && len(dirs) > 0 {
		e.add(c, dirs, overlay.Options{})
	}
	return err
}

// chain follows a snapshot down to the first layer.
func chain(snaps *bolt.DB, root, key string) (dirs []string, err error) {
	for key != "" && len(dirs) < overlay.MaxLayers {
		at := []string{"v1", "snapshots", key}
		b, err := snaps.Get(at, "id")
		if err != nil {
			return dirs, err
		}
		id, n := binary.Uvarint(b)
		if n <= 0 {
			return dirs, nil
		}
		dirs = append(dirs, root+"/snapshots/"+strconv.FormatUint(id, 10)+"/fs")
		parent, err := snaps.Get(at, "parent")
		if err != nil {
			return dirs, err
		}
		key = string(parent)
	}
	return dirs, nil
}
