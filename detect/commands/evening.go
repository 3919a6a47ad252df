package commands

import (
	"net/netip"
	"strings"

	"telltale/detect"
)

// What one who does not want to be seen does in one go: something that hardly anybody does to his own server, beside fetching from a machine without a
// name, beside hiding what was typed. Each of the three administrators do; the three within a few lines they do not.

// near is within how many commands the three stand.
const near = 30

// maxMarks bounds how many commands of each kind are kept.
const maxMarks = 2_000

// line is a command's place in its history.
type line struct {
	file string
	n    int
}

// evening keeps where the three stand.
type evening struct {
	counts         map[string]int
	fetched, hides []line
}

// next counts a command of a history, and keeps where it stands.
func (v *evening) next(file, cmd string, hides bool) line {
	if v.counts == nil {
		v.counts = map[string]int{}
	}
	if _, known := v.counts[file]; !known && len(v.counts) >= maxHistories {
		return line{}
	}
	v.counts[file]++
	l := line{file, v.counts[file]}
	if hides && len(v.hides) < maxMarks {
		v.hides = append(v.hides, l)
	}
	if len(v.fetched) < maxMarks && fetchesFromNumber(cmd) {
		v.fetched = append(v.fetched, l)
	}
	return l
}

// holds tells whether a command stands near the two others.
func (v *evening) holds(l line) bool { return l.n > 0 && nearAny(l, v.fetched) && nearAny(l, v.hides) }

func nearAny(l line, all []line) bool {
	for _, x := range all {
		if d := l.n - x.n; x.file == l.file && d <= near && d >= -near {
			return true
		}
	}
	return false
}

// weighs tells what counts: not what people install or empty on their own servers.
func weighs(f *detect.Finding) bool {
	if f.Detection != "D36" || f.Level != detect.High {
		return false
	}
	for _, why := range []string{"makes an account with root's number", "mines for a pool", "uses the hidden path", "runs a program in"} {
		if strings.HasPrefix(f.Detail, why) {
			return true
		}
	}
	return false
}

// fetchesFromNumber tells a command that fetches from a public address by its number and without https.
func fetchesFromNumber(c string) bool {
	w := strings.Fields(c)
	for i, x := range w {
		switch x[strings.LastIndexByte(x, '/')+1:] {
		case "wget", "curl", "fetch", "lwp-download", "ftpget", "tftp":
		default:
			continue
		}
		for _, u := range w[i+1:] {
			u = strings.TrimPrefix(strings.TrimPrefix(strings.Trim(u, `'"`), "http://"), "ftp://")
			host := u
			if j := strings.IndexAny(u, "/:;|"); j >= 0 {
				host = u[:j]
			}
			if _, err := netip.ParseAddr(host); err == nil && detect.Outside(host) {
				return true
			}
		}
		return false
	}
	return false
}
