// Package all lists the detections.
package all

import (
	"telltale/detect"
	"telltale/detect/commands"
	"telltale/detect/database"
	"telltale/detect/files"
	"telltale/detect/installs"
	"telltale/detect/logins"
	"telltale/detect/mailrun"
	"telltale/detect/packets"
	"telltale/detect/persistence"
	"telltale/detect/privilege"
	"telltale/detect/tamper"
	"telltale/detect/transfer"
	"telltale/detect/web"
)

// Detections gives every detection.
func Detections() []*detect.Detection {
	return []*detect.Detection{
		logins.New(), privilege.New(), web.New(), transfer.New(), mailrun.New(), database.New(), packets.New(),
		persistence.New(), commands.New(), files.New(), installs.New(), tamper.New(),
	}
}
