package host

import (
	"path"

	"telltale/filesystem"
)

// Sites that lie in a folder without the server that they are of, as an owner hands them over: "public_html" out of a panel, a copy of one application.

// siteNames are what folders of sites are called.
var siteNames = map[string]bool{"public_html": true, "htdocs": true, "httpdocs": true, "wwwroot": true, "www": true, "html": true, "webapps": true, "webroot": true, "public": true}

// siteParts are files and folders of which well-known applications have one beside their index.php.
var siteParts = []string{"wp-config.php", "wp-login.php", "wp-includes", "wp-content", "configuration.php", "administrator", "artisan", "sites", "catalog", "typo3conf", "bitrix", "app", "vendor", "includes", "config.php", "core"}

// siteDepth is how many folders down a site is looked for.
const siteDepth = 3

// siteFolders gives the folders of a host without a server's tree that hold sites; "" is the top itself.
func (h *Host) siteFolders() (out []string) {
	var visit func(dir string, depth int)
	visit = func(dir string, depth int) {
		names := h.names(dir + "/")
		if isSite(path.Base(dir), names) {
			out = append(out, dir)
			return
		}
		if depth == 0 {
			return
		}
		for _, n := range names {
			if len(out) >= maxRoots {
				return
			}
			if e, err := h.Lookup(dir + "/" + n); err == nil && e.Meta.Type == filesystem.Directory {
				visit(dir+"/"+n, depth-1)
			}
		}
	}
	visit("", siteDepth)
	return out
}

// isSite tells a site by what lies in its folder: an index.php beside a part of an application, an application of Java, or any script where the folder's own
// name says what it is for.
func isSite(name string, names []string) bool {
	has := make(map[string]bool, len(names))
	scripts := false
	for _, n := range names {
		has[n] = true
		scripts = scripts || path.Ext(n) == ".php" || path.Ext(n) == ".jsp"
	}
	if has["WEB-INF"] || siteNames[name] && scripts {
		return true
	}
	for _, p := range siteParts {
		if has["index.php"] && has[p] || has["wp-config.php"] && has[p] && p != "wp-config.php" {
			return true
		}
	}
	return false
}
