package web

import (
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// pages tells pages, and scripts for browsers, that were changed against those who visit them (artifact/webscript has the words).
func (f *fold) pages() (out []detect.Finding) {
	for _, x := range f.sorted() {
		boasts := strings.HasPrefix(x.content, "its title says")
		if x.script && !boasts || x.content == "" || x.pkg != "" {
			continue
		}
		at := x.mtime // it was the site's own before
		if !at.Known() {
			at = x.crtime
		}
		if boasts {
			out = append(out, detect.Finding{Detection: "D54", What: detect.WebScript, Level: detect.High, Rung: evidence.Effect, Mechanism: "defaced", Path: x.path, Account: x.owner, Service: "web", First: at, Last: at, Attack: []string{"T1491.002"},
				Title: "the page " + x.path + " was put in the place of the site's own", Detail: x.content, For: []evidence.Quote{x.quote}})
			continue
		}
		out = append(out, detect.Finding{Detection: "D54", What: detect.WebScript, Level: detect.High, Rung: evidence.Effect, Mechanism: "page", Path: x.path, Account: x.owner, Service: "web", First: at, Last: at, Attack: []string{"T1189"},
			Title: "the page or script " + x.path + " is turned against those who visit it", Detail: x.content, For: []evidence.Quote{x.quote}})
	}
	return out
}
