package web

import (
	"path"
	"strings"

	"telltale/detect"
)

// mostByPlace is the most points, those of a lead, that a script can have for where it lies, when it came and who asks for it: caches, installers, updates, deployments
// and administrators make such scripts every day.
const mostByPlace = 3

// onlyPlace tells whether nothing that a script does speaks against it: its text can be read and shows nothing, it only calls programs of the system and nobody
// was seen to bring it, or the site's own editor wrote it, as its administrators do.
func (f *fold) onlyPlace(x *file, grave int, r *detect.Finding) bool {
	switch {
	case !strings.HasPrefix(strings.ToLower(path.Ext(x.path)), ".ph"): // only PHP is read so
		return false
	case x.content == "":
		return true
	case grave == 0:
		return r.Mechanism == "web-admin" || r.What == detect.WebScript
	case strings.HasPrefix(x.content, "it mails"): // as a site's own page for newsletters does
		return r.What == detect.WebScript && !inDataDir(x.path) && !hidden(x.path) && !strings.HasPrefix(path.Base(x.path), ".")
	case strings.HasPrefix(x.content, "it evaluates code that"): // such code is sold, and scanners ask for anything: where it lies has to speak against it, too
		return r.What == detect.WebScript && !webAccounts[x.owner] && !inDataDir(x.path) && !hidden(x.path) && !strings.HasPrefix(path.Base(x.path), ".")
	case grave == 1:
		return r.What == detect.WebScript
	}
	return false
}

// mostByForm is the most points that a form by which visitors write to the site's owner can have: some ask for what nobody should mail.
const mostByForm = 4

// mostByEditor is the most that a script can have which a site's own editor wrote and which does nothing that is grave.
const mostByEditor = 3

func byForm(x *file, r *detect.Finding) bool {
	mails := strings.HasPrefix(x.content, "it sends card numbers by mail") || strings.HasPrefix(x.content, "it sends what visitors type as their passwords")
	return mails && r.What == detect.WebScript && !inDataDir(x.path) && !hidden(x.path) && !strings.HasPrefix(path.Base(x.path), ".")
}
