// Package all lists the members of the image family.
package all

import (
	"telltale/image"
	"telltale/image/ewf"
	"telltale/image/qcow2"
	"telltale/image/raw"
	"telltale/image/vdi"
	"telltale/image/vhd"
	"telltale/image/vhdx"
	"telltale/image/vmdk"
)

// Formats gives all members in the order in which they are to be probed; raw, which
// takes everything, is the last.
func Formats() []image.Format {
	return []image.Format{ewf.Format(), qcow2.Format(), vmdk.Format(), vhdx.Format(), vhd.Format(), vdi.Format(), raw.Format()}
}
