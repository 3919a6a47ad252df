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
		if first == "" || strings.ContainsAny(first, "$`{") || (strings.HasPrefix(first, "python") || slices.Contains(runners, first)) && !ownScript(first, args[1:]) {
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
	s = withoutQuoted(s)
	return !any(s, inputs) || onlyAsked(s)
}

// readers are programs that run a script whose name comes first; what stands behind it is the script's to judge.
var readers = []string{"php", "perl", "ruby", "node", "java", "lua"}

// ownScript tells a command that gives a script of the server's own, by its whole path, to a program that runs it: "/usr/bin/php /srv/run.php ".
func ownScript(program, command string) bool {
	_, rest, _ := strings.Cut(command, " ")
	script, _, whole := strings.Cut(rest, " ")
	return whole && (slices.Contains(readers, program) || strings.HasPrefix(program, "python")) && strings.HasPrefix(script, "/") && !strings.ContainsAny(script, "$`{'\"")
}

// onlyAsked tells whether a line without its quoted inputs only asks whether a request carries something, and has no variable left that could.
func onlyAsked(s string) bool {
	for _, f := range []string{"isset($_", "empty($_"} {
		for {
			i := strings.Index(s, f)
			if i < 0 {
				break
			}
			end := strings.IndexByte(s[i:], ')')
			if end < 0 || strings.IndexByte(s[i+len(f):i+end], '(') >= 0 {
				return false
			}
			s = s[:i] + s[i+end+1:]
		}
	}
	return !strings.Contains(s, "$")
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
