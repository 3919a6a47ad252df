// Package all lists the filesystems that lie on a block source.
package all

import (
	"telltale/filesystem"
	"telltale/filesystem/btrfs"
	"telltale/filesystem/erofs"
	"telltale/filesystem/ext4"
	"telltale/filesystem/iso9660"
	"telltale/filesystem/squashfs"
	"telltale/filesystem/vfat"
	"telltale/filesystem/xfs"
)

// Formats gives all members in the order in which they are to be probed.
func Formats() []filesystem.Format {
	return []filesystem.Format{ext4.Format(), xfs.Format(), btrfs.Format(), squashfs.Format(), erofs.Format(), iso9660.Format(), vfat.Format()}
}
