package sigma

import (
	"strings"

	"telltale/event"
)

// kindSet is a set of kinds.
type kindSet [256]bool

func kindsOf(list ...event.Kind) (s kindSet) {
	for _, k := range list {
		s[k] = true
	}
	return s
}

// field gives the values of one field of a record. hidden says that what it gives may stand in no text of the event, so that no word of it can be looked
// for beforehand.
type field struct {
	get    func(r *record) [][]byte
	hidden bool
	end    bool // only what stands behind the last slash is sure to stand in the event
}

// view is how the rules of one kind of log source see events: which ones, and by which names.
type view struct {
	kinds  kindSet
	fields map[string]field
	word   string // that the event's text must hold, or its service be

	program string // whose lines it looks at, where the word does not say so
}

// shells are the kinds that hold commands without their program's path.
var shells = []event.Kind{event.ShellCommand, event.SudoCommand, event.CronRan}

// words are the kinds that log lines of all programs become, but for requests to web servers.
var words = []event.Kind{
	event.AuthFailed, event.AuthAccepted, event.SessionOpened, event.SessionClosed, event.ConnectionSeen, event.SudoCommand, event.SudoDenied, event.SwitchUser, event.AccountCreated, event.AccountChanged, event.AccountDeleted,
	event.GroupChanged, event.PasswordChanged, event.ServiceStarted, event.ServiceStopped, event.LoggingChanged, event.HTTPError, event.ChildOutput, event.FileUploaded, event.FileDownloaded, event.FileRemoved, event.DirectoryMade,
	event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.MailRejected, event.CronRan, event.CronEdited, event.ShellCommand, event.KernelNotice, event.ProgramSaid, event.PackageRun,
	event.DatabaseCommand, event.AlarmRaised, event.DNSQuery, event.Deployed, event.ContainerChange, event.LogLine,
}

// ErrSource names what rules wants that no trace here gives.
type ErrSource struct{ Needs string }

func (e *ErrSource) Error() string { return "no trace that is read here is a " + e.Needs }

// viewOf gives how a rule's log source is seen.
func viewOf(s Source) (*view, error) {
	absent := &ErrSource{s.String()}
	switch s.Product {
	case "", "linux", "apache", "nginx", "modsecurity", "sql", "python", "ruby_on_rails", "django", "spring", "nodejs", "jvm", "velocity", "php", "mysql", "postgresql", "redis", "mongodb", "tomcat", "docker", "wordpress", "cpanel":
	default:
		return nil, absent
	}
	switch s.Category {
	case "process_creation":
		return &view{kinds: kindsOf(append(shells, event.ProcessStarted)...), fields: processFields}, nil
	case "webserver":
		return &view{kinds: kindsOf(event.HTTPRequest), fields: webFields}, nil
	case "file_event", "file_change", "file_rename":
		return &view{kinds: kindsOf(event.AuditRecord, event.FileUploaded, event.DirectoryMade), fields: fileFields}, nil
	case "file_delete":
		return &view{kinds: kindsOf(event.FileRemoved), fields: fileFields}, nil
	case "network_connection", "firewall":
		return &view{kinds: kindsOf(event.FirewallPacket), fields: packetFields}, nil
	case "dns", "dns_query":
		return &view{kinds: kindsOf(event.DNSQuery), fields: dnsFields}, nil
	case "antivirus":
		return &view{kinds: kindsOf(event.AlarmRaised), fields: alarmFields}, nil
	case "database":
		return &view{kinds: kindsOf(event.DatabaseCommand, event.AuthFailed, event.AuthAccepted, event.ProgramSaid), fields: textFields}, nil
	case "", "application":
		return serviceView(s, absent)
	}
	return nil, absent
}

// serviceView gives the view of the log of one service.
func serviceView(s Source, absent error) (*view, error) {
	of := func(word string, list ...event.Kind) (*view, error) {
		return &view{kinds: kindsOf(append(list, event.LogLine, event.ProgramSaid)...), fields: textFields, word: word}, nil
	}
	switch s.Service {
	case "auditd":
		return &view{kinds: kindsOf(event.AuditRecord), fields: auditFields}, nil
	case "", "syslog", "auth", "application", "messages", "secure", "error", "access":
		if s.Service == "access" && s.Category == "" && s.Product != "" && s.Product != "linux" {
			return &view{kinds: kindsOf(event.HTTPRequest), fields: webFields}, nil
		}
		if s.Product == "apache" || s.Product == "nginx" || s.Product == "php" || s.Product == "modsecurity" {
			return &view{kinds: kindsOf(event.HTTPError, event.ChildOutput, event.AlarmRaised, event.ProgramSaid), fields: textFields}, nil
		}
		if s.Product == "" && s.Service == "" {
			return nil, absent
		}
		return &view{kinds: kindsOf(words...), fields: textFields}, nil
	case "sshd":
		return of("sshd", event.AuthFailed, event.AuthAccepted, event.ConnectionSeen, event.SessionOpened, event.SessionClosed, event.ServiceStarted)
	case "sudo":
		return of("sudo", event.SudoCommand, event.SudoDenied, event.AuthFailed, event.SessionOpened)
	case "distccd", "rpc.statd", "smtpd", "crushftp":
		return of(s.Service)
	case "lprng":
		return of("server") // as it calls itself
	case "ftpd":
		v, err := of("", event.AuthFailed, event.AuthAccepted)
		v.program = s.Service
		return v, err
	case "cron":
		return of("cron", event.CronRan, event.CronEdited)
	case "kernel":
		return &view{kinds: kindsOf(event.KernelNotice, event.LogLine), fields: textFields, program: "kernel"}, nil
	case "vsftpd":
		v, err := of("", event.AuthFailed, event.AuthAccepted, event.FileUploaded, event.FileDownloaded, event.FileRemoved, event.DirectoryMade, event.ConnectionSeen)
		v.program = s.Service
		return v, err
	case "clamav", "rkhunter", "aide":
		return of("", event.AlarmRaised)
	case "named", "bind", "dns":
		return of("", event.DNSQuery)
	case "postfix", "exim", "sendmail", "mail":
		v, err := of("", event.MailSubmitted, event.MailReceived, event.MailQueued, event.MailDelivered, event.MailRejected, event.AuthFailed)
		if s.Service == "exim" || s.Service == "postfix" { // the others speak under several names
			v.program = s.Service
		}
		return v, err
	case "docker", "containerd", "podman":
		return of("", event.ContainerChange)
	case "samba", "smbd", "proftpd", "pure-ftpd", "dovecot", "redis", "mysql", "postgresql", "mongodb", "systemd", "guacamole", "polkit", "pkexec", "su", "useradd":
		return &view{kinds: kindsOf(words...), fields: textFields, word: s.Service}, nil
	}
	return nil, absent
}

// fieldOf gives the field that a rule names; one of the Elastic Common Schema is known in every source.
func (v *view) fieldOf(name string) (field, bool) {
	for _, n := range []string{name, strings.ToLower(name)} {
		if f, ok := v.fields[n]; ok {
			return f, true
		}
	}
	if v.kinds[event.AuditRecord] && !v.kinds[event.FileUploaded] { // every other name is the record's own
		return field{get: func(r *record) [][]byte { return r.one(r.field(name)) }}, true
	}
	for k := event.Key(1); k.String() != ""; k++ {
		if k.String() == name {
			return aside(k), true
		}
	}
	return field{}, false
}
