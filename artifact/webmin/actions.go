package webmin

import (
	"bytes"
	"strconv"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// Actions gives the artefact of the log of what was done in Webmin, with refused logins.
func Actions() *artifact.Artifact {
	return &artifact.Artifact{Name: "webmin-actions", Doc: "what was done in Webmin by whom from where, and refused logins", Spec: "Webmin 2.1 web-lib-funcs.pl (webmin_log), record-failed.pl",
		Files: []string{"/var/webmin/webmin.log", "/var/usermin/usermin.log", "/var/log/webmin/webmin.log"}, Log: true, Sniff: artifact.MostLines(acted), Parse: artifact.Stamped("webmin action", actionStamp, action),
		Kinds: []event.Kind{event.AuthFailed, event.ProgramSaid}}
}

// actionStamp reads "ID [D/Mon/yyyy hh:mm:ss] "; ID is "SECONDS.PID.N". The stamp is in the zone that the host had then, the seconds are since 1970.
func actionStamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	id, rest, ok := said.Cut(t[:min(len(t), 64)], " [")
	day, rest, ok2 := said.Cut(rest, "/")
	if !ok || !ok2 || len(id) == 0 || len(bytes.Trim(id, "0123456789.")) > 0 || bytes.IndexByte(id, '.') < 0 || len(day) == 0 || len(day) > 2 ||
		len(rest) < 18 || rest[3] != '/' || rest[8] != ' ' || rest[11] != ':' || rest[14] != ':' || rest[17] != ']' {
		return at, nil, false
	}
	at, ok = c.Local(logclock.Digits(rest[4:8]), logclock.Month(rest[:3]), logclock.Digits(day), logclock.Digits(rest[9:11]), logclock.Digits(rest[12:14]), logclock.Digits(rest[15:17]), 0, time.Second)
	seconds, _, _ := said.Cut(id, ".")
	if n, err := strconv.ParseInt(string(seconds), 10, 64); ok && err == nil && sameMoment(n, at.Sec) {
		at.Sec = n
	}
	return at, t[len(id)+len(" [")+len(day)+len("/")+18:], ok
}

// sameMoment tells whether two times differ by no more than what two zones can: whole quarters of an hour.
func sameMoment(a, b int64) bool {
	const quarter, most = 15 * 60, 26 * 3600
	d := a - b
	return d%quarter == 0 && -most <= d && d <= most
}

func acted(line []byte) bool {
	_, text, ok := actionStamp(&logclock.Clock{}, line)
	return ok && bytes.Contains(text, []byte(` "`))
}

const refusal = ` global miniserv.pl "failed" "-" "` // a reason of the server's own follows, and ends the line

// action reads `USER SESSION ADDRESS MODULE SCRIPT "ACTION" "TYPE" "OBJECT" KEY='VALUE' ...`. Of a refused login the user is a stranger's word, and may
// hold all of that, a line end too: so it is read from the end, and no line of this log is a login (syslog has those).
func action(m *artifact.Message, yield func(*event.Event)) bool {
	t := bytes.TrimLeft(m.Text, " ")
	if before, reason, ok := said.CutLast(t, refusal); ok && bytes.IndexByte(reason, '"') == len(reason)-1 {
		e, ok := subject(m, event.AuthFailed, before)
		if !ok {
			return false
		}
		e.Add(event.AuthMethod, password)
		e.Add(event.AuthReason, reason[:len(reason)-1])
		if string(reason) == `baduser"` {
			e.Add(event.UserInvalid, yes)
		}
		yield(e)
		return true
	}
	before, what, ok := said.Cut(t, ` "`)
	before, script, ok2 := said.CutLast(before, " ")
	before, module, ok3 := said.CutLast(before, " ")
	if !ok || !ok2 || !ok3 {
		return false
	}
	e, ok := subject(m, event.ProgramSaid, before)
	if !ok {
		return false
	}
	e.AddText(event.Message, string(module)+" "+string(script)+` "`+string(what))
	yield(e)
	return true
}

// subject reads "USER SESSION ADDRESS".
func subject(m *artifact.Message, k event.Kind, b []byte) (*event.Event, bool) {
	b, address := said.LastWord(b)
	user, _ := said.LastWord(b)
	ip := said.Address(address)
	if ip == nil || len(user) == 0 {
		return nil, false
	}
	e := m.Event(k)
	e.AddText(event.ServiceName, "webmin")
	e.Add(event.UserName, user)
	e.Add(event.SourceIP, ip)
	return e, true
}
