// Package users decodes the account tools: accounts and groups made, changed and deleted,
// and passwords set without PAM.
package users

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "users",
		Doc:  "accounts and groups made, changed and deleted, and passwords set",
		Spec: "shadow 4.0 to 4.17 src/useradd.c, usermod.c, userdel.c, groupadd.c, gpasswd.c, passwd.c, chage.c, chsh.c; pwdutils 3.2 (SUSE); busybox 1.36 loginutils/passwd.c; systemd 252 src/sysusers/sysusers.c",
		Programs: []string{
			"useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "gpasswd", "passwd", "chpasswd", "chgpasswd", "chage", "chfn", "chsh",
			"adduser", "addgroup", "deluser", "delgroup", "newusers", "groupmems", "shadow", "systemd-sysusers", "vipw", "vigr", "pwck", "grpck",
		},
		Decode: decode,
		Kinds:  []event.Kind{event.AccountCreated, event.AccountChanged, event.AccountDeleted, event.GroupChanged, event.PasswordChanged},
	}
}

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	for _, f := range forms {
		rest, ok := said.Rest(t, f.prefix)
		if !ok {
			continue
		}
		if bytes.Contains(rest, []byte("' to shadow group '")) || bytes.Contains(rest, []byte("' from shadow group '")) {
			return true // says again what the line before it said of the group
		}
		e := m.Event(f.kind)
		if !f.read(e, rest) {
			break
		}
		e.Add(event.Change, t)
		yield(e)
		return true
	}
	return said.BeginsAny(t, routine)
}

// forms are the beginnings of lines that tell of a change; the first that fits is taken.
var forms = []struct {
	prefix string
	kind   event.Kind
	read   func(e *event.Event, rest []byte) bool
}{
	{"new user: ", event.AccountCreated, account},
	{"new account added - ", event.AccountCreated, account},
	{"Creating user ", event.AccountCreated, named},
	{"delete user ", event.AccountDeleted, named},
	{"account deleted - ", event.AccountDeleted, account},
	{"change user name ", event.AccountChanged, named},
	{"change user ", event.AccountChanged, named},
	{"changed user ", event.AccountChanged, named},
	{"lock user ", event.AccountChanged, named},
	{"unlock user ", event.AccountChanged, named},
	{"changed password expiry for ", event.AccountChanged, named},
	{"new group: ", event.GroupChanged, group},
	{"group added to /etc/group: ", event.GroupChanged, group},
	{"group changed in /etc/group ", event.GroupChanged, inParens},
	{"group '", event.GroupChanged, removed},
	{"add '", event.GroupChanged, member},
	{"delete '", event.GroupChanged, member},
	{"account added to group - ", event.GroupChanged, account},
	{"account removed from group - ", event.GroupChanged, account},
	{"user ", event.GroupChanged, byAdministrator},
	{"members of group ", event.GroupChanged, setMembers},
	{"set members of ", event.GroupChanged, setMembers},
	{"password for ", event.PasswordChanged, password},
	{"Password for ", event.PasswordChanged, password},
	{"password changed - ", event.PasswordChanged, account},
	{"changed password for ", event.PasswordChanged, named},
}

var routine = []string{
	"group added to /etc/gshadow", "group removed", "removed group '", "removed shadow group '", "failed ", "pam_", "PAM ", "can't ", "cannot ", "Creating group ",
	"Adding ", "Removing ", "Done", "Warning", "The ", "default ", "useradd defaults", "move user", "change '", "gkr-pam", "Copying files", "Selecting ", "Running ", "Choosing ",
	"user with ID", "running ", "mailbox", "delete user '", "remove ", "user does not", "unknown user",
}

// account reads "name=N, UID=U, GID=G, home=H, shell=S[, from=TTY]" and pwdutils'
// "account=N, uid=U, gid=G, home=H, shell=S, by=0".
func account(e *event.Event, b []byte) bool {
	named := false
	for len(b) > 0 {
		var f []byte
		f, b, _ = said.Cut(b, ", ")
		name, v, _ := said.Cut(f, "=")
		switch string(name) {
		case "name", "account":
			e.Add(event.UserName, v)
			named = len(v) > 0
		case "UID", "uid":
			e.Add(event.UserID, v)
		case "GID", "gid":
			e.Add(event.GroupID, v)
		case "home":
			e.Add(event.UserHome, v)
		case "shell":
			e.Add(event.UserShell, v)
		case "group":
			e.Add(event.GroupName, v)
		case "from":
			e.Add(event.Terminal, v)
		case "by":
			e.Add(event.UserBy, v)
		}
	}
	return named
}

// group reads "name=N, GID=G".
func group(e *event.Event, b []byte) bool {
	for len(b) > 0 {
		var f []byte
		f, b, _ = said.Cut(b, ", ")
		name, v, _ := said.Cut(f, "=")
		switch string(name) {
		case "name":
			e.Add(event.GroupName, v)
		case "GID", "gid":
			e.Add(event.GroupID, v)
		}
	}
	return e.Get(event.GroupName) != nil
}

// named reads the name that b begins with, quoted as "'alice'" or "`alice'" or not at all.
func named(e *event.Event, b []byte) bool {
	name, _ := name(b)
	e.Add(event.UserName, name)
	return len(name) > 0
}

func name(b []byte) (name, rest []byte) {
	if len(b) > 0 && (b[0] == '\'' || b[0] == '`') {
		name, rest, _ = said.Cut(b[1:], "'")
		return name, bytes.TrimLeft(rest, " ")
	}
	name, rest = said.FirstWord(b)
	return bytes.TrimRight(name, ",.;:"), rest
}

// member reads "alice' to group 'sudo'" and "alice' from group 'sudo'".
func member(e *event.Event, b []byte) bool {
	who, rest, ok := said.Cut(b, "'")
	_, grp, found := said.Cut(rest, "group ")
	if !ok || !found {
		return false
	}
	g, _ := name(grp)
	e.Add(event.UserName, who)
	e.Add(event.GroupName, g)
	return true
}

// byAdministrator reads gpasswd's "alice added by root to group sudo" and "alice removed by
// root from group sudo".
func byAdministrator(e *event.Event, b []byte) bool {
	who, rest := name(b)
	_, rest, ok := said.Cut(rest, " by ")
	by, rest := name(rest)
	_, grp, found := said.Cut(rest, "group ")
	if !ok || !found {
		return false
	}
	g, _ := name(grp)
	e.Add(event.UserName, who)
	e.Add(event.UserBy, by)
	e.Add(event.GroupName, g)
	return true
}

// setMembers reads "sudo set by root to alice,bob" and "sudo to alice,bob".
func setMembers(e *event.Event, b []byte) bool {
	g, rest := name(b)
	_, all, ok := said.CutLast(rest, "to ")
	e.Add(event.GroupName, g)
	e.Add(event.GroupMembers, all)
	return ok
}

// removed reads "x' removed[ from /etc/group]".
func removed(e *event.Event, b []byte) bool {
	g, _, ok := said.Cut(b, "'")
	e.Add(event.GroupName, g)
	return ok
}

// inParens reads "(group x/1000, new name: y)".
func inParens(e *event.Event, b []byte) bool {
	b, _ = said.Rest(b, "(group ")
	g, _, ok := said.Cut(b, "/")
	e.Add(event.GroupName, g)
	return ok
}

// password reads "'alice' changed by 'root'", and busybox's without quotes.
func password(e *event.Event, b []byte) bool {
	who, rest := name(b)
	rest, ok := said.Rest(rest, "changed by ")
	by, _ := name(rest)
	e.Add(event.UserName, who)
	e.Add(event.UserBy, by)
	return ok
}
