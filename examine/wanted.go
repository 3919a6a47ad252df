package examine

import (
	"path"
	"slices"
	"strings"

	"telltale/artifact"
	"telltale/detect"
	"telltale/filesystem"
	"telltale/host"
)

// maxLoose bounds the content of a file that is taken only because it may be an intruder's, bytes.
const maxLoose = 16 << 20

// Wanted tells, of a running machine, whose content an examination elsewhere would read: traces and settings, and what no package owns and could be
// run or lies where intruders put things.
func Wanted(h *host.Host, arts []*artifact.Artifact) func(path string, m *filesystem.Meta) bool {
	m := newMatcher(arts, h)
	owners := h.Owners()
	return func(p string, meta *filesystem.Meta) bool {
		if len(m.find(p)) > 0 {
			return true
		}
		if base, _, _ := rotation(p); base != p && len(m.find(base)) > 0 {
			return true
		}
		if slices.ContainsFunc(settings, func(dir string) bool { return strings.HasPrefix(p, dir) }) {
			return meta.Size <= maxLoose
		}
		if meta.Size > maxLoose {
			return false
		}
		if owners.Of(p) != "" {
			return lied[path.Base(p)] && meta.Mode&0o111 != 0 || strings.HasPrefix(path.Base(p), "pam_")
		}
		return meta.Mode&0o111 != 0 || detect.InVolatileDir(p) || detect.HiddenPath(p) != ""
	}
}

// lied are programs that intruders replace, so that they lie or let him in: they are taken although a package owns them.
var lied = map[string]bool{"ls": true, "ps": true, "ss": true, "netstat": true, "who": true, "w": true, "last": true, "lastlog": true, "find": true, "top": true, "lsof": true, "lsmod": true, "login": true, "su": true, "sudo": true, "sshd": true, "sshd-session": true, "ssh": true, "passwd": true,
	"pgrep": true, "pidof": true, "kill": true, "killall": true, "du": true, "df": true, "stat": true, "ip": true, "ifconfig": true, "iptables": true, "crontab": true, "chkrootkit": true, "rkhunter": true, "debsums": true, "md5sum": true, "sha256sum": true, "grep": true, "cat": true, "dir": true, "vdir": true,
	"useradd": true, "rsyslogd": true, "auditd": true, "cron": true, "crond": true, "agetty": true, "bash": true, "dash": true}

// settings are the directories whose every file an examination may want: the machine's configuration, and what package managers know.
var settings = []string{"/etc/", "/var/log/", "/var/lib/dpkg/", "/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/lib/apk/db/", "/var/spool/cron/", "/var/spool/at/", "/usr/lib/os-release", "/usr/lib/systemd/system/", "/lib/systemd/system/", "/usr/share/zoneinfo/localtime",
	"/var/lib/docker/containers/", "/var/lib/docker/image/", "/boot/grub"}
