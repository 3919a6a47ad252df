package tree

import (
	"crypto/md5"
	"fmt"
	"path"
	"sort"
	"strings"
	"time"

	"telltale/lab"
)

// dpkg knows "dpkg -i FILE".
func dpkg(sh *shell, _ *command, args []string) error {
	if len(args) == 2 && args[0] == "-i" {
		return sh.s.install(args[1])
	}
	return nil
}

// apt knows "apt-get [-y] install FILE"; update and upgrade only leave their run behind.
func apt(sh *shell, _ *command, args []string) error {
	s := sh.s
	_, names := flags(args)
	if len(names) == 0 || names[0] != "install" && names[0] != "upgrade" {
		return nil
	}
	stamp := func() string { return s.clock.In(s.zone).Format("2006-01-02  15:04:05") }
	began := stamp()
	what := ""
	for _, n := range names[1:] {
		if err := s.install(n); err != nil {
			return err
		}
		p := s.offered(n)
		what = fmt.Sprintf("Install: %s:all (%s)\n", p.Name, p.Version)
	}
	s.log("/var/log/apt/history.log", 0o644, fmt.Sprintf("\nStart-Date: %s\nCommandline: apt-get %s\nRequested-By: %s (%d)\n%sEnd-Date: %s\n", began, strings.Join(args, " "), s.play.Cast.Admin.Account, s.user(s.play.Cast.Admin.Account).uid, what, stamp()))
	return nil
}

func (s *server) offered(p string) *lab.Package {
	for i := range s.setup.Packages {
		if s.setup.Packages[i].FileName() == path.Base(p) {
			return &s.setup.Packages[i]
		}
	}
	return nil
}

// install does what dpkg does, with its log.
func (s *server) install(file string) error {
	p := s.offered(file)
	if p == nil {
		return fmt.Errorf("dpkg: no package %q", file)
	}
	name := p.Name + ":all"
	say := func(format string, a ...any) {
		s.tick(300 * time.Millisecond)
		s.log("/var/log/dpkg.log", 0o644, s.clock.In(s.zone).Format(time.DateTime)+" "+fmt.Sprintf(format, a...)+"\n")
	}
	say("startup archives install")
	say("install %s <none> %s", name, p.Version)
	say("status half-installed %s %s", name, p.Version)
	if err := s.owned(p.Name, p.Version, "all", p.Files); err != nil {
		return err
	}
	if len(p.Postinst) > 0 {
		if _, err := s.write("/var/lib/dpkg/info/"+p.Name+".postinst", []byte("#!/bin/sh\nset -e\n"+strings.Join(p.Postinst, "\n")+"\n"), 0o755, 0, 0); err != nil {
			return err
		}
	}
	say("status unpacked %s %s", name, p.Version)
	say("configure %s %s <none>", name, p.Version)
	say("status half-configured %s %s", name, p.Version)
	sh := &shell{s: s, user: s.user("root"), dir: "/", quiet: true}
	for _, line := range p.Postinst {
		if err := sh.run(line); err != nil {
			return err
		}
	}
	s.jobsOld = true
	say("status installed %s %s", name, p.Version)
	return nil
}

// owned puts a package's files on the disk and into the package database.
func (s *server) owned(name, version, arch string, list []lab.File) error {
	sort.Slice(list, func(i, j int) bool { return list[i].Path < list[j].Path })
	names, sums := []string{"/."}, ""
	seen := map[string]bool{}
	for _, f := range list {
		for d := path.Dir(f.Path); d != "/" && !seen[d]; d = path.Dir(d) {
			seen[d] = true
			names = append(names, d)
		}
		names = append(names, strings.TrimSuffix(f.Path, "/"))
		if err := s.placed(f); err != nil {
			return err
		}
		if !strings.HasPrefix(f.Path, "/etc/") && !strings.HasSuffix(f.Path, "/") {
			sums += fmt.Sprintf("%x  %s\n", md5.Sum(f.Data), f.Path[1:])
		}
	}
	sort.Strings(names)
	for suffix, text := range map[string]string{"list": strings.Join(names, "\n") + "\n", "md5sums": sums} {
		if _, err := s.write("/var/lib/dpkg/info/"+name+"."+suffix, []byte(text), 0o644, 0, 0); err != nil {
			return err
		}
	}
	n := s.find("/var/lib/dpkg/status")
	conf := ""
	for _, f := range list {
		if strings.HasPrefix(f.Path, "/etc/") && !strings.HasSuffix(f.Path, "/") {
			conf += fmt.Sprintf(" %s %x\n", f.Path, md5.Sum(f.Data))
		}
	}
	if conf != "" {
		conf = "Conffiles:\n" + conf
	}
	s.add(n, []byte(fmt.Sprintf("Package: %s\nStatus: install ok installed\nPriority: optional\nSection: admin\nMaintainer: Nobody <nobody@example.org>\nArchitecture: %s\nVersion: %s\n%sDescription: %s\n\n", name, arch, version, conf, name)))
	return nil
}

// placed puts a file or a folder (its path ends with a slash) on the disk.
func (s *server) placed(f lab.File) error {
	uid, gid := s.ids(f.Owner)
	if strings.HasSuffix(f.Path, "/") {
		return s.mkdir(f.Path, f.Mode, uid, gid)
	}
	if err := s.mkdir(path.Dir(f.Path), 0o755, 0, 0); err != nil {
		return err
	}
	_, err := s.write(f.Path, f.Data, f.Mode, uid, gid)
	return err
}
