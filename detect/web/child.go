package web

import (
	"strings"

	"telltale/detect"
	"telltale/event"
)

func (f *fold) child(e *event.Event) {
	text := e.Text(event.Message)
	w := childWeight(text)
	if w == detect.Info || len(f.output) >= maxOutput {
		return
	}
	f.output = append(f.output, output{e.At, e.Text(event.SourceIP), text, e.Quote(), w})
}

// childWeight judges what a child of the web server said: tools that web applications use, and tools that
// only somebody at a shell uses.
func childWeight(s string) detect.Level {
	low := strings.ToLower(strings.TrimSpace(s))
	if i := strings.Index(low, "ah01215: "); i >= 0 {
		low = low[i+9:]
	}
	if rest, ok := strings.CutPrefix(low, "stderr from /"); ok { // apache 2.4.54 and newer name the program
		if _, said, ok := strings.Cut(rest, ": "); ok {
			low = said
		}
	}
	for _, benign := range []string{"sendmail", "convert", "identify", "ffmpeg", "locale", "pdftotext", "gs:", "wkhtmltopdf", "mogrify", "exiftool"} {
		if strings.Contains(low, benign) {
			return detect.Info
		}
	}
	for _, tool := range []string{"wget:", "curl: (", "chmod:", "bash: ", "nc: ", "ncat: ", "tftp:", "fetch:", "gcc:", "cc1:", "lwp-download", "python: ", "/bin/sh: can't access tty", "stty: ", "bash: no job control", "bash: cannot set terminal process group", "uname:", "crontab:", "/bin/bash:"} {
		if strings.HasPrefix(low, tool) || strings.Contains(low, " "+tool) && strings.HasPrefix(low, "sh:") {
			return detect.High
		}
	}
	switch {
	case strings.HasPrefix(low, "--20") && strings.Contains(low, "http"), strings.HasPrefix(low, "connecting to ") && strings.Contains(low, "..."), strings.HasPrefix(low, "saving to: "),
		strings.Contains(low, "% total") && strings.Contains(low, "% received"), strings.HasPrefix(low, "resolving ") && strings.Contains(low, "..."):
		return detect.High // progress of wget and curl
	case strings.HasPrefix(low, "sh: ") || strings.HasPrefix(low, "/bin/sh: "):
		for _, w := range []string{"wget", "curl", "nc", "whoami", "perl", "gcc", "uname", "id", "bash", "python", "chmod", "/tmp/", "/dev/shm"} {
			if strings.Contains(low, ": "+w) || strings.Contains(low, w+":") {
				return detect.High
			}
		}
		return detect.Medium
	case strings.HasPrefix(low, "cat: /etc/"), strings.HasPrefix(low, "ls: cannot"), strings.HasPrefix(low, "find: "), strings.HasPrefix(low, "rm: "), strings.HasPrefix(low, "cp: "), strings.HasPrefix(low, "tar: "):
		return detect.Medium
	}
	return detect.Info
}

// fetchedFrom gives the address that a child of the web server fetched something from, where the same one tried to break in through the web: worms have a victim
// fetch their program from the machine that attacks it. "" for any other.
func (f *fold) fetchedFrom(text string) string {
	_, rest, ok := strings.Cut(text, "http://")
	if !ok {
		if _, rest, ok = strings.Cut(text, "Connecting to "); !ok {
			return ""
		}
	}
	if i := strings.IndexAny(rest, "/: \t"); i >= 0 {
		rest = rest[:i]
	}
	if c := f.clients[rest]; c != nil && len(c.attacks) > 0 && detect.Outside(rest) {
		return rest
	}
	return ""
}
