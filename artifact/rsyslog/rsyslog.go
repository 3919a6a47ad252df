// Package rsyslog decodes what logging daemons say of themselves: that they started or
// stopped, opened their files anew, or lost messages. Silence in a log is judged by this.
package rsyslog

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name:     "rsyslog",
		Doc:      "logging itself: started, stopped, told to open its files anew, messages lost",
		Spec:     "rsyslog 8.2302 tools/rsyslogd.c, runtime/ratelimit.c, plugins/imuxsock; sysklogd 1.5 and 2.5; syslog-ng 3.38 lib/mainloop.c; audit 3.1 src/auditd.c; systemd 252 src/journal/journald-server.c",
		Programs: []string{"rsyslogd", "rsyslogd-2007", "rsyslogd-2177", "syslogd", "klogd", "syslog-ng", "auditd", "systemd-journald", "systemd-journal", "journal", "rsyslog"},
		Decode:   decode,
		Kinds:    []event.Kind{event.LoggingChanged},
	}
}

// What the daemons say is open-ended; what bears on the log's completeness is in forms, and
// the rest is routine.
func decode(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if bytes.HasPrefix(t, []byte("[origin ")) { // rsyslogd: `[origin software="rsyslogd" swVersion="8.2302.0" x-pid="600" x-info="..."] start`
		if _, rest, ok := said.Cut(t, "] "); ok {
			t = rest
		}
	}
	for _, f := range forms {
		if bytes.HasPrefix(t, []byte(f.begins)) && bytes.Contains(t, []byte(f.holds)) {
			if f.change != "" {
				e := m.Event(event.LoggingChanged)
				e.Add(event.ServiceName, m.Program)
				e.Add(event.Change, []byte(f.change))
				e.Add(event.Message, t)
				yield(e)
			}
			return true
		}
	}
	return len(t) > 0
}

const (
	started  = "started"
	stopped  = "stopped"
	reopened = "reopened its files"
	lost     = "lost messages"
	dropped  = "suspended messages by rate"
	damaged  = "found a journal file damaged"
	full     = "gave up writing for want of room or rights"
)

// forms: how a message begins, what it holds besides, and what that means.
var forms = []struct{ begins, holds, change string }{
	{"start", "", started}, {"restart", "", started}, {"syslogd ", "start", started}, {"klogd ", "started", started},
	{"syslog-ng starting up", "", started}, {"Journal started", "", started}, {"Init complete, auditd", "", started}, {"Started dispatcher", "", ""},
	{"exiting on signal", "", stopped}, {"Exiting on signal", "", stopped}, {"syslogd exiting", "", stopped}, {"syslog-ng shutting down", "", stopped}, {"Termination requested", "", stopped},
	{"Kernel log daemon terminating", "", stopped}, {"Kernel logging (proc) stopped", "", stopped}, {"Journal stopped", "", stopped}, {"The audit daemon is exiting", "", stopped}, {"Received SIGTERM from", "", ""},
	{"rsyslogd was HUPed", "", reopened}, {"Configuration reload request received", "", reopened}, {"Received SIGUSR2 signal", "", reopened}, {"Received client request to rotate", "", reopened},
	{"imuxsock lost ", "", lost}, {"imuxsock begins to drop", "", lost}, {"imjournal: ", "lost due to rate-limiting", lost}, {"imjournal: ", "begin to drop messages", lost}, {"Suppressed ", "messages from", lost},
	{"Forwarding to syslog missed ", "", lost}, {"Missed ", "kernel messages", lost}, {"action '", "suspended", dropped}, {"action ", "discarded", lost}, {"main Q", "discard", lost},
	{"File ", "corrupted or uncleanly shut down", damaged}, {"Audit daemon is suspending logging", "", full}, {"Audit daemon has no space left", "", full}, {"file '", "open error", full},
	{"file '", "write error", full}, {"Audit daemon is low on disk space", "", full}, {"Error sending to dispatcher", "", lost}, {"dispatch error reporting limit", "", lost},
}
