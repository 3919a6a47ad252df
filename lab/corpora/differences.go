package corpora

import "strings"

// difference is a form of line about which we and the labels are of two minds, and why ours stands.
type difference struct {
	corpus string // "" for any
	text   string // what marks the form
	why    string
}

var differences = []difference{
	{"fail2ban", "@400000004c91b044077a9e94", "the label's time is that of a reader who takes TAI64N for UTC without the ten seconds"},
	{"fail2ban", "ssh2: from 10.10.1.2 port 55555 ssh2", "of a password, OpenSSH's auth_log writes nothing behind ssh2: the first address is part of the name"},
	{"fail2ban", "rhost=192.0.2.2 user=test rhost=192.0.2.152", "pam_unix writes rhost behind what the client chose"},
	{"fail2ban", "pop(pam_unix)[4920]", "it is a refusal; the label only says that fail2ban does not read this form"},
	{"fail2ban", "vsftpd(pam_unix)[15522]", "it is a refusal; the label only says that fail2ban does not read this form"},
	{"fail2ban", ": Failed publickey for ", "clients offer keys that do not fit; no detection counts them as guessing"},
	{"fail2ban", ":11: Bye Bye [preauth]", "a line behind it says the same, with the name"},
	{"fail2ban", `": password mismatch, client: 127.0.0.1, server: test, request`, "a name of Basic authentication holds no colon, so that the first address is nginx's own"},
	{"fail2ban", "size=0, class=0, nrcpts=0", "a connection without a mail"},
	{"fail2ban", "type=USER_LOGIN msg=audit(", "it is a refusal; the label only says that fail2ban counts another record of the same try"},
	{"fail2ban", "op=pubkey acct=", "clients offer keys that do not fit; no detection counts them as guessing"},
	{"fail2ban", "flagged as Spam but accepted", "it was accepted"},
	{"", "no host name found for IP address", "so are many mail servers that deliver"},
	{"", "no IP address found for host", "so are many mail servers that deliver"},
	{"fail2ban", "Invalid authentication mechanism", "no password was looked at"},
	{"", "lost connection after CONNECT", "who breaks off may be anybody's mail server, or monitoring"},
	{"", "lost connection after STARTTLS", "who breaks off may be anybody's mail server, or monitoring"},
	{"", ": HANGUP after ", "who breaks off may be anybody's mail server, or monitoring"},
	{"whyscream", ": DNSBL rank ", "others have listed the address; where Postfix turns it away for that, it says so in a line of its own"},
	{"crowdsec", "client logged in, client: 209.85.210.53, server: 0.0.0.0:25", "nginx names no login: nobody was asked for one, a mail server delivers"},
	{"crowdsec", " keira named[2075772]: ", "the label's time is the one that named prints into the message; syslog's is another there, and it is the log's"},
	{"filebeat", "type=USER_ACCT ", "PAM asks whether an account may be used; who is let in is told by USER_LOGIN or USER_START"},
	{"filebeat", "type=USER_AUTH ", "a password or key fits; who is let in is told by USER_LOGIN or USER_START"},
	{"filebeat", "haproxy[24551]: Connect from ", "a connection that is passed on"},
	{"filebeat", " main app/<NOSRV> -1/-1/1 ", "a connection that is passed on"},
	{"filebeat", ", 199.96.1.1, 204.246.1.1\" 10.2.1.185 ", "what stands in X-Forwarded-For before the last foreign address, anybody may have sent"},
	{"fail2ban", "] end connection ", "the line before says who was refused and from where"},
	{"ossec", ": failed: tty", "the su of IRIX wrote so, none of Linux"},
	{"ossec", ": Postponed ", "the conversation goes on: nothing is refused yet"},
	{"ossec", ": check pass; user unknown", "pam_unix says who was refused from where in the line behind it"},
}

// ofTwoMinds gives the reason why a sample is left out of the count, "" for one that is not.
func ofTwoMinds(s *Sample) string {
	for _, d := range differences {
		if (d.corpus == "" || d.corpus == s.Corpus) && strings.Contains(s.Text, d.text) {
			return d.why
		}
	}
	if s.Corpus == "crowdsec" && s.Want == Failure && s.Time == "" {
		return "neither the line nor the label has a time: it is no line of a log as it lies on a disk"
	}
	return ""
}
