package cms

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// Joomla gives the artefact of Joomla's logs, which are PHP files with lines of text behind a line that stops PHP.
func Joomla() *artifact.Artifact {
	return &artifact.Artifact{Name: "joomla", Doc: "refused logins to Joomla sites", Spec: "Joomla 2.5 to 5 libraries/src/Log/Logger/FormattedtextLogger.php ({DATETIME} {PRIORITY} {CLIENTIP} {CATEGORY} {MESSAGE})",
		Files: []string{"{webroot}/**/{logs,log,administrator/logs}/{error,everything,joomla,jerror}*.php", "{home}/public_html/**/{logs,log,administrator/logs}/{error,everything,joomla,jerror}*.php"}, Log: true, Sniff: joomlaSniff,
		Parse: artifact.Stamped("joomla", joomlaStamp, joomla), Kinds: []event.Kind{event.AuthFailed}}
}

var joomlaName = []byte("joomla")

// joomla reads "PRIORITY IP CATEGORY text", with tabs between the fields. The fields stand before what a client says.
func joomla(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if len(t) == 0 || t[0] == '#' {
		return true
	}
	priority, rest := field(t)
	switch string(priority) {
	case "EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG":
	default:
		return false
	}
	address, rest := field(rest)
	category, text := field(rest)
	if !bytes.EqualFold(category, []byte("joomlafailure")) {
		return true
	}
	ip := said.Address(address)
	if ip == nil {
		return string(address) == "-"
	}
	e := m.Event(event.AuthFailed)
	e.Add(event.ServiceName, joomlaName)
	e.Add(event.SourceIP, ip)
	e.Add(event.AuthMethod, password)
	e.Add(event.AuthReason, text)
	yield(e)
	return true
}

// field cuts t behind its first field.
func field(t []byte) (f, rest []byte) {
	i := bytes.IndexAny(t, " \t")
	if i < 0 {
		return t, nil
	}
	return t[:i], bytes.TrimLeft(t[i:], " \t")
}

// joomlaStamp reads "yyyy-mm-ddThh:mm:ss+00:00 ", and lets the lines of the head pass.
func joomlaStamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	if t[0] == '#' {
		return at, t, true
	}
	at, n := c.ISO(t)
	if n == 0 || n >= len(t) || t[n] != ' ' && t[n] != '\t' {
		return at, t, false
	}
	return at, bytes.TrimLeft(t[n:], " \t"), true
}

func joomlaSniff(head []byte) bool {
	return bytes.HasPrefix(head, []byte("#")) && bytes.Contains(head[:min(len(head), 512)], []byte("#Software: Joomla"))
}
