package event

// Kind is what an event says. The list is closed: a trace that needs another
// kind adds it here, with the attributes it carries.
type Kind uint8

// The kinds. Behind each: the attributes that it carries where the trace knows
// them (names as Key.String gives them).
const (
	Unknown Kind = iota

	// Logins and rights.
	AuthFailed     // service.name user.name source.ip source.port auth.method auth.reason user.invalid process.pid: one refused credential; event.count where a line stands for several
	AuthAccepted   // service.name user.name source.ip source.port auth.method key.fingerprint process.pid: a credential was accepted
	SessionOpened  // service.name user.name user.id process.pid user.by terminal source.ip session.id
	SessionClosed  // as SessionOpened
	ConnectionSeen // service.name source.ip source.port process.pid auth.reason user.name: connected, no credential tried (scan, banner grab, preauth disconnect)
	LoginRecord    // terminal user.name source.ip source.host process.pid: from wtmp/utmp/lastlog (record.type names it)
	LogoutRecord   // terminal process.pid
	BadLoginRecord // btmp: terminal user.name source.ip
	Boot           // os.kernel
	Shutdown
	ClockChanged // a witness says that the clock was set
	SudoCommand  // user.name user.effective terminal working_directory process.command_line
	SudoDenied   // user.name user.effective auth.reason process.command_line
	SwitchUser   // su/doas/pkexec/login: service.name user.name user.effective terminal
	AccountCreated
	AccountChanged // user.name, change: what was changed, in words
	AccountDeleted
	GroupChanged    // group.name user.name change
	PasswordChanged // user.name user.by
	ServiceStarted  // service.name process.pid: "Server listening", "Started X"
	ServiceStopped  // service.name
	LoggingChanged  // service.name change: a log daemon started, stopped, was told to reopen or lost messages

	// Web.
	HTTPRequest // source.ip user.name http.request.method url.original http.version http.response.status_code http.response.body.bytes http.request.referrer user_agent.original http.duration_us url.domain
	HTTPError   // source.ip source.port log.level error.code message process.pid http.request.referrer file.path user.name: a line of a server's error log
	ChildOutput // message source.ip: what a child of the web server wrote to its stderr

	// Files moved by a service.
	FileUploaded   // service.name user.name source.ip file.path file.size auth.anonymous
	FileDownloaded // as FileUploaded
	FileRemoved    // as FileUploaded
	DirectoryMade  // as FileUploaded

	// Mail. mail.queue_id joins them.
	MailSubmitted // user.id (of the local submitter) mail.from: handed in on this host
	MailReceived  // source.ip source.host auth.method user.name (SASL): came by SMTP
	MailQueued    // mail.from mail.recipients file.size
	MailDelivered // mail.to mail.relay mail.status mail.reason
	MailRejected  // source.ip mail.from mail.to mail.reason
	MailRemoved

	// Running and scheduling.
	CronRan      // user.name process.command_line process.pid
	CronEdited   // user.name change
	ShellCommand // user.name process.command_line shell.history
	KernelNotice // message change: segfault, promiscuous mode, module taint, oom ...
	ProgramSaid  // service.name message user.name source.ip: a known program's line with no closer kind, kept because it may matter

	// What stands on the host (state, not time).
	Account            // user.name user.id group.id user.home user.shell user.password_state
	AccountSecret      // user.name user.password_state: shadow
	Group              // group.name group.id group.members
	AuthorizedKey      // user.name key.type key.fingerprint key.comment key.options file.path
	CronEntry          // user.name process.command_line cron.schedule file.path
	ServiceUnit        // unit.name process.command_line user.name file.path unit.enabled cron.schedule (timers)
	PreloadLibrary     // file.path process.command_line: a line of ld.so.preload
	StartupCommand     // file.path process.command_line user.name: rc.local, profile, bashrc ...
	SudoRule           // user.name process.command_line file.path
	ServerSetting      // service.name setting.name setting.value file.path
	Package            // package.name package.version package.architecture package.source package.status
	PackageChanged     // package.name package.version package.previous change: from a package manager's log
	PackageRun         // process.command_line user.name change: one run of apt, dnf ...
	File               // file.*: one inode met by the walk
	Machine            // host.name host.id os.name os.version os.kernel host.zone: what the host says of itself
	ProcessStarted     // user.name user.id audit.loginuid session.id process.pid process.parent.pid process.executable process.command_line process.working_directory terminal process.exit_code: a program was executed (audit)
	DatabaseCommand    // service.name user.name source.ip message file.path setting.name setting.value: a statement or an effect of one that a database's log shows
	FirewallPacket     // source.ip source.port destination.ip destination.port network.transport network.interface network.direction user.id change: a packet that the firewall logged; change is the rule's own word
	AlarmRaised        // service.name source.ip user.name file.path message change: a security tool's alarm; change says what it did: "banned", "unbanned", "infected", "file changed"
	DNSQuery           // service.name source.ip dns.question.name dns.question.type auth.reason: a question to the name server; the reason says why it was refused
	RecordsMissing     // service.name record.type event.count message event.start: a log's own numbering shows that so many records are missing before this moment; record.type says which numbering, event.start when the last one before the hole was written
	Deployed           // service.name file.path message user.name source.ip: an application server took up an application; a control panel a plugin or a site
	Container          // container.id container.name container.image.name process.command_line user.name change file.path: a container's configuration as it lies on the disk; change says what of it gives power over the host
	ContainerChange    // service.name container.id container.name container.image.name change process.command_line: a container was made, started, entered, removed
	DeletedFile        // file.*: a file that was deleted and was found again; file.path where its name is known, change says whether its content is whole
	LineRemoved        // file.path message change record.type file.ctime (when the file that still had it was deleted): a line that stood in a log between others, and stands in no log any more; record.type is "mixed" where lines about other addresses went with it
	PackageFileChanged // file.* package.name package.version package.installed file.hash.expected file.hash.found change message record.type: a file is not as its package shipped it; change says what differs, message what may explain it, record.type is "config" for what administrators are meant to change
	UnownedFile        // file.* file.hash.sha256 file.content change message: a program or library that no package owns, where packages put theirs; change says whether it differs from the baseline
	PackageRecordOdd   // package.name package.version package.installed file.path message: a package manager's record that its own traces contradict
	LogLine            // service.name process.pid message: a message of a program that no other event came of; only for rules that look at words
	AuditRecord        // record.type message: one record of the kernel's audit, whole; only for rules that look at its fields
	ProcessSeen        // process.* user.id user.effective.id audit.loginuid session.id terminal unit.name container.id event.start file.hash.sha256: a process that ran when the state was taken; process.trait says what is odd of it, process.mapped, process.environment and process.file repeat
	SocketSeen         // network.transport source.ip source.port (this end) destination.ip destination.port socket.state user.id process.pid (repeats) socket.inode view.shown: a socket that was there when the state was taken; event.count instructions of a filter attached to it
	ModuleSeen         // module.name view.shown file.path change: a module of the kernel; change says what it taints
	HookSeen           // record.type message service.name: what listens in or interferes within the kernel
	MountSeen          // file.path file.target_path record.type message: a mount; file.target_path is the directory of the filesystem, message its source
	Contradiction      // record.type message view.shown view.missing change process.pid event.count: one view of the machine shows what another, that should, does not; change says what explains it, log.level "finding" or "lead"
	ViewCounted        // record.type view.shown event.count message: what one view counted; message says at what it could not look
	KernelState        // os.kernel message change: what the kernel says of itself; change repeats: taints, and settings that run programs
	NotTaken           // file.path message: what could not be taken from the running machine, and why
	Hookup             // record.type process.command_line user.name file.path message setting.name process.script file.mode: something that will be run or loaded on an occasion, which message says; record.type is the mechanism, process.script one line of what is run
	SoftwareSeen       // package.type package.name package.version package.source file.path: software that stands on the host, installed by a package manager or not; package.type is the world of its versions: "deb", "rpm", "apk", "wordpress-plugin", "binary" ...
	SecretSeen         // record.type message file.*: a file that holds secrets or data worth taking; record.type is the kind, message says more; file.readers repeats, and is absent where it is not known; never the secret itself
	KnownHost          // user.name source.host file.path file.mtime event.count record.type: a machine that an account's ssh knows; record.type is "known_hosts" or "config", event.count how many names are hashed and so cannot be read
	FilterRule         // record.type file.path network.direction setting.name setting.value message source.ip source.port destination.ip destination.port network.transport network.interface change event.count container.id: a rule of the kernel's packet filter, or a chain that it asks by itself; file.path is the chain, network.direction where it is asked, setting.name the verdict ("policy" for a chain), setting.value where packets are turned to (the policy), change an expression that was not understood, event.count the packets, container.id the network namespace
	QueueCounted       // service.name event.count event.start change: mail that is under way when the state was taken; service.name is the queue, event.start when the oldest came, change repeats: "10m=7" and "1h=40" how many came within ten minutes and an hour, "33=120" how many user 33 handed in
	kinds              // how many
)

