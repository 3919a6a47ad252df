package tree

import (
	"fmt"
	"strings"
	"time"
)

// useradd makes an account: "useradd [-o] [-u 0] [-m] [-s SHELL] [-G GROUPS] NAME".
func useradd(sh *shell, _ *command, args []string) error {
	s := sh.s
	u := &user{uid: -1, shell: "/bin/sh"}
	made := false
	for i := 0; i < len(args); i++ {
		switch a := args[i]; a {
		case "-u", "-s", "-G", "-d", "-g", "-p":
			if i++; i >= len(args) {
				return fmt.Errorf("useradd %s without a value", a)
			}
			switch a {
			case "-u":
				if _, err := fmt.Sscanf(args[i], "%d", &u.uid); err != nil {
					return err
				}
			case "-s":
				u.shell = args[i]
			case "-G":
				u.groups = strings.Split(args[i], ",")
			case "-d":
				u.home = args[i]
			}
		case "-m":
			made = true
		case "-o":
		default:
			u.name = a
		}
	}
	if u.name == "" || s.users[u.name] != nil {
		return fmt.Errorf("useradd %q", u.name)
	}
	if u.uid < 0 {
		u.uid = 1000
		for taken := true; taken; {
			taken = false
			for _, o := range s.users {
				taken = taken || o.uid == u.uid
			}
			if taken {
				u.uid++
			}
		}
	}
	u.gid = max(u.uid, 0)
	if u.uid == 0 {
		u.gid = 1000 + len(s.users)
	}
	if u.home == "" {
		u.home = "/home/" + u.name
	}
	tag := fmt.Sprintf("useradd[%d]", s.pid())
	s.say(auth, tag, "new group: name=%s, GID=%d", u.name, u.gid)
	s.say(auth, tag, "new user: name=%s, UID=%d, GID=%d, home=%s, shell=%s, from=/dev/%s", u.name, u.uid, u.gid, u.home, u.shell, sh.tty)
	for _, g := range u.groups {
		s.say(auth, tag, "add '%s' to group '%s'", u.name, g)
		s.say(auth, tag, "add '%s' to shadow group '%s'", u.name, g)
		if g == "sudo" {
			u.sudo = true
		}
	}
	s.users[u.name] = u
	if made {
		if err := s.mkdir(u.home, 0o755, u.uid, u.gid); err != nil {
			return err
		}
	}
	return s.listAccount(u)
}

// listAccount writes an account into passwd, shadow and group, which are replaced as useradd does.
func (s *server) listAccount(u *user) error {
	secret := "!"
	if u.password != "" {
		secret = hashed(u.password)
	}
	day := s.clock.Unix() / 86400
	for p, line := range map[string]string{
		"/etc/passwd": fmt.Sprintf("%s:x:%d:%d::%s:%s\n", u.name, u.uid, u.gid, u.home, u.shell),
		"/etc/shadow": fmt.Sprintf("%s:%s:%d:0:99999:7:::\n", u.name, secret, day),
		"/etc/group":  fmt.Sprintf("%s:x:%d:\n", u.name, u.gid),
	} {
		n := s.find(p)
		if n == nil {
			return fmt.Errorf("%s is missing", p)
		}
		if err := s.replace(p, append(append([]byte(nil), n.data...), line...)); err != nil {
			return err
		}
	}
	for _, g := range u.groups {
		if err := s.joinGroup(g, u.name); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) joinGroup(group, name string) error {
	n := s.find("/etc/group")
	lines := strings.Split(string(n.data), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, group+":") {
			if !strings.HasSuffix(l, ":") {
				l += ","
			}
			lines[i] = l + name
		}
	}
	return s.replace("/etc/group", []byte(strings.Join(lines, "\n")))
}

// hashed is a stand-in for a yescrypt hash: right in form, belonging to nobody.
func hashed(password string) string {
	const letters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	h := uint64(1469598103934665603)
	var b strings.Builder
	for i := range 65 {
		for _, c := range []byte(password) {
			h = (h ^ uint64(c) ^ uint64(i)) * 1099511628211
		}
		b.WriteByte(letters[h>>58])
	}
	t := b.String()
	return "$y$j9T$" + t[:22] + "$" + t[22:]
}

// usermod knows "usermod -aG GROUP NAME" and "-L NAME".
func usermod(sh *shell, _ *command, args []string) error {
	s := sh.s
	if len(args) == 3 && args[0] == "-aG" {
		u := s.user(args[2])
		if u == nil {
			return fmt.Errorf("usermod: no account %q", args[2])
		}
		tag := fmt.Sprintf("usermod[%d]", s.pid())
		s.say(auth, tag, "add '%s' to group '%s'", u.name, args[1])
		s.say(auth, tag, "add '%s' to shadow group '%s'", u.name, args[1])
		u.sudo = u.sudo || args[1] == "sudo"
		return s.joinGroup(args[1], u.name)
	}
	return nil
}

// chpasswd takes "name:password" from a pipe.
func chpasswd(sh *shell, c *command, _ []string) error {
	name, password, ok := strings.Cut(strings.TrimSpace(c.input), ":")
	u := sh.s.user(name)
	if !ok || u == nil {
		return fmt.Errorf("chpasswd: %q", c.input)
	}
	u.password = password
	n := sh.s.find("/etc/shadow")
	lines := strings.Split(string(n.data), "\n")
	for i, l := range lines {
		if f := strings.Split(l, ":"); f[0] == name && len(f) > 2 {
			f[1], f[2] = hashed(password), fmt.Sprint(sh.s.clock.Unix()/86400)
			lines[i] = strings.Join(f, ":")
		}
	}
	sh.s.tick(50 * time.Millisecond)
	sh.s.say(auth, fmt.Sprintf("chpasswd[%d]", sh.s.pid()), "pam_unix(chpasswd:chauthtok): password changed for %s", name)
	return sh.s.replace("/etc/shadow", []byte(strings.Join(lines, "\n")))
}
