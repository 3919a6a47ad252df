package host

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"telltale/evidence"
	"telltale/filesystem"
)

// catscaleNested are CatScale's archives of files, by their folder and what their name holds (Cat-Scale.sh 1.3 to 1.6). What stands first wins where two hold the same file.
var catscaleNested = []struct{ folder, name string }{
	{"Logs", "-var-log.tar.gz"}, {"Logs", "-var-crash.tar.gz"}, {"Logs", "-var-adm.tar.gz"}, {"System_Info", "-etc-key-files.tar.gz"}, {"System_Info", "-etc-modified-files.tar.gz"},
	{"Persistence", "-cron-folder.tar.gz"}, {"Process_and_Network", "-ssh-folders.tar.gz"}, {"User_Files", "hidden-user-home-dir.tar.gz"},
}

// catscaleOut is the folder that the script makes.
const catscaleOut = "catscale_out"

// catscale opens a collection of CatScale (WithSecureLabs/LinuxCatScale): folders whose files begin with "<host>-<date>-<hour>-".
func catscale(p *parcel) (*unpacked, error) {
	if i, ok := p.folder(catscaleOut); ok {
		q := *p
		q.dir, q.base = i, p.base+"/"+catscaleOut
		u, err := catscaleAt(&q)
		if u != nil {
			*p = q
		}
		return u, err
	}
	return catscaleAt(p)
}

func catscaleAt(p *parcel) (*unpacked, error) {
	_, ok1 := p.folder("Process_and_Network")
	_, ok2 := p.folder("System_Info")
	if !ok1 || !ok2 {
		return nil, nil
	}
	prefix := ""
	for _, n := range p.names("") {
		if s, ok := strings.CutSuffix(n, "-console-error-log.txt"); ok && bytes.HasPrefix(p.text(n), []byte("oscheck:")) {
			prefix = s
		}
	}
	if prefix == "" {
		return nil, nil
	}
	u := &unpacked{state: &State{Kind: kindCatScale}, tree: newGathered(false), at: "!tar:"}
	if err := p.archives(u); err != nil {
		return nil, err
	}
	if err := p.scripts(u, prefix); err != nil {
		return nil, err
	}
	if err := p.timeline(u, prefix); err != nil {
		return nil, err
	}
	if len(prefix) > len("-20060102-1504") {
		u.host = prefix[:len(prefix)-len("-20060102-1504")]
	}
	u.late = func(h *Host) evidence.Time { return nameTime(prefix, "20060102-1504", h.Zone) }
	for line := range bytes.Lines(p.text("System_Info/" + prefix + "-release.txt")) {
		if v, ok := bytes.CutPrefix(line, []byte("KERNELVERSION(uname -r)=")); ok {
			u.state.Kernel = "Linux " + clean(v)
		}
	}
	u.state.Notes = append(u.state.Notes, "listings were made by the machine's own ps, ss, lsof and ls, which an intruder may have replaced: they are what the machine said",
		"it holds the files of /etc that CatScale asks for, /var/log, /var/spool/cron, .ssh folders and hidden files of homes; of web sites only scripts, the first thousand lines of each")
	return u, nil
}

// archives takes the archives of files within the collection.
func (p *parcel) archives(u *unpacked) error {
	for _, a := range catscaleNested {
		for _, n := range p.names(a.folder) {
			if !strings.HasSuffix(n, a.name) {
				continue
			}
			path := a.folder + "/" + n
			if _, m, ok := p.find(path); !ok || m.Size == 0 {
				u.state.Notes = append(u.state.Notes, "empty: "+path)
				continue
			}
			t, err := p.nested(path)
			switch {
			case p.ctx.Err() != nil:
				return p.ctx.Err()
			case errors.Is(err, errSpool):
				return err
			case err != nil:
				p.in.damage(p.o, evidence.Damage{Ref: evidence.Ref{Path: p.prefix + p.base + "/" + path}, Reason: err.Error()})
				continue
			}
			if err := u.tree.add(p.ctx, t, t.Root(), nil); err != nil {
				return err
			}
			break // one of a name
		}
	}
	return nil
}

// scripts takes the beginnings of scripts of web sites, which CatScale printed one behind the other.
func (p *parcel) scripts(u *unpacked, prefix string) error {
	r, ok := p.file("Misc/" + prefix + "-pot-webshell-first-1000.txt")
	if !ok {
		return nil
	}
	h, err := readHeads(p.ctx, r, webScript)
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if err != nil {
		u.state.Notes = append(u.state.Notes, "its list of scripts could not be read to the end: "+err.Error())
	}
	if h == nil {
		return nil
	}
	return u.tree.add(p.ctx, h, h.Root(), nil)
}

// timeline joins what full-timeline.csv says of files, collected or not.
func (p *parcel) timeline(u *unpacked, prefix string) error {
	r, ok := p.file("Misc/" + prefix + "-full-timeline.csv")
	if !ok {
		u.state.Notes = append(u.state.Notes, "it holds no full-timeline.csv: change times are not known, nor which files the machine had beside those that were collected")
		return nil
	}
	u.tree.unit = time.Nanosecond
	uids, gids := ids(u.tree, "etc/passwd"), ids(u.tree, "etc/group")
	odd := -1 // the first line is the header
	err := eachRow(p.ctx, r, func(line []byte) error {
		name, l, ok := timelineRow(line, uids, gids)
		if !ok {
			odd++
			return nil
		}
		return u.tree.list(name, l, "", false)
	})
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if err != nil {
		u.state.Notes = append(u.state.Notes, "its full-timeline.csv could not be read to the end: "+err.Error())
	}
	u.state.Notes = append(u.state.Notes, fmt.Sprintf("change times are those of full-timeline.csv; %d files are known by that list alone, without content", u.tree.listed))
	if odd > 0 {
		u.state.Notes = append(u.state.Notes, fmt.Sprintf("%d lines of its full-timeline.csv have no form that is known", odd))
	}
	return nil
}

// ids reads the numbers of accounts or groups by their names: root's is known without a file.
func ids(f filesystem.FS, path string) map[string]uint32 {
	out := map[string]uint32{"root": 0}
	v := View{Mounts: []Mount{{At: "/", FS: f}}}
	b, err := v.ReadFile("/" + path)
	if err != nil {
		return out
	}
	for line := range bytes.Lines(b) {
		f := strings.Split(strings.TrimSpace(string(line)), ":")
		if len(f) > 2 && len(out) < 100_000 {
			if n, err := strconv.ParseUint(f[2], 10, 32); err == nil && f[0] != "" {
				out[f[0]] = uint32(n)
			}
		}
	}
	return out
}
