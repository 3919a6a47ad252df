package story

import (
	"strings"

	"telltale/detect"
)

// maintenance are programs by which administrators look at a server or keep it running, with the words that may follow at once; nil for all.
// None of them writes a file that the caller names.
var maintenance = map[string][]string{
	"systemctl": {"restart", "reload", "start", "status", "show", "list-units", "list-timers", "is-active", "daemon-reload"},
	"service":   nil, "journalctl": nil, "apachectl": nil, "apache2ctl": nil, "df": nil, "du": nil, "ls": nil, "dmesg": nil, "last": nil, "lastb": nil, "tail": nil, "reboot": nil, "shutdown": nil,
	"apt": {"update", "upgrade", "full-upgrade", "autoremove", "list"}, "apt-get": {"update", "upgrade", "dist-upgrade", "autoremove"}, "dnf": {"update", "upgrade", "check-update"}, "yum": {"update", "upgrade", "check-update"},
	"certbot": {"renew", "certificates"}, "nginx": {"-t", "-s"}, "postqueue": {"-p"}, "ufw": {"status"},
}

// maintains tells whether a command that was run as root is everyday maintenance, by which nobody can tell an intruder from the owner.
func maintains(command string) bool {
	words := strings.Fields(command)
	if len(words) == 0 {
		return false
	}
	next, ok := maintenance[words[0][strings.LastIndexByte(words[0], '/')+1:]]
	if why, _ := detect.SuspiciousCommand(command); !ok || why != "" || strings.Contains(command, "..") || detect.InVolatileDir(words[0]) {
		return false
	}
	return next == nil || len(words) > 1 && contains(next, words[1])
}
