package advisories

import (
	"fmt"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
	"telltale/internal/version"
)

// The bounds of what one finding names.
const (
	maxNamed = 20
	backport = "distributions mend faults without changing upstream's number, and no advisories of this one were given"
)

// ofPackage judges one version of a distribution's package.
func (f *fold) ofPackage(world string, s *span) (out []detect.Finding) {
	covered := world != "" && f.db.Covers(world)
	var faults []Fault
	if covered {
		name, ver := s.source, s.sourceVersion
		if s.world == "rpm" {
			name, ver = s.name, s.version
		}
		faults = f.db.Find(world, name, ver)
	}
	for i := range f.known {
		k := &f.known[i]
		if !slices.Contains(k.Packages, s.source) && !slices.Contains(k.Packages, s.name) {
			continue
		}
		mine := faultsOf(faults, k.CVE)
		fixed, exact := k.Debian[strings.TrimPrefix(world, "Debian:")]
		exact = exact && strings.HasPrefix(world, "Debian:")
		switch {
		case len(mine) > 0:
			faults = without(faults, k.CVE)
			out = append(out, f.finding(s, k, mine))
		case exact: // from Debian's own advisories, and the files that were given may hold but a few
			if version.Compare(version.Deb, s.sourceVersion, fixed) < 0 {
				out = append(out, f.finding(s, k, []Fault{{CVE: k.CVE, Fixed: fixed, Advisory: k.Ref}}))
			}
		case covered: // they know better than upstream's numbers
		default:
			if to, has := k.fixedBy(upstream(s.version)); has {
				x := f.finding(s, k, []Fault{{CVE: k.CVE, Fixed: to, Advisory: k.Ref}})
				if !k.Exact {
					x.Explained = backport
				}
				out = append(out, x)
			}
		}
	}
	if len(faults) > 0 {
		out = append(out, f.finding(s, nil, faults))
	}
	return out
}

// faultsOf gives the faults that are of one of the CVEs.
func faultsOf(all []Fault, cve []string) (out []Fault) {
	for _, x := range all {
		for _, c := range cve {
			if slices.Contains(x.CVE, c) {
				out = append(out, Fault{Advisory: x.Advisory, File: x.File, CVE: cve, Fixed: x.Fixed})
				break
			}
		}
	}
	return out
}

// without gives the faults that are left when some CVEs are told apart.
func without(all []Fault, cve []string) (out []Fault) {
	for _, x := range all {
		left := slices.DeleteFunc(slices.Clone(x.CVE), func(c string) bool { return slices.Contains(cve, c) })
		if len(left) > 0 || len(x.CVE) == 0 { // some advisories name no CVE
			x.CVE = left
			out = append(out, x)
		}
	}
	return out
}

// ofSoftware judges what was put there without a package manager: upstream's numbers tell.
func (f *fold) ofSoftware(s soft, q evidence.Quote) (out []detect.Finding) {
	p := span{pkg: pkg{name: s.name, source: s.name, version: s.version, sourceVersion: s.version}, quotes: []evidence.Quote{q}}
	var faults []Fault
	if name := packagist(s); name != "" {
		faults = f.db.Find("Packagist", name, strings.TrimPrefix(s.version, "v"))
	}
	for i := range f.known {
		k := &f.known[i]
		if k.Name != s.name || k.World != s.world {
			continue
		}
		to, has := k.fixedBy(s.version)
		if mine := faultsOf(faults, k.CVE); len(mine) > 0 {
			faults, has, to = without(faults, k.CVE), true, mine[0].Fixed
		}
		if has {
			x := f.finding(&p, k, []Fault{{CVE: k.CVE, Fixed: to, Advisory: k.Ref}})
			x.Path, x.Explained = s.path, k.Doubt
			out = append(out, x)
		}
	}
	if len(faults) > 0 {
		x := f.finding(&p, nil, faults)
		x.Path, x.Service, x.As = s.path, "web", ""
		out = append(out, x)
	}
	return out
}

// packagist gives the name under which Composer's world knows software.
func packagist(s soft) string {
	switch {
	case s.world == "packagist":
		return s.name
	case s.world == "application" && s.name == "drupal":
		return "drupal/core"
	case s.world == "application" && s.name == "roundcube":
		return "roundcube/roundcubemail"
	case s.world == "application" && s.name == "phpmyadmin":
		return "phpmyadmin/phpmyadmin"
	}
	return ""
}

