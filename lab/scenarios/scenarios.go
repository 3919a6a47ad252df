// Package scenarios lists the practice cases: how each server was broken into, or was not.
package scenarios

import "telltale/lab"

// All gives every scenario, in the order of the table of scores.
func All() []*lab.Scenario {
	all := []*lab.Scenario{
		sshGuessed(), sshCampaign(), sshKnown(), sshKey(), insider(),
		ftpUpload(), webUpload(), cgiInjection(), cmsTheme(), mailAccount(), phpMailer(),
		redisKey(), missingPatch(), sambaShare(),
		logsWiped(), deletedBinary(), supplyChain(),
		quiet(), guessedAt(), twoIntruders(),
		stillRunning(), quietLive(),
	}
	for _, s := range all {
		if s.Past == nil {
			s.Past = func(p *lab.Play) error { return life(p, lab.PastDays) }
		}
	}
	return all
}

// Played gives the scenarios that a tier can play.
func Played(t lab.Tier) (out []*lab.Scenario) {
	for _, s := range All() {
		if !s.Live || t == lab.Container {
			out = append(out, s)
		}
	}
	return out
}

// Find gives the scenario of a name, nil if there is none.
func Find(name string) *lab.Scenario {
	for _, s := range All() {
		if s.Name == name {
			return s
		}
	}
	return nil
}
