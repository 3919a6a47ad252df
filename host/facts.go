package host

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones by name, on a machine that has no database of them

	"telltale/filesystem"
)

// learn reads what the machine says of itself.
func (h *Host) learn(o Options) {
	h.Name = h.hostname()
	h.OS = h.system()
	if b, err := h.ReadFile("/etc/machine-id"); err == nil {
		h.MachineID = clean(b)
	}
	h.zone(o)
	if b, err := h.ReadFile("/etc/passwd"); err == nil {
		h.Users = passwd(b)
	}
	h.Sites = h.sites()
	h.Shares = h.shares()
	h.Logs = h.logPaths()
}

func (h *Host) hostname() string {
	for _, p := range []string{"/etc/hostname", "/etc/HOSTNAME"} {
		if b, err := h.ReadFile(p); err == nil && len(bytes.TrimSpace(b)) > 0 {
			return clean(b)
		}
	}
	b, _ := h.ReadFile("/etc/sysconfig/network") // RHEL up to 6
	return assignment(b, "HOSTNAME")
}

func (h *Host) system() string {
	for _, p := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if b, err := h.ReadFile(p); err == nil {
			if s := assignment(b, "PRETTY_NAME"); s != "" {
				return s
			}
		}
	}
	for _, p := range []string{"/etc/redhat-release", "/etc/SuSE-release", "/etc/slackware-version", "/etc/gentoo-release", "/etc/alpine-release"} {
		if b, err := h.ReadFile(p); err == nil {
			return clean(b)
		}
	}
	if b, err := h.ReadFile("/etc/lsb-release"); err == nil {
		if s := assignment(b, "DISTRIB_DESCRIPTION"); s != "" {
			return s
		}
	}
	if b, err := h.ReadFile("/etc/debian_version"); err == nil {
		return "Debian " + clean(b)
	}
	return ""
}

// ZoneAssumed is what ZoneFrom says where nothing in the evidence tells the zone.
const ZoneAssumed = "assumed"

// zone finds the zone that the logs were written in: the bytes of /etc/localtime
// bind; its name comes from the link, or from where distributions keep it.
func (h *Host) zone(o Options) {
	h.Zone, h.ZoneName, h.ZoneFrom = time.UTC, "UTC", ZoneAssumed
	if o.Zone != nil {
		h.Zone, h.ZoneName, h.ZoneFrom = o.Zone, o.Zone.String(), "--zone"
		return
	}
	name := ""
	if e, err := h.Lstat("/etc/localtime"); err == nil && e.Meta.Type == filesystem.Symlink {
		if t, err := e.Mount.FS.Readlink(e.Meta.Inode); err == nil {
			if _, after, ok := strings.Cut(string(t), "zoneinfo/"); ok {
				name = after
			}
		}
	}
	if name == "" {
		if b, err := h.ReadFile("/etc/timezone"); err == nil {
			name = clean(b)
		} else if b, err := h.ReadFile("/etc/sysconfig/clock"); err == nil {
			name = assignment(b, "ZONE")
		}
	}
	if b, err := h.ReadFile("/etc/localtime"); err == nil {
		shown := name
		if shown == "" {
			shown = "localtime"
		}
		if l, err := time.LoadLocationFromTZData(shown, b); err == nil {
			h.Zone, h.ZoneName, h.ZoneFrom = l, shown, "/etc/localtime"
			return
		}
	}
	if name != "" && name != "Local" {
		if l, err := time.LoadLocation(name); err == nil {
			h.Zone, h.ZoneName, h.ZoneFrom = l, name, "/etc/timezone"
			if _, err := h.Lstat("/etc/localtime"); err == nil {
				h.ZoneFrom = "/etc/localtime"
			}
			return
		}
	}
	if _, err := h.Lstat("/etc/passwd"); err == nil && name == "" {
		if _, err := h.Lstat("/etc/localtime"); err != nil { // localtime(5): no file means UTC
			h.ZoneFrom = "no /etc/localtime, which means UTC"
		}
	}
}

// passwd reads passwd(5); lines of another form are passed over.
func passwd(b []byte) []User {
	var us []User
	for line := range bytes.Lines(b) {
		f := strings.Split(strings.TrimRight(string(line), "\r\n"), ":")
		if len(f) < 7 || strings.HasPrefix(f[0], "#") || len(us) >= 100_000 {
			continue
		}
		uid, err1 := strconv.ParseUint(f[2], 10, 32)
		gid, err2 := strconv.ParseUint(f[3], 10, 32)
		if err1 != nil || err2 != nil {
			continue
		}
		us = append(us, User{Name: f[0], UID: uint32(uid), GID: uint32(gid), Home: f[5], Shell: f[6]})
	}
	return us
}

// assignment gives the value of NAME=value or NAME="value" in a shell-like file.
func assignment(b []byte, name string) string {
	for line := range bytes.Lines(b) {
		k, v, ok := strings.Cut(strings.TrimSpace(string(line)), "=")
		if ok && strings.TrimSpace(k) == name {
			return strings.Trim(strings.TrimSpace(v), `"'`)
		}
	}
	return ""
}

// clean gives the first line, cut to a sane length.
func clean(b []byte) string {
	b = bytes.TrimSpace(b)
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	return string(b[:min(len(b), 200)])
}
