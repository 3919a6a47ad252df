package marks

import "bytes"

// Loader is a script that fetches a program from a machine without a name, and runs it.
const Loader = "loader"

// fetchers are what scripts fetch with, each with the blank behind it.
var fetchers = [][]byte{[]byte("curl "), []byte("wget "), []byte("fetch "), []byte("lwp-download ")}

// runners are how a script goes on to run what it fetched.
var runners = [][]byte{[]byte("chmod "), []byte("nohup "), []byte("setsid "), []byte("&& ./"), []byte("; ./")}

// shells read a program from a pipe.
var shells = [][]byte{[]byte("sh"), []byte("bash"), []byte("python"), []byte("python3"), []byte("perl"), []byte("/bin/sh"), []byte("/bin/bash")}

// loads tells a shell script that fetches from a public address, by its number and without https, and either hands what comes to a shell in the same line or makes it a
// program in this line or one behind it. Who installs software names its maker; the own networks have numbers of their own.
func loads(b []byte) bool {
	if !bytes.HasPrefix(b, []byte("#!")) {
		return false
	}
	fetched := false
	for line := range bytes.Lines(b) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if anyOf(line, fetchers) && fromNumber(line) {
			fetched = true
			if pipes(line) {
				return true
			}
		}
		if fetched && (anyOf(line, runners) || bytes.HasPrefix(line, []byte("./"))) {
			return true
		}
	}
	return false
}

// fromNumber tells a line with a public address that is a number and not asked by https.
func fromNumber(line []byte) bool {
	for i := 0; i < len(line); i++ {
		if line[i] < '0' || line[i] > '9' || i > 0 && (line[i-1] >= '0' && line[i-1] <= '9' || line[i-1] == '.') {
			continue
		}
		end := i
		for end < len(line) && (line[end] == '.' || line[end] >= '0' && line[end] <= '9') {
			end++
		}
		a, ok := public(bytes.TrimRight(line[i:end], "."))
		if before := line[:i]; ok && a && !bytes.HasSuffix(before, []byte("https://")) && (bytes.HasSuffix(before, []byte("://")) || bytes.HasSuffix(before, []byte(" "))) {
			return true
		}
		i = end
	}
	return false
}

// pipes tells a line that hands something to a shell's input.
func pipes(line []byte) bool {
	for i, part := range bytes.Split(line, []byte("|")) {
		w := bytes.Fields(part)
		if i == 0 || len(w) == 0 {
			continue
		}
		first := bytes.TrimRight(w[0], ");&\"'`")
		for _, s := range shells {
			if bytes.Equal(first, s) {
				return true
			}
		}
	}
	return false
}
