package journald

import (
	"bytes"

	"telltale/artifact"
	"telltale/artifact/internal/said"
)

// pretended is what messages count as that bear the name of a program that did not write them.
var pretended = []byte("(message under the name of another program)")

// pretends tells a message that bears the name of a program of root's but was written by another account's own program: anybody may send what he likes under any name, but who sent
// it, and which file that runs, the kernel says. Programs with the set-user-id bit speak as their caller, and sshd as whom it let in: so it is the file that decides, and where nothing
// says which it was, only what the part of sshd that is root says.
func pretends(m *artifact.Message, exe []byte) bool {
	if len(m.UID) == 0 || string(m.UID) == "0" || !ofRoot(m.Program) && !bytes.HasPrefix(m.Text, []byte("pam_unix(")) {
		return false
	}
	if string(m.Program) == "kernel" { // whose own messages have no sender
		return true
	}
	if len(exe) == 0 {
		return string(m.Program) == "sshd" && said.BeginsAny(m.Text, []string{"Accepted ", "Failed "})
	}
	exe = bytes.TrimSuffix(exe, []byte(" (deleted)"))
	return !said.BeginsAny(exe, []string{"/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/nix/store/", "/gnu/store/"}) || said.BeginsAny(exe[bytes.LastIndexByte(exe, '/')+1:], tools)
}

// tools begin the names of programs that anybody may call to send a message, or to run what he wrote.
var tools = []string{"logger", "systemd-cat", "python", "perl", "php", "ruby", "node", "bash", "dash", "sh", "zsh", "ksh", "busybox", "lua", "java", "socat", "nc", "ncat", "gawk", "mawk", "tclsh", "guile"}

// ofRoot tells the programs that log who was let in and who became whom.
func ofRoot(program []byte) bool {
	switch string(program) {
	case "sshd", "sshd-session", "sshd-auth", "dropbear", "login", "su", "su-l", "sudo", "sudo-i", "doas", "pkexec", "systemd-logind", "cron", "CRON", "crond", "CROND", "kernel",
		"useradd", "usermod", "userdel", "groupadd", "groupmod", "passwd", "chpasswd", "chage", "gpasswd", "vsftpd", "proftpd", "pure-ftpd", "webmin", "systemd":
		return true
	}
	return false
}
