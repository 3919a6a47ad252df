package sigma

import (
	"bytes"
	"slices"
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
	case "cron":
		return of("cron", event.CronRan, event.CronEdited)
	case "kernel":
		return &view{kinds: kindsOf(event.KernelNotice, event.LogLine), fields: textFields, program: "kernel"}, nil
	case "vsftpd":
		return of("", event.AuthFailed, event.AuthAccepted, event.FileUploaded, event.FileDownloaded, event.FileRemoved, event.DirectoryMade, event.ConnectionSeen)
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

// attr gives the field of one attribute or, where the first is absent, the next.
func attr(keys ...event.Key) field {
	return field{get: func(r *record) [][]byte {
		for _, k := range keys {
			if v := r.e.Get(k); len(v) > 0 {
				return r.one(v)
			}
		}
		return nil
	}}
}

// aside is attr for what stands in a request's line beside the URL and what the client says of itself: words of it are not looked for beforehand.
func aside(keys ...event.Key) field {
	f := attr(keys...)
	f.hidden = true
	return f
}

func constant(v string, when func(r *record) bool) field {
	b := []byte(v)
	return field{hidden: true, get: func(r *record) [][]byte {
		if when != nil && !when(r) {
			return nil
		}
		return r.one(b)
	}}
}

// merge joins tables of names. A name is also known in lower case, unless that is a name of its own: sudo's USER is not the user.
func merge(maps ...map[string]field) map[string]field {
	out := map[string]field{}
	for _, m := range maps {
		for k, v := range m {
			out[k] = v
		}
	}
	for k, v := range maps[len(maps)-1] {
		if low := strings.ToLower(k); low != k {
			if _, ok := out[low]; !ok {
				out[low] = v
			}
		}
	}
	return out
}

// common are names that fields have in several sources.
var common = map[string]field{
	"user": attr(event.UserName, event.UserID), "username": attr(event.UserName), "user_name": attr(event.UserName), "src_ip": attr(event.SourceIP), "client_ip": attr(event.SourceIP), "c-ip": attr(event.SourceIP), "source_ip": attr(event.SourceIP), "src_port": attr(event.SourcePort),
	"dst_ip": attr(event.DestinationIP), "dst_port": attr(event.DestinationPort), "pid": attr(event.ProcessPID), "processid": attr(event.ProcessPID), "message": attr(event.Message), "host": constant("", nil), "hostname": constant("", nil), "computer": constant("", nil),
}

var textFields = merge(common, map[string]field{
	"pam_message": constant("authentication failure", func(r *record) bool { return r.e.Kind == event.AuthFailed }), "pam_user": attr(event.UserName), "pam_rhost": attr(event.SourceIP, event.SourceHost),
	"USER": attr(event.UserEffective), "COMMAND": attr(event.CommandLine), "CommandLine": attr(event.CommandLine), "PWD": attr(event.WorkingDirectory), "TTY": attr(event.Terminal), "deviceProcessName": attr(event.ServiceName), "process": attr(event.ServiceName), "program": attr(event.ServiceName), "filename": attr(event.FilePath),
})

var processFields = merge(common, map[string]field{
	"Image": {get: (*record).image, end: true}, "CommandLine": {get: (*record).commandLine}, "CurrentDirectory": attr(event.WorkingDirectory), "ParentProcessId": attr(event.ParentPID), "User": attr(event.UserName, event.UserID),
	"LogonId": attr(event.LoginUID), "ParentImage": {hidden: true, get: func(r *record) [][]byte { return r.one(r.parent().image) }}, "ParentCommandLine": {hidden: true, get: func(r *record) [][]byte { return r.one(r.parent().command) }},
	"ProcessName": {get: (*record).image, end: true}, "comm": attr(event.ProcessName),
})

// parent gives the process that started the one looked at, if its own start was logged.
func (r *record) parent() process {
	if r.e.Kind != event.ProcessStarted || r.parents == nil {
		return process{}
	}
	return r.parents.by[string(r.e.Get(event.ParentPID))]
}

// whole gives a request's URL as it was logged and decoded.
func whole(r *record) [][]byte {
	out := r.one(r.e.Get(event.URL))
	if r.url != nil {
		out = append(out, r.url)
	}
	r.values = out
	return out
}

// cut gives parts of the URL, as logged and decoded.
func cut(part func(u []byte) []byte) field {
	return field{get: func(r *record) [][]byte {
		out := r.one(part(r.e.Get(event.URL)))
		if v := part(r.url); len(v) > 0 {
			out = append(out, v)
		}
		r.values = out
		return out
	}}
}

func stem(u []byte) []byte {
	if i := bytes.IndexByte(u, '?'); i >= 0 {
		return u[:i]
	}
	return u
}

// webFields know that authors of rules write "cs-uri-query" for the whole URL: it gives that and what stands behind the question mark.
var webFields = merge(map[string]field{
	"c-ip": aside(event.SourceIP), "client_ip": aside(event.SourceIP), "src_ip": aside(event.SourceIP), "source_ip": aside(event.SourceIP), "host": constant("", nil),
	"cs-method": aside(event.HTTPMethod), "c-uri": {get: whole}, "cs-uri": {get: whole}, "c-uri-query": {get: whole}, "url": {get: whole}, "request": {get: whole}, "cs-uri-stem": cut(stem), "c-uri-stem": cut(stem), "uri_path": cut(stem),
	"cs-uri-query": {get: func(r *record) [][]byte {
		out := whole(r)
		for _, u := range [][]byte{r.e.Get(event.URL), r.url} {
			if i := bytes.IndexByte(u, '?'); i >= 0 {
				out = append(out, u[i+1:])
			}
		}
		r.values = out
		return out
	}},
	"c-uri-extension": cut(func(u []byte) []byte {
		u = stem(u)
		if i := bytes.LastIndexByte(u, '.'); i >= 0 && bytes.IndexByte(u[i:], '/') < 0 {
			return u[i+1:]
		}
		return nil
	}),
	"cs-user-agent": attr(event.UserAgent), "c-useragent": attr(event.UserAgent), "cs(User-Agent)": attr(event.UserAgent), "user_agent": attr(event.UserAgent), "cs-referer": attr(event.HTTPReferrer), "cs-referrer": attr(event.HTTPReferrer), "cs(Referer)": attr(event.HTTPReferrer),
	"sc-status": aside(event.HTTPStatus), "response": aside(event.HTTPStatus), "sc-bytes": aside(event.HTTPBytes), "cs-username": aside(event.UserName), "cs-host": aside(event.URLDomain), "vhost": aside(event.URLDomain), "cs-version": aside(event.HTTPVersion),
})

// fileFields are of files that a transfer wrote, and of those that the kernel's audit saw being made or renamed.
var fileFields = merge(common, map[string]field{
	"TargetFilename": {get: func(r *record) [][]byte {
		if r.e.Kind != event.AuditRecord {
			return r.one(r.e.Get(event.FilePath))
		}
		if t := r.field("nametype"); string(t) != "CREATE" {
			return nil
		}
		return r.one(r.field("name"))
	}},
})

var packetFields = merge(common, map[string]field{
	"DestinationIp": attr(event.DestinationIP), "DestinationPort": attr(event.DestinationPort), "SourceIp": attr(event.SourceIP), "SourcePort": attr(event.SourcePort), "Protocol": attr(event.NetworkTransport), "action": attr(event.Change),
	"Initiated": constant("true", func(r *record) bool { return string(r.e.Get(event.NetworkDirection)) == "outbound" }),
})

var dnsFields = merge(common, map[string]field{"query": attr(event.DNSName), "QueryName": attr(event.DNSName), "record_type": attr(event.DNSType)})

var alarmFields = merge(common, map[string]field{"Signature": attr(event.Message), "Filename": attr(event.FilePath), "TargetFilename": attr(event.FilePath)})

var auditFields = merge(map[string]field{"type": attr(event.RecordType), "syscall": {get: (*record).syscall, hidden: true}})

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

// search compiles one search of a rule: a map of fields, a list of maps, or words.
func (v *view) search(s any, depth int) (expr, error) {
	if depth > maxDepth {
		return nil, refuse("its searches are nested more than %d deep", maxDepth)
	}
	switch x := s.(type) {
	case map[string]any:
		var list andExpr
		names := make([]string, 0, len(x))
		for name := range x {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			e, err := v.item(name, x[name])
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		if len(list) == 0 {
			return nil, refuse("an empty search")
		}
		return list, nil
	case []any:
		var list orExpr
		for _, y := range x {
			e, err := v.search(y, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		if len(list) == 0 {
			return nil, refuse("an empty search")
		}
		return list, nil
	case nil:
		return nil, refuse("an empty search")
	}
	return keywords([]any{s}, modifiers{})
}

// item compiles "Field|modifier: value".
func (v *view) item(key string, value any) (expr, error) {
	parts := strings.Split(key, "|")
	m, err := readModifiers(parts[1:])
	if err != nil {
		return nil, err
	}
	values, isList := value.([]any)
	if !isList {
		values = []any{value}
	}
	if parts[0] == "" {
		return keywords(values, m)
	}
	f, known := v.fieldOf(parts[0])
	if !known {
		return unknownField{parts[0]}, nil
	}
	e, err := m.on(v, f, values)
	if m.neq && err == nil {
		e = notExpr{e}
	}
	return e, err
}

// on compiles what a field's values are compared with.
func (m modifiers) on(v *view, f field, values []any) (expr, error) {
	var any_ orExpr
	var all andExpr
	add := func(e expr) { any_, all = append(any_, e), append(all, e) }
	for _, x := range values {
		switch {
		case m.exists:
			e := expr(presentExpr{f})
			if yes, ok := x.(bool); !ok {
				return nil, refuse("exists: %v", x)
			} else if !yes {
				e = notExpr{e}
			}
			add(e)
		case m.fieldref:
			name, _ := x.(string)
			other, ok := v.fieldOf(name)
			if !ok {
				add(unknownField{name})
				continue
			}
			add(sameExpr{f, other})
		case x == nil, x == "" && !m.contains && !m.startswith && !m.endswith:
			add(notExpr{presentExpr{f}})
		default:
			switch x.(type) {
			case string, bool, int, int64, uint64, float64:
			default:
				return nil, refuse("a value that is neither text nor number")
			}
			forms, err := m.compile(x)
			if err != nil {
				return nil, err
			}
			add(fieldExpr{f, forms})
		}
	}
	switch {
	case len(any_) == 0:
		return nil, refuse("a field with an empty list")
	case len(any_) == 1:
		return any_[0], nil
	case m.all:
		return all, nil
	}
	return any_, nil
}

// keywords compiles words that stand anywhere in the log's line.
func keywords(list []any, m modifiers) (expr, error) {
	var any_ orExpr
	var all andExpr
	for _, x := range list {
		switch x.(type) {
		case string, bool, int, int64, uint64, float64:
		default:
			return nil, refuse("a keyword that is neither text nor number")
		}
		m := m
		m.contains = !m.re
		forms, err := m.compile(x)
		if err != nil {
			return nil, err
		}
		any_, all = append(any_, keywordExpr{forms}), append(all, keywordExpr{forms})
	}
	if m.all {
		return all, nil
	}
	if len(any_) == 0 {
		return nil, refuse("an empty list of keywords")
	}
	return any_, nil
}

// The leaves.
type (
	fieldExpr struct {
		f     field
		forms []matcher
	}
	keywordExpr  struct{ forms []matcher }
	presentExpr  struct{ f field }
	sameExpr     struct{ a, b field }
	unknownField struct{ name string }
	serviceExpr  struct{ word []byte }
)

func (e fieldExpr) holds(r *record) bool {
	for _, v := range e.f.get(r) {
		for _, m := range e.forms {
			if m.match(v) {
				return true
			}
		}
	}
	return false
}

func (e keywordExpr) holds(r *record) bool {
	for _, m := range e.forms {
		if m.match(r.e.Raw) || r.url != nil && m.match(r.url) {
			return true
		}
		if r.e.Kind == event.LogLine || r.e.Kind == event.ProgramSaid || r.e.Kind == event.AuditRecord {
			if m.match(r.e.Get(event.Message)) {
				return true
			}
		}
	}
	return false
}

func (e presentExpr) holds(r *record) bool { return len(e.f.get(r)) > 0 }

func (e sameExpr) holds(r *record) bool {
	a := slices.Clone(e.a.get(r))
	for _, y := range e.b.get(r) {
		for _, x := range a {
			if bytes.EqualFold(x, y) {
				return true
			}
		}
	}
	return false
}

func (e unknownField) holds(*record) bool { return false }

func (e serviceExpr) holds(r *record) bool {
	return newGlob("*"+string(e.word)+"*", false).match(r.e.Raw) || bytes.EqualFold(r.e.Get(event.ServiceName), e.word)
}

func (e fieldExpr) literals() (out []string, ok bool) {
	if e.f.hidden {
		return nil, false
	}
	for _, m := range e.forms {
		w := m.literal()
		if e.f.end {
			w = w[strings.LastIndexByte(w, '/')+1:]
		}
		if len(w) < 2 {
			return nil, false
		}
		out = append(out, w)
	}
	return out, len(out) > 0
}

func (e keywordExpr) literals() (out []string, ok bool) {
	return fieldExpr{forms: e.forms}.literals()
}

func (e presentExpr) literals() ([]string, bool)  { return nil, false }
func (e sameExpr) literals() ([]string, bool)     { return nil, false }
func (e unknownField) literals() ([]string, bool) { return nil, true } // nothing: it never holds
func (e serviceExpr) literals() ([]string, bool)  { return nil, false }

// keyed tells whether an expression looks for words in the whole line.
func keyed(e expr) bool {
	switch x := e.(type) {
	case keywordExpr, serviceExpr:
		return true
	case notExpr:
		return keyed(x.of)
	case andExpr:
		return slices.ContainsFunc(x, keyed)
	case orExpr:
		return slices.ContainsFunc(x, keyed)
	case atLeast:
		return slices.ContainsFunc(x.list, keyed)
	}
	return false
}

// unknowns tells whether a rule can be used although it names fields that are not known here: not, if it holds only with them, nor if they
// make an exception, for without its exceptions a rule cries wolf.
func unknowns(e expr, negated bool) (never bool, err error) {
	switch x := e.(type) {
	case unknownField:
		if negated {
			return true, refuse("an exception of it rests on the field %q, which no trace here has", x.name)
		}
		return true, nil
	case notExpr:
		_, err := unknowns(x.of, !negated)
		return false, err
	case andExpr:
		for _, y := range x {
			n, err := unknowns(y, negated)
			if err != nil {
				return true, err
			}
			never = never || n
		}
		return never, nil
	case orExpr:
		return unknownsOf(x, negated)
	case atLeast:
		return unknownsOf(x.list, negated)
	}
	return false, nil
}

func unknownsOf(list []expr, negated bool) (never bool, err error) {
	never = true
	for _, y := range list {
		n, err := unknowns(y, negated)
		if err != nil {
			return true, err
		}
		never = never && n
	}
	return never, nil
}
