package examine

import (
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
		if underAny(p, settings) {
			return meta.Size <= maxLoose
		}
		if meta.Size > maxLoose || owners.Of(p) != "" {
			return false
		}
		return meta.Mode&0o111 != 0 || detect.InVolatileDir(p) || detect.HiddenPath(p) != ""
	}
}

// settings are the directories whose every file an examination may want: the machine's configuration, and what package managers know.
var settings = []string{"/etc/", "/var/log/", "/var/lib/dpkg/", "/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/lib/apk/db/", "/var/spool/cron/", "/var/spool/at/", "/usr/lib/os-release", "/usr/lib/systemd/system/", "/lib/systemd/system/", "/usr/share/zoneinfo/localtime",
	"/var/lib/docker/containers/", "/var/lib/docker/image/", "/boot/grub"}

func underAny(p string, dirs []string) bool {
	for _, d := range dirs {
		if len(p) >= len(d) && p[:len(d)] == d {
			return true
		}
	}
	return false
}
