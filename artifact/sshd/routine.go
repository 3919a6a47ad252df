package sshd

import (
	"bytes"

	"telltale/artifact/internal/said"
)

// routine tells what is known and of no use here.
func (x *message) routine() bool {
	if said.BeginsAny(x.text, beginnings) {
		return true
	}
	for _, s := range insides {
		if bytes.Contains(x.text, []byte(s)) {
			return true
		}
	}
	return false
}

// beginnings of lines that say nothing of who came in, or say again what another line says.
var beginnings = []string{
	// sessions and what runs in them; PAM says who has one
	"Starting session: ", "Close session: ", "session opened for ", "session closed for ", "subsystem request for ", "User child is on pid ",
	"Transferred: ", "Closing connection to ", "Connection from ", "Changed root directory to ", "Exec command ", "Received request to connect to ",
	"refused local port forward", "refused streamlocal port forward", "connect_to ", "channel ", "chan_", "client_", "server_", "session_", "Timeout, client not responding",
	"Read error from remote host", "Write failed", "packet_write_wait: ", "Corrupted MAC", "Corrupted padding", "dispatch_protocol_", "message authentication code incorrect",
	"Bad packet length", "Packet corrupt", "padding error", "hash mismatch", "mm_", "monitor_", "fork of ", "Attempt to write login records",
	"syslogin_perform_logout", "lastlog_", "rekeying", "X11 ", "Environment: ", "ssh_packet_", "ssh_dispatch_run_fatal",
	// before authentication
	"input_userauth_request: ", "userauth_", "Accepted key ", "Accepted certificate ", "Found matching ", "Postponed ", "Authentication refused", "Authorized to ",
	"Could not get shadow information", "Server lacks ", "Protocol major versions differ", "no hostkey alg", "no matching ", "no kex alg", "Unable to negotiate ",
	"kex_", "ssh_kex", "key_", "sshkey_", "cert_", "Certificate ", "Root login accepted for forced command", "buffer_get", "reverse mapping checking ", "Address ", "Nasty PTR record",
	"Excess permission or bad ownership", "Failed to release session", "Too many authentication failures", "Failed to ", "warning: ", "AuthorizedKeys", "AuthorizedPrincipals",
	"Unsafe Authorized", "Unsupported option", "Deprecated option", "bad ownership or modes", "Key type ", "key type ", "Bad key", "error in libcrypto",
	"PerSourcePenalties", "srclimit_", "beginning MaxStartups", "exited MaxStartups", "past MaxStartups", "User ", "Password expired", "Your password", "pam_", "PAM ",
	// the server itself
	"Received SIGHUP; restarting", "Could not load host key", "Unable to load host key", "Bind to port ", "Cannot bind any address", "Server exiting", "RESTART FAILED", "rexec ", "sshd re-exec",
	"Missing privilege separation directory", "Privilege separation user", "Generating ", "RSA key generation", "DSA key", "socket: ", "setsockopt ", "getnameinfo failed",
	"reprocess config", "reexec ", "debug", "ssh_selinux_", "SELinux", "SSH: Server;", "mm_request", "recv_rexec_state", "auditing", "linux_audit", "Disabling protocol",
	"Set ", "chroot", "safely_chroot", "logit", "log:", "no more sessions", "Exiting", "accept: ", "fcntl", "privsep_", "fatal_", "Child ", "unlink", "ssh_msg", "fd ", "/etc/ssh/", "/etc/pam", "Bad configuration", "terminating, ",
}

// insides stand behind a file's name or a function's.
var insides = []string{
	"kex_exchange_identification", "No such file or directory", "Permissions 0", "It is required that your private key files", "UNPROTECTED PRIVATE KEY",
	"This private key will be ignored", "@@@@@@@@",
}
