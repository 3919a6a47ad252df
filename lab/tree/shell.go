package tree

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// shell plays bash for the commands that scenarios use: those that change the disk are carried out, those that only
// look do nothing. A command that it does not know is an error, so that no scenario says what did not happen.
type shell struct {
	s       *server
	user    *user
	dir     string
	tty     string
	login   string // who logged in
	visit   *visit // of the login; nil for what a daemon runs
	quiet   bool   // no history: not a person's
	opened  string // the PAM service of the session, "" for a login's own
	history []string
	noHist  bool
}

// typed runs a line of a person. It gives the shell that the line opens, if any.
func (sh *shell) typed(line string) (*shell, error) {
	sh.history = append(sh.history, line)
	switch line {
	case "sudo -i", "sudo su -", "sudo bash", "sudo su":
		return sh.become("/bin/bash"), nil
	}
	return nil, sh.run(line)
}

// become is sudo's shell for root.
func (sh *shell) become(command string) *shell {
	s := sh.s
	s.say(auth, "sudo", "%9s : TTY=%s ; PWD=%s ; USER=root ; COMMAND=%s", sh.user.name, sh.tty, sh.dir, command)
	s.say(auth, "sudo", "pam_unix(sudo-i:session): session opened for user root(uid=0) by %s(uid=%d)", sh.user.name, sh.user.uid)
	return &shell{s: s, user: s.user("root"), dir: "/root", tty: sh.tty, login: sh.login, visit: sh.visit, opened: "sudo-i"}
}

// end writes the history, as bash does when it is left.
func (sh *shell) end() {
	s := sh.s
	if p := sh.user.home + "/.bash_history"; !sh.quiet && !sh.noHist && len(sh.history) > 0 {
		n := s.find(p)
		if n == nil {
			n = s.fresh(typeFile|0o600, sh.user.uid, sh.user.gid)
			if s.put(p, n) != nil {
				return
			}
		}
		s.add(n, []byte(strings.Join(sh.history, "\n")+"\n"))
	}
	if sh.opened != "" {
		s.say(auth, "sudo", "pam_unix(%s:session): session closed for user root", sh.opened)
	}
}

// try runs what a daemon runs, for which an unknown command is no error of the scenario.
func (sh *shell) try(line string) { _ = sh.run(line) } // the job's own words may be anything

// run carries out a line: commands joined by ; and &&.
func (sh *shell) run(line string) error {
	for _, c := range split(line) {
		if err := sh.one(c); err != nil {
			return err
		}
	}
	return nil
}

// command is one simple command with its redirection and what is piped into it.
type command struct {
	words  []string
	input  string // what a pipe brings: the output of the echo before it
	out    string // where its output goes
	append bool
	back   bool // in the background
}

// split takes a line apart into commands, with the quoting of a shell.
func split(line string) (out []*command) {
	c, word, inWord := &command{}, strings.Builder{}, false
	var redirect int // 1: > file, 2: >> file, 3: to be dropped
	endWord := func() {
		if !inWord {
			return
		}
		w := word.String()
		switch redirect {
		case 0:
			c.words = append(c.words, w)
		case 1, 2:
			c.out, c.append = w, redirect == 2
		}
		word.Reset()
		inWord, redirect = false, 0
	}
	piped := ""
	endCommand := func(pipe bool) {
		endWord()
		if len(c.words) > 0 || c.out != "" {
			c.input = piped
			piped = ""
			if pipe && len(c.words) > 0 && (c.words[0] == "echo" || c.words[0] == "printf") {
				piped = text(c.words)
			} else {
				out = append(out, c)
			}
		}
		c = &command{}
	}
	for i := 0; i < len(line); i++ {
		switch ch := line[i]; ch {
		case '\'', '"':
			j := strings.IndexByte(line[i+1:], ch)
			if j < 0 {
				j = len(line) - i - 1
			}
			word.WriteString(line[i+1 : i+1+j])
			inWord, i = true, i+1+j
		case ' ', '\t', '\n':
			endWord()
		case ';', '|', '&':
			if ch == '&' && i > 0 && line[i-1] == '>' || ch == '&' && i+1 < len(line) && line[i+1] == '>' { // 2>&1, &>
				if i+1 < len(line) && line[i+1] == '1' {
					i++
				}
				redirect, inWord = 0, false
				word.Reset()
				continue
			}
			c.back = ch == '&' && (i+1 >= len(line) || line[i+1] != '&')
			endCommand(ch == '|' && (i+1 >= len(line) || line[i+1] != '|'))
			if i+1 < len(line) && line[i+1] == ch {
				i++
			}
		case '>':
			if w := word.String(); inWord && (w == "2" || w == "1") {
				word.Reset()
				inWord = false
				redirect = 3
				if w == "1" {
					redirect = 1
				}
			} else {
				endWord()
				redirect = 1
			}
			if i+1 < len(line) && line[i+1] == '>' {
				i++
				if redirect == 1 {
					redirect = 2
				}
			}
		case '(', ')':
			endCommand(false)
		default:
			word.WriteByte(ch)
			inWord = true
		}
	}
	endCommand(false)
	return out
}

