package tree

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"time"
)

// builtin carries out one command of the shell.
type builtin = func(sh *shell, c *command, args []string) error

func commands() map[string]builtin {
	return map[string]builtin{
		"cd": cd, "echo": echo, "printf": echo, "mkdir": mkdir, "rm": rm, "cp": cp, "mv": mv, "chmod": chmod, "chown": chown, "touch": touch, "sed": sed, "wget": fetch, "curl": fetch,
		"sudo": sudo, "su": func(*shell, *command, []string) error { return fmt.Errorf("use sudo -i") }, "unset": unset, "history": history, "crontab": crontab, "useradd": useradd,
		"usermod": usermod, "chpasswd": chpasswd, "systemctl": systemctl, "nohup": background, "setsid": background, "sh": script, "bash": script, "dpkg": dpkg, "apt-get": apt, "apt": apt,
		"chattr": nothing, "tee": tee, "base64": nothing, "logger": logger, "redis-cli": nothing, "tar": tarball, "mysql": nothing, "test": nothing, "[": nothing, "run-parts": nothing, "command": nothing,
	}
}

func nothing(*shell, *command, []string) error { return nil }

func cd(sh *shell, _ *command, args []string) error {
	to := "~"
	if len(args) > 0 {
		to = args[0]
	}
	if !sh.s.find(sh.path(to)).dir() {
		return fmt.Errorf("%s: no such folder", to)
	}
	sh.dir = sh.path(to)
	return nil
}

func echo(sh *shell, c *command, _ []string) error {
	if c.out == "" {
		return nil
	}
	return sh.output(c, text(c.words))
}

func tee(sh *shell, c *command, args []string) error {
	options, names := flags(args)
	for _, n := range names {
		if err := sh.output(&command{out: n, append: strings.Contains(options, "a")}, c.input); err != nil {
			return err
		}
	}
	return nil
}

func mkdir(sh *shell, _ *command, args []string) error {
	_, names := flags(args)
	for _, n := range names {
		if err := sh.s.mkdir(sh.path(n), 0o755, sh.user.uid, sh.user.gid); err != nil {
			return err
		}
	}
	return nil
}

func rm(sh *shell, _ *command, args []string) error {
	options, names := flags(args)
	for _, n := range names {
		if sh.s.find(sh.path(n)) == nil {
			if strings.Contains(options, "f") {
				continue
			}
			return fmt.Errorf("rm %s: no such file", n)
		}
		if err := sh.s.remove(sh.path(n)); err != nil {
			return err
		}
		sh.touched(sh.path(n))
	}
	return nil
}

func cp(sh *shell, _ *command, args []string) error {
	_, names := flags(args)
	if len(names) != 2 {
		return fmt.Errorf("cp takes two names")
	}
	n, to := sh.s.find(sh.path(names[0])), sh.path(names[1])
	if n == nil {
		return fmt.Errorf("cp %s: no such file", names[0])
	}
	if sh.s.find(to).dir() {
		to = path.Join(to, path.Base(names[0]))
	}
	_, err := sh.s.write(to, n.data, n.mode&0o777, sh.user.uid, sh.user.gid)
	return err
}

func mv(sh *shell, _ *command, args []string) error {
	_, names := flags(args)
	if len(names) != 2 {
		return fmt.Errorf("mv takes two names")
	}
	from, to := sh.path(names[0]), sh.path(names[1])
	n := sh.s.find(from)
	if n == nil {
		return fmt.Errorf("mv %s: no such file", names[0])
	}
	if sh.s.find(to).dir() {
		to = path.Join(to, path.Base(from))
	}
	if err := sh.s.put(to, n); err != nil {
		return err
	}
	n.ctime = sh.s.clock
	return sh.s.remove(from)
}

func chmod(sh *shell, _ *command, args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("chmod takes a mode and names")
	}
	for _, name := range args[1:] {
		n := sh.s.find(sh.path(name))
		if n == nil {
			return fmt.Errorf("chmod %s: no such file", name)
		}
		m, err := parseMode(args[0], n.mode)
		if err != nil {
			return err
		}
		n.mode, n.ctime = m, sh.s.clock
	}
	return nil
}

