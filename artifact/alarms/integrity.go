package alarms

import (
	"bytes"
	"context"
	"iter"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// Rkhunter gives the artefact of Rootkit Hunter.
func Rkhunter() *artifact.Artifact {
	return &artifact.Artifact{Name: "rkhunter", Doc: "what Rootkit Hunter warned of", Spec: "Rootkit Hunter 1.3 to 1.4 files/rkhunter (display, LOGFILE)", Files: []string{"/var/log/rkhunter{,/*}.log"}, Log: true,
		Sniff: func(head []byte) bool { return bytes.Contains(head[:min(len(head), 1024)], []byte("Rootkit Hunter")) }, Parse: report(rkhunter), Kinds: kinds()}
}

// Chkrootkit gives the artefact of chkrootkit, whose report has no times.
func Chkrootkit() *artifact.Artifact {
	return &artifact.Artifact{Name: "chkrootkit", Doc: "what chkrootkit warned of", Spec: "chkrootkit 0.49 to 0.58 chkrootkit; Debian's cron.daily", Files: []string{"/var/log/chkrootkit/log.*", "/var/log/chkrootkit{,.log}"}, Log: true,
		Sniff: func(head []byte) bool { return bytes.HasPrefix(head, []byte("ROOTDIR is ")) }, Parse: report(chkrootkit), Kinds: kinds()}
}

// page is how far a report has been read.
type page struct {
	at      evidence.Time // of the run, or of the line
	section []byte        // what the entries below are: one of the words for changes
	above   []byte        // the warning that the lines below belong to
	day     evidence.Time // midnight of the run's day, where lines have a time of day only
}

// report makes the Parse of a tool's report: f reads one line.
func report(f func(p *page, c *logclock.Clock, m *artifact.Message, yield func(*event.Event))) func(context.Context, *artifact.Input) iter.Seq2[event.Event, error] {
	return func(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			m := artifact.Message{Repeat: 1}
			var p page
			going := true
			out := func(e *event.Event) { going = going && yield(*e, nil) }
			for ref, t := range artifact.EachLine(ctx, in, yield) {
				m.Text, m.Ref, m.Raw = t, ref, t
				f(&p, in.Clock, &m, out)
				in.Seen.Record(p.at)
				if !going {
					return
				}
			}
		}
	}
}

// maxAbove bounds what is kept of a warning for the lines below it.
const maxAbove = 200

// rkhunter reads "[hh:mm:ss] Warning: text" and the files on indented lines below it, and the date from "[hh:mm:ss] Info: Start date is Tue Jan  2 03:04:05 UTC 2024".
func rkhunter(p *page, c *logclock.Clock, m *artifact.Message, yield func(*event.Event)) {
	t := m.Text
	if len(t) < 11 || t[0] != '[' || t[3] != ':' || t[6] != ':' || t[9] != ']' {
		return
	}
	h, minute, s := logclock.Digits(t[1:3]), logclock.Digits(t[4:6]), logclock.Digits(t[7:9])
	text := bytes.TrimLeft(t[10:], " ")
	if rest, ok := said.Rest(text, "Info: Start date is "); ok {
		p.day = day(c, rest)
	}
	if p.day.Known() && h >= 0 && minute >= 0 && s >= 0 {
		at := evidence.Time{Sec: p.day.Sec + int64(h*3600+minute*60+s), Step: time.Second}
		if p.at.Known() && at.Sec < p.at.Sec-12*3600 { // past midnight
			p.day.Sec += 86400
			at.Sec += 86400
		}
		p.at = at
	}
	m.At = p.at
	rest, ok := said.Rest(text, "Warning: ")
	if !ok {
		if indent := len(t) - 10 - len(text); indent < 9 {
			p.above = p.above[:0]
		} else if path := firstPath(text); path != nil && len(p.above) > 0 { // "[hh:mm:ss]          File: /usr/bin/x"
			alarm{service: "rkhunter", path: path, message: append(append(p.above, ' '), text...), change: warned}.yield(m, yield)
		}
		return
	}
	p.above = append(p.above[:0], rest[:min(len(rest), maxAbove)]...)
	alarm{service: "rkhunter", user: accountOf(rest), path: firstPath(rest), message: rest, change: warned}.yield(m, yield)
}

// accountOf gives the account that a warning is about: "Account 'x' is root equivalent (UID = 0)", "User 'x' has been added to the passwd file.", "Found passwordless account in passwd file: x".
func accountOf(t []byte) []byte {
	for _, begins := range [...]string{"Account '", "User '", "Found passwordless account in passwd file: "} {
		if rest, ok := said.Rest(t, begins); ok {
			name, _, _ := said.Cut(rest, "'")
			return bytes.TrimRight(name, " ")
		}
	}
	return nil
}

// day gives the midnight of "Tue Jan  2 03:04:05 UTC 2024" as date(1) prints it in English; unknown in other languages.
func day(c *logclock.Clock, t []byte) evidence.Time {
	_, rest := said.FirstWord(t)
	month, rest := said.FirstWord(rest)
	d, _ := said.FirstWord(rest)
	_, year := said.LastWord(bytes.TrimRight(t, " "))
	n := logclock.Digits(d)
	if len(d) == 0 || len(d) > 2 || len(year) != 4 {
		return evidence.Time{}
	}
	at, ok := c.Local(logclock.Digits(year), logclock.Month(month), n, 0, 0, 0, 0, time.Second)
	if !ok {
		return evidence.Time{}
	}
	return at
}

// firstPath gives the first path in a warning: in quotes, or as a word.
func firstPath(t []byte) []byte {
	if len(t) > 0 && t[0] == '/' {
		word, _, _ := said.Cut(t, ": ")
		return bytes.TrimRight(word, " ")
	}
	if _, rest, ok := said.Cut(t, "'/"); ok {
		if i := bytes.IndexByte(rest, '\''); i >= 0 {
			start := len(t) - len(rest) - 1
			return t[start : start+1+i]
		}
	}
	if i := bytes.Index(t, []byte(" /")); i >= 0 {
		word, _ := said.FirstWord(t[i+1:])
		return bytes.TrimRight(word, ".,:;)")
	}
	return nil
}

// chkrootkit reads "Checking `ls'... INFECTED", "WARNING: ..." with files on the lines below, and "eth0: PACKET SNIFFER(/usr/sbin/x[123])".
func chkrootkit(p *page, _ *logclock.Clock, m *artifact.Message, yield func(*event.Event)) {
	t := m.Text
	if t[0] == '/' && len(p.above) > 0 {
		alarm{service: "chkrootkit", path: t, message: p.above, change: warned}.yield(m, yield)
		return
	}
	p.above = p.above[:0]
	harmless := bytes.Contains(t, []byte("not infected")) || bytes.Contains(t, []byte("not found")) || bytes.Contains(t, []byte("nothing found"))
	switch {
	case bytes.Contains(t, []byte("INFECTED")) && !harmless:
		alarm{service: "chkrootkit", path: firstPath(t), message: t, change: infected}.yield(m, yield)
	case said.BeginsAny(t, []string{"Warning: ", "WARNING: ", "Possible ", "You have "}), bytes.Contains(t, []byte("PACKET SNIFFER(")), bytes.Contains(t, []byte(" process hidden for ")), bytes.Contains(t, []byte("Vulnerable but disabled")):
		alarm{service: "chkrootkit", path: firstPath(t), message: t, change: warned}.yield(m, yield)
		p.above = append(p.above, t[:min(len(t), maxAbove)]...)
	}
}