// finding tells the faults of one version. k is nil where the built-in list does not know them.
func (f *fold) finding(s *span, k *Known, faults []Fault) detect.Finding {
	x := detect.Finding{Detection: "D81", What: detect.Vulnerable, Level: detect.Info, Rung: evidence.None, Package: s.shown(), Detail: s.version, First: s.from, Last: s.to, For: s.quotes, Attack: []string{"T1190"}}
	x.Service, x.As = serviceOf(s.source)
	f.number(&x, s.kind(), faults)
	if k != nil {
		x.Service, x.As, x.Runs, x.Agent = k.Service, k.How, k.What, k.Product
		for _, u := range k.Under {
			x.Views = append(x.Views, "under:"+u)
		}
		if k.Method != "" {
			x.Views = append(x.Views, "method:"+k.Method)
		}
		if !k.Quiet {
			x.Mechanism = "known-exploited"
		}
	}
	if x.As == "local" {
		x.Attack = []string{"T1068"}
	}
	x.Title = fmt.Sprintf("%s %s has %s", s.shown(), s.version, detect.Plural(max(x.Count, 1), "known fault", "known faults"))
	if len(x.Sources) > 0 {
		x.Title += ": " + strings.Join(x.Sources[:min(len(x.Sources), 3)], ", ")
	}
	return x
}

// number names the faults, those that are used elsewhere first, their advisories, and the version that mends them all.
func (f *fold) number(x *detect.Finding, kind version.Kind, faults []Fault) {
	var listed, rest []string
	for _, y := range faults {
		for _, c := range y.CVE {
			if f.db.Exploited(c) {
				listed = append(listed, c)
			} else {
				rest = append(rest, c)
			}
		}
		id := y.Advisory
		if y.File != "" {
			id += " in " + y.File
		}
		if id != "" && len(x.Accounts) < maxNamed && !slices.Contains(x.Accounts, id) {
			x.Accounts = append(x.Accounts, id)
		}
		if y.Fixed != "" && (x.Method == "" || version.Compare(kind, y.Fixed, x.Method) > 0) {
			x.Method = y.Fixed
		}
	}
	slices.Sort(listed)
	slices.Sort(rest)
	all := append(slices.Compact(listed), slices.Compact(rest)...)
	x.Count, x.Sources = int64(len(all)), all[:min(len(all), maxNamed)]
	if len(listed) > 0 {
		x.Mechanism = "known-exploited"
	}
}

// serviceOf tells which service a package is, and whether who has an account could become root by it. What is in neither is not a way in.
func serviceOf(source string) (service, how string) {
	for _, x := range []struct {
		service string
		names   []string
	}{
		{"sshd", []string{"openssh", "dropbear"}},
		{"exim", []string{"exim4", "exim"}},
		{"postfix", []string{"postfix"}},
		{"sendmail", []string{"sendmail"}},
		{"dovecot", []string{"dovecot"}},
		{"imap", []string{"cyrus-imapd", "courier"}},
		{"ftp", []string{"proftpd-dfsg", "proftpd", "vsftpd", "pure-ftpd"}},
		{"smbd", []string{"samba"}},
		{"web", []string{"apache2", "httpd", "nginx", "lighttpd", "php*", "wordpress", "drupal7", "phpmyadmin", "phpMyAdmin", "roundcube", "roundcubemail", "cacti", "tomcat*", "mediawiki", "mod_*", "haproxy", "squid*", "varnish"}},
		{"named", []string{"bind9", "bind", "unbound", "dnsmasq", "pdns"}},
		{"database", []string{"mysql*", "mariadb*", "postgresql*", "redis", "mongodb*", "memcached", "couchdb"}},
		{"docker", []string{"docker.io", "docker-ce"}},
		{"rsync", []string{"rsync"}},
		{"vpn", []string{"openvpn", "strongswan", "libreswan"}},
		{"tls", []string{"openssl", "gnutls28", "gnutls"}},
		{"cups", []string{"cups", "cups-browsed", "cups-filters"}},
		{"nfs", []string{"nfs-utils", "rpcbind"}},
		{"salt", []string{"salt"}},
	} {
		if among(x.names, source) {
			return x.service, "remote"
		}
	}
	if among([]string{"sudo", "policykit-1", "polkit", "linux", "linux-*", "kernel", "kernel-*", "glibc", "util-linux", "shadow", "shadow-utils", "pam", "systemd", "snapd", "screen", "runc", "containerd", "udisks2", "needrestart", "apport"}, source) {
		return "", "local"
	}
	return "", ""
}

func among(names []string, s string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		p, star := strings.CutSuffix(n, "*")
		return n == s || star && strings.HasPrefix(s, p)
	})
}
