package running_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/running"
)

const loginOfAmy = "02:59:59 auth-accepted service.name=sshd user.name=amy source.ip=203.0.113.66 process.pid=900\n" +
	"03:00:00 process-seen process.pid=900 process.parent.pid=1 process.name=sshd process.executable=/usr/sbin/sshd user.id=0 unit.name=session-3.scope\n"

func TestProcesses(t *testing.T) {
	for _, tc := range []struct {
		name, events string
		level        detect.Level // of the gravest; Info: nothing but what is explained
		says, source string
	}{
		{"an update replaced it", `- process-seen process.pid=5 process.name=cron process.executable=/usr/sbin/cron user.id=0 process.trait=deleted process.trait=replaced`, detect.Info, "", ""},
		{"deleted where everybody may write", loginOfAmy + `03:01:00 process-seen process.pid=910 process.parent.pid=900 process.name=.kw process.executable=/dev/shm/.kw user.id=1000 process.trait=deleted`, detect.Critical, "the file was deleted", "203.0.113.66"},
		{"a test program that was thrown away", `- process-seen process.pid=5 process.name=x.test process.executable=/tmp/go-build1/x.test user.id=1000 process.trait=deleted`, detect.High, "the file was deleted", ""},
		{"from memory, by who logged in", loginOfAmy + `03:01:00 process-seen process.pid=910 process.parent.pid=900 process.name=x process.executable=/memfd:x user.id=1000 process.trait=memory`, detect.High, "never a file", "203.0.113.66"},
		{"an agent of monitoring under xinetd", `- process-seen process.pid=4 process.name=xinetd process.executable=/usr/sbin/xinetd user.id=0
			- process-seen process.pid=5 process.parent.pid=4 process.name=check_mk_agent process.executable=/usr/bin/bash user.id=0 process.file="0 socket:[7]" process.file="1 socket:[7]"
			- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=6556 destination.ip=203.0.113.9 destination.port=40000 socket.state=established socket.inode=7 process.pid=5`, detect.Low, "takes its input from", ""},
		{"a mail server in a language", `- process-seen process.pid=5 process.name=node process.executable=/usr/bin/node user.id=110
			- socket-seen network.transport=tcp source.ip=0.0.0.0 source.port=25 socket.state=listen socket.inode=6 process.pid=5
			- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=40000 destination.ip=203.0.113.9 destination.port=25 socket.state=established socket.inode=7 process.pid=5
			- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=40001 destination.ip=203.0.113.10 destination.port=25 socket.state=established socket.inode=8 process.pid=5
			- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=40002 destination.ip=203.0.113.11 destination.port=25 socket.state=established socket.inode=9 process.pid=5`, detect.Info, "", ""},
		{"from memory, begun by the machine", `- process-seen process.pid=5 process.name=agent process.executable=/memfd:agent user.id=0 process.trait=memory`, detect.Medium, "never a file", ""},
		{"from memory, by the web server", `- process-seen process.pid=5 process.name=x process.executable=/memfd:x user.id=33 process.trait=memory`, detect.Critical, "never a file", ""},
		{"a container's starter", `- process-seen process.pid=5 process.name=runc:[2:INIT] process.executable=/memfd:runc_cloned:/proc/self/exe user.id=0 process.trait=memory`, detect.Info, "", ""},
		{"named as a thread of the kernel", `- process-seen process.pid=5 process.name=kworker/u4:3 process.executable=/usr/bin/python3.11 process.command_line=[kworker/u4:3] user.id=1001`, detect.Critical, "thread of the kernel", ""},
		{"a thread of the kernel", `- process-seen process.pid=5 process.name=kworker/u4:3 user.id=0 process.trait=kernel`, detect.Info, "", ""},
		{"perl as a web server", `- process-seen process.pid=5 process.name=perl process.executable=/usr/bin/perl process.command_line="/usr/sbin/httpd -k" user.id=33 process.trait=interpreter`, detect.High, "calls itself", ""},
		{"amavis renames itself", `- process-seen process.pid=5 process.name=amavisd process.executable=/usr/bin/perl process.command_line="/usr/sbin/amavisd-new (master)" user.id=110 process.trait=interpreter`, detect.Info, "", ""},
		{"a shell on a connection", `- process-seen process.pid=5 process.name=bash process.executable=/usr/bin/bash process.command_line="bash -i" user.id=33 process.file="0 socket:[7]" process.file="1 socket:[7]"
			- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=40000 destination.ip=203.0.113.9 destination.port=4444 socket.state=established socket.inode=7 process.pid=5`, detect.Critical, "takes its input from", ""},
		{"the preloaded library in /tmp", `- process-seen process.pid=5 process.name=sleep process.executable=/usr/bin/sleep user.id=1000 process.environment=LD_PRELOAD=/tmp/x.so`, detect.High, "LD_PRELOAD", ""},
		{"jemalloc", `- process-seen process.pid=5 process.name=redis process.executable=/usr/bin/redis user.id=110 process.environment=LD_PRELOAD=/usr/lib/libjemalloc.so.2`, detect.Info, "", ""},
		{"a site's own mail, by a relay", `- process-seen process.pid=5 process.name=php process.executable=/usr/bin/php8.2 user.id=33 process.trait=interpreter
			- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=40000 destination.ip=203.0.113.9 destination.port=587 socket.state=established socket.inode=7 process.pid=5`, detect.Info, "", ""},
		{"mail to one server, by a script in /tmp", `- process-seen process.pid=5 process.name=perl process.executable=/usr/bin/perl process.script=/tmp/x.pl user.id=33 process.trait=interpreter
			- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=40000 destination.ip=203.0.113.9 destination.port=25 socket.state=established socket.inode=7 process.pid=5`, detect.High, "hands mail", ""},
		{"mail by the mail server", `- process-seen process.pid=5 process.name=smtp process.executable=/usr/lib/postfix/sbin/smtp user.id=110
			- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=40000 destination.ip=203.0.113.9 destination.port=25 socket.state=established socket.inode=7 process.pid=5`, detect.Info, "", ""},
		{"a browser of the web", strings.Repeat(`- socket-seen network.transport=tcp source.ip=192.0.2.10 source.port=40000 destination.ip=203.0.113.9 destination.port=443 socket.state=established socket.inode=7 process.pid=5
			`, 80) + `- process-seen process.pid=5 process.name=curl process.executable=/usr/bin/curl user.id=1000`, detect.Info, "", ""},
		{"a ring of io_uring alone", `- process-seen process.pid=5 process.name=mysqld process.executable=/usr/sbin/mysqld user.id=110 process.trait=io-uring process.file="9 anon_inode:[io_uring]"`, detect.Info, "", ""},
		{"a ring of io_uring beside another sign", `- process-seen process.pid=5 process.name=x process.executable=/dev/shm/x user.id=33 process.trait=io-uring`, detect.High, "io_uring", ""},
		{"our own program", `- process-seen process.pid=5 process.name=telltale process.executable=/tmp/telltale user.id=0 process.trait=self`, detect.Info, "", ""},
		{"a service that an administrator began", `03:00:00 process-seen process.pid=5 process.name=x process.executable=/tmp/.x/x user.id=33 process.trait=deleted process.environment="SSH_CONNECTION=198.51.100.7 1 192.0.2.10 22" audit.loginuid=1000`, detect.Critical, "deleted", ""},
		{"by its environment", `03:00:00 process-seen process.pid=5 process.name=x process.executable=/tmp/.x/x user.id=1000 process.trait=deleted process.environment="SSH_CONNECTION=198.51.100.7 1 192.0.2.10 22" audit.loginuid=1000`, detect.Critical, "deleted", "198.51.100.7"},
		{"a system that is built in a folder", `- process-seen process.pid=5 process.name=dpkg process.executable=/tmp/h/.work/big/usr/bin/dpkg process.root=/tmp/h/.work/big user.id=0 process.mapped=/tmp/h/.work/big/usr/lib/libc.so.6`, detect.Low, "top folder", ""},
		{"a program with its libraries in /tmp is one lead", `- process-seen process.pid=5 process.name=app process.executable=/tmp/app/bin/app user.id=1000 process.mapped=/tmp/app/lib/a.so process.mapped=/tmp/app/lib/b.so`, detect.Medium, "where everybody may write", ""},
		{"and one that is preloaded is another", `- process-seen process.pid=5 process.name=app process.executable=/tmp/app/bin/app user.id=1000 process.environment=LD_PRELOAD=/opt/x.so`, detect.High, "LD_PRELOAD", ""},
		{"parents in a ring", `- process-seen process.pid=5 process.parent.pid=6 process.name=a process.executable=/usr/bin/a user.id=0
			- process-seen process.pid=6 process.parent.pid=5 process.name=b process.executable=/tmp/b user.id=0 process.trait=deleted`, detect.High, "deleted", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var worst detect.Finding
			for _, f := range detecttest.Run(t, running.New(), detecttest.Scene(), tc.events) {
				if f.Level > worst.Level {
					worst = f
				}
				if f.Level == detect.Info && f.Explained == "" {
					t.Errorf("%q is told without a reason", f.Title)
				}
			}
			if worst.Level != tc.level || !strings.Contains(worst.Title, tc.says) || worst.Source != tc.source {
				t.Errorf("%v %q from %q, want %v %q from %q", worst.Level, worst.Title, worst.Source, tc.level, tc.says, tc.source)
			}
		})
	}
}

