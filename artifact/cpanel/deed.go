package cpanel

import (
	"bytes"
	"strconv"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// deeds are the pages and API calls that change something, by what their path or query holds behind the session's name. Fields of a POST are not logged: of most
// calls only the name is known.
var deeds = []struct {
	holds string
	kind  event.Kind
	what  string
}{
	{"/filemanager/upload-ajax", event.FileUploaded, ""}, {"/filemanager/doupload", event.FileUploaded, ""}, {"Fileman/upload_files", event.FileUploaded, ""},
	{"Fileman/save_file_content", event.FileUploaded, ""}, {"/filemanager/savefile", event.FileUploaded, ""}, {"fileman/savefile", event.FileUploaded, ""},
	{"/passwd/changepass", event.PasswordChanged, ""}, {"/passwd?", event.PasswordChanged, ""}, {"json-api/passwd", event.PasswordChanged, ""}, {"xml-api/passwd", event.PasswordChanged, ""},
	{"UserManager/change_password", event.PasswordChanged, ""}, {"Email/passwd_pop", event.PasswordChanged, ""}, {"Ftp/passwd", event.PasswordChanged, ""},
	{"Tokens/create_full_access", event.ProgramSaid, "an API token was made"}, {"Tokens/create_limited", event.ProgramSaid, "an API token was made"}, {"api_token_create", event.ProgramSaid, "an API token was made"},
	{"SSH/importkey", event.ProgramSaid, "an SSH key was put in"}, {"/ssh/doimport", event.ProgramSaid, "an SSH key was put in"}, {"SSH/authkey", event.ProgramSaid, "an SSH key was authorised"},
	{"Cron/add_line", event.ProgramSaid, "a cron job was added"}, {"/cron/editcron", event.ProgramSaid, "cron jobs were edited"},
	{"/scripts/installrpm", event.ProgramSaid, "a package was installed"}, {"/scripts/rpmup", event.ProgramSaid, "packages were updated"}, {"package_manager_submit_actions", event.ProgramSaid, "packages were changed"},
	{"json-api/install_rpm_plugin", event.ProgramSaid, "a plugin was installed"}, {"/terminal", event.ProgramSaid, "the panel's terminal was opened"}, {"create_user_session", event.ProgramSaid, "a session was made for another"},
	{"Email/add_forwarder", event.ProgramSaid, "a mail forwarder was added"}, {"Mysql/create_user", event.ProgramSaid, "a database user was made"}, {"Ftp/add_ftp", event.ProgramSaid, "an FTP account was made"},
	{"json-api/createacct", event.AccountCreated, ""}, {"/scripts5/wwwacct", event.AccountCreated, ""}, {"json-api/removeacct", event.AccountDeleted, ""},
}

// deed yields what a request of somebody who is logged in did. The query is the client's, and so is each name taken from it: it is what was asked for.
func (r *request) deed(m *artifact.Message, method, url []byte, yield func(*event.Event)) {
	path, query, _ := said.Cut(url, "?")
	for _, d := range deeds {
		in := path
		if d.holds[0] != '/' || d.holds[len(d.holds)-1] == '?' {
			in = url
		}
		if !bytes.Contains(in, []byte(d.holds)) {
			continue
		}
		if d.kind == event.FileUploaded && string(method) != "POST" && len(query) == 0 {
			return // the form itself
		}
		e := m.Event(d.kind)
		e.Add(event.ServiceName, service)
		r.doer(e, d.kind, query)
		e.Add(event.SourceIP, r.ip)
		if d.kind == event.FileUploaded {
			e.Add(event.FilePath, uploadedPath(query))
		}
		if d.what != "" {
			e.AddText(event.Change, d.what)
			e.Add(event.Message, url)
		}
		yield(e)
		return
	}
}

// doer adds who did it, and to whom where a query says so.
func (r *request) doer(e *event.Event, k event.Kind, query []byte) {
	if k != event.PasswordChanged && k != event.AccountCreated && k != event.AccountDeleted {
		e.Add(event.UserName, r.user)
		return
	}
	name := argument(query, "user")
	if name == nil {
		name = argument(query, "username")
	}
	if name == nil && k == event.PasswordChanged {
		name = r.user
	}
	e.Add(event.UserName, name)
	e.Add(event.UserBy, r.user)
}

// uploadedPath joins the directory and the file that a query names.
func uploadedPath(query []byte) []byte {
	dir, file := unescaped(argument(query, "dir")), argument(query, "file")
	if file == nil {
		file = argument(query, "filename")
	}
	if len(dir) > 0 && len(file) > 0 && dir[len(dir)-1] != '/' {
		dir = append(dir, '/')
	}
	return append(dir, unescaped(file)...)
}

// unescaped gives a copy of a query's value without its "%2f" and '+'.
func unescaped(v []byte) []byte {
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(v):
			if n, err := strconv.ParseUint(string(v[i+1:i+3]), 16, 8); err == nil {
				c = byte(n)
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

// argument gives the value of a query's field, nil where it has none.
func argument(query []byte, name string) []byte {
	for part := range bytes.SplitSeq(query, []byte("&")) {
		if k, v, ok := said.Cut(part, "="); ok && string(k) == name {
			return v
		}
	}
	return nil
}

// account reads "OPERATION:doer:as whom:field:field..." of the log of what was done to accounts.
func account(m *artifact.Message, t []byte, yield func(*event.Event)) bool {
	operation, rest, ok := said.Cut(t, ":")
	doer, rest, ok2 := said.Cut(rest, ":")
	_, rest, ok3 := said.Cut(rest, ":")
	if !ok || !ok2 || !ok3 {
		return false
	}
	for _, c := range operation {
		if (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	a, more, _ := said.Cut(rest, ":")
	b, _, _ := said.Cut(more, ":")
	e := m.Event(event.AccountChanged)
	name := b
	switch string(operation) {
	case "CREATE":
		e.Kind = event.AccountCreated
	case "REMOVE", "KILL":
		e.Kind = event.AccountDeleted
	case "SUSPEND", "UNSUSPEND":
		name = a
	case "CREATEAPITOKEN", "UPDATEAPITOKEN", "REVOKEAPITOKEN":
		name = doer
	}
	e.Add(event.ServiceName, service)
	e.Add(event.UserName, name)
	e.Add(event.UserBy, doer)
	e.Add(event.Change, operation)
	e.Add(event.Message, rest)
	yield(e)
	return true
}