func chown(sh *shell, _ *command, args []string) error {
	options, names := flags(args)
	if len(names) < 2 {
		return fmt.Errorf("chown takes an owner and names")
	}
	owner, _, _ := strings.Cut(names[0], ":")
	u := sh.s.user(owner)
	if u == nil {
		return fmt.Errorf("chown: no account %q", owner)
	}
	for _, name := range names[1:] {
		n := sh.s.find(sh.path(name))
		if n == nil {
			return fmt.Errorf("chown %s: no such file", name)
		}
		give := func(_ string, n *inode) error { n.uid, n.gid, n.ctime = u.uid, u.gid, sh.s.clock; return nil }
		if strings.Contains(options, "R") {
			_ = each(sh.path(name), n, give) // give gives no error
		} else {
			_ = give("", n)
		}
	}
	return nil
}

func touch(sh *shell, _ *command, args []string) error {
	at := sh.s.clock
	var names []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-d" && i+1 < len(args):
			t, err := parseDate(args[i+1], sh.s.zone)
			if err != nil {
				return err
			}
			at = t
			i++
		case args[i] == "-r" && i+1 < len(args):
			n := sh.s.find(sh.path(args[i+1]))
			if n == nil {
				return fmt.Errorf("touch -r %s: no such file", args[i+1])
			}
			at = n.mtime
			i++
		default:
			names = append(names, args[i])
		}
	}
	for _, name := range names {
		p := sh.path(name)
		n := sh.s.find(p)
		if n == nil {
			var err error
			if n, err = sh.s.write(p, nil, 0o644, sh.user.uid, sh.user.gid); err != nil {
				return err
			}
		}
		n.mtime, n.atime, n.ctime = at, at, sh.s.clock
	}
	return nil
}

// sed knows "sed -i /WORDS/d FILE" and "sed -i s/A/B/ FILE".
func sed(sh *shell, _ *command, args []string) error {
	if len(args) < 3 || args[0] != "-i" {
		return fmt.Errorf("sed without -i")
	}
	for _, name := range args[2:] {
		p := sh.path(name)
		n := sh.s.find(p)
		if n == nil {
			return fmt.Errorf("sed %s: no such file", name)
		}
		var out []byte
		switch e := args[1]; {
		case strings.HasPrefix(e, "/") && strings.HasSuffix(e, "/d"):
			for _, line := range bytes.SplitAfter(n.data, []byte("\n")) {
				if !bytes.Contains(line, []byte(strings.ReplaceAll(e[1:len(e)-2], `\.`, "."))) {
					out = append(out, line...)
				}
			}
		case strings.HasPrefix(e, "s/"):
			parts := strings.Split(e, "/")
			if len(parts) < 4 {
				return fmt.Errorf("sed %q", e)
			}
			out = bytes.ReplaceAll(n.data, []byte(parts[1]), []byte(parts[2]))
		default:
			return fmt.Errorf("sed %q", e)
		}
		if err := sh.s.replace(p, out); err != nil {
			return err
		}
		sh.touched(p)
	}
	return nil
}

// fetch is wget and curl: what an address of the Internet offers, or nothing.
func fetch(sh *shell, c *command, args []string) error {
	var url, to string
	for i := 0; i < len(args); i++ {
		switch {
		case (args[i] == "-O" || args[i] == "-o") && i+1 < len(args):
			to = args[i+1]
			i++
		case strings.HasPrefix(args[i], "http"):
			url = args[i]
		}
	}
	data, ok := sh.s.offers[strings.TrimPrefix(url, "http://")]
	if !ok {
		return fmt.Errorf("nobody offers %q", url)
	}
	sh.s.tick(400 * time.Millisecond)
	if c.out != "" {
		return sh.output(c, string(data))
	}
	if to == "" {
		to = path.Base(url)
	}
	_, err := sh.s.write(sh.path(to), data, 0o644, sh.user.uid, sh.user.gid)
	return err
}

func sudo(sh *shell, c *command, args []string) error {
	s := sh.s
	for len(args) > 0 && args[0] == "-n" {
		args = args[1:]
	}
	if len(args) == 0 {
		return nil
	}
	if args[0] == "-l" {
		s.say(auth, "sudo", "%9s : TTY=%s ; PWD=%s ; USER=root ; COMMAND=list", sh.user.name, sh.tty, sh.dir)
		return nil
	}
	if !sh.user.sudo {
		s.say(auth, "sudo", "%9s : user NOT in sudoers ; TTY=%s ; PWD=%s ; USER=root ; COMMAND=%s", sh.user.name, sh.tty, sh.dir, where(args))
		return nil
	}
	s.say(auth, "sudo", "%9s : TTY=%s ; PWD=%s ; USER=root ; COMMAND=%s", sh.user.name, sh.tty, sh.dir, where(args))
	s.say(auth, "sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by %s(uid=%d)", sh.user.name, sh.user.uid)
	root := &shell{s: s, user: s.user("root"), dir: sh.dir, tty: sh.tty, quiet: true, visit: sh.visit}
	s.tick(80 * time.Millisecond)
	err := root.one(&command{words: args, input: c.input, out: c.out, append: c.append})
	s.say(auth, "sudo", "pam_unix(sudo:session): session closed for user root")
	return err
}

