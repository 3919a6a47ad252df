//go:build !linux

package tree

import (
	"io/fs"

	"telltale/filesystem"
)

// system adds nothing where the operating system says no more than the standard library.
func system(*filesystem.Meta, fs.FileInfo) {}