// text is what echo and printf write.
func text(words []string) string {
	w := words[1:]
	if words[0] == "printf" {
		s := strings.Join(w, " ")
		return strings.ReplaceAll(s, `\n`, "\n")
	}
	if len(w) > 0 && (w[0] == "-e" || w[0] == "-n") {
		return strings.ReplaceAll(strings.Join(w[1:], " "), `\n`, "\n")
	}
	return strings.Join(w, " ") + "\n"
}

func (sh *shell) path(p string) string {
	switch {
	case strings.HasPrefix(p, "~/"):
		return path.Join(sh.user.home, p[2:])
	case p == "~":
		return sh.user.home
	case strings.HasPrefix(p, "/"):
		return path.Clean(p)
	}
	return path.Join(sh.dir, p)
}

// look are commands that change nothing.
var look = map[string]bool{"id": true, "whoami": true, "uname": true, "w": true, "who": true, "last": true, "ls": true, "cat": true, "ps": true, "ss": true, "netstat": true, "df": true,
	"free": true, "uptime": true, "ip": true, "ifconfig": true, "hostname": true, "find": true, "grep": true, "tail": true, "head": true, "less": true, "env": true, "history": true, "date": true,
	"getent": true, "sleep": true, "true": true, "ping": true, "nproc": true, "lscpu": true, "crontab-l": true, "du": true, "dpkg-query": true, "mailq": true, "test": true, "wc": true,
	"set": true, "export": true, "sync": true, "kill": true, "pkill": true, "killall": true}

// one carries out a simple command.
func (sh *shell) one(c *command) error {
	if len(c.words) == 0 || c.words[0] == ":" || c.words[0] == "true" {
		if c.out != "" {
			return sh.output(c, "")
		}
		return nil
	}
	name, args := c.words[0], c.words[1:]
	if f, ok := commands()[path.Base(name)]; ok && (strings.IndexByte(name, '/') < 0 || strings.HasPrefix(name, "/bin/") || strings.HasPrefix(name, "/usr/")) {
		return f(sh, c, args)
	}
	if look[name] || strings.HasPrefix(name, "/usr/bin/") && look[path.Base(name)] {
		if c.out != "" && c.out != "/dev/null" {
			return sh.output(c, "")
		}
		return nil
	}
	if strings.Contains(name, "/") && sh.s.find(sh.path(name)) != nil { // a program that is there: a stand-in, which waits
		sh.s.begins(sh, sh.path(name), args)
		return nil
	}
	if strings.Contains(name, "=") {
		return nil
	}
	return fmt.Errorf("this shell does not know %q", name)
}

// output writes what a redirection takes.
func (sh *shell) output(c *command, s string) error {
	p := sh.path(c.out)
	if c.out == "/dev/null" {
		return nil
	}
	if n := sh.s.find(p); n != nil && c.append {
		sh.s.add(n, []byte(s))
		sh.touched(p)
		return nil
	}
	_, err := sh.s.write(p, []byte(s), 0o644, sh.user.uid, sh.user.gid)
	sh.touched(p)
	return err
}

func (sh *shell) touched(p string) {
	if strings.HasPrefix(p, "/etc/cron") || strings.HasPrefix(p, "/var/spool/cron") {
		sh.s.jobsOld = true
	}
}

// flags parts options from names.
func flags(args []string) (options string, names []string) {
	for _, a := range args {
		if strings.HasPrefix(a, "-") && len(a) > 1 {
			options += a
		} else {
			names = append(names, a)
		}
	}
	return options, names
}

func parseMode(s string, old uint32) (uint32, error) {
	switch s {
	case "+x", "a+x":
		return old | 0o111, nil
	case "u+s", "+s":
		return old | 0o4000, nil
	}
	m, err := strconv.ParseUint(s, 8, 32)
	return old&0o170000 | uint32(m), err
}

func parseDate(s string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("no date: %q", s)
}
