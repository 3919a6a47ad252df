package examine

import (
	"errors"
	"fmt"
	"path/filepath"

	"telltale/casefile"
	"telltale/evidence"
	"telltale/host"
)

// open opens every input. One that cannot be opened is damage, unless it is the only one.
func (r *run) open() error {
	var errs []error
	all := append(append([]string{}, r.o.Evidence...), r.o.RemoteLogs...)
	if err := r.openLive(); err != nil {
		return err
	}
	used := map[string]string{} // disks that were read together with an earlier one: by which
	for i, p := range all {
		id := fmt.Sprintf("s%d", len(r.res.Sources)+1)
		remote := i >= len(r.o.Evidence)
		if by := used[p]; by != "" {
			r.res.Sources = append(r.res.Sources, casefile.Source{ID: id, Path: p, Kind: host.KindDisk, Notes: []string{"it holds a part of the volumes of " + by + ", and is examined with it"}})
			r.hash(len(r.res.Sources)-1, p)
			continue
		}
		src := casefile.Source{ID: id, Path: p, Notes: []string{}}
		r.stage("opening " + filepath.Base(p))
		o := host.Options{Source: id, Spool: r.o.Spool, Remote: remote, Zone: r.o.Zone, Log: r.o.Log, Secret: r.o.Secret, Identities: r.o.Identities, Signers: r.o.Signers, Beside: besides(r.o.Evidence, i)}
		if r.o.Progress != nil {
			o.Progress = r.o.Progress.Bytes
		}
		in, err := host.Open(r.ctx, p, o)
		if err != nil {
			if r.ctx.Err() != nil {
				return r.ctx.Err()
			}
			errs = append(errs, err)
			src.Kind = "unreadable"
			src.Notes = append(src.Notes, err.Error())
			r.res.Sources = append(r.res.Sources, src)
			r.damage(evidence.Damage{Ref: evidence.Ref{Source: id}, Reason: err.Error()})
			continue
		}
		r.inputs = append(r.inputs, in)
		src.Kind, src.Size, src.SHA256, src.Verified = in.Kind, in.Size, in.SHA256, in.SHA256 != ""
		if remote {
			src.Kind = host.KindRemote
		}
		src.Notes = append(src.Notes, in.Notes...)
		for _, d := range in.Damage {
			r.damage(d)
		}
		src.Notes = append(src.Notes, r.differences(in)...)
		for _, p := range in.Used {
			used[p] = id
		}
		for _, h := range in.Hosts {
			r.hosts = append(r.hosts, &seenHost{Host: h, id: fmt.Sprintf("h%d", len(r.hosts)+1)})
		}
		r.res.Sources = append(r.res.Sources, src)
		if in.SHA256 == "" && r.o.Timeline == nil {
			r.hash(len(r.res.Sources)-1, p)
		}
		if r.o.Timeline == nil {
			r.hashBeside(len(r.res.Sources)-1, p, in.Files)
		}
	}
	if len(r.hosts) == 0 {
		return fmt.Errorf("%w: %w", ErrNothing, errors.Join(errs...))
	}
	r.lendZone()
	return r.openBaseline()
}

// openLive opens the running machine. It has no digest: it changes while it is read.
func (r *run) openLive() error {
	if r.o.Live == nil {
		return nil
	}
	id := "s1"
	in, err := r.o.Live(host.Options{Source: id, Spool: r.o.Spool, Zone: r.o.Zone, Log: r.o.Log})
	if err != nil {
		return err
	}
	r.inputs = append(r.inputs, in)
	r.res.Sources = append(r.res.Sources, casefile.Source{ID: id, Path: "/", Kind: in.Kind, Notes: append([]string{"the running machine: it changed while it was read, so it has no digest"}, in.Notes...)})
	for _, h := range in.Hosts {
		r.hosts = append(r.hosts, &seenHost{Host: h, id: fmt.Sprintf("h%d", len(r.hosts)+1)})
	}
	return nil
}

// besides gives the evidence behind number i: what members of RAIDs and volume groups may lie in.
func besides(evidence []string, i int) []string {
	if i+1 >= len(evidence) {
		return nil
	}
	return evidence[i+1:]
}

// differences tells what journals hold that the disks do not show yet.
func (r *run) differences(in *host.Input) (notes []string) {
	for _, h := range in.Hosts {
		for i := range h.Mounts {
			m := &h.Mounts[i]
			d := m.Differ(r.ctx)
			if w := d.Words(); w != "" {
				notes = append(notes, m.Prefix+" "+w)
			}
		}
	}
	return notes
}

// lendZone gives logs that stand alone, as a log server keeps them, the zone of the one host whose zone is known: a log
// server writes down the sender's own stamp.
func (r *run) lendZone() {
	var known *seenHost
	for _, h := range r.hosts {
		if h.ZoneFrom == host.ZoneAssumed {
			continue
		}
		if known != nil && known.ZoneName != h.ZoneName {
			return // more than one: nobody knows whose
		}
		known = h
	}
	if known == nil {
		return
	}
	for _, h := range r.hosts {
		if h.ZoneFrom == host.ZoneAssumed {
			h.Zone, h.ZoneName, h.ZoneFrom = known.Zone, known.ZoneName, known.ZoneFrom+" of "+known.label()
		}
	}
}
