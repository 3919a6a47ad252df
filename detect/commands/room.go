package commands

import "strings"

// loginLogs begin the names of logs that tell who came in, or what was asked of the web server.
var loginLogs = []string{"wtmp", "btmp", "utmp", "lastlog", "faillog", "tallylog", "auth", "secure", "audit", "messages", "journal", "access", "error", "sudo", "ssh", "httpd", "apache", "nginx", "*"}

// makesRoom tells a command, in lower case, that removes or empties only logs that were rotated, or that tell of no logins: people do so when a disk is full. To
// take single lines out, or to make what was there unreadable, needs no room.
func makesRoom(low string) bool {
	if strings.Contains(low, "sed ") || strings.Contains(low, "shred") || strings.Contains(low, "find ") || strings.Contains(low, "xargs") {
		return false
	}
	found := false
	for _, w := range strings.FieldsFunc(low, func(r rune) bool { return strings.ContainsRune(" \t;&|<>'\"()", r) }) {
		rest, ok := strings.CutPrefix(w, "/var/log/")
		if !ok {
			if strings.HasPrefix(w, "/var/log") {
				return false
			}
			continue
		}
		if !rotated(rest) {
			if rest == "" || strings.HasSuffix(rest, "/") || strings.HasSuffix(rest, "*") {
				return false
			}
			for _, part := range strings.Split(rest, "/") {
				for _, l := range loginLogs {
					if strings.HasPrefix(part, l) {
						return false
					}
				}
			}
		}
		found = true
	}
	return found
}

// rotated tells the name of a log that is not written to any more: "*.gz", "syslog.1", "messages-2026*".
func rotated(name string) bool {
	name = strings.TrimSuffix(name, "*")
	for _, end := range []string{".gz", ".xz", ".bz2", ".zst", ".old", ".1", ".2", ".3", ".4"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	_, day, ok := strings.Cut(name, "-20")
	return ok && len(day) >= 2 && strings.Trim(day, "0123456789-") == ""
}

// looksAtHashes tells a command, in lower case, that shows /etc/shadow on the terminal and keeps nothing of it, as who asks whether an account is locked types, too.
func looksAtHashes(low string) bool {
	w := strings.Fields(low)
	if len(w) > 0 && w[0] == "sudo" {
		w = w[1:]
	}
	return len(w) == 2 && w[0] == "cat" && w[1] == "/etc/shadow"
}
