// Package dissect reads what acquire (fox-it, the collector of dissect) copied of a running machine's /proc, where it was asked for it (--proc): its files stand
// below fs/$rootfs$/proc, in older versions below fs/proc, as the kernel gives them. Version 3 takes status, stat and environ of each process, older ones and
// --full-proc all of /proc. The links exe and fd are no files, and are not read.
package dissect

import (
	"telltale/artifact"
	"telltale/artifact/internal/listing"
	"telltale/event"
)

const spec = "fox-it/acquire acquire.py, proc(5)"

// below gives the patterns of files of /proc by both layouts.
func below(names ...string) (out []string) {
	for _, n := range names {
		out = append(out, "acquire:fs/$rootfs$/proc/"+n, "acquire:fs/proc/"+n)
	}
	return out
}

// All gives the artefacts.
func All() []*artifact.Artifact {
	seen := []event.Kind{event.ProcessSeen}
	return []*artifact.Artifact{
		listing.Artifact("dissect-status", "copies of /proc/PID/status", spec, below("*/status"), seen, listing.Status),
		listing.Artifact("dissect-stat", "copies of /proc/PID/stat", spec, below("*/stat"), seen, listing.Stat),
		listing.Artifact("dissect-maps", "copies of /proc/PID/maps", spec, below("*/maps"), seen, listing.Maps),
		listing.Artifact("dissect-comm", "copies of /proc/PID/comm", spec, below("*/comm"), seen, listing.Comm),
		listing.Artifact("dissect-words", "arguments and environments of processes", spec, below("*/cmdline", "*/environ"), seen, listing.Raw),
		listing.Artifact("dissect-net", "copies of /proc/net", spec, below("net/tcp", "net/tcp6", "net/udp", "net/udp6", "self/net/tcp", "self/net/tcp6", "self/net/udp", "self/net/udp6"), []event.Kind{event.SocketSeen}, listing.Net),
		listing.Artifact("dissect-modules", "a copy of /proc/modules", spec, below("modules"), []event.Kind{event.ModuleSeen}, listing.Modules("proc-modules")),
	}
}
