package detect

import "strings"

// HostPath gives the path within the host of an evidence path: "gpt:1!ext4:/var/log/x" is "/var/log/x".
func HostPath(p string) string {
	if i := strings.LastIndex(p, ":/"); i >= 0 {
		return p[i+1:]
	}
	return p
}
