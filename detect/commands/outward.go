package commands

import (
	"path"
	"slices"
	"strings"
)

// carriesOut tells a command, in lower case, that puts files into a store elsewhere: rclone to one of its remotes, curl with what it uploads to a host outside, the
// clients of stores that anybody gets without a name. Backups are made so, too.
func carriesOut(low string) bool {
	for _, simple := range strings.FieldsFunc(low, func(r rune) bool { return r == ';' || r == '|' || r == '&' || r == '\n' }) {
		w := strings.Fields(simple)
		for len(w) > 0 && (w[0] == "sudo" || w[0] == "nohup" || w[0] == "time") {
			w = w[1:]
		}
		if len(w) < 2 {
			continue
		}
		switch path.Base(w[0]) {
		case "rclone":
			moves := slices.Contains(w, "copy") || slices.Contains(w, "sync") || slices.Contains(w, "move") || slices.Contains(w, "copyto")
			last := w[len(w)-1]
			if i := strings.IndexByte(last, ':'); moves && i > 0 && !strings.HasPrefix(last, "/") {
				return true
			}
		case "curl":
			if strings.Contains(simple, "://") && (slices.Contains(w, "-t") || slices.Contains(w, "--upload-file") || strings.Contains(simple, "=@") || strings.Contains(simple, "--data-binary @")) {
				return true
			}
		case "mega-put", "megaput", "megatools", "transfer", "gdrive", "gofile":
			return true
		}
	}
	return false
}
