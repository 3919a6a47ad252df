package webscript

import (
	"slices"
	"strings"
)

// runners are programs that run what they are given as arguments, so that to quote those makes nothing safe.
var runners = []string{"sh", "bash", "dash", "zsh", "ksh", "ash", "csh", "tcsh", "fish", "busybox", "env", "nice", "ionice", "nohup", "setsid", "timeout", "time", "xargs", "sudo", "su", "doas", "runuser", "ssh", "find", "awk", "gawk", "mawk", "sed", "tar", "zip", "git", "vim", "vi", "ex", "eval", "exec", "watch", "script", "expect", "screen", "tmux", "at", "batch", "crontab", "socat", "nc", "ncat", "wget", "curl", "rsync", "scp", "strace", "gdb", "make", "docker", "kubectl", "chroot", "unshare", "nsenter", "flock", "parallel", "tclsh", "lua", "node", "php", "perl", "ruby", "java", "cp", "mv", "tee", "dd", "ln", "chmod", "chown", "rm", "cat", "install"}

// oneWord tells whether a line gives the programs that it runs what a request carries only as quoted words or as numbers, behind a program that is
// written down and runs none itself.
func oneWord(s string) bool {
	found := false
	for _, from := range calls(s, programs) {
		args := strings.TrimLeft(s[from:], " ")
		if args == "" || args[0] != '\'' && args[0] != '"' {
			return false
		}
		first, _, _ := strings.Cut(strings.TrimLeft(args[1:], " "), " ")
		first = strings.TrimRight(first[strings.LastIndexByte(first, '/')+1:], `'".;)`)
		if first == "" || strings.ContainsAny(first, "$`{") || strings.HasPrefix(first, "python") || slices.Contains(runners, first) {
			return false
		}
		found = true
	}
	if !found {
		return false
	}
	for _, k := range sinks {
		if !slices.Contains(programs, k) && strings.Contains(s, k) {
			return false
		}
	}
	return !any(withoutQuoted(s), inputs)
}

// withoutQuoted takes out of a line the inputs that functions make one word, or a number, of.
func withoutQuoted(s string) string {
	for _, f := range []string{"escapeshellarg(", "intval("} {
		for {
			i := strings.Index(s, f)
			if i < 0 {
				break
			}
			end := strings.IndexByte(s[i:], ')')
			if end < 0 || strings.IndexByte(s[i+len(f):i+end], '(') >= 0 { // another call within is not followed
				return s
			}
			s = s[:i] + s[i+end+1:]
		}
	}
	return s
}
