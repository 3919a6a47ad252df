package listing

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
	"telltale/internal/state"
)

// What people save of commands by hand: one file for each, or a whole session of a terminal with several behind one another, prompts between them.

// maxPrinted bounds the logins that are kept to be told in the order of their times: last(1) prints the newest first.
const maxPrinted = 200_000

// printed reads such a file.
type printed struct {
	r       *Reader
	section func([]byte) bool // what reads the lines of the command that printed them; nil where it is not known
	history bool              // the section is numbered commands
	user    string            // whose crontab the section is
	saved   evidence.Time     // when the text was saved, or the end of the year that is all that is known of it
	logins  []printedLogin
}

type printedLogin struct {
	l   Login
	ref evidence.Ref
	raw string
}

// Printed reads what ps, top, ss, netstat, last, lastb, lastlog, who and history printed, each told by its heading or the form of its lines.
func Printed(r *Reader) (func([]byte) bool, func()) {
	p := &printed{r: r, saved: r.in.Meta.Mtime}
	if !p.saved.Known() {
		p.saved = evidence.At(time.Date(r.in.Clock.Year, time.December, 31, 0, 0, 0, 0, time.UTC), time.Second)
	}
	return p.line, p.end
}

func (p *printed) line(t []byte) bool {
	s := strings.TrimRight(string(t), " \t\r")
	if command, ok := Prompt(s); ok {
		p.section, p.history, p.user = nil, command[0] == "history", crontabOf(s, command)
		return true
	}
	if f := heading(s); f != nil {
		p.section, _ = f(p.r)
		p.section([]byte(s))
		return true
	}
	if l, ok := LoginLine(s, p.saved); ok {
		if len(p.logins) < maxPrinted {
			p.logins = append(p.logins, printedLogin{l, p.r.ref, s})
		}
		return true
	}
	if when, command, ok := CronLine(s); ok && p.section == nil {
		e := p.r.event(event.CronEntry)
		user, rest := p.user, command
		if u, c, ok := strings.Cut(command, " "); ok && u == "root" { // the system's own table
			user, rest = u, strings.TrimLeft(c, " ")
		}
		e.AddText(event.UserName, user)
		e.AddText(event.Schedule, when)
		e.AddText(event.CommandLine, state.Text([]byte(rest), maxText*4))
		p.r.yield(e)
		return true
	}
	if number, command, ok := Numbered(s); ok && (p.history || p.section == nil) {
		p.history = true
		p.command(number, command)
		return true
	}
	return p.section != nil && p.section(t)
}

// Heading tells the heading of a list that Printed reads.
func Heading(s string) bool { return heading(s) != nil }

// heading gives what reads the lines below a heading.
func heading(s string) Form {
	f := strings.Fields(s)
	switch {
	case len(f) >= 3 && slices.Contains(f, "PID") && (f[len(f)-1] == "COMMAND" || f[len(f)-1] == "CMD"):
		return PS
	case strings.HasPrefix(s, "Netid ") && strings.Contains(s, "Local Address"):
		return SS
	case strings.HasPrefix(s, "State ") && strings.Contains(s, "Local Address"):
		return shortSS
	case strings.HasPrefix(s, "Proto ") && strings.Contains(s, "Local Address"):
		return Netstat
	}
	return nil
}

// shortSS reads what ss prints where one protocol alone was asked for: it leaves the first column out.
func shortSS(r *Reader) (func([]byte) bool, func()) {
	line, _ := SS(r)
	first := true
	return func(t []byte) bool {
		if first {
			first = false
			return line([]byte("Netid"))
		}
		return line(append([]byte("tcp "), t...))
	}, nil
}

func (p *printed) command(at evidence.Time, command string) {
	e := p.r.event(event.ShellCommand)
	e.At = at
	e.AddText(event.CommandLine, command)
	e.AddText(event.ShellHistory, p.r.in.Path)
	p.r.yield(e)
}

// end tells the logins, the oldest first.
func (p *printed) end() {
	slices.SortStableFunc(p.logins, func(a, b printedLogin) int { return a.l.At.Compare(b.l.At) })
	for i := range p.logins {
		x := &p.logins[i]
		k := event.LoginRecord
		if x.l.Record == "btmp" {
			k = event.BadLoginRecord
		}
		if x.l.Boot {
			k = event.Boot
		}
		p.r.ref, p.r.raw = x.ref, []byte(x.raw)
		e := p.r.event(k)
		e.At = x.l.At
		e.AddText(event.Terminal, x.l.Terminal)
		if !x.l.Boot {
			e.AddText(event.UserName, x.l.User)
			e.AddText(event.RecordType, x.l.Record)
			e.AddText(event.SourceHost, x.l.Host)
			if a, err := netip.ParseAddr(x.l.Host); err == nil {
				e.AddText(event.SourceIP, a.Unmap().String())
			}
		}
		p.r.yield(e)
	}
}