var kindNames = [kinds]string{
	"unknown", "auth-failed", "auth-accepted", "session-opened", "session-closed", "connection-seen", "login-record", "logout-record",
	"bad-login-record", "boot", "shutdown", "clock-changed", "sudo-command", "sudo-denied", "switch-user", "account-created",
	"account-changed", "account-deleted", "group-changed", "password-changed", "service-started", "service-stopped", "logging-changed",
	"http-request", "http-error", "child-output", "file-uploaded", "file-downloaded", "file-removed", "directory-made",
	"mail-submitted", "mail-received", "mail-queued", "mail-delivered", "mail-rejected", "mail-removed",
	"cron-ran", "cron-edited", "shell-command", "kernel-notice", "program-said",
	"account", "account-secret", "group", "authorized-key", "cron-entry", "service-unit", "preload-library", "startup-command",
	"sudo-rule", "server-setting", "package", "package-changed", "package-run", "file", "machine", "process-started", "database-command",
	"firewall-packet", "alarm-raised", "dns-query", "records-missing", "deployed", "container", "container-change", "deleted-file", "line-removed",
	"package-file-changed", "unowned-file", "package-record-odd", "log-line", "audit-record",
	"process-seen", "socket-seen", "module-seen", "hook-seen", "mount-seen", "contradiction", "view-counted", "kernel-state", "not-taken", "hookup",
	"software-seen", "secret-seen", "known-host", "filter-rule", "queue-counted",
}

// String gives the kind's name, as in exports.
func (k Kind) String() string {
	if k >= kinds {
		return kindNames[Unknown]
	}
	return kindNames[k]
}
