// Package all lists the detections.
package all

import (
	"telltale/detect"
	"telltale/detect/advisories"
	"telltale/detect/alarms"
	"telltale/detect/calls"
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
	"telltale/detect/mailqueue"
	"telltale/detect/mailrun"
	"telltale/detect/orders"
	"telltale/detect/outward"
	"telltale/detect/packagediff"
	"telltale/detect/packetfilter"
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

// Detections gives every detection.
func Detections() []*detect.Detection { return For(Asked{}) }

// Asked is what an examiner gives to look for, beside what is always looked for.
type Asked struct {
	Rules      []*sigma.Rules        // of others, beside our own
	Advisories *advisories.Database  // nil for none
	Complaints []complaint.Complaint // of somebody outside
}

// For gives every detection, for what the examiner asked.
func For(a Asked) []*detect.Detection {
	list, err := sigma.Load(rules.Files)
	if err != nil { // they are part of the program, and its tests read them
		list = &sigma.Rules{Refused: []sigma.Refused{{File: "our own", Why: err.Error()}}}
	}
	for _, m := range a.Rules {
		list = list.Add(m)
	}
	return []*detect.Detection{
		logins.New(), calls.New(), campaigns.New(), privilege.New(), web.New(), transfer.New(), mailrun.New(), mailqueue.New(), database.New(), packets.New(), packetfilter.New(), orders.New(), outward.New(), dns.New(), containers.New(), deploys.New(),
		persistence.New(), running.New(), commands.New(), lateral.New(), secrets.New(), files.New(), installs.New(), packagediff.New(), alarms.New(), tamper.New(), deleted.New(), advisories.New(a.Advisories), sigma.New(list), complaint.New(a.Complaints),
	}
}
