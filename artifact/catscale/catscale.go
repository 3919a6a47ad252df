// Package catscale reads what CatScale (WithSecureLabs/LinuxCatScale, Cat-Scale.sh 1.3 to 1.6) wrote down of a running machine: lists of its ps, ss,
// netstat, lsof, ls and lsmod, and files of /proc that head and cat printed one behind the other. Files bear "<host>-<date>-<hour>-" before their names.
package catscale

import (
	"telltale/artifact"
	"telltale/artifact/internal/listing"
	"telltale/event"
)

const (
	spec    = "WithSecureLabs/LinuxCatScale Cat-Scale.sh"
	process = "catscale:Process_and_Network/*-"
	system  = "catscale:System_Info/*-"
)

// All gives the artefacts.
func All() []*artifact.Artifact {
	seen := []event.Kind{event.ProcessSeen}
	return []*artifact.Artifact{
		listing.Artifact("catscale-ps", "what the machine's ps listed", spec, []string{process + "processes-*.txt"}, seen, listing.PS),
		listing.Artifact("catscale-links", "links of /proc: programs and open files of processes", spec, []string{process + "process-exe-links.txt", process + "process-fd-links.txt"}, seen, listing.ProcLinks),
		listing.Artifact("catscale-status", "copies of /proc/PID/status", spec, []string{process + "process-details.txt"}, seen, listing.Status),
		listing.Artifact("catscale-heads", "arguments and environments of processes, their first ten lines", spec, []string{process + "process-cmdline.txt", process + "process-environment.txt"}, seen, listing.Heads),
		listing.Artifact("catscale-lsof", "what the machine's lsof listed", spec, []string{process + "lsof-list-open-files.txt"}, []event.Kind{event.ProcessSeen, event.SocketSeen}, listing.Lsof),
		listing.Artifact("catscale-ss", "what the machine's ss listed", spec, []string{process + "ss-anepo.txt"}, []event.Kind{event.SocketSeen}, listing.SS),
		listing.Artifact("catscale-netstat", "what the machine's netstat listed", spec, []string{process + "netstat-*.txt"}, []event.Kind{event.SocketSeen}, listing.Netstat),
		listing.Artifact("catscale-lsmod", "modules of the kernel, as lsmod listed them", spec, []string{system + "lsmod.txt"}, []event.Kind{event.ModuleSeen}, listing.Modules("lsmod")),
		listing.Artifact("catscale-modules", "a copy of /proc/modules", spec, []string{system + "procmod.txt"}, []event.Kind{event.ModuleSeen}, listing.Modules("proc-modules")),
		listing.Artifact("catscale-mounts", "what was mounted", spec, []string{system + "mount.txt"}, []event.Kind{event.MountSeen}, listing.Mounts),
	}
}
