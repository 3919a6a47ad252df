package dovecot

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/evidence"
	"telltale/internal/logclock"
)

// File gives the artefact of the log files that Dovecot writes itself.
func File() *artifact.Artifact {
	a := New()
	return &artifact.Artifact{Name: "dovecot-log", Doc: a.Doc, Spec: "Dovecot 1.2 to 2.4 src/lib/failures.c, src/log; log_path, log_timestamp",
		Files: []string{"/var/log/dovecot*.log", "/var/log/dovecot/*.log"}, Log: true, Sniff: artifact.MostLines(func(line []byte) bool {
			_, _, ok := stamp(&logclock.Clock{Year: 2000}, line)
			return ok
		}), Parse: artifact.Stamped("dovecot", stamp, decode), Kinds: a.Kinds}
}

// stamp reads "Mon dd hh:mm:ss process: Level: text", or what log_timestamp makes of the stamp: a line's time, and tells whether a process and a level follow.
// Releases before 1.2 have "dovecot: Mon dd hh:mm:ss Level: process: text", with the first word or without.
func stamp(c *logclock.Clock, t []byte) (at evidence.Time, text []byte, ok bool) {
	t, _ = said.Rest(t, "dovecot: ")
	at, n := c.BSD(t)
	if n == 0 {
		if at, n = c.ISO(t); n == 0 {
			at, n = logclock.TAI64N(t)
		}
	}
	if n == 0 || n >= len(t) || t[n] != ' ' {
		return at, t, false
	}
	text = bytes.TrimLeft(t[n:], " ")
	for _, level := range levels {
		if rest, found := said.Rest(text, level); found {
			name, _, ok := said.Cut(rest, ": ")
			return at, rest, ok && (bytes.HasSuffix(name, []byte("-login")) || said.BeginsAny(name, processes) || bytes.IndexByte(name, '(') > 0)
		}
	}
	_, rest, ok := said.Cut(text, ": ")
	if request, found := said.Rest(rest, "request ["); found { // of an auth-worker, since 2.4
		_, rest, _ = said.Cut(request, "]: ")
	}
	return at, text, ok && said.BeginsAny(rest, levels)
}

var levels = []string{"Info: ", "Warning: ", "Warn: ", "Error: ", "Fatal: ", "Debug: ", "Panic: "}
