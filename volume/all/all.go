// Package all lists the members of the volume family.
package all

import (
	"telltale/volume"
	"telltale/volume/gpt"
	"telltale/volume/luks"
	"telltale/volume/lvm"
	"telltale/volume/mbr"
	"telltale/volume/mdraid"
)

// Formats gives all members in the order in which they are to be probed: gpt before
// mbr, because a GPT disk carries an MBR too.
func Formats() []volume.Format {
	return []volume.Format{gpt.Format(), mbr.Format()}
}

// Managers gives the members that make volumes out of one source or several, in the order in which
// they are to be probed.
func Managers() []volume.Manager {
	return []volume.Manager{mdraid.Manager(), luks.Manager(), lvm.Manager()}
}
