package marks

import (
	"bytes"
	"net/netip"
)

// Marks that need more than words: what stands in one line, and with which value.
const (
	Sender = "environment-sender"
	Bomb   = "time-bomb"
)

// whole are how a shell script writes all its variables, with the passwords and tokens of a build among them.
var whole = [][]byte{[]byte("$(env)"), []byte("`env`"), []byte("$(printenv)"), []byte("`printenv`"), []byte("$(env |"), []byte("$(env|"), []byte("$(printenv |"), []byte("$(printenv|")}

// sendsEnvironment tells a script of which one line hands all its variables to another machine. Machines of the own network are no others: people
// look so for what a build was given.
func sendsEnvironment(b []byte) bool {
	for line := range bytes.Lines(b) {
		if anyOf(line, whole) && (bytes.Contains(line, []byte("curl ")) || bytes.Contains(line, []byte("wget ")) || bytes.Contains(line, []byte("nc "))) && foreign(line) {
			return true
		}
	}
	return false
}

// foreign tells a line with an address of the web that is of no local network, by its number or its name.
func foreign(line []byte) bool {
	for _, begin := range [][]byte{[]byte("http://"), []byte("https://")} {
		_, rest, ok := bytes.Cut(line, begin)
		if !ok {
			continue
		}
		end := bytes.IndexAny(rest, "/:\"' \t\n?$")
		if end < 0 {
			end = len(rest)
		}
		host := string(rest[:end])
		if far, ok := public([]byte(host)); ok {
			return far
		}
		i := bytes.LastIndexByte(rest[:end], '.')
		return i > 0 && !localZone[string(rest[i+1:end])]
	}
	return false
}

// public reads an address, and tells whether it is one of the internet.
func public(b []byte) (far, ok bool) {
	a, err := netip.ParseAddr(string(b))
	if err != nil {
		return false, false
	}
	return !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified(), true
}

// localZone are last parts of names that no public name server knows.
var localZone = map[string]bool{"local": true, "localdomain": true, "internal": true, "intern": true, "lan": true, "corp": true, "home": true, "arpa": true}

// destroysOnDate tells a script that compares today with a day that stands in it, and destroys what a server holds as a whole: its disks, all homes, all data.
// Who clears away one customer's folder or last week's copies names them.
func destroysOnDate(b []byte) bool {
	dated, destroys := false, false
	for line := range bytes.Lines(b) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		dated = dated || ofDay(line)
		destroys = destroys || wipes(line)
	}
	return dated && destroys
}

// ofDay tells a comparison of the date with one day: "[ $(date +%Y%m%d) -ge 20261231 ]".
func ofDay(line []byte) bool {
	if !bytes.Contains(line, []byte("date +")) || !anyOf(line, [][]byte{[]byte(" -ge "), []byte(" -gt "), []byte(" -eq "), []byte(" = "), []byte(" == "), []byte(" > "), []byte(" >= ")}) {
		return false
	}
	digits := 0
	for i := 0; i <= len(line); i++ {
		if i < len(line) && (line[i] >= '0' && line[i] <= '9' || line[i] == '-' && digits > 0) {
			digits++
			continue
		}
		if n := line[i-digits : i]; len(n) >= 8 && len(n) <= 12 && (bytes.HasPrefix(n, []byte("20")) || len(n) == 10 && n[0] == '1') { // a day, or the seconds since 1970
			return true
		}
		digits = 0
	}
	return false
}

// wipes tells a line that overwrites a disk or removes what a server holds as a whole.
func wipes(line []byte) bool {
	if bytes.Contains(line, []byte("dd ")) || bytes.Contains(line, []byte("shred ")) || bytes.Contains(line, []byte("mkfs")) || bytes.Contains(line, []byte("wipefs ")) {
		for _, disk := range [][]byte{[]byte("/dev/sd"), []byte("/dev/hd"), []byte("/dev/vd"), []byte("/dev/xvd"), []byte("/dev/nvme")} {
			if bytes.Contains(line, disk) {
				return true
			}
		}
	}
	_, rest, ok := bytes.Cut(line, []byte("rm -"))
	if !ok {
		return false
	}
	for _, w := range bytes.Fields(rest) {
		w = bytes.TrimSuffix(bytes.TrimRight(bytes.Trim(w, `'";`), "*"), []byte("/"))
		if len(w) == 0 || wholes[string(w)] {
			return len(w) > 0 || bytes.Contains(rest, []byte(" /"))
		}
	}
	return false
}

// wholes are folders that hold what a server is there for.
var wholes = map[string]bool{"/home": true, "/root": true, "/srv": true, "/etc": true, "/usr": true, "/boot": true, "/var": true, "/var/lib": true, "/var/www": true, "/var/lib/mysql": true, "/var/lib/postgresql": true, "/var/lib/docker": true, "/var/mail": true, "/var/vmail": true, "/bin": true, "/lib": true}

func anyOf(b []byte, words [][]byte) bool {
	for _, w := range words {
		if bytes.Contains(b, w) {
			return true
		}
	}
	return false
}
