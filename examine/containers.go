package examine

import (
	"errors"
	"fmt"
	"strings"

	"telltale/artifact"
	"telltale/casefile"
	"telltale/event"
	"telltale/filesystem"
	"telltale/filesystem/overlay"
	"telltale/host"
)

// maxChanges bounds how many changed files of one container are shown.
const maxChanges = 200_000

// A container is examined as a part of its host, not as a host beside it: what it changed since it was made is shown
// file by file with the host's own paths, so that nothing is taken for the host's /etc or /tmp, and its logs are read
// with its own zone and sites. Every event of it carries the container's id.

// containers shows what the containers of a host changed.
func (r *run) containers(h *seenHost, damaged func(string, error)) error {
	for _, c := range h.Containers {
		if err := r.contained(h, c, damaged); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) contained(h *seenHost, c *host.Host, damaged func(string, error)) error {
	at, err := h.Lookup(c.Container.Upper)
	union := c.Changes()
	if err != nil || union == nil {
		return err
	}
	m := newMatcher(r.o.Artifacts, c)
	n := 0
	for x, err := range union.Changes(r.ctx) {
		if err != nil {
			damaged(c.Container.Upper+x.Path, err)
			continue
		}
		if n++; n > maxChanges {
			damaged(c.Container.Upper, errors.New("more changed files than are shown one by one"))
			break
		}
		e := host.Entry{Path: c.Container.Upper + x.Path, Meta: x.Meta, Mount: at.Mount}
		if x.Kind != overlay.Deleted && x.Meta.Type == filesystem.Regular && x.Meta.Size > 0 {
			r.matchInside(h, c, m, &e, x.Path)
		}
		r.changedFile(h, c, &e, x.Kind)
	}
	return r.ctx.Err()
}

// matchInside adds the jobs that a file of a container calls for: logs of what served the network, and scripts of its
// sites. What a host's own daemons write (syslog, audit) says of a container that somebody runs them there, or that
// somebody forged them: nobody could tell such events from the host's.
func (r *run) matchInside(h *seenHost, c *host.Host, m *matcher, e *host.Entry, inner string) {
	base, age, _ := rotation(inner)
	arts := m.find(inner)
	if base != inner {
		for _, a := range m.find(base) {
			if !has(arts, a) {
				arts = append(arts, a)
			}
		}
	}
	for _, a := range arts {
		if readInside(a) {
			h.jobs = append(h.jobs, &job{entry: *e, art: a, family: c.Container.Upper + familyOf(a, inner, base), age: ageOf(a, age), inside: c})
		}
	}
}

func readInside(a *artifact.Artifact) bool {
	return a.Name == "web-script" || inside(a) && !carrier(a) && a.Name != "auditd" && a.Name != "container-log"
}

// changedFile shows one file that a container added, changed or removed.
func (r *run) changedFile(h *seenHost, c *host.Host, e *host.Entry, k overlay.Kind) {
	ev := r.fileEvent(h, e, "")
	ev.AddText(event.Change, k.String())
	tag(&ev, c)
	if k == overlay.Deleted {
		ev.Raw = append(ev.Raw, " whiteout: the container deleted it"...)
	}
	r.emit(&ev)
}

// tag says of an event which container it is of.
func tag(e *event.Event, c *host.Host) {
	add := func(k event.Key, v string) {
		if e.Get(k) == nil {
			e.AddText(k, v)
		}
	}
	add(event.ContainerID, c.Container.ID)
	add(event.ContainerName, c.Container.Name)
	add(event.ContainerImage, c.Container.Image)
}

// ofContainer tells whether a path of a host lies where a container's changes do, which are shown as such, or where its
// engine shows everything once more.
func (h *seenHost) ofContainer(p string) bool {
	for _, c := range h.Containers {
		for _, dir := range [...]string{c.Container.Upper, c.Container.Merged} {
			if dir != "" && len(p) > len(dir) && p[len(dir)] == '/' && strings.HasPrefix(p, dir) {
				return true
			}
		}
	}
	return false
}

// hostsOf gives a host and its containers for the case.
func (r *run) hostsOf(h *seenHost) (out []casefile.Host) {
	for i, c := range h.Containers {
		x := c.Container
		out = append(out, casefile.Host{ID: fmt.Sprintf("%sc%d", h.id, i+1), Hostname: printable(c.Title()), OS: printable(c.OS), Zone: c.ZoneName, ZoneFrom: c.ZoneFrom, Parent: h.id,
			Container: &casefile.Container{ID: printable(x.ID), Name: printable(x.Name), Image: printable(x.Image), Runtime: x.Runtime, State: x.State, Created: x.Created.String(), Started: x.Started.String(), Finished: x.Finished.String(), Changes: printable(x.Upper)}})
	}
	return out
}
