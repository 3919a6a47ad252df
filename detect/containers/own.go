package containers

import "strings"

// ways are files by which a host is entered or made to run something.
var ways = []string{"/etc/crontab", "/var/spool/cron", "/spool/cron", "/etc/cron.d", "authorized_keys"}

// writesHost tells whether a command names such a file of the host: below the place where its tree or that folder is mounted, or below another folder than the container's own
// root. A container with a server for ssh or jobs of its own writes its own.
func (c *container) writesHost() bool {
	shared := false
	for _, p := range c.powers {
		from, ok := strings.CutPrefix(p, "mounts ")
		from, _, _ = strings.Cut(from, " at ")
		shared = shared || ok && !strings.HasSuffix(p, ", read-only") && (from == "/" || strings.HasPrefix(from, "/etc") || strings.HasPrefix(from, "/root") || strings.HasPrefix(from, "/home") || strings.HasPrefix(from, "/var"))
	}
	for _, w := range strings.FieldsFunc(c.command, func(r rune) bool { return strings.ContainsRune(" \t\n;|&<>()'\"`=", r) }) {
		for _, x := range ways {
			i := strings.Index(w, x)
			if i < 0 {
				continue
			}
			own := i == 0 || strings.HasPrefix(w, "/root/") || strings.HasPrefix(w, "/home/") || strings.HasPrefix(w, "/var/") || strings.HasPrefix(w, "/etc/") || strings.HasPrefix(w, "~")
			if shared || !own && strings.HasPrefix(w, "/") && strings.Contains(c.command, "mount ") {
				return true
			}
		}
	}
	return false
}
