package web

import "path"

// closedOff tells whether the settings of a folder above a script, below its site's root, let nobody ask for what lies there, as clouds for files close off what
// their users keep. Not every server reads such settings: who asks, has to look at the requests, too.
func (f *fold) closedOff(p string) bool {
	for dir := path.Dir(p); f.underRoot(dir + "/x"); dir = path.Dir(dir) {
		if x := f.files[dir+"/.htaccess"]; x != nil && x.content == "nobody may ask for what lies here" {
			return true
		}
		if dir == "/" || dir == "." {
			break
		}
	}
	return false
}
