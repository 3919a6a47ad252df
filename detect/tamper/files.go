package tamper

import (
	"fmt"
	"path"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// histories finds shell histories that were sent to nowhere or emptied.
func (f *fold) histories() (out []detect.Finding) {
	for _, x := range f.files {
		if !strings.HasSuffix(path.Base(x.path), "_history") {
			continue
		}
		why, l := "", detect.Medium
		switch {
		case x.kind == "symlink" && strings.HasPrefix(x.target, "/dev/null"):
			why, l = "is a link to /dev/null, so that no command is kept", detect.High
		case x.kind == "file" && x.size == 0:
			why = "is empty"
		default:
			continue
		}
		account := ""
		for _, u := range f.scene.Users {
			if u.Home != "/" && u.Home == path.Dir(x.path) {
				account = u.Name
			}
		}
		out = append(out, detect.Finding{Detection: "D61", What: detect.HistoryGone, Level: l, Rung: evidence.Effect, Path: x.path, Account: account, First: evidence.Max(x.mtime, x.ctime), Detail: why,
			Title: x.path + " " + why, Attack: []string{"T1070.003"}, For: []evidence.Quote{x.quote}})
	}
	return out
}

// stamps finds files whose modification time was set back: it lies long before their birth, to the whole
// second, where copying tools keep fractions. Archives carry whole seconds too, so a neighbourhood
// of files born together with it explains it.
func (f *fold) stamps() (out []detect.Finding) {
	if !f.scene.ChangeTimes {
		return nil
	}
	for _, x := range f.files {
		if x.kind != "file" || !x.crtime.Known() || !x.mtime.Known() || strings.HasPrefix(x.path, "/var/log/") || x.mtime.Nsec != 0 || x.size == 0 {
			continue
		}
		if _, copied := f.originals[twin{x.size, x.mtime.Sec}]; copied {
			continue
		}
		if x.crtime.Sec-x.mtime.Sec < aDay || f.born[x.crtime.Sec/10]+f.born[x.crtime.Sec/10-1]+f.born[x.crtime.Sec/10+1] > 12 {
			continue
		}
		out = append(out, detect.Finding{Detection: "D62", What: detect.Timestomped, Level: detect.Medium, Rung: evidence.Effect, Path: x.path, First: x.crtime, Last: x.ctime, Account: f.scene.UserByUID(x.owner),
			Title: x.path + " says that it was written before it was born", Attack: []string{"T1070.006"}, For: []evidence.Quote{x.quote},
			Detail: fmt.Sprintf("modified %s, born %s, inode changed %s", x.mtime, x.crtime, x.ctime)})
		if len(out) >= 200 {
			break
		}
	}
	return out
}

func (f *fold) file(e *event.Event) {
	f.original(e)
	p := e.Text(event.FilePath)
	base := path.Base(p)
	keep := strings.HasPrefix(p, "/var/log/") || strings.HasSuffix(base, "_history") || strings.HasPrefix(p, "/run/utmp")
	if !keep && !stampable(e) {
		return
	}
	size, _ := e.Int(event.FileSize)
	mtime, crtime := detect.ParseTime(e.Text(event.FileMtime)), detect.ParseTime(e.Text(event.FileCrtime))
	if b := crtime.Sec / 10; f.born[b] > 0 || len(f.born) < maxBirths {
		f.born[b]++
	}
	if !keep && (size == 0 || mtime.Nsec != 0 || crtime.Sec-mtime.Sec < aDay) || len(f.files) >= maxFiles { // there are very many
		return
	}
	x := &file{path: p, size: size, mtime: mtime, ctime: detect.ParseTime(e.Text(event.FileCtime)), crtime: crtime,
		kind: e.Text(event.FileType), target: e.Text(event.FileTarget), owner: e.Text(event.FileUID), quote: e.Quote()}
	f.files = append(f.files, x)
}

// twin is what a copy that keeps times has in common with its original.
type twin struct{ size, mtime int64 }

// original remembers a file that another may be an honest copy of, made by useradd from /etc/skel, by cp -p or by rsync: one of
// a package, or one whose own times are in order.
func (f *fold) original(e *event.Event) {
	size, _ := e.Int(event.FileSize)
	if size == 0 || string(e.Get(event.FileType)) != "file" {
		return
	}
	mtime := detect.ParseTime(e.Text(event.FileMtime))
	if !mtime.Known() || mtime.Nsec != 0 || len(f.originals) >= maxOriginals {
		return
	}
	if crtime := detect.ParseTime(e.Text(event.FileCrtime)); e.Get(event.FilePackage) != nil || crtime.Known() && crtime.Sec-mtime.Sec < aDay {
		f.originals[twin{size, mtime.Sec}] = struct{}{}
	}
}

// stampable tells whether a file is worth a look at its times: no package put it there.
func stampable(e *event.Event) bool {
	return e.Get(event.FilePackage) == nil && string(e.Get(event.FileType)) == "file" && len(e.Get(event.FileCrtime)) > 0
}
