package examine

import (
	"fmt"
	"slices"
	"strings"

	"telltale/artifact"
	"telltale/event"
	"telltale/evidence"
	"telltale/filesystem"
	"telltale/filesystem/live"
	"telltale/host"
)

// state notes which files of a machine's state are read by what. They are apart from the machine's tree, so that nobody can put such files into it.
func (r *run) state(h *seenHost, damaged func(string, error)) {
	if h.State == nil || r.o.FilesOnly {
		return
	}
	pats := map[*artifact.Artifact][][]string{}
	for _, a := range r.o.Artifacts {
		for _, s := range a.State {
			if kind, p, ok := strings.Cut(s, ":"); ok && kind == h.State.Kind {
				pats[a] = append(pats[a], strings.Split(p, "/"))
			}
		}
	}
	v := host.View{Source: h.Source, Mounts: []host.Mount{h.State.Mount}}
	err := v.Walk(r.ctx, damaged, func(e *host.Entry) error {
		if e.Meta.Type != filesystem.Regular || e.Meta.Size == 0 {
			return nil
		}
		parts := strings.Split(strings.TrimPrefix(e.Path, "/"), "/")
		for _, a := range r.o.Artifacts { // in their order
			for _, p := range pats[a] {
				if fits(p, parts) {
					h.jobs = append(h.jobs, &job{entry: host.Entry{Path: e.Path, Meta: e.Meta, Mount: &h.State.Mount}, art: a, family: e.Path})
					break
				}
			}
		}
		return nil
	})
	if err != nil && r.ctx.Err() == nil {
		r.damage(evidence.Damage{Ref: evidence.Ref{Source: h.Source}, Reason: "walk the state: " + err.Error()})
	}
}

// onlyState leaves the logs out, where a quick answer is asked for.
func (r *run) onlyState() {
	for _, h := range r.hosts {
		h.jobs = slices.DeleteFunc(h.jobs, func(j *job) bool { return j.art.Log })
	}
}

// unentered tells which mounts of a running machine were not entered.
func (r *run) unentered(h *seenHost) {
	for i := range h.Mounts {
		f, ok := h.Mounts[i].FS.(*live.FS)
		if !ok {
			continue
		}
		r.unlisted(h, f)
		for _, p := range f.Passed() {
			if kernelOwn[p.Why] {
				continue
			}
			h.passed = append(h.passed, p.Path+" ("+p.Why+")")
		}
	}
}

// unlisted tells the names that directories' lists were made to leave out, of all that the walk read.
func (r *run) unlisted(h *seenHost, f *live.FS) {
	for _, x := range f.Hidden() {
		e := event.Event{Kind: event.Contradiction, Ref: evidence.Ref{Source: h.Source, Path: "live:" + x.Path}}
		e.AddText(event.RecordType, "file")
		e.AddText(event.FilePath, x.Path)
		e.AddText(event.Message, fmt.Sprintf("inode %d; its name lies within the record before it, which was made long enough to swallow it", x.Inode))
		e.AddText(event.ViewShown, "directory-records")
		e.AddText(event.ViewMissing, "getdents")
		if e.AddInt(event.EventCount, 1); x.Seen {
			e.AddText(event.ViewShown, "path")
			e.AddText(event.LogLevel, "finding")
			e.AddText(event.CauseTested, "the file can be reached by that name; the kernel never leaves room between two names")
		} else {
			e.AddText(event.LogLevel, "lead")
		}
		e.Raw = []byte(fmt.Sprintf("getdents64: %q inode %d in a swallowed record", x.Path, x.Inode))
		r.emit(&e)
	}
}

// kernelOwn are the filesystems that hold no files of the machine.
var kernelOwn = map[string]bool{"proc": true, "sysfs": true, "devpts": true, "cgroup": true, "cgroup2": true, "securityfs": true, "debugfs": true, "tracefs": true, "pstore": true, "bpf": true, "mqueue": true, "hugetlbfs": true,
	"configfs": true, "fusectl": true, "binfmt_misc": true, "autofs": true, "efivarfs": true, "rpc_pipefs": true, "nsfs": true, "selinuxfs": true}
