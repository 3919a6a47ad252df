package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// putFiles are faults that put a file where a site serves it and run nothing by themselves: an upload that nobody meant.
var putFiles = []string{"CVE-2017-12617", "CVE-2022-29464", "CVE-2020-25213", "CVE-2021-32682", "CVE-2022-37042", "CVE-2022-27925"}

// Times between a fault that was used and the script that it led to.
const (
	faultBears  = 5 * time.Second // the fault itself wrote it
	faultOpened = time.Hour       // it let him in, and he wrote it as who had logged in
)

// bornBy names the way in by what bore a script: a fault, software that only its administrators enter, or else a form of the site.
func (b *builder) bornBy(f *detect.Finding, w *way) {
	w.vector = "web-upload"
	if f.Mechanism == bySQL {
		w.vector = "web-exploit"
	}
	tool := toolOf(f) != nil
	a, t := b.faultBefore(f)
	puts := a != nil && slices.ContainsFunc(putFiles, func(s string) bool { return strings.Contains(a.Mechanism, s) })
	if a != nil && !(puts && tool) { // a manager's page that takes an application is asked for with its password, too
		w.cve = cvesIn(a.Mechanism)
		if !puts {
			w.vector = "web-exploit"
		}
		text := fmt.Sprintf("%s tried %s %s, and that bore the script %s, or let its sender bring it.", f.Source, a.Mechanism, clock(t.At), f.Path)
		id := b.claim(text, a.Rung, t.At, Likely, []evidence.Quote{t.Quote}, nil)
		w.claims = ids(append(w.claims, id)...)
		w.weigh("attack-before", id)
		return
	}
	if tool {
		w.vector = "web-admin"
	}
	b.siteLogin(f, w)
}

// faultBefore finds the attempt to use a fault that bore a script: the very request, one seconds before, or one that lets a client past a login and came within the
// hour. What was not there was not used, and what only reads wrote nothing.
func (b *builder) faultBefore(f *detect.Finding) (*detect.Finding, *detect.Try) {
	for _, a := range b.by[detect.WebAttack] {
		known := strings.Contains(a.Mechanism, "CVE-") && !strings.HasPrefix(a.Mechanism, "reading ")
		if !known && !strings.Contains(a.Mechanism, "command injection") {
			continue
		}
		enters := strings.HasPrefix(a.Mechanism, "entering ") || strings.HasPrefix(a.Mechanism, "making an administrator")
		for i := range a.Tries {
			t := &a.Tries[i]
			if t.Source != f.Source || t.Absent {
				continue
			}
			d := f.First.Sub(t.At)
			if len(f.For) > 0 && t.Quote.Ref == f.For[0].Ref || known && d >= 0 && d <= faultBears || enters && d >= 0 && d <= faultOpened {
				return a, t
			}
		}
	}
	return nil, nil
}
