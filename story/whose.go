package story

import (
	"slices"
	"strings"
	"time"

	"telltale/detect"
)

// actor gives the suspect within whose sessions a finding's file changed and who had the rights for it,
// and whether somebody else was there too who could have done it.
func (b *builder) actor(f *detect.Finding) (*suspect, bool) {
	var best *suspect
	there := false // the best one's session had not ended
	for _, s := range b.ordered() {
		for _, x := range s.spans {
			if !x.holds(f) || !b.could(s, x, f) {
				continue
			}
			in := x.lasted(f)
			if best == nil || s.strong && !best.strong || s.strong == best.strong && in && !there {
				best, there = s, in
			}
		}
	}
	if best == nil {
		return nil, false
	}
	for _, l := range b.logins() {
		if b.suspects[l.Source] != nil || l.Access == nil {
			continue
		}
		for _, s := range l.Access.Sessions {
			if s.End.Known() && (span{s.Start, s.End.Add(2 * time.Second), l.Account, false}).holds(f) && (l.Account == "root" || b.sudoes(l.Account)) {
				return best, true
			}
		}
	}
	return best, false
}

// planter gives who put a key there, of those that were met so far: the first, if it cannot be told.
func (b *builder) planter(key string, met []string) string {
	for _, p := range b.by[detect.Persistence] {
		if p.Key != key || p.Mechanism != "ssh-key" {
			continue
		}
		if s, _ := b.actor(p); s != nil && contains(met, s.source) {
			return s.source
		}
	}
	return met[0]
}

// lasted tells whether something happened before the span's end, not in the grace behind it.
func (s span) lasted(f *detect.Finding) bool {
	return s.open || !f.First.After(s.to.Add(-grace))
}

// during tells whether something happened within a session of a login, the grace behind its end left out.
func during(l, f *detect.Finding) bool {
	return slices.ContainsFunc(l.Access.Sessions, func(s detect.Span) bool { return span{s.Start, endOnly(s), l.Account, false}.holds(f) })
}

// could tells whether who acts as the span's account may have written the file: it is the account's own, or the account
// became root.
func (b *builder) could(s *suspect, x span, f *detect.Finding) bool {
	owner := f.Account
	if f.What == detect.Persistence {
		owner = f.As
		if f.Mechanism == "ssh-key" && strings.HasPrefix(f.Path, "/root/") {
			owner = "root"
		}
		if strings.HasPrefix(f.Path, "/etc/") || f.Mechanism == "systemd-unit" {
			owner = "root"
		}
		if f.Mechanism == "job-script" { // as whom it runs is not who may write it
			owner = f.Account
		}
	}
	if x.account == "root" || owner == x.account || owner == "" {
		return true
	}
	if f.Detection == "D39" && f.Level >= detect.High && (detect.InVolatileDir(f.Path) || detect.HiddenPath(f.Path) != "") {
		return true // what a fault that makes root leaves: no log tells of one
	}
	for _, r := range b.by[detect.BecameRoot] {
		if s.actsAs(r.Account) && b.within(s, r) {
			return true
		}
	}
	return false
}

// actsAs tells whether what an account does may be a suspect's doing: he logged in as it, or has the web server in hand, which runs as it.
func (s *suspect) actsAs(account string) bool {
	return s.account[account] || s.web && webAccount(account)
}

func (b *builder) within(s *suspect, f *detect.Finding) bool {
	for _, x := range s.spans {
		if x.holds(f) {
			return true
		}
	}
	return false
}