// Prompt tells "root@web1:~# last -F" and "[root@web1 ~]# last -F", and gives the command's words.
func Prompt(s string) (command []string, ok bool) {
	at := strings.IndexByte(s, '@')
	if at <= 0 || at > 40 || strings.ContainsAny(s[:at], " \t=/:") {
		return nil, false
	}
	end := strings.IndexAny(s, "#$")
	if end < at || end+1 >= len(s) || s[end+1] != ' ' || end > 200 || strings.Count(s[:end], " ") > 1 {
		return nil, false
	}
	f := strings.Fields(s[end+1:])
	for len(f) > 1 && f[0] == "sudo" {
		f = f[1:]
	}
	if len(f) == 0 {
		return nil, false
	}
	return f, true
}

// crontabOf gives whose table "crontab -l" prints: who asks for it, or the one named behind -u.
func crontabOf(s string, command []string) string {
	if command[0] != "crontab" {
		return ""
	}
	if i := slices.Index(command, "-u"); i > 0 && i+1 < len(command) {
		return command[i+1]
	}
	if slices.Contains(strings.Fields(s), "sudo") {
		return "root"
	}
	user, _, _ := strings.Cut(strings.TrimPrefix(s, "["), "@")
	return user
}

// CronLine reads a line of a user's table of cron: five fields of times, or one with an at sign, and a command.
func CronLine(s string) (when, command string, ok bool) {
	f := strings.Fields(s)
	n := 5
	if len(f) > 1 && slices.Contains([]string{"@reboot", "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}, f[0]) {
		n = 1
	}
	if len(f) <= n {
		return "", "", false
	}
	for i, w := range f[:n] {
		if n == 5 && !cronField(w, i) {
			return "", "", false
		}
	}
	rest := s
	for _, w := range f[:n] {
		rest = strings.TrimLeft(rest, " \t")[len(w):]
	}
	command = strings.TrimSpace(rest)
	return strings.Join(f[:n], " "), command, strings.ContainsAny(command, "/abcdefghijklmnopqrstuvwxyz")
}

// cronField tells whether a word may stand in the n-th field of times: numbers up to its bound, names where months and days have them.
func cronField(w string, n int) bool {
	for _, x := range strings.FieldsFunc(w, func(r rune) bool { return r == ',' || r == '-' || r == '/' }) {
		v, err := strconv.Atoi(x)
		name := n >= 3 && len(x) == 3 && (weekday(x) >= 0 || weekday(strings.ToUpper(x[:1])+x[1:]) >= 0 || logclock.Month([]byte(strings.ToUpper(x[:1])+x[1:])) != 0)
		if x != "*" && !name && (err != nil || v < 0 || v > []int{59, 23, 31, 12, 7}[n] && !strings.Contains(w, "/")) {
			return false
		}
	}
	return strings.Trim(w, ",-/") != ""
}

// Login is a line of last(1), lastb(1), lastlog(8) or who(1).
type Login struct {
	User, Terminal, Host string
	Record               string // "wtmp", "btmp", "lastlog" or "utmp"
	Boot                 bool
	At                   evidence.Time
}

// LoginLine reads "root  pts/0  203.0.113.50  Fri Jun  2 03:11 - 03:40  (00:29)", with seconds and year by -F; lastlog's, with an offset before the year; and
// "root  pts/0  2023-06-02 03:11 (203.0.113.50)". saved is when the text was saved: where the year is not said it is the last before it
// in which the date was that day of the week. Hours without an offset are taken for UTC, as in any log that says none.
func LoginLine(s string, saved evidence.Time) (l Login, ok bool) {
	f := strings.Fields(s)
	if len(f) < 5 || len(s) > 400 {
		return l, false
	}
	if l.At, ok = whoTime(f[2], f[3]); ok {
		l.User, l.Terminal, l.Record = f[0], f[1], "utmp"
		l.Host = strings.Trim(f[len(f)-1], "()")
		return l, isTerminal(l.Terminal)
	}
	i := slices.IndexFunc(f, func(w string) bool { return len(w) == 3 && weekday(w) >= 0 })
	if i < 1 || i > 5 || len(f) < i+4 {
		return l, false
	}
	when, n, ok := lastTime(f[i:], saved)
	if !ok {
		return l, false
	}
	l.User, l.At, l.Record = f[0], when, "wtmp"
	if f[0] == "reboot" && i > 2 && f[1] == "system" && f[2] == "boot" {
		l.Boot = true
		return l, true
	}
	words := f[1:i]
	switch {
	case len(words) > 0 && isTerminal(words[0]):
		l.Terminal, words = words[0], words[1:]
	case i >= 2 && isTerminal(f[0]): // lastb's where nobody gave a name
		l.User, l.Terminal = "", f[0]
	default:
		return l, false
	}
	if len(words) > 0 {
		l.Host = words[0]
	} else if end := f[len(f)-1]; len(f) > i+n && strings.Count(end, ".") == 3 { // by -a it stands last
		l.Host = end
	}
	switch {
	case strings.HasSuffix(l.Terminal, ":notty"):
		l.Record = "btmp"
	case n == 6:
		l.Record = "lastlog"
	}
	return l, true
}

// isTerminal tells names of terminals from other words.
func isTerminal(s string) bool {
	return strings.HasPrefix(s, "pts/") || strings.HasPrefix(s, "tty") || strings.HasPrefix(s, "ssh:") || strings.HasPrefix(s, "ftpd") || strings.HasPrefix(s, ":0") || s == "console" || s == "ssh" || strings.HasPrefix(s, "hvc") || strings.HasPrefix(s, "vc/")
}

func weekday(s string) int {
	return slices.Index([]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}, s)
}