// where gives a command as sudo logs it, with the program's place.
func where(args []string) string {
	name := args[0]
	if !strings.Contains(name, "/") {
		name = "/usr/bin/" + name
		switch args[0] {
		case "useradd", "usermod", "chpasswd", "systemctl", "dpkg":
			if args[0] != "systemctl" && args[0] != "dpkg" {
				name = "/usr/sbin/" + args[0]
			}
		}
	}
	return strings.Join(append([]string{name}, args[1:]...), " ")
}

func unset(sh *shell, _ *command, args []string) error {
	for _, a := range args {
		sh.noHist = sh.noHist || a == "HISTFILE"
	}
	return nil
}

func history(sh *shell, _ *command, args []string) error {
	if len(args) > 0 && args[0] == "-c" {
		sh.history = nil
	}
	return nil
}

func crontab(sh *shell, c *command, args []string) error {
	s := sh.s
	if len(args) == 0 || args[0] != "-" {
		return nil
	}
	p := "/var/spool/cron/crontabs/" + sh.user.name
	if s.find(p) != nil {
		if err := s.remove(p); err != nil { // crontab writes a new file and renames it
			return err
		}
	}
	head := "# DO NOT EDIT THIS FILE - edit the master and reinstall.\n# (- installed on " + s.clock.In(s.zone).Format(time.ANSIC) + ")\n# (Cron version -- $Id: crontab.c,v 2.13 1994/01/17 03:20:37 vixie Exp $)\n"
	if _, err := s.write(p, []byte(head+c.input), 0o600, sh.user.uid, 105); err != nil {
		return err
	}
	s.say(cronFacility, fmt.Sprintf("crontab[%d]", s.pid()), "(%s) REPLACE (%s)", sh.user.name, sh.user.name)
	s.jobsOld = true
	return nil
}

func systemctl(sh *shell, _ *command, args []string) error {
	s := sh.s
	options, names := flags(args)
	if len(names) < 2 {
		return nil
	}
	unit := names[1]
	if !strings.Contains(unit, ".") {
		unit += ".service"
	}
	if names[0] == "enable" {
		p := "/etc/systemd/system/multi-user.target.wants"
		if err := s.mkdir(p, 0o755, 0, 0); err != nil {
			return err
		}
		if err := s.link(p+"/"+unit, "/etc/systemd/system/"+unit); err != nil {
			return err
		}
		s.say(daemon, "systemd[1]", "Reloading.")
	}
	if names[0] == "start" || names[0] == "restart" || strings.Contains(options, "now") {
		s.say(daemon, "systemd[1]", "Started %s.", unit)
		s.unitBegins(unit)
	}
	if names[0] == "stop" {
		s.say(daemon, "systemd[1]", "Stopped %s.", unit)
	}
	if names[0] == "reload" {
		s.say(daemon, "systemd[1]", "Reloaded %s.", unit)
	}
	return nil
}

// background starts what is a stand-in: it waits.
func background(sh *shell, c *command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return sh.one(&command{words: args, out: "/dev/null"})
}

func script(sh *shell, c *command, args []string) error {
	if len(args) > 1 && args[0] == "-c" {
		return sh.run(args[1])
	}
	if len(args) == 1 && args[0] == "-" || len(args) == 0 {
		return nil
	}
	if sh.s.find(sh.path(args[0])) == nil {
		return fmt.Errorf("sh %s: no such file", args[0])
	}
	return nil
}

func logger(sh *shell, _ *command, args []string) error {
	_, names := flags(args)
	sh.s.say(daemon, sh.user.name, "%s", strings.Join(names, " "))
	return nil
}

// tarball packs what it is told, without its content: the name and the time tell.
func tarball(sh *shell, _ *command, args []string) error {
	if len(args) < 3 || !strings.Contains(args[0], "c") {
		return nil
	}
	_, err := sh.s.write(sh.path(args[1]), []byte("\x1f\x8b\x08\x00"), 0o644, sh.user.uid, sh.user.gid)
	return err
}
