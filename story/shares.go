package story

import (
	"fmt"
	"strings"
	"time"

	"telltale/detect"
	"telltale/evidence"
)

// Here is what came through a module of the rsync daemon, which by default tells where a transfer went to, and no names of files.

const rsyncd = "rsyncd"

// sharing is the time within which a transfer's files are born: it is told when it begins.
const sharing = time.Minute

// sharedInto gives the intruder's script that a transfer into a folder brought: it was born then below that folder, and who sent it used it, or it came
// from outside without a password, and by nobody else in that minute.
func (b *builder) sharedInto(up *detect.Finding) *detect.Finding {
	if up.Service != rsyncd || !strings.HasSuffix(up.Path, "/") {
		return nil
	}
	for _, w := range []detect.What{detect.WebScript, detect.WebUpload} {
		for _, f := range b.by[w] {
			if f.Level < detect.High || !strings.HasPrefix(f.Path, up.Path) || !bornAt(f, up) {
				continue
			}
			if contains(f.Sources, up.Source) || f.Source == up.Source || up.Method == "anonymous" && b.origin(up.Source) == "external" && b.onlySender(up) {
				return f
			}
		}
	}
	return nil
}

// bornAt tells whether a file was made while a transfer may have gone on; transfers of one client are one finding, of which the first and the last are known.
func bornAt(f, up *detect.Finding) bool {
	for _, at := range []evidence.Time{up.First, up.Last} {
		if d := f.First.Sub(at); f.First.Known() && at.Known() && d >= -2*time.Second && d <= sharing {
			return true
		}
	}
	return false
}

// onlySender tells whether nobody else wrote to the server by rsync at that time.
func (b *builder) onlySender(up *detect.Finding) bool {
	for _, x := range b.by[detect.Upload] {
		if x.Service == rsyncd && x.Source != up.Source && x.First.Known() && !x.First.After(up.Last.Add(sharing)) && !x.Last.Before(up.First.Add(-sharing)) {
			return false
		}
	}
	return true
}

// sharedBy gives the transfer into a folder that brought a script.
func (b *builder) sharedBy(script *detect.Finding) *detect.Finding {
	for _, up := range b.by[detect.Upload] {
		if b.sharedInto(up) == script {
			return up
		}
	}
	return nil
}

// sharedKey gives the login by a key that was put on the server by a transfer without a password, from where the login came.
func (b *builder) sharedKey(up *detect.Finding) (key, login *detect.Finding) {
	if up.Service != rsyncd || up.Method != "anonymous" || b.origin(up.Source) != "external" {
		return nil, nil
	}
	for _, p := range b.by[detect.Persistence] {
		if p.Mechanism != "ssh-key" || p.Key == "" || p.Path != up.Path && !(strings.HasSuffix(up.Path, "/") && strings.HasPrefix(p.Path, up.Path) && bornAt(p, up)) {
			continue
		}
		for _, l := range b.logins() {
			if l.Key == p.Key && l.Source == up.Source && !l.First.Before(up.First) {
				return p, l
			}
		}
	}
	return nil, nil
}

// byShare finds who brought an intruder's script or a key of his by rsync.
func (b *builder) byShare() {
	for _, up := range b.by[detect.Upload] {
		if p, l := b.sharedKey(up); p != nil {
			text := fmt.Sprintf("%s wrote to %s by rsync without a password %s, and logged in as %s %s with a key that was put into %s then.", up.Source, up.Path, clock(up.First), l.Account, clock(l.First), p.Path)
			b.keys[p.Key] = true
			s := b.add(up.Source, b.claim(text, evidence.Effect, up.First, Confirmed, append(append([]evidence.Quote{}, up.For...), l.For...), nil), true)
			s.spans = append(s.spans, span{up.First, up.Last.Add(grace), up.Account, false})
		}
		w := b.sharedInto(up)
		if w == nil {
			continue
		}
		text := fmt.Sprintf("%s wrote to %s by rsync %s; %s, an intruder's script, was made there in that minute (%s).", up.Source, up.Path, clock(up.First), w.Path, w.Detail)
		s := b.add(up.Source, b.claim(text, evidence.Effect, up.First, Confirmed, append(append([]evidence.Quote{}, up.For...), w.For...), nil), true)
		s.account[up.Account] = true
		s.spans = append(s.spans, span{up.First, up.Last.Add(grace), up.Account, false})
		if contains(w.Sources, up.Source) {
			b.web(s, w)
		}
	}
}
