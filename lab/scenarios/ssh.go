package scenarios

import (
	"net/netip"

	"telltale/lab"
)

func sshGuessed() *lab.Scenario {
	var tries []string
	return &lab.Scenario{
		Name: "ssh-guessed", Title: "a guessed ssh password, then root", Question: "Who got in, how, when and from where; did they reach root; what did they leave; what did they hide?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web)
			tries = weaken(p, &s, 0)
			s.Accounts[1].Sudo = true
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[0]
			return steps(
				func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return later(p) },
				func() error { return p.Refused(lab.Intruder, f.Addresses[0], "root", "root", "toor", "123456") },
				func() error { return p.Refused(lab.Intruder, f.Addresses[0], "admin", "admin", "admin123") },
				func() error { return p.Refused(lab.Intruder, f.Addresses[0], who.Account, tries...) },
				func() error {
					return rootVisit(p, f, "logs in with the guessed password", lab.Login{From: f.Addresses[0], Account: who.Account, Password: who.Password})
				},
				func() error {
					status(p, "compromised")
					p.Entered("ssh-password-guessed", who.Account, "guessed password", []string{"auth.log", "wtmp"}, f.Addresses[0])
					return life(p, 1)
				})
		},
	}
}

func sshCampaign() *lab.Scenario {
	var tries []string
	return &lab.Scenario{
		Name: "ssh-campaign", Title: "a password guessed by a botnet of many addresses", Question: "Many addresses tried. Did one of them get in, and what did it do?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web)
			tries = weaken(p, &s, 1)
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[1]
			in := f.Net[len(f.Net)-1]
			f.Addresses[0] = in
			guesses := func() error {
				n := 0
				for _, from := range f.Net[:len(f.Net)-1] { // a try or two from each, as such campaigns do
					for range 1 + p.Rand.IntN(2) {
						account, password := guessed[p.Rand.IntN(len(guessed))], tries[n%len(tries)]
						if p.Rand.IntN(2) == 0 {
							account = who.Account
							n++
						}
						if err := p.Refused(lab.Intruder, from, account, password); err != nil {
							return err
						}
					}
				}
				return nil
			}
			fetch, program, err := brings(p, f)
			return steps(func() error { return err },
				func() error { return life(p, 2+p.Rand.IntN(2)) }, func() error { return later(p) }, guesses,
				func() error {
					lines := append(append(looks(p), fetch...), "echo '*/9 * * * * "+program+" >/dev/null 2>&1' | crontab -", "nohup "+program+" >/dev/null 2>&1 &")
					return p.Visit(lab.Intruder, "logs in with the guessed password", lab.Login{From: in, Account: who.Account, Password: who.Password}, lines...)
				},
				func() error {
					status(p, "compromised")
					p.Entered("ssh-password-guessed", who.Account, "guessed password", []string{"auth.log", "wtmp"}, in)
					p.Left("cron", "/var/spool/cron/crontabs/"+who.Account, who.Account)
					p.Truth.Expect.Files = []string{program}
					for _, a := range f.Net[:len(f.Net)-1] {
						p.Truth.Expect.Attackers = append(p.Truth.Expect.Attackers, a.String())
					}
					return life(p, 1)
				})
		},
	}
}

func sshKnown() *lab.Scenario {
	return &lab.Scenario{
		Name: "ssh-known", Title: "a password that was known: the first try, from a foreign address", Question: "Nobody guessed, and yet somebody is in. As whom, and from where?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web)
			s.Accounts[2].Sudo = true
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[1]
			return steps(
				func() error { return owner(p, who) }, func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return owner(p, who) }, func() error { return later(p) },
				func() error {
					return rootVisit(p, f, "logs in with a known password", lab.Login{From: f.Addresses[0], Account: who.Account, Password: who.Password})
				},
				func() error {
					status(p, "compromised")
					p.Entered("ssh-password-known", who.Account, "known password", []string{"auth.log", "wtmp"}, f.Addresses[0])
					return life(p, 1)
				})
		},
	}
}

// owner is a visit by the account's own person: it shows from where that person comes.
func owner(p *lab.Play, who lab.Person) error {
	return p.Visit(lab.Visitor, "logs in by password and works", lab.Login{From: who.Address, Account: who.Account, Password: who.Password}, "ls", "touch notes.txt")
}

func sshKey() *lab.Scenario {
	return &lab.Scenario{
		Name: "ssh-key", Title: "a stolen key", Question: "The logs show logins by key alone. Is one of them not its owner's?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web)
			s.Accounts[1].Sudo = true
			s.Accounts[1].Password, p.Staff[0].Password = "", "" // only keys, so that a login that wtmp alone tells of was by key
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[0]
			byKey := func(from netip.Addr) lab.Login { return lab.Login{From: from, Account: who.Account, Key: who.Key} }
			own := func() error {
				return p.Visit(lab.Visitor, "logs in by key and works", byKey(who.Address), "ls", "touch notes.txt")
			}
			return steps(own, func() error { return life(p, 2+p.Rand.IntN(2)) }, own, func() error { return later(p) },
				func() error { return rootVisit(p, f, "logs in with the stolen key", byKey(f.Addresses[0])) },
				func() error {
					status(p, "compromised")
					p.Entered("ssh-key", who.Account, "stolen key", []string{"auth.log", "wtmp"}, f.Addresses[0])
					return life(p, 1)
				})
		},
	}
}

