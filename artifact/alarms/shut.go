package alarms

import (
	"bytes"
	"time"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/logclock"
)

const crowdsecSpec = "CrowdSec 1.0 to 1.6 pkg/leakybucket/overflows.go, pkg/apiserver/controllers (logrus' text formatter)"

// CrowdSec gives the artefact of CrowdSec's own log.
func CrowdSec() *artifact.Artifact {
	return &artifact.Artifact{Name: "crowdsec-log", Doc: "whom CrowdSec found and banned", Spec: crowdsecSpec, Files: []string{"/var/log/crowdsec{,_api}.log", "/var/log/crowdsec/*.log"}, Log: true, Sniff: artifact.MostLines(logfmt),
		Parse: artifact.Stamped("crowdsec", crowdsecStamp, crowdsec), Kinds: kinds()}
}

// CrowdSecSaid gives the artefact of what it says through the journal or syslog.
func CrowdSecSaid() *artifact.Artifact {
	return &artifact.Artifact{Name: "crowdsec", Doc: CrowdSec().Doc, Spec: crowdsecSpec, Programs: []string{"crowdsec"}, Decode: func(m *artifact.Message, yield func(*event.Event)) bool {
		if _, text, ok := crowdsecStamp(&logclock.Clock{}, m.Text); ok {
			m.Text = text
		}
		return crowdsec(m, yield)
	}, Kinds: kinds()}
}

// crowdsec reads `level=info msg="Ip 1.2.3.4 performed 'crowdsecurity/ssh-bf' (6 events over 2s) at ..."` and `msg="(id/crowdsec) crowdsecurity/ssh-bf by ip 1.2.3.4 (US/1) : 4h ban on Ip 1.2.3.4"`.
func crowdsec(m *artifact.Message, yield func(*event.Event)) bool {
	rest, ok := said.Rest(m.Text, "level=")
	level, rest, ok2 := said.Cut(rest, " ")
	if !ok || !ok2 || len(level) == 0 {
		return false
	}
	_, text, ok := said.Cut(rest, `msg="`)
	if !ok {
		return true
	}
	if i := bytes.LastIndexByte(text, '"'); i >= 0 {
		text = text[:i]
	}
	if rest, ok := said.Rest(text, "Ip "); ok {
		address, rest := said.FirstWord(rest)
		what, ok := said.Rest(rest, "performed '")
		what, _, ok2 := said.Cut(what, "'")
		ip := said.Address(address)
		if !ok || !ok2 || ip == nil {
			return true
		}
		return alarm{service: "crowdsec", ip: ip, message: what, change: found}.yield(m, yield)
	}
	if len(text) > 0 && text[0] == '(' {
		return decided(m, text, yield)
	}
	switch string(text) {
	case "Starting processing data":
		return state(m, event.ServiceStarted, "crowdsec", yield)
	case "Crowdsec engine shutting down":
		return state(m, event.ServiceStopped, "crowdsec", yield)
	}
	return true
}

// decided reads "(id/crowdsec) crowdsecurity/ssh-bf by ip 1.2.3.4 (US/1) : 4h ban on Ip 1.2.3.4", and the same of a captcha, or on a Range, which is no address.
func decided(m *artifact.Message, text []byte, yield func(*event.Event)) bool {
	why, target, ok := said.CutLast(text, " on ")
	scope, value := said.FirstWord(target)
	_, measure := said.LastWord(why)
	if _, w, ok := said.Cut(why, ") "); ok {
		why = w
	}
	if !ok || string(measure) != "ban" && string(measure) != "captcha" && string(measure) != "throttle" {
		return true
	}
	a := alarm{service: "crowdsec", message: bytes.TrimSuffix(why, []byte(" ban")), change: banned}
	switch string(scope) {
	case "Ip":
		if a.ip = network(value); a.ip == nil {
			return true
		}
	case "Range":
		a.message = text
	default:
		return true
	}
	return a.yield(m, yield)
}

