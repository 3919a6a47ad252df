package commands

import "strings"

// whole are folders that hold the work of many: who removes one of them does not tidy up.
var whole = []string{"/", "/home", "/root", "/etc", "/var", "/usr", "/boot", "/srv", "/opt", "/var/www", "/var/www/html", "/var/lib", "/var/lib/mysql", "/var/lib/postgresql", "/var/mail", "/var/vmail", "/var/backups", "/backup", "/backups", "/srv/backup", "/srv/backups", "/mnt/backup"}

// destroys tells commands, in lower case, that remove or overwrite everything in such a folder, or a disk.
func destroys(low string) bool {
	for _, part := range strings.FieldsFunc(low, func(r rune) bool { return r == ';' || r == '|' || r == '&' }) {
		w := strings.Fields(part)
		for len(w) > 0 && (w[0] == "sudo" || w[0] == "nohup") {
			w = w[1:]
		}
		if len(w) < 2 {
			continue
		}
		switch w[0] {
		case "rm":
			if !strings.HasPrefix(w[1], "-") || !strings.Contains(w[1], "r") {
				continue
			}
			for _, p := range w[2:] {
				p = strings.TrimSuffix(strings.TrimSuffix(p, "*"), "/")
				for _, d := range whole {
					if p == strings.TrimSuffix(d, "/") && (p != "" || strings.HasSuffix(part, "/") || strings.HasSuffix(part, "/*")) {
						return true
					}
				}
			}
		case "dd":
			if strings.Contains(part, "of=/dev/sd") || strings.Contains(part, "of=/dev/vd") || strings.Contains(part, "of=/dev/nvme") {
				return strings.Contains(part, "if=/dev/zero") || strings.Contains(part, "if=/dev/urandom") || strings.Contains(part, "if=/dev/random")
			}
		}
	}
	return false
}

// makesRoot tells "useradd -o -u 0", in lower case.
func makesRoot(low string) bool {
	if !strings.Contains(low, "useradd ") && !strings.Contains(low, "adduser ") && !strings.Contains(low, "usermod ") {
		return false
	}
	return strings.Contains(low, " -u 0 ") || strings.HasSuffix(low, " -u 0") || strings.Contains(low, " -ou 0") || strings.Contains(low, "--uid 0 ") || strings.Contains(low, "--uid=0 ")
}