// lastTime reads "Fri Jun 2 03:11", "Fri Jun 2 03:11:22 2023" and "Fri Jun 2 03:11:22 +0000 2023"; n is of how many words it is.
func lastTime(f []string, saved evidence.Time) (at evidence.Time, n int, ok bool) {
	day, err := strconv.Atoi(f[2])
	month := logclock.Month([]byte(f[1]))
	if err != nil || month == 0 || len(f[1]) != 3 {
		return at, 0, false
	}
	h, m, sec, step, ok := clockTime(f[3])
	if !ok {
		return at, 0, false
	}
	if len(f) >= 5 && step == time.Second {
		if y, err := strconv.Atoi(f[4]); err == nil && len(f[4]) == 4 && y >= 1990 {
			at, ok = logclock.Offset(y, month, day, h, m, sec, 0, 0, step)
			return at, 5, ok
		}
		if z, err := strconv.Atoi(f[4]); err == nil && len(f) >= 6 && len(f[4]) == 5 && len(f[5]) == 4 {
			y, err := strconv.Atoi(f[5])
			at, ok = logclock.Offset(y, month, day, h, m, sec, 0, z/100*3600+z%100*60, step)
			return at, 6, ok && err == nil
		}
	}
	if saved.Sec <= 0 || saved.Sec > 1<<33 {
		return at, 0, false
	}
	last := saved.Std().Year()
	for y := last; y > last-28; y-- { // as many years until the days of the week come again
		d := time.Date(y, month, day, h, m, sec, 0, time.UTC)
		if d.Unix() <= saved.Sec+86400 && d.Day() == day && int(d.Weekday()) == weekday(f[0]) {
			at, ok = logclock.Offset(y, month, day, h, m, sec, 0, 0, step)
			return at, 4, ok
		}
	}
	return at, 0, false
}

// clockTime reads "03:11" and "03:11:22".
func clockTime(s string) (h, m, sec int, step time.Duration, ok bool) {
	if len(s) != 5 && len(s) != 8 || s[2] != ':' {
		return
	}
	h, m, step = logclock.Digits([]byte(s[:2])), logclock.Digits([]byte(s[3:5])), time.Minute
	if len(s) == 8 {
		sec, step = logclock.Digits([]byte(s[6:])), time.Second
		ok = s[5] == ':' && sec >= 0
	} else {
		ok = true
	}
	return h, m, sec, step, ok && h >= 0 && m >= 0
}

// whoTime reads "2023-06-02" and "03:11".
func whoTime(day, hour string) (at evidence.Time, ok bool) {
	if len(day) != 10 || day[4] != '-' || day[7] != '-' {
		return at, false
	}
	h, m, sec, step, ok := clockTime(hour)
	if !ok {
		return at, false
	}
	b := []byte(day)
	return logclock.Offset(logclock.Digits(b[:4]), time.Month(logclock.Digits(b[5:7])), logclock.Digits(b[8:]), h, m, sec, 0, 0, step)
}

// Numbered reads a line of the shell's own list: "  501  wget ...", with a time behind the number where HISTTIMEFORMAT asks for one.
func Numbered(s string) (at evidence.Time, command string, ok bool) {
	t := strings.TrimLeft(s, " ")
	i := strings.IndexByte(t, ' ')
	if i <= 0 || i > 7 || len(s)-len(t)+i < 4 {
		return at, "", false
	}
	if _, err := strconv.ParseUint(t[:i], 10, 32); err != nil || !strings.HasPrefix(t[i:], "  ") {
		return at, "", false
	}
	t = strings.TrimLeft(t[i:], " ")
	if len(t) > 20 && t[10] == ' ' {
		if when, dated := whoTime(t[:10], t[11:19]); dated {
			return when, state.Text([]byte(strings.TrimLeft(t[19:], " ")), maxText*4), true
		}
	}
	return at, state.Text([]byte(t), maxText*4), t != ""
}
