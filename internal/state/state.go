// Package state is the form in which the volatile state of a running machine is written down: one JSON object a
// line, a file for each kind of thing. Package acquire writes it on the machine, artefacts read it, wherever the
// collection came to. It is what was seen, not what it means. Times are RFC 3339 in UTC, sizes bytes; strings
// from the machine are as found, but that bytes which are not UTF-8 are written \xNN and very long ones are cut.
package state

// Format is the version of the collection's form.
const Format = "telltale-collection/1"

// The files of a collection's state, in the order of volatility.
const (
	ClockFile          = "clock.jsonl"          // Clock
	ProcessFile        = "processes.jsonl"      // Process
	SocketFile         = "sockets.jsonl"        // Socket
	ContradictionsFile = "contradictions.jsonl" // Contradiction
	ViewFile           = "views.jsonl"          // View
	KernelFile         = "kernel.jsonl"         // Kernel, one line
	LogFile            = "kernel-log.jsonl"     // Said
	ModuleFile         = "modules.jsonl"        // Module
	HookFile           = "hooks.jsonl"          // Hook
	BPFFile            = "bpf.jsonl"            // BPF
	MountFile          = "mounts.jsonl"         // Mount
	LinkFile           = "links.jsonl"          // Link: network interfaces
	FirewallFile       = "firewall.jsonl"       // Firewall: chains and rules of the packet filter
	QueueFile          = "mail-queues.jsonl"    // Queue: mail that is under way
	ProgramFile        = "programs.jsonl"       // Program: the host's own tools
	StepFile           = "steps.jsonl"          // Step
	FailureFile        = "failures.jsonl"       // Failure
)

// Header is the beginning of a collection.
type Header struct {
	Format    string   `json:"format"`
	Version   string   `json:"version"` // of telltale
	Command   []string `json:"command"`
	Host      string   `json:"host"`
	MachineID string   `json:"machine_id"`
	Kernel    string   `json:"kernel"` // uname -srvm
	BootID    string   `json:"boot_id"`
	Booted    string   `json:"booted"`
	Started   string   `json:"started"`    // wall clock
	SinceBoot int64    `json:"since_boot"` // CLOCK_BOOTTIME, nanoseconds
	Root      bool     `json:"root"`       // with the rights of root in the first user namespace
	Missing   []string `json:"missing"`    // what could not be asked for lack of rights or of a kernel that knows it
	Container string   `json:"container"`  // it ran within a container of this kind, and saw no more than that; "" for none
	Self      int      `json:"self"`       // our own process
	Recipient string   `json:"recipient"`
	Signer    string   `json:"signer"` // Ed25519 public key, base64
}

// Clock is one reading of the machine's clocks.
type Clock struct {
	Wall      string `json:"wall"`
	SinceBoot int64  `json:"since_boot"`
	Synced    *bool  `json:"synced"` // what adjtimex(2) says; nil where it does not
	ErrorUS   int64  `json:"error_us"`
}

// Place is where something lies in a dump of memory.
type Place struct {
	Physical uint64 `json:"phys"`   // its address in the machine's memory
	Offset   int64  `json:"offset"` // in the dump; of the packed block that holds it, where the dump is packed
}

