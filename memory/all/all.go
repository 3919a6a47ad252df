// Package all lists the members of the memory family.
package all

import (
	"telltale/memory"
	"telltale/memory/avml"
	"telltale/memory/elfcore"
	"telltale/memory/kdump"
	"telltale/memory/lime"
	"telltale/memory/raw"
)

// Formats gives all members in the order in which they are to be probed; raw, which shows by its content alone, is the last.
func Formats() []memory.Format {
	return []memory.Format{lime.Format(), avml.Format(), kdump.Format(), elfcore.Format(), raw.Format()}
}
