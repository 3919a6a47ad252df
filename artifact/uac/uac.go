// Package uac reads what UAC (tclahr/uac, versions 2 to 4) wrote down of a running machine, below live_response: lists of its ps, ss, netstat, lsof and lsmod,
// and copies of files of /proc. The files that UAC collected are read as the machine's own by others; which command writes which
// file is said by UAC's artifacts/live_response/*.yaml.
package uac

import (
	"telltale/artifact"
	"telltale/artifact/internal/listing"
	"telltale/event"
)

const (
	spec    = "tclahr/uac artifacts/live_response"
	process = "uac:live_response/process/"
	network = "uac:live_response/network/"
	system  = "uac:live_response/system/"
)

// All gives the artefacts.
func All() []*artifact.Artifact {
	seen := []event.Kind{event.ProcessSeen}
	sockets := []event.Kind{event.SocketSeen}
	return []*artifact.Artifact{
		listing.Artifact("uac-ps", "what the machine's ps listed", spec, []string{process + "ps_auxwww.txt", process + "ps_-ef.txt", process + "ps_-axo_pid_user_lstart_args.txt", process + "ps_-axo_pid_user_cgroup.txt"}, seen, listing.PS),
		listing.Artifact("uac-links", "links of /proc: programs, directories and open files of processes", spec,
			[]string{process + "running_processes_full_paths.txt", process + "ls_-l_proc_pid_cwd.txt", process + "proc/*/fd.txt"}, seen, listing.ProcLinks),
		listing.Artifact("uac-status", "copies of /proc/PID/status", spec, []string{process + "proc/*/status.txt"}, seen, listing.Status),
		listing.Artifact("uac-maps", "copies of /proc/PID/maps", spec, []string{process + "proc/*/maps.txt"}, seen, listing.Maps),
		listing.Artifact("uac-comm", "copies of /proc/PID/comm", spec, []string{process + "proc/*/comm.txt"}, seen, listing.Comm),
		listing.Artifact("uac-strings", "arguments and environments of processes, as strings(1) printed them", spec, []string{process + "proc/*/cmdline.txt", process + "proc/*/environ.txt"}, seen, listing.Strings),
		listing.Artifact("uac-hashes", "digests of running programs", spec, []string{process + "hash_running_processes.sha256"}, seen, listing.Hashes),
		listing.Artifact("uac-lsof", "what the machine's lsof listed", spec, []string{process + "lsof_-nPl.txt"}, []event.Kind{event.ProcessSeen, event.SocketSeen}, listing.Lsof),
		listing.Artifact("uac-hidden", "processes that the machine's ps did not list", spec, []string{process + "hidden_pids_for_ps_command.txt", "uac:live_response/modifiers/hidden_pids_for_ps_command.txt"}, []event.Kind{event.Contradiction}, listing.Hidden),
		listing.Artifact("uac-ss", "what the machine's ss listed", spec, []string{network + "ss_-anp.txt"}, sockets, listing.SS),
		listing.Artifact("uac-netstat", "what the machine's netstat listed", spec, []string{network + "netstat_-anp.txt", network + "netstat_-lpeanut.txt"}, sockets, listing.Netstat),
		listing.Artifact("uac-net", "copies of /proc/net", spec, []string{network + "proc_net_tcp.txt", network + "proc_net_tcp6.txt", network + "proc_net_udp.txt", network + "proc_net_udp6.txt"}, sockets, listing.Net),
		listing.Artifact("uac-lsmod", "modules of the kernel, as lsmod listed them", spec, []string{system + "lsmod.txt"}, []event.Kind{event.ModuleSeen}, listing.Modules("lsmod")),
		listing.Artifact("uac-modules", "a copy of /proc/modules", spec, []string{process + "proc/modules.txt"}, []event.Kind{event.ModuleSeen}, listing.Modules("proc-modules")),
		listing.Artifact("uac-taint", "what taints the kernel", spec, []string{system + "cat_proc_sys_kernel_tainted.txt"}, []event.Kind{event.KernelState}, listing.Taint),
		listing.Artifact("uac-mounts", "what was mounted", spec, []string{"uac:live_response/storage/mount.txt", system + "mount.txt"}, []event.Kind{event.MountSeen}, listing.Mounts),
	}
}