// Process is one process as its files in /proc show it, or as it stands in the kernel's memory.
type Process struct {
	At     *Place `json:"at,omitempty"`
	PID    int    `json:"pid"`
	PPID   int    `json:"ppid"`
	PGID   int    `json:"pgid"`
	SID    int    `json:"sid"`
	Name   string `json:"name"` // comm
	State  string `json:"state"`
	Kernel bool   `json:"kernel"` // a thread of the kernel: its flags say so, and it has no memory of its own

	Exe         string   `json:"exe"` // as the link says, without " (deleted)"
	Deleted     bool     `json:"deleted"`
	Memory      bool     `json:"memory"`   // the program never was a file on a disk: memfd
	Replaced    bool     `json:"replaced"` // at its path lies another file now
	ExeDev      uint64   `json:"exe_dev"`
	ExeInode    uint64   `json:"exe_inode"`
	ExeSize     int64    `json:"exe_size"`
	ExeModified string   `json:"exe_modified"`
	ExeChanged  string   `json:"exe_changed"`
	SHA256      string   `json:"sha256"`
	Saved       string   `json:"saved"` // member of the collection that holds it
	Interpreter string   `json:"interpreter"`
	Script      string   `json:"script"` // what an interpreter runs, by its arguments
	Args        []string `json:"args"`
	Env         []string `json:"env"`      // only what tells how it was started; the whole stands in the collection
	EnvSize     int      `json:"env_size"` // variables in all

	UID      uint32   `json:"uid"` // real
	EUID     uint32   `json:"euid"`
	GID      uint32   `json:"gid"`
	Groups   []uint32 `json:"groups"`
	CapEff   string   `json:"cap_eff"`
	Seccomp  int      `json:"seccomp"`
	LoginUID int64    `json:"loginuid"` // -1: nobody logged in
	Session  int64    `json:"session"`  // -1: none
	TTY      string   `json:"tty"`
	Tracer   int      `json:"tracer"`

	Started   string            `json:"started"`
	Ticks     uint64            `json:"ticks"` // of the start, since boot: with PID it names a process for good
	CPU       float64           `json:"cpu"`   // seconds used
	Resident  int64             `json:"resident"`
	Dir       string            `json:"dir"` // working directory
	DirGone   bool              `json:"dir_gone"`
	Root      string            `json:"root"`
	Cgroup    string            `json:"cgroup"`
	Unit      string            `json:"unit"`
	Container string            `json:"container"`
	NS        map[string]uint64 `json:"ns"`
	NSPID     []int             `json:"nspid"`

	Threads   int      `json:"threads"`
	OddTasks  []Task   `json:"odd_tasks"` // threads with another name, user or program than the process
	Files     []Open   `json:"files"`
	FileCount int      `json:"file_count"`
	Mapped    []Mapped `json:"mapped"`    // other files that it runs code of
	Anonymous int64    `json:"anon_exec"` // bytes of memory that can be run and belong to no file
	Writable  int64    `json:"anon_wx"`   // of it, can be written, too
	First     string   `json:"first_map"` // the first file mapped to be run
	VDSO      string   `json:"vdso"`      // of the code that the kernel maps into it: "64:" or "32:" and its SHA-256; "" where it could not be read
	Waits     string   `json:"waits"`     // the function of the kernel that it sleeps in; "" for none, or where that may not be seen
	Odd       []string `json:"odd"`       // that a view contradicted itself: "status says pid 3"
	Unread    []string `json:"unread"`    // what could not be read, and why
	Self      bool     `json:"self"`      // it is the program that writes this down
	Found     string   `json:"found"`     // the view that showed it, where listing /proc did not
}

// Task is a thread.
type Task struct {
	TID  int    `json:"tid"`
	Name string `json:"name"`
	EUID uint32 `json:"euid"`
	Net  uint64 `json:"net"` // its network namespace, where that is another than the process's; else 0
}

// Open is an open file.
type Open struct {
	FD      int    `json:"fd"`
	Target  string `json:"target"` // "socket:[123]", "/var/log/x"
	Deleted bool   `json:"deleted"`
	Write   bool   `json:"write"`
	Size    int64  `json:"size"`
	Inode   uint64 `json:"inode"`
	Saved   string `json:"saved"`
}

// Mapped is a file that a process runs code of.
type Mapped struct {
	Path    string `json:"path"`
	Deleted bool   `json:"deleted"`
	Dev     string `json:"dev"` // "fe:00"
	Inode   uint64 `json:"inode"`
}

// Socket is one socket of the network, of packets, or of the host itself.
type Socket struct {
	At       *Place   `json:"at,omitempty"`
	Protocol string   `json:"protocol"` // "tcp", "udp", "raw", "icmp", "packet", "unix", "netlink", "vsock" ...
	Local    string   `json:"local"`    // "192.0.2.10:22"; a path for unix; an interface for packet
	Remote   string   `json:"remote"`
	State    string   `json:"state"` // "listen", "established", "syn-sent" ...
	UID      uint32   `json:"uid"`
	Inode    uint64   `json:"inode"`
	Send     int64    `json:"send"`    // bytes waiting
	Receive  int64    `json:"receive"` // bytes waiting
	NetNS    uint64   `json:"netns"`
	PIDs     []int    `json:"pids"`
	Views    []string `json:"views"`  // "proc-net", "sock-diag", "file-descriptor"
	Filter   int      `json:"filter"` // instructions of a filter that is attached; 0 for none
	Program  []string `json:"filter_program"`
}

// Contradiction is something that one view of the machine shows and another, that should, does not.
type Contradiction struct {
	What       string   `json:"what"`       // "process", "port", "module", "file", "content", "bpf", "mount", "taint", "hook"
	Subject    string   `json:"subject"`    // "4711", "tcp 0.0.0.0:31337", "/etc/ld.so.preload"
	Detail     string   `json:"detail"`     // what is known of it
	Shown      []string `json:"shown"`      // the views that show it
	Missing    []string `json:"missing"`    // those that should and do not
	Structural bool     `json:"structural"` // of a kind that nothing ordinary makes: one view suffices
	Repeats    int      `json:"repeats"`    // in how many passes in a row it was so
	Tested     []string `json:"tested"`     // ordinary causes that were looked for and are not there
	Explained  string   `json:"explained"`  // the ordinary cause that it has; "" for none
	PID        int      `json:"pid"`        // of the process that it is about; 0 for none
}

// Passes is how often a contradiction must be seen before it counts.
const Passes = 3

