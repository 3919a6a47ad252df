package web

import (
	"path"
	"strings"
)

// minAliased is how many components of a path have to be the same for a request to mean a file below a root whose address is not known.
const minAliased = 3

// aliased gives the requests for a file below a root that is served below another address, as "Alias /blog/wp-content /var/lib/wordpress/wp-content" makes it: the one
// script whose address ends as the file's path does. More than one is no answer.
func (f *fold) aliased(root, url string) *script {
	if f.byBase == nil {
		f.byBase = map[string][]*script{}
		for _, s := range f.scripts {
			base := path.Base(s.path)
			f.byBase[base] = append(f.byBase[base], s)
		}
	}
	end := "/" + path.Base(root) + url
	if strings.Count(end, "/") < minAliased {
		return nil
	}
	var found *script
	for _, s := range f.byBase[path.Base(url)] {
		if !strings.HasSuffix(s.path, end) && !(strings.Count(url, "/") >= minAliased && strings.HasSuffix(s.path, url)) {
			continue
		}
		if found != nil {
			return nil
		}
		found = s
	}
	return found
}