func TestSession(t *testing.T) {
	fs := detecttest.Run(t, running.New(), detecttest.Scene(), `02:59:58 auth-accepted service.name=sshd user.name=amy source.ip=203.0.113.66 process.pid=900
		03:00:00 session-opened service.name=logind user.name=amy session.id=7
		09:00:00 session-opened service.name=logind user.name=bob session.id=7
		03:02:00 process-seen process.pid=5 process.parent.pid=1 process.name=x process.executable=/tmp/.x user.id=0 unit.name=session-7.scope process.trait=deleted`)
	if len(fs) != 1 || fs[0].Source != "203.0.113.66" || fs[0].As != "amy" {
		t.Fatalf("%+v", fs)
	}
}

func TestContradictions(t *testing.T) {
	fs := detecttest.Run(t, running.New(), detecttest.Scene(), `- contradiction record.type=process file.path=4711 view.shown=pid-allocator view.shown=kill view.missing=proc-readdir event.count=3 log.level=finding
		- contradiction record.type=port file.path="tcp 1" view.shown=bind view.missing=proc-net change="bound and not listening" log.level=lead
		- contradiction record.type=port file.path="tcp 2" view.shown=bind view.missing=proc-net event.count=1 log.level=lead`)
	if len(fs) != 3 || fs[0].Level != detect.Critical || fs[1].Level != detect.Low || fs[2].Explained == "" {
		t.Fatalf("%+v", fs)
	}
}
