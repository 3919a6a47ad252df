// Package kernel writes down what the kernel of a running machine says of itself: its version, taint and settings, its
// log, modules, hooks, BPF programs and interfaces, and where these views contradict each other. It reads files of
// /proc, /sys and filesystems of the kernel's own, and asks by bpf(2) and netlink; it changes nothing, loads nothing
// and attaches nothing. It draws no conclusions.
//
// Forms follow Linux 6.18: kernel/panic.c (taint), kernel/module/procfs.c, kernel/kallsyms.c, mm/vmalloc.c,
// kernel/trace/ftrace.c, kernel/kprobes.c, kernel/bpf/syscall.c and include/uapi/linux/bpf.h; older kernels have less of
// the same.
package kernel

// Options is what the steps need from elsewhere.
type Options struct {
	// Full keeps the kernel's table of symbols, too, which is some 10 MB as text.
	Full bool
}

// Limits of what is read.
const (
	small      = 64 << 10  // bytes of a setting
	table      = 16 << 20  // bytes of a list such as /proc/modules or vmallocinfo
	symbols    = 128 << 20 // bytes of kallsyms, and of available_filter_functions
	maxEntries = 5000      // lines of a list that are written down
)

// The names of the views, as state.View and state.Contradiction have them.
const (
	viewTaint   = "taint"            // /proc/sys/kernel/tainted
	viewLog     = "kernel-log"       // the ring buffer
	viewModules = "proc-modules"     // /proc/modules
	viewSysfs   = "sys-module"       // folders of /sys/module that have initstate
	viewLinks   = "sys-module-nlink" // how many folders /sys/module says that it has
	viewHolders = "holders"          // named in another module's holders or as its user
	viewSymbols = "kallsyms"         // [name] behind a symbol
	viewTrace   = "filter-functions" // [name] in available_filter_functions
	viewAreas   = "vmallocinfo"      // areas of memory that the loader of modules took
	viewIDs     = "bpf-ids"          // the list of ids that bpf(2) gives
	viewByID    = "bpf-fd-by-id"     // an id that is not in the list and can be opened
	viewFDs     = "bpf-fdinfo"       // a descriptor of a process
	viewPins    = "bpf-pins"         // a file in a bpf filesystem
	viewBPFLink = "bpf-links"        // a link of bpf(2)
	viewNet     = "bpf-rtnetlink"    // tc and XDP
	viewCgroup  = "bpf-cgroups"      // attached to a control group
)
