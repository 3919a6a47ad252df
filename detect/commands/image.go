package commands

import (
	"strings"

	"telltale/detect"
)

// makesImage tells commands, in lower case, that make a machine nobody's in particular, so that others can be copied from it: without what tells it from others, its logs and
// histories go, too.
func makesImage(low string) bool {
	if strings.Contains(low, "cloud-init clean") || strings.Contains(low, "waagent -deprovision") || strings.Contains(low, "sys-unconfig") || strings.Contains(low, "virt-sysprep") {
		return true
	}
	empties := strings.Contains(low, "rm ") || strings.Contains(low, "truncate ") || strings.Contains(low, "> ") || strings.Contains(low, "shred ") || strings.Contains(low, "-delete")
	return empties && (strings.Contains(low, "/etc/machine-id") || strings.Contains(low, "ssh_host_"))
}

// ofImage lowers what was removed in a history by which an image was made.
func (f *fold) ofImage(r *detect.Finding) {
	if f.images[r.Path] && r.Mechanism == "history" && (r.Detection == "D58" || r.Detection == "D61") {
		r.Level = detect.Low
		r.Detail += "; what makes one machine differ from another was removed there, too, as who makes an image of it does"
	}
}
