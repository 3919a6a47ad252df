package web

import (
	"telltale/detect"
	"telltale/evidence"
)

// pages tells pages, and scripts for browsers, that were changed against those who visit them (artifact/webscript has the words).
func (f *fold) pages() (out []detect.Finding) {
	for _, x := range f.sorted() {
		if x.script || x.content == "" || x.pkg != "" {
			continue
		}
		at := x.mtime // it was the site's own before
		if !at.Known() {
			at = x.crtime
		}
		out = append(out, detect.Finding{Detection: "D54", What: detect.WebScript, Level: detect.High, Rung: evidence.Effect, Mechanism: "page", Path: x.path, Account: x.owner, Service: "web", First: at, Last: at, Attack: []string{"T1189"},
			Title: "the page or script " + x.path + " is turned against those who visit it", Detail: x.content, For: []evidence.Quote{x.quote}})
	}
	return out
}
