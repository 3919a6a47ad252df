package tamper

import (
	"fmt"
	"path"
	"strings"

	"telltale/detect"
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
	born := map[int64]int{}
	for _, x := range f.files {
		born[x.crtime.Sec/10]++
	}
	for _, x := range f.files {
		if x.kind != "file" || !x.crtime.Known() || !x.mtime.Known() || strings.HasPrefix(x.path, "/var/log/") || x.mtime.Nsec != 0 || x.size == 0 {
			continue
		}
		if _, copied := f.originals[twin{x.size, x.mtime.Sec}]; copied {
			continue
		}
		if x.crtime.Sec-x.mtime.Sec < aDay || born[x.crtime.Sec/10]+born[x.crtime.Sec/10-1]+born[x.crtime.Sec/10+1] > 12 {
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