// Holds tells whether it is more than a lead: seen three times without an ordinary cause, by two views or by one that needs no second.
func (c *Contradiction) Holds() bool {
	return c.Explained == "" && c.Repeats >= Passes && (c.Structural || len(c.Shown) >= 2)
}

// View is what one view of the machine counted: a comparison without contradictions must show that it looked.
type View struct {
	What  string `json:"what"`  // as Contradiction.What
	Name  string `json:"name"`  // "pid-allocator", "proc-readdir"
	Count int64  `json:"count"` // how many it saw
	Asked int64  `json:"asked"` // how many numbers, ports or names were asked for; 0 where it lists by itself
	MS    int64  `json:"ms"`
	Blind string `json:"blind"` // why it could not look, or at what it could not; "" if it looked at all
}

// Kernel is what the kernel says of itself.
type Kernel struct {
	Release   string            `json:"release"`
	Version   string            `json:"version"`
	Command   string            `json:"command_line"`
	Taint     uint64            `json:"taint"`
	Taints    []string          `json:"taints"` // decoded: "O: out-of-tree module"
	Lockdown  string            `json:"lockdown"`
	Symbols   int               `json:"symbols"`  // in kallsyms; 0 where it could not be read
	Settings  map[string]string `json:"settings"` // "kernel/core_pattern" and others that run programs or weaken the kernel
	Formats   []string          `json:"formats"`  // binfmt_misc: "name interpreter flags"
	BuildID   string            `json:"build_id"`
	BTF       bool              `json:"btf"`
	TaintedBy []string          `json:"tainted_by"` // lines of the kernel's log that tell of it
}

// Said is one message of the kernel's own log, out of its ring buffer.
type Said struct {
	At   string `json:"at"` // by the clock since boot, which stands still while the machine sleeps
	Text string `json:"text"`
}

// Module is a module of the kernel.
type Module struct {
	At     *Place   `json:"at,omitempty"`
	Name   string   `json:"name"`
	Size   int64    `json:"size"`
	Refs   int      `json:"refs"`
	State  string   `json:"state"`
	Taints string   `json:"taints"`
	Path   string   `json:"path"` // the file below /lib/modules that bears its name; "" for none
	Views  []string `json:"views"`
}

// Hook is something that listens in or interferes within the kernel.
type Hook struct {
	Kind   string `json:"kind"` // "kprobe", "uprobe", "ftrace", "tc", "xdp", "raw-table"
	Target string `json:"target"`
	Owner  string `json:"owner"` // module, BPF program or ""
	Detail string `json:"detail"`
}

// BPF is a program of the BPF machine.
type BPF struct {
	At      *Place   `json:"at,omitempty"`
	ID      uint32   `json:"id"`
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Tag     string   `json:"tag"`
	UID     uint32   `json:"uid"`
	Loaded  string   `json:"loaded"`
	Attach  []string `json:"attach"`  // by links, tc, XDP, cgroups
	Pinned  []string `json:"pinned"`  // paths
	PIDs    []int    `json:"pids"`    // that hold it
	Helpers []string `json:"helpers"` // of those that can deceive: "probe_write_user"
	Views   []string `json:"views"`
}

// Mount is a mount as one mount namespace has it.
type Mount struct {
	NS      uint64 `json:"ns"`
	ID      int    `json:"id"`
	Parent  int    `json:"parent"`
	Dev     string `json:"dev"`
	Root    string `json:"root"` // which directory of the filesystem
	At      string `json:"at"`
	Type    string `json:"type"`
	Source  string `json:"source"`
	Options string `json:"options"`
	Process int    `json:"process"` // one that has this namespace
}

// Link is a network interface.
type Link struct {
	Name    string   `json:"name"`
	Index   int      `json:"index"`
	NetNS   uint64   `json:"netns"`
	MAC     string   `json:"mac"`
	Flags   []string `json:"flags"` // "promisc" among them
	Addrs   []string `json:"addrs"`
	Carries []string `json:"carries"` // tc and XDP programs
}

// Program is one of the host's own tools, as a file.
type Program struct {
	Path     string `json:"path"`
	Kind     string `json:"kind"` // "elf", "script", "missing" ...
	SHA256   string `json:"sha256"`
	Modified string `json:"modified"`
	Changed  string `json:"changed"`
	Detail   string `json:"detail"` // what it says otherwise than we do, where it was run as an exhibit
}

// Step is one step of taking the state.
type Step struct {
	Name      string `json:"name"`
	Wall      string `json:"wall"`       // when it began
	SinceBoot int64  `json:"since_boot"` // when it began
	MS        int64  `json:"ms"`
}

// Failure is something that could not be taken: evidence, too.
type Failure struct {
	Step string `json:"step"`
	What string `json:"what"`
	Why  string `json:"why"`
	When string `json:"when"`
}
