package story

import (
	"fmt"
	"time"

	"telltale/detect"
)

// To have worked on a script, somebody wrote it that often, over that long. A stolen password is used for hours, and what it brought is not written again for weeks.
const (
	oftenWritten = 3
	longWritten  = 7 * 24 * time.Hour
)

// workedOn tells whether who uploaded a script that looks like an intruder's may be its author: he came back to it again and again, for longer than a week, and
// what it is said to do is not beyond doubt.
func workedOn(up, script *detect.Finding) bool {
	return up.Method != "none" && up.Method != "anonymous" && script.Level < detect.Critical && up.Count >= oftenWritten && up.Last.Sub(up.First) >= longWritten
}

// authors asks for the word of those who worked on scripts that look like an intruder's.
func (b *builder) authors() (out []string) {
	for _, up := range b.by[detect.Upload] {
		if b.suspects[up.Source] != nil {
			continue
		}
		if b.own[up.Path] {
			out = append(out, fmt.Sprintf("the word of %s on %s, which looks like an intruder's and was written and used from %s only, where the account usually comes from", up.Account, up.Path, up.Source))
		} else if up.Count < oftenWritten { // the search for a script is dear
			continue
		} else if w := b.badScript(up.Path); w != nil && workedOn(up, w) {
			out = append(out, fmt.Sprintf("the word of %s on %s, which looks like an intruder's (%s) and was written from %s %d times in %d days", up.Account, up.Path, w.Detail, up.Source, up.Count, int(up.Last.Sub(up.First).Hours()/24)))
		}
		if len(out) >= maxUnwritten {
			break
		}
	}
	return out
}

// ownTool tells whether a script that looks like an intruder's may be a tool of who uploaded it: he came from where the account always came from, and nobody else
// uses it. His machine may be another's, so that he is asked.
func (b *builder) ownTool(up, script *detect.Finding) bool {
	if up.Method == "none" || up.Method == "anonymous" || !b.cameFrom(up.Source, up.Account, up.First.Add(-24*time.Hour)) {
		return false
	}
	for _, ip := range script.Sources {
		if ip != up.Source && !sameNet(ip, up.Source) {
			return false
		}
	}
	return len(script.Sources) > 0
}
