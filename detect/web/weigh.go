package web

import (
	"fmt"
	"path"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// weighing is one file below a web root, and what speaks against it so far.
type weighing struct {
	f      *fold
	x      *file
	s      *script // its requests; nil for none
	born   evidence.Time
	grave  int  // how much what it does speaks against it
	tucked bool // it lies where nobody looks for a script
	post   *post
	points int
	marks  []string
	r      detect.Finding
}

// weigh adds up what speaks for a script being an intruder's. One mark alone is never enough.
func (f *fold) weigh(x *file, s *script) (detect.Finding, bool) {
	v := &weighing{f: f, x: x, s: s, born: x.crtime}
	if !v.born.Known() {
		v.born = x.mtime
	}
	if !v.lies() {
		return detect.Finding{}, false
	}
	v.r = detect.Finding{Detection: "D54", What: detect.WebScript, Rung: evidence.Effect, Path: x.path, Account: x.owner, Service: "web", First: v.born, Attack: []string{"T1505.003"}, For: []evidence.Quote{x.quote}}
	v.came()
	v.used()
	v.bounds()
	return v.level()
}

// mark adds what speaks against the file.
func (v *weighing) mark(points int, words string) {
	v.points += points
	v.marks = append(v.marks, words)
}

// lies weighs what the file is: where it lies, whose it is, and what it does; false for settings that let nothing run.
func (v *weighing) lies() bool {
	x, data := v.x, inDataDir(v.x.path)
	if n := v.f.born[x.crtime.Sec/10] + v.f.born[x.crtime.Sec/10-1] + v.f.born[x.crtime.Sec/10+1]; x.crtime.Known() && n > 20 {
		v.born = evidence.Time{} // came with an installation: its birth tells nothing
		v.points -= 2
	}
	if webAccounts[x.owner] {
		v.mark(1, "the web server's account "+x.owner+" owns it")
	}
	if data {
		v.mark(2, "it lies in a directory for data")
	}
	v.grave = contentPoints[x.content]
	if x.content == signedCode && !webAccounts[x.owner] && !data {
		v.grave-- // whoever works on the server wrote it, and lets himself in only
	}
	base := path.Base(x.path)
	dotted, settings := strings.HasPrefix(base, "."), base == ".htaccess" || base == ".user.ini"
	if v.grave == 0 && settings {
		return false
	}
	if v.grave > 0 {
		v.mark(v.grave, x.content)
	}
	v.tucked = hidden(x.path) || data && !strings.HasPrefix(strings.ToLower(path.Ext(x.path)), ".ph") && !dotted
	if v.tucked && webAccounts[x.owner] {
		v.mark(1, "it is tucked away")
	}
	if dotted && !settings && v.grave > 0 {
		v.mark(2, "its name hides it")
	}
	if v.s == nil && v.grave < 3 && !dotted { // caches and compiled templates are born behind requests too, and nobody asks for them
		v.points -= 2
	}
	return true
}

// came weighs how the file came: behind a request that may have put it there, by a request that the log shows to have written it, or by a later change.
func (v *weighing) came() {
	f, x, r := v.f, v.x, &v.r
	if v.born.Known() {
		by := ""
		if v.s != nil {
			by = v.s.by
		}
		v.post, r.Source = f.putBy(v.born, by)
	}
	deployed := false
	if v.post == nil && v.grave >= 3 { // what developers deploy comes so, too, and belongs to the same account
		v.post, r.Source = f.deployedBefore(v.s)
		deployed = v.post != nil
	}
	w := f.writtenBefore(x.path, v.born)
	if w != nil {
		v.post = nil
	}
	if v.post != nil && installs(v.post.path) && v.grave < 3 { // what administrators add to their site is born so, too; nobody but them reaches that page
		v.post = nil
		if inDataDir(x.path) {
			v.points -= 2
		}
	}
	if p := v.post; p != nil && (webAccounts[x.owner] || x.owner == "" || inDataDir(x.path) || p.bySQLPage(x) || applications(x.path)) {
		if deployed {
			v.mark(2, fmt.Sprintf("%s had it deployed by %s", r.Source, p.path))
		} else {
			v.mark(2, fmt.Sprintf("it was born %s a POST of %s to %s", behind(v.born.Sub(p.at)), r.Source, p.path))
		}
		r.What, r.Detection, r.First = detect.WebUpload, "D23", p.at
		r.For = append([]evidence.Quote{p.quote}, r.For...)
		if installs(p.path) || p.bySQLPage(x) { // which takes nothing from who has not entered
			r.Mechanism = "web-admin"
		}
	} else if p != nil { // somebody's form in the same minute: what another account wrote did not come by it
		r.Source = ""
	}
	if w != nil {
		v.mark(3, w.of(r))
	}
	if v.post == nil && w == nil && x.mtime.Known() {
		v.changed()
	}
}

// changed weighs a script that was there before and was written again behind a POST: by the editor of the site's own
// software, or by a client that then used it.
func (v *weighing) changed() {
	f, x, s, r := v.f, v.x, v.s, &v.r
	by := ""
	if s != nil && len(s.clients) <= 3 {
		by = s.by
	}
	q, source := f.putBy(x.mtime, by)
	if q == nil || x.crtime.Known() && x.mtime.Before(x.crtime) {
		return
	}
	if s == nil && installs(q.path) && contentPoints[x.content] < 3 {
		return // what administrators add is sold encoded, too; whoever brings his own script so asks for it
	}
	admin := editor([]byte(q.path))
	if !admin && source != by {
		return // a POST somewhere says nothing about a file that nobody of it asked for
	}
	points := 2
	r.Mechanism = "changed"
	if admin {
		points = 3
		r.Mechanism = "web-admin"
	}
	v.mark(points, fmt.Sprintf("it was changed %s a POST of %s to %s", behind(x.mtime.Sub(q.at)), source, q.path))
	r.What, r.Detection, r.First, r.Source = detect.WebUpload, "D23", q.at, source
	r.For = append([]evidence.Quote{q.quote}, r.For...)
}

// used weighs who asked for it.
func (v *weighing) used() {
	s, r := v.s, &v.r
	if s == nil {
		return
	}
	r.When = s.when
	r.Count, r.Last, r.Sources, r.Agent = s.count, s.last, s.names(), s.agent
	r.For = append(append(r.For, s.quotes...), s.argQuotes...)
	if r.Source == "" {
		r.Source = s.user()
	}
	if !r.First.Known() {
		r.First = s.first
	}
	if len(s.clients) <= 3 && s.args > 0 {
		v.mark(1, fmt.Sprintf("only %s ever asked for it, %s with arguments", detect.Plural(int64(len(s.clients)), "address", "addresses"), detect.Plural(s.args, "time", "times")))
	}
}

// bounds keeps what owners' own files have in common with an intruder's from weighing too much.
func (v *weighing) bounds() {
	if v.points > mostByPlace && (v.f.onlyPlace(v.x, v.grave, &v.r) || v.s == nil && v.f.closedOff(v.x.path)) {
		v.points = mostByPlace
	}
	if v.post != nil && v.points > mostByEditor && v.grave < 2 && editor([]byte(v.post.path)) {
		v.points = mostByEditor // written in the site's own editor, and it does nothing that is grave
	}
	if v.points > mostByForm && byForm(v.x, &v.r) {
		v.points = mostByForm
	}
}

// level makes the finding of it; false where too little speaks against the file to tell of it.
func (v *weighing) level() (detect.Finding, bool) {
	r, s := v.r, v.s
	r.Detail = strings.Join(v.marks, "; ")
	r.Title = "the script " + v.x.path
	switch {
	case v.points >= 5:
		r.Level, r.Title = detect.Critical, "an intruder's script: "+v.x.path
	case v.points >= 4:
		r.Level = detect.High
	case v.points >= 3:
		r.Level = detect.Medium
	case v.tucked && webAccounts[v.x.owner] && v.born.Known(), s != nil && s.args > 0 && len(s.clients) <= 3 && (v.grave > 0 || v.born.Known()):
		r.Level = detect.Info // nothing by itself; the story joins it with who was there, and with what its requests did
	default:
		return r, false
	}
	return r, true
}
