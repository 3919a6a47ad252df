package detect

import (
	"net/netip"
	"slices"
	"strings"
)

// carriers are programs that move and look at data, and run none of it.
var carriers = []string{"curl", "wget", "fetch", "cp", "mv", "cat", "grep", "egrep", "zgrep", "gzip", "gunzip", "zcat", "bzip2", "xz", "test", "[", "rm", "echo", "printf", "logger", "mail", "mailx", "sort", "uniq", "diff", "cmp", "jq", "cut", "head", "tail", "wc", "tr", "chown", "md5sum", "sha256sum", "sleep", "true", "date", "cd", "mkdir", "systemctl", "service", "ipset", "gpg", "gpgv", "timeout", "flock", "nice", "ionice"}

// homesOfCode are where what is put runs, or lets somebody in.
var homesOfCode = []string{"/bin/", "/sbin/", "/cron", "/.ssh", "authorized_keys", "/systemd/", "ld.so", "/passwd", "/shadow", "/sudoers", "/rc.", "/init.d", "/profile", "/pam.d", "/security/", "/lib/", "/lib64/", "/www", "/htdocs", "public_html", "/html", ".php", ".sh", ".so", ".py", ".pl", "rc ", "/udev/", "/apt/", "/update-motd.d", "/ssh/"}

// onlyCarries tells whether all that a command line runs moves and looks at data, and puts it where only data lies: a list that is fetched from a host with a name
// by https, looked at and put in its place is no program.
func onlyCarries(c string) bool {
	if from, l := FetchedFrom(c); l > Medium || Pasted(from) {
		return false
	}
	if strings.ContainsAny(c, "`") || strings.Contains(c, "$(") || strings.Contains(c, "<(") {
		return false
	}
	for _, p := range programs(c) {
		if !slices.Contains(carriers, p[strings.LastIndexByte(p, '/')+1:]) {
			return false
		}
	}
	places := c // but for the words that name what is run
	for _, p := range programs(c) {
		places = strings.Replace(places, p+" ", " ", 1)
	}
	return !any(places, homesOfCode...)
}

// NearFetch tells whether all that a command fetches comes from the own networks, by their addresses.
func NearFetch(c string) bool {
	from, _ := FetchedFrom(c)
	_, rest, ok := strings.Cut(from, "://")
	if !ok || strings.Count(c, "://") != 1 {
		return false
	}
	if i := strings.IndexAny(rest, "/:"); i >= 0 {
		rest = rest[:i]
	}
	a, err := netip.ParseAddr(rest)
	return err == nil && (a.IsPrivate() || a.IsLoopback())
}
