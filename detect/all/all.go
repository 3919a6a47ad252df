// Package all lists the detections.
package all

import (
	"telltale/detect"
	"telltale/detect/advisories"
	"telltale/detect/alarms"
	"telltale/detect/campaigns"
	"telltale/detect/commands"
	"telltale/detect/complaint"
	"telltale/detect/containers"
	"telltale/detect/database"
	"telltale/detect/deleted"
	"telltale/detect/deploys"
	"telltale/detect/dns"
	"telltale/detect/files"
	"telltale/detect/installs"
	"telltale/detect/lateral"
	"telltale/detect/logins"
	"telltale/detect/mailrun"
	"telltale/detect/outward"
	"telltale/detect/packagediff"
	"telltale/detect/packets"
	"telltale/detect/persistence"
	"telltale/detect/privilege"
	"telltale/detect/running"
	"telltale/detect/secrets"
	"telltale/detect/sigma"
	"telltale/detect/tamper"
	"telltale/detect/transfer"
	"telltale/detect/web"
	"telltale/rules"
)

// Detections gives every detection; events are held against more rules than our own, if there are.
func Detections(more ...*sigma.Rules) []*detect.Detection { return WithAdvisories(nil, more...) }

// WithAdvisories is Detections, where the examiner gave advisories; nil for none.
func WithAdvisories(db *advisories.Database, more ...*sigma.Rules) []*detect.Detection {
	list, err := sigma.Load(rules.Files)
	if err != nil { // they are part of the program, and its tests read them
		list = &sigma.Rules{Refused: []sigma.Refused{{File: "our own", Why: err.Error()}}}
	}
	for _, m := range more {
		list = list.Add(m)
	}
	return []*detect.Detection{
		logins.New(), campaigns.New(), privilege.New(), web.New(), transfer.New(), mailrun.New(), database.New(), packets.New(), outward.New(), dns.New(), containers.New(), deploys.New(),
		persistence.New(), running.New(), commands.New(), lateral.New(), secrets.New(), files.New(), installs.New(), packagediff.New(), alarms.New(), tamper.New(), deleted.New(), advisories.New(db), sigma.New(list),
		complaint.New(nil), // which looks for nothing until somebody complains
	}
}
