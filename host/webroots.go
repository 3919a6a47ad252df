package host

import (
	"sort"
	"strings"

	"telltale/filesystem"
)

// usualRoots are where packages, panels and application servers put sites, whether or not a configuration that is at hand says so. '*' is any name.
var usualRoots = []string{"/var/www/html", "/var/www", "/srv/www/htdocs", "/srv/http", "/usr/share/nginx/html", "/usr/lib/cgi-bin", "/opt/lampp/htdocs", "/usr/local/lsws/*/html",
	"/home/*/public_html", "/home/*/www", "/home/*/domains/*/public_html", "/home/*/web/*/public_html", "/var/www/vhosts/*/httpdocs", "/var/www/clients/*/*/web",
	"/var/lib/tomcat*/webapps", "/usr/share/tomcat*/webapps", "/opt/tomcat*/webapps", "/opt/*/webapps", "/opt/*/*/webapps", "/usr/local/tomcat*/webapps", "/var/lib/jetty*/webapps", "/usr/share/jetty*/webapps",
	"/www/wwwroot", "/home/wwwroot", "/data/wwwroot", "/data/www", "/usr/local/www", "/home/*/htdocs", "/home/*/webapps", "/home/*/*/public", "/opt/bitnami/*/htdocs", "/bitnami/*", "/opt/coldfusion*/cfusion/wwwroot", "/opt/ColdFusion*/cfusion/wwwroot", "/opt/zimbra/jetty*/webapps",
	"/usr/sap/*/*/j2ee/cluster/apps/sap.com/irj/servlet_jsp/irj/root"}

// maxFolders bounds how many folders one pattern is followed into.
const maxFolders = 2000

// folders gives the folders of the host that a pattern fits, in order. In each of its parts one '*' may stand, for any name or the rest of one.
func (h *Host) folders(pattern string) (out []string) {
	out = []string{""}
	for _, part := range strings.Split(strings.Trim(pattern, "/"), "/") {
		var next []string
		for _, dir := range out {
			next = append(next, h.within(dir, part, maxFolders-len(next))...)
		}
		out = next
	}
	return out
}

// within gives the folders in dir whose names fit a pattern's part.
func (h *Host) within(dir, part string, most int) (out []string) {
	before, after, star := strings.Cut(part, "*")
	if !star {
		if e, err := h.Lookup(dir + "/" + part); err == nil && e.Meta.Type == filesystem.Directory && most > 0 {
			return []string{dir + "/" + part}
		}
		return nil
	}
	for _, name := range h.names(dir + "/") {
		if len(out) >= most {
			break
		}
		if len(name) < len(before)+len(after) || !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after) {
			continue
		}
		if x, err := h.Lookup(dir + "/" + name); err == nil && x.Meta.Type == filesystem.Directory {
			out = append(out, dir+"/"+name)
		}
	}
	return out
}

// maxInFolder bounds the names of one folder.
const maxInFolder = 10_000

// names gives the names in a folder of the host, in order; none where it is no folder.
func (h *Host) names(dir string) (names []string) {
	at, err := h.Lookup(dir)
	if err != nil || at.Meta.Type != filesystem.Directory {
		return nil
	}
	for d, err := range at.Mount.FS.ReadDir(at.Meta.Inode) {
		if err == nil && len(names) < maxInFolder {
			names = append(names, string(d.Name))
		}
	}
	sort.Strings(names)
	return names
}
