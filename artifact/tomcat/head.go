package tomcat

import (
	"bytes"
	"time"

	"telltale/artifact/internal/said"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// head is what stands before a message.
type head struct {
	at     evidence.Time
	from   class
	level  string
	text   []byte
	second bool // the message stands on the line below
	own    bool // within a frame of rsyslog's, Tomcat's own head stood
	within bool // a line of the record above, in a frame of its own
}

// class is which of the server's parts speaks. A message is believed only of the part whose it is: applications log what visitors send.
type class uint8

const (
	otherClass class = iota
	anyClass         // the layout does not name it
	hostConfig
	managerServlet // by the context's log
	realm
	valve
	catalina
	standardService
	standardServer
	standardContext
)

// classOf reads "org.apache.catalina.startup.HostConfig.deployWAR", with or without the method; inner classes and threads are named behind a '$'.
func classOf(b []byte) class {
	rest, ok := said.Rest(b, "org.apache.catalina.")
	if !ok {
		return otherClass
	}
	for _, c := range [...]struct {
		name string
		class
	}{
		{"startup.HostConfig", hostConfig}, {"core.ApplicationContext", managerServlet}, {"core.ContainerBase.[", managerServlet}, {"manager.", managerServlet}, {"realm.", realm}, {"valves.", valve}, {"startup.Catalina", catalina},
		{"core.StandardService", standardService}, {"core.StandardServer", standardServer}, {"core.StandardContext", standardContext}, {"authenticator.", realm},
	} {
		if bytes.HasPrefix(rest, []byte(c.name)) {
			return c.class
		}
	}
	return otherClass
}

// ofServer tells classes whose logger is their own, so that by default only catalina's log has their words. A visitor's text in another may look like theirs.
func ofServer(c class) bool {
	return c == hostConfig || c == catalina || c == standardService || c == standardServer
}

var levels = [...]string{"SEVERE", "WARNING", "INFO", "CONFIG", "FINE", "FINER", "FINEST", "ERROR", "WARN", "DEBUG", "TRACE", "FATAL"}

// levelOf gives the level's name; "" for one in another language.
func levelOf(b []byte) string {
	for _, l := range levels {
		if bytes.EqualFold(b, []byte(l)) {
			return l
		}
	}
	return ""
}

// headed reads
//
//	02-Jan-2024 15:04:05.123 INFO [main] org.apache.catalina.startup.Catalina.start text    OneLineFormatter, since 8.0
//	Jan 02, 2024 3:04:05 PM org.apache.catalina.startup.Catalina start                      SimpleFormatter; the text stands below
//	2024-01-02 15:04:05,123 INFO [main] org.apache.catalina.startup.Catalina - text         log4j, in many orders
//	[2024-01-02 15:04:05] [info] text                                                       Debian's, by way of rsyslog
func headed(c *logclock.Clock, t []byte) (h head, ok bool) {
	if len(t) == 0 {
		return h, false
	}
	if at, n := dashed(c, t); n > 0 {
		h.at = at
		h.oneLine(bytes.TrimLeft(t[n:], " "))
		return h, true
	}
	if at, n := twelve(c, t); n > 0 {
		word, method := said.FirstWord(bytes.TrimLeft(t[n:], " "))
		if len(method) == 0 || bytes.IndexByte(word, '.') < 0 || bytes.IndexByte(method, ' ') >= 0 {
			return h, false // an application's own date
		}
		return head{at: at, from: classOf(word), second: true}, true
	}
	if t[0] == '[' {
		return relayed(c, t)
	}
	if at, n := c.ISO(t); n > 0 && n < len(t) && t[n] == ' ' {
		h.at = at
		h.anyOrder(bytes.TrimLeft(t[n:], " "))
		return h, true
	}
	return h, false
}

// relayed reads what Debian's rsyslog template makes of a line of stdout: "[2024-01-02 15:04:05] [info] text". The text is Tomcat's message alone, or a line with a head of its own (tomcat10),
// or another line of the same record, in which rsyslog writes a tab as #011.
func relayed(c *logclock.Clock, t []byte) (h head, ok bool) {
	at, n := c.ISO(t[1:])
	rest, ok := said.Rest(t[1+n:], "] [")
	level, text, closed := said.Cut(rest, "]")
	if n == 0 || !ok || !closed || levelOfSyslog(level) == "" {
		return h, false
	}
	text = bytes.TrimPrefix(text, []byte(" "))
	if len(text) > 0 && text[0] != '[' {
		if h, ok := headed(c, text); ok && !h.second {
			h.own = true
			return h, true
		}
	}
	h = head{at: at, from: anyClass, level: levelOfSyslog(level), text: bytes.TrimLeft(text, " ")}
	h.within = len(text) == 0 || text[0] == ' ' || bytes.HasPrefix(text, []byte("#011"))
	return h, true
}

// levelOfSyslog gives a severity's name as rsyslog writes it.
func levelOfSyslog(b []byte) string {
	for _, l := range [...]string{"emerg", "alert", "crit", "err", "error", "warning", "notice", "info", "debug"} {
		if string(b) == l {
			return l
		}
	}
	return ""
}

// dashed reads "02-Jan-2024 15:04:05.123".
func dashed(c *logclock.Clock, t []byte) (at evidence.Time, n int) {
	if len(t) < 21 || t[2] != '-' || t[6] != '-' || t[11] != ' ' || t[14] != ':' || t[17] != ':' {
		return at, 0
	}
	n = 20
	ms, step := 0, time.Second
	if len(t) > 24 && t[20] == '.' {
		if ms = logclock.Digits(t[21:24]); ms < 0 {
			return at, 0
		}
		n, step = 24, time.Millisecond
	}
	at, ok := c.Local(logclock.Digits(t[7:11]), logclock.Month(t[3:6]), logclock.Digits(t[:2]), logclock.Digits(t[12:14]), logclock.Digits(t[15:17]), logclock.Digits(t[18:20]), int32(ms)*1e6, step)
	if !ok || t[n] != ' ' {
		return at, 0
	}
	return at, n
}

// twelve reads "Jan 2, 2024 3:04:05 PM": the day and the hour have one digit or two, and since Java 20 a narrow blank (U+202F) stands before the half of the day.
func twelve(c *logclock.Clock, t []byte) (at evidence.Time, n int) {
	if len(t) < 24 || t[3] != ' ' || logclock.Month(t) == 0 {
		return at, 0
	}
	day := said.Number(t[4:])
	rest, ok := said.Rest(t[4+len(day):], ", ")
	if !ok || len(day) == 0 || len(day) > 2 || len(rest) < 16 || rest[4] != ' ' {
		return at, 0
	}
	year := logclock.Digits(rest[:4])
	clock := rest[5:]
	hour := said.Number(clock)
	clock = clock[len(hour):]
	if len(hour) == 0 || len(hour) > 2 || len(clock) < 10 || clock[0] != ':' || clock[3] != ':' {
		return at, 0
	}
	h := logclock.Digits(hour)
	after := bytes.TrimPrefix(bytes.TrimPrefix(clock[6:], []byte(" ")), []byte("\u202f"))
	if len(after) < 3 || after[1] != 'M' || after[0] != 'A' && after[0] != 'P' || h < 1 || h > 12 {
		return at, 0
	}
	h %= 12
	if after[0] == 'P' {
		h += 12
	}
	at, ok = c.Local(year, logclock.Month(t), logclock.Digits(day), h, logclock.Digits(clock[1:3]), logclock.Digits(clock[4:6]), 0, time.Second)
	if !ok {
		return at, 0
	}
	return at, len(t) - len(after) + 2
}

// oneLine reads "INFO [thread] class.method text". A thread's name may hold brackets of its own, "[ContainerBackgroundProcessor[StandardEngine[Catalina]]]".
func (h *head) oneLine(t []byte) {
	level, rest := said.FirstWord(t)
	h.level = levelOf(level)
	if len(rest) > 0 && rest[0] == '[' {
		depth, end := 0, 0
		for i, b := range rest[:min(len(rest), 300)] {
			if b == '[' {
				depth++
			} else if b == ']' {
				if depth--; depth == 0 {
					end = i + 1
					break
				}
			}
		}
		rest = bytes.TrimLeft(rest[end:], " ")
	}
	word, text := said.FirstWord(rest)
	h.from, h.text = classOf(word), text
	if after, ok := said.Rest(word, "org.apache.catalina.core.ContainerBase.["); ok && len(after) > 0 { // "...[Catalina].[localhost].[/manager] text": the context's name is a path
		h.from = managerServlet
	}
}

// anyOrder reads what a layout of log4j or logback puts before a message: level, thread, class and a dash, in any order.
func (h *head) anyOrder(t []byte) {
	h.text = t
	for range 6 {
		word, rest := said.FirstWord(h.text)
		name := bytes.TrimRight(bytes.Trim(word, "[]"), ":")
		switch {
		case levelOf(name) != "" && h.level == "":
			h.level = levelOf(name)
		case bytes.HasPrefix(word, []byte("org.apache.")) && h.from == otherClass:
			h.from = classOf(name)
		case string(word) == "-" || string(word) == ":" || string(word) == "---" || string(word) == "--":
		case len(word) > 2 && word[0] == '[':
		default:
			return
		}
		h.text = rest
	}
}

// levelLine reads "INFO: text", the second line of SimpleFormatter.
func levelLine(t []byte) (level, text []byte) {
	level, text, ok := said.Cut(t, ": ")
	if !ok || bytes.IndexByte(level, ' ') >= 0 {
		return nil, t
	}
	return level, text
}

// ofTrace tells lines of a stack trace, which belong to the record above.
func ofTrace(t []byte) bool {
	if t[0] == '\t' || t[0] == ' ' || said.BeginsAny(t, []string{"Caused by: ", "Suppressed: ", "at ", "... "}) {
		return true
	}
	word, _ := said.FirstWord(t)
	word = bytes.TrimRight(word, ":")
	return bytes.IndexByte(word, '.') > 0 && (bytes.HasSuffix(word, []byte("Exception")) || bytes.HasSuffix(word, []byte("Error")) || bytes.HasSuffix(word, []byte("Throwable")))
}

// sniffed is how many lines Sniff looks at.
const sniffed = 40

// sniff tells a log of Tomcat: any Java program may use these layouts, so one of the server's own classes has to speak.
func sniff(head []byte) bool {
	c, n := &logclock.Clock{}, 0
	for line := range bytes.Lines(head) {
		if n++; n > sniffed {
			break
		}
		line = bytes.TrimRight(line, "\r\n")
		if h, ok := headed(c, line); ok && h.from > anyClass || ok && bytes.Contains(line[:min(len(line), 200)], []byte(" org.apache.coyote.")) {
			return true
		}
	}
	return false
}
