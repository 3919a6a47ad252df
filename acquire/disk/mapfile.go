package disk

import (
	"bytes"
	"fmt"
	"strings"

	"telltale/acquire/chain"
	"telltale/acquire/custody"
)

// Map gives the mapfile of GNU ddrescue for a copy, so that ddrescue can go on where this program gave up:
//
//	ddrescue DEVICE copy.raw copy.map
//
// A block is finished (+), bad (-) or not tried (?). The first line without # is the current position, status (+
// finished, ? copying) and pass.
func Map(rec *custody.Record) []byte {
	size := rec.Copy.Size
	done, status := size, '+'
	if rec.State != custody.Finished {
		done, status = min(size, int64(len(rec.Copy.Links))*chain.Piece), '?'
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Mapfile. Created by %s\n", plain(rec.Tool))
	fmt.Fprintf(&b, "# Command line: %s\n", plain(strings.Join(rec.Command, " ")))
	fmt.Fprintf(&b, "# Start time:   %s\n", rec.Started.UTC().Format("2006-01-02 15:04:05"))
	fmt.Fprintf(&b, "# current_pos  current_status  current_pass\n0x%08X     %c               1\n#      pos        size  status\n", done, status)
	at := int64(0)
	block := func(end int64, status byte) {
		if end > at {
			fmt.Fprintf(&b, "0x%08X  0x%08X  %c\n", at, end-at, status)
			at = end
		}
	}
	for _, x := range rec.Bad {
		if x.Offset >= done {
			break
		}
		block(x.Offset, '+')
		block(min(done, x.Offset+x.Length), '-')
	}
	block(done, '+')
	block(size, '?')
	return b.Bytes()
}

// plain keeps a comment on its line.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
