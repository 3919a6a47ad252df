package event

// Key names an attribute. String gives the name of the Elastic Common Schema
// where it has one, else a name in its style.
type Key uint8

// The attribute keys.
const (
	NoKey Key = iota
	ServiceName
	UserName
	UserID
	UserEffective // whom the user became
	UserBy        // who did it to the user
	UserInvalid   // "true": no such account
	UserHome
	UserShell
	PasswordState // "none", "locked", "set", "empty", "in-passwd"
	GroupName
	GroupID
	GroupMembers
	SourceIP
	SourcePort
	SourceHost
	AuthMethod
	AuthReason
	AuthAnonymous
	KeyType
	KeyFingerprint // "SHA256:..." as ssh-keygen prints it, or MD5 "aa:bb:.."
	KeyComment
	KeyOptions
	ProcessPID
	ProcessName
	CommandLine
	WorkingDirectory
	Terminal
	SessionID
	EventCount // the event stands for so many
	RecordType
	HTTPMethod
	URL // as logged, query and all
	URLDomain
	HTTPVersion
	HTTPStatus
	HTTPBytes
	HTTPReferrer
	HTTPDuration // microseconds
	UserAgent
	LogLevel
	ErrorCode
	Message
	FilePath
	FileSize
	FileType // "file", "dir", "symlink", "char", "block", "fifo", "socket"
	FileMode // octal, permission bits with suid, sgid and sticky
	FileUID
	FileGID
	FileInode
	FileLinks
	FileTarget // of a symlink
	FileMtime  // RFC 3339
	FileCtime
	FileAtime
	FileCrtime
	FilePackage // name of the package that owns it
	FileCaps    // security.capability is there: hex
	FileSHA256
	FileContent // "php", "script", "elf", "text" ... of executable content
	FileFlags   // ext attributes in words: "immutable append-only"
	MailQueueID
	MailFrom
	MailTo
	MailRelay
	MailStatus
	MailReason
	MailRecipients // how many
	Schedule
	ShellHistory // the file that the command stands in
	UnitName
	UnitEnabled
	SettingName
	SettingValue
	PackageName
	PackageVersion
	PackagePrevious
	PackageArch
	PackageSource
	PackageStatus
	Change
	HostName
	HostID
	HostZone
	OSName
	OSVersion
	OSKernel
	Transport // "syslog", "journal" ... how the message came to us
	LoginUID  // the account that logged in, whatever the process runs as now: audit's auid
	ParentPID
	Executable
	ExitCode
	DestinationIP
	DestinationPort
	NetworkTransport // "tcp", "udp", "icmp"
	NetworkInterface // that the packet came by, or goes by if it goes out
	NetworkDirection // "inbound", "outbound", "forwarded"
	DNSName          // as asked, without its last dot
	DNSType
	EventStart // RFC 3339
	ContainerID
	ContainerName
	ContainerImage
	LogRecovered     // "removed", "lost": the line stands in no log any more and was found in what was deleted; lost are those that only went with the end of a file that was replaced
	FileFacts        // what the content says, in words: "elf64 executable static stripped packed(UPX)", "script(sh)", "php disguised(image)", "script(perl) does(reverse-shell)"
	PackageInstalled // RFC 3339
	HashExpected     // "md5:..." as the package's record has it
	HashFound        // of the file as it lies there, by the same algorithm
	ProcessTrait     // repeats: "deleted", "memory", "replaced", "kernel", "traced" ...: what of a process is not as usual, without a judgement
	ProcessMapped    // repeats: a file of which a process runs code, beside its program
	ProcessEnv       // repeats: a variable of its environment
	ProcessFile      // repeats: "3 /path" or "3 socket:[1]", then " deleted", " write"
	ProcessScript    // what an interpreter runs
	SocketState      // "listen", "established" ...
	SocketInode
	ViewShown   // repeats: a view of the machine that shows it
	ViewMissing // repeats: a view that should and does not
	CauseTested // repeats: an ordinary cause that was looked for and is not there
	ModuleName
	ProcessRoot // where it is not the machine's own
	FileSaved   // the member of the collection that holds the file
	FileReaders // repeats: an account that may read the file; "*" for all
	PackageType // the world that a version belongs to: "deb", "rpm", "apk", "wordpress-plugin", "binary" ...
	keys
)

var keyNames = [keys]string{
	"", "service.name", "user.name", "user.id", "user.effective.name", "user.by", "user.invalid", "user.home", "user.shell",
	"user.password_state", "group.name", "group.id", "group.members", "source.ip", "source.port", "source.host", "auth.method",
	"auth.reason", "auth.anonymous", "key.type", "key.fingerprint", "key.comment", "key.options", "process.pid", "process.name",
	"process.command_line", "process.working_directory", "terminal", "session.id", "event.count", "record.type",
	"http.request.method", "url.original", "url.domain", "http.version", "http.response.status_code", "http.response.body.bytes",
	"http.request.referrer", "http.duration_us", "user_agent.original", "log.level", "error.code", "message", "file.path",
	"file.size", "file.type", "file.mode", "file.uid", "file.gid", "file.inode", "file.links", "file.target_path", "file.mtime",
	"file.ctime", "file.accessed", "file.created", "file.package", "file.capabilities", "file.hash.sha256", "file.content",
	"file.flags", "mail.queue_id", "mail.from", "mail.to", "mail.relay", "mail.status", "mail.reason", "mail.recipients",
	"cron.schedule", "shell.history", "unit.name", "unit.enabled", "setting.name", "setting.value", "package.name",
	"package.version", "package.previous", "package.architecture", "package.source", "package.status", "change", "host.name",
	"host.id", "host.zone", "os.name", "os.version", "os.kernel", "transport",
	"audit.loginuid", "process.parent.pid", "process.executable", "process.exit_code",
	"destination.ip", "destination.port", "network.transport", "network.interface", "network.direction", "dns.question.name", "dns.question.type",
	"event.start", "container.id", "container.name", "container.image.name", "log.recovered", "file.facts",
	"package.installed", "file.hash.expected", "file.hash.found",
	"process.trait", "process.mapped", "process.environment", "process.file", "process.script", "socket.state", "socket.inode",
	"view.shown", "view.missing", "cause.tested", "module.name", "process.root", "file.saved", "file.readers", "package.type",
}

// String gives the attribute's name.
func (k Key) String() string {
	if k >= keys {
		return ""
	}
	return keyNames[k]
}