// crowdsecStamp reads `time="2024-01-02T03:04:05Z" ` and, of old releases, `time="02-01-2024 03:04:05" `: the day stands first.
func crowdsecStamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	rest, ok := said.Rest(t, `time="`)
	stamp, text, ok2 := said.Cut(rest, `" `)
	if !ok || !ok2 {
		return at, t, false
	}
	if at, n := c.ISO(stamp); n > 0 && n == len(stamp) {
		return at, text, true
	}
	if len(stamp) != 19 || stamp[2] != '-' || stamp[5] != '-' || stamp[10] != ' ' || stamp[13] != ':' || stamp[16] != ':' {
		return at, t, false
	}
	at, ok = c.Local(logclock.Digits(stamp[6:10]), time.Month(logclock.Digits(stamp[3:5])), logclock.Digits(stamp[:2]), logclock.Digits(stamp[11:13]), logclock.Digits(stamp[14:16]), logclock.Digits(stamp[17:19]), 0, time.Second)
	return at, text, ok
}

// logfmt tells a line of CrowdSec's log from those of others who write so.
func logfmt(line []byte) bool {
	_, text, ok := crowdsecStamp(&logclock.Clock{}, line)
	return ok && bytes.HasPrefix(text, []byte("level=")) && (bytes.Contains(text, []byte("crowdsec")) || bytes.Contains(text, []byte("msg=\"Ip ")) || bytes.Contains(text, []byte("parser")))
}

// DenyHosts gives the artefact of DenyHosts.
func DenyHosts() *artifact.Artifact {
	return &artifact.Artifact{Name: "denyhosts", Doc: "whom DenyHosts shut out", Spec: "DenyHosts 2.6 to 3.1 DenyHosts/deny_hosts.py, util.py (DAEMON_LOG_TIME_FORMAT)", Files: []string{"/var/log/denyhosts", "/var/log/denyhosts.log"}, Log: true,
		Sniff: artifact.MostLines(denyhostsLine), Parse: artifact.Stamped("denyhosts", denyhostsStamp, denyhosts), Kinds: kinds()}
}

// maxListed bounds how many addresses of one line are told.
const maxListed = 256

// denyhosts reads "- denyhosts   : INFO     new denied hosts: ['1.2.3.4', '5.6.7.8']".
func denyhosts(m *artifact.Message, yield func(*event.Event)) bool {
	_, rest, ok := said.Cut(m.Text, ": ")
	_, text := said.FirstWord(bytes.TrimLeft(rest, " "))
	if !ok {
		return false
	}
	list, ok := said.Rest(text, "new denied hosts: [")
	switch {
	case ok:
	case bytes.HasPrefix(text, []byte("DenyHosts daemon is now running")), bytes.HasPrefix(text, []byte("launching DenyHosts daemon")):
		return state(m, event.ServiceStarted, "denyhosts", yield)
	case bytes.HasPrefix(text, []byte("DenyHosts daemon is shutting down")):
		return state(m, event.ServiceStopped, "denyhosts", yield)
	default:
		return true
	}
	n := 0
	for part := range bytes.SplitSeq(bytes.TrimRight(list, "]"), []byte(",")) {
		if ip := said.Address(bytes.Trim(part, " u'\"")); ip != nil {
			alarm{service: "denyhosts", ip: ip, change: banned}.yield(m, yield)
		}
		if n++; n == maxListed {
			break
		}
	}
	return true
}

// denyhostsStamp reads "yyyy-mm-dd hh:mm:ss,mmm ".
func denyhostsStamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	at, n := c.ISO(t)
	if n < 19 || n >= len(t) || t[n] != ' ' {
		return at, t, false
	}
	return at, bytes.TrimLeft(t[n:], " "), true
}

func denyhostsLine(line []byte) bool {
	_, text, ok := denyhostsStamp(&logclock.Clock{}, line)
	return ok && (bytes.HasPrefix(text, []byte("- denyhosts ")) || bytes.HasPrefix(text, []byte("- denyfileutil")) || bytes.HasPrefix(text, []byte("- sync  ")))
}