func insider() *lab.Scenario {
	return &lab.Scenario{
		Name: "insider", Title: "somebody of the office, with an own account and sudo", Question: "There is no foreign address at all. Who did it?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web)
			s.Accounts[1].Sudo = true
			s.Files = append(s.Files, lab.File{Path: "/srv/customers.csv", Owner: "root", Mode: 0o600, Data: []byte("name;street\n")})
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[0]
			l := lab.Login{From: who.Address, Account: who.Account, Password: who.Password}
			return steps(func() error { return owner(p, who) }, func() error { return life(p, 2+p.Rand.IntN(2)) }, func() error { return owner(p, who) }, func() error { return later(p) },
				func() error {
					return p.Visit(lab.Intruder, "logs in with the own password, copies the customers, makes an account and covers it up", l, "sudo -i", "ls -la /srv", "tar czf /tmp/."+f.Marks[:5]+".tgz /srv/customers.csv",
						"useradd -o -u 0 -g 0 -m -d /var/"+f.Account+" -s /bin/bash "+f.Account, "echo '"+f.Account+":"+f.Marks+"' | chpasswd", "sed -i '/"+f.Account+"/d' /var/log/auth.log", "history -c", "unset HISTFILE", "exit")
				},
				func() error {
					status(p, "compromised")
					p.Entered("insider", who.Account, "own password", []string{"auth.log", "wtmp"}, who.Address)
					p.Left("account", "/etc/passwd", f.Account)
					p.Altered("log-edited", "/var/log/auth.log")
					p.Root(true)
					p.Truth.Expect.Files = []string{"/tmp/." + f.Marks[:5] + ".tgz"}
					return life(p, 1)
				})
		},
	}
}

func logsWiped() *lab.Scenario {
	var tries []string
	return &lab.Scenario{
		Name: "logs-wiped", Title: "the logs are gone, and another machine kept a copy", Question: "This server's own logs are empty. What does the copy of the log server know?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web)
			tries = weaken(p, &s, 0)
			s.Accounts[1].Sudo = true
			s.RemoteLogs = true
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[0]
			fetch, program, err := brings(p, f)
			return steps(func() error { return err }, func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return later(p) },
				func() error { return p.Refused(lab.Intruder, f.Addresses[0], who.Account, tries...) },
				func() error {
					lines := append(append(looks(p), fetch...), "sudo -i", "echo '*/7 * * * * root "+program+" >/dev/null 2>&1' > /etc/cron.d/"+f.CronFile, ":cron",
						": > /var/log/auth.log", ": > /var/log/wtmp", ": > /var/log/btmp", ": > /var/log/lastlog", "rm -f /var/log/syslog", "unset HISTFILE", "exit", "unset HISTFILE", "history -c")
					return p.Visit(lab.Intruder, "logs in with the guessed password", lab.Login{From: f.Addresses[0], Account: who.Account, Password: who.Password}, lines...)
				},
				func() error {
					status(p, "compromised")
					p.Entered("ssh-password-guessed", who.Account, "guessed password", []string{"remote log"}, f.Addresses[0])
					p.Left("cron", "/etc/cron.d/"+f.CronFile, "root")
					for _, path := range []string{"/var/log/auth.log", "/var/log/wtmp", "/var/log/btmp"} {
						p.Altered("log-cut", path)
					}
					p.Truth.Expect.May = []string{"/var/log/syslog", "/var/log/lastlog", "/home/" + who.Account + "/.bash_history", "/root/.bash_history"}
					p.Truth.Expect.Files = []string{program}
					p.Root(true)
					return nil
				})
		},
	}
}

func deletedBinary() *lab.Scenario {
	return &lab.Scenario{
		Name: "deleted-binary", Title: "a scanner runs, though its file is deleted", Question: "The provider says that this server scans others. What runs, as whom, and how did it come?",
		Setup: func(p *lab.Play) lab.Setup { return server(p, lab.Web) },
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[1]
			fetch, program, err := brings(p, f)
			return steps(func() error { return err }, func() error { return owner(p, who) }, func() error { return life(p, 2+p.Rand.IntN(2)) }, func() error { return owner(p, who) }, func() error { return later(p) },
				func() error {
					lines := append(append(looks(p), fetch...), "nohup "+program+" 203.0.113.0/24 >/dev/null 2>&1 &", "rm -rf "+f.Dir)
					return p.Visit(lab.Intruder, "logs in with a known password and starts a scanner whose file it deletes", lab.Login{From: f.Addresses[0], Account: who.Account, Password: who.Password}, lines...)
				},
				func() error {
					status(p, "compromised")
					p.Entered("ssh-password-known", who.Account, "known password", []string{"auth.log", "wtmp", ".bash_history"}, f.Addresses[0])
					p.Truth.Expect.Running = []lab.RunningTruth{{Exe: program, User: who.Account, Deleted: true, Shown: lab.Shown{Destroyed: true}}}
					p.Truth.Expect.Impact = []lab.ImpactTruth{{What: "scan", By: who.Account, Shown: lab.Shown{Destroyed: true}}}
					return nil
				})
		},
	}
}
