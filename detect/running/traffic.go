package running

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"telltale/detect"
	"telltale/evidence"
)

// How many connections of one process are more than a client makes.
const (
	manyMail  = 3  // servers to which mail is handed at one moment, by a program that is no mail server
	manyTries = 20 // machines that are asked at one moment on one port, most of them without an answer
	manyWeb   = 100
	manyOpen  = 60 // machines on one port of remote logins or databases
)

// carriers are the programs that carry mail for a living.
var carriers = map[string]bool{"smtp": true, "smtpd": true, "master": true, "qmgr": true, "lmtp": true, "exim": true, "exim4": true, "sendmail": true, "sm-mta": true, "opensmtpd": true, "qmail-remote": true, "qmail-smtpd": true, "courieresmtp": true,
	"postfix": true, "msmtp": true, "ssmtp": true, "nullmailer-smtp": true, "nullmailer-send": true, "dma": true, "mailman": true, "rspamd": true, "haproxy": true, "nginx": true, "imap": true, "pop3": true, "dovecot": true, "stalwart": true, "maddy": true, "haraka": true}

// watched are ports that are asked by many who scan.
var watched = map[string]string{"22": "ssh", "23": "telnet", "2323": "telnet", "445": "samba", "1433": "mssql", "3306": "mysql", "3389": "rdp", "5432": "postgresql", "5555": "adb", "5900": "vnc", "6379": "redis", "8080": "web", "80": "web", "443": "web", "7547": "tr-069", "21": "ftp", "2375": "docker", "9200": "elasticsearch", "27017": "mongodb"}

// traffic tells whether a process sends mail by itself, scans, or calls a controller. Suspect is how grave other signs of it are.
func (f *fold) traffic(p *process, suspect detect.Level) (out []detect.Finding) {
	type flow struct {
		peers   map[string]bool
		waiting int
		quotes  []evidence.Quote
	}
	flows := map[string]*flow{}
	for _, s := range f.sockets[key(p.source, p.pid)] {
		if s.remote == "" || !outbound(s) || loopback(s.remote) {
			continue
		}
		port := s.remotePort
		if port == "465" || port == "587" {
			port = "25"
		}
		x := flows[port]
		if x == nil {
			x = &flow{peers: map[string]bool{}}
			flows[port] = x
		}
		x.peers[s.remote] = true
		if s.state == "syn-sent" {
			x.waiting++
		}
		if len(x.quotes) < 5 {
			x.quotes = append(x.quotes, s.quote)
		}
	}
	for _, port := range slices.Sorted(maps.Keys(flows)) {
		x := flows[port]
		n := len(x.peers)
		base := path.Base(p.exe)
		what, detail, level := "", "", detect.High
		switch {
		case port == "25" && !carriers[base] && !carriers[p.name] && !f.takesMail(p) && (n >= manyMail || suspect >= detect.Medium):
			what, detail = "spam", fmt.Sprintf("%s hands mail to %s by itself, and is no mail server", p.called(), detect.Plural(int64(n), "server", "servers"))
		case watched[port] == "web" && n >= manyWeb && x.waiting*5 >= n*4: // a network that is down makes clients wait, too
			what, detail, level = "scan", fmt.Sprintf("%s asks %d machines at once on port %s, and hardly any answers", p.called(), n, port), detect.Medium
		case watched[port] != "" && watched[port] != "web" && n >= manyTries && x.waiting*2 >= n:
			what, detail = "scan", fmt.Sprintf("%s asks %d machines at once on port %s (%s), and most do not answer", p.called(), n, port, watched[port])
		case watched[port] != "" && watched[port] != "web" && n >= manyOpen:
			what, detail = "scan", fmt.Sprintf("%s has connections to port %s (%s) of %d machines", p.called(), port, watched[port], n)
		default:
			continue
		}
		r := f.finding(p, map[string]string{"spam": "D73", "scan": "D72"}[what], level)
		r.What, r.Mechanism, r.Title, r.Detail, r.Count = detect.Scanner, what, detail, detail, int64(n)
		r.Attack, r.For = []string{map[string]string{"spam": "T1496.003", "scan": "T1046"}[what]}, append(r.For[:1:1], x.quotes...)
		out = append(out, r)
	}
	return append(out, f.calls(p, suspect)...)
}

// takesMail tells whether the program listens for mail itself: then it is a mail server, whatever its name.
func (f *fold) takesMail(p *process) bool {
	for _, q := range f.order {
		if q.exe != p.exe || q.source != p.source {
			continue
		}
		for _, s := range f.sockets[key(q.source, q.pid)] {
			if s.state == "listen" && (s.localPort == "25" || s.localPort == "465" || s.localPort == "587") {
				return true
			}
		}
	}
	return false
}

// talk are ports on which bots take orders and miners work. They say something only of a process that is odd otherwise, or of a daemon's account.
var talk = map[string]string{"6660": "chat", "6661": "chat", "6662": "chat", "6663": "chat", "6664": "chat", "6665": "chat", "6666": "chat", "6667": "chat", "6668": "chat", "6669": "chat", "6697": "chat", "7000": "chat",
	"3333": "a mining pool", "4444": "a mining pool or a controller", "5555": "a mining pool", "7777": "a mining pool", "14444": "a mining pool", "14433": "a mining pool", "45700": "a mining pool", "1337": "a controller", "31337": "a controller"}

func (f *fold) calls(p *process, suspect detect.Level) (out []detect.Finding) {
	for _, s := range f.sockets[key(p.source, p.pid)] {
		kind := talk[s.remotePort]
		if kind == "" || !outbound(s) || !detect.Outside(s.remote) || suspect < detect.Medium && !serviceAccount(p.user) {
			continue
		}
		level := detect.Medium
		if suspect >= detect.Medium {
			level = detect.High
		}
		r := f.finding(p, "D69", level)
		r.What, r.Mechanism, r.Title = detect.Beacon, "", p.called()+" is connected to "+join(s.remote, s.remotePort)+", a port of "+kind
		r.Detail, r.Attack, r.For = r.Title, []string{"T1071"}, append(r.For[:1:1], s.quote)
		return append(out, r)
	}
	return out
}

// outbound tells a connection that this end began: its own port is one that the kernel gave, or the other's is a server's and ours is not.
func outbound(s *socket) bool {
	own, other := number(s.localPort), number(s.remotePort)
	return s.state == "syn-sent" || own >= 1024 && (other < 1024 || own >= 32768 || talk[s.remotePort] != "")
}

// serviceAccount tells the accounts that network services run as.
func serviceAccount(user string) bool {
	switch user {
	case "www-data", "apache", "nginx", "httpd", "wwwrun", "http", "lighttpd", "www", "mysql", "postgres", "redis", "tomcat", "ftp", "nobody", "daemon", "bind", "named", "jenkins", "git", "solr", "elasticsearch",
		"33", "48": // where only the number is known: the web server's of Debian and of Red Hat, which never change
		return true
	}
	return false
}

// listeners are the programs that see all packets for a living.
var listeners = []string{"dhclient", "dhcpcd", "dhcpd", "NetworkManager", "systemd-networkd", "systemd-network", "networkd", "tcpdump", "tshark", "dumpcap", "wireshark", "lldpd", "lldpad", "wpa_supplicant", "hostapd", "snort", "suricata", "zeek", "arpwatch", "keepalived",
	"ntopng", "softflowd", "nprobe", "udhcpc", "pppd", "pppoe", "radvd", "dnsmasq", "avahi-daemon", "conntrackd", "ladvd", "fprobe", "iftop", "nethogs", "p0f", "darkstat", "vnstat", "pmacctd", "packetbeat", "dhcp6c", "connmand", "cilium", "calico", "flanneld", "vrrpd", "bird", "ovs-vswitchd", "nmap", "masscan", "telltale", "qemu", "firecracker"}

// sniffers judges who sees all packets.
func (f *fold) sniffers() (out []detect.Finding) {
	for _, s := range f.packets {
		for _, pid := range s.pids {
			p := f.procs[key(s.source, pid)]
			if p == nil || slices.ContainsFunc(listeners, func(l string) bool {
				return strings.HasPrefix(p.name, l[:min(15, len(l))]) || strings.HasPrefix(path.Base(p.exe), l)
			}) {
				continue
			}
			r := f.finding(p, "D53", detect.Medium)
			r.Title = p.called() + " sees all packets of the network"
			if s.filter > 0 {
				r.Title += fmt.Sprintf(", and waits for those that a filter of %d instructions lets through", s.filter)
				switch {
				case p.is("deleted") && !p.is("replaced"), p.is("memory"), shell(p):
					r.Level = detect.Critical
				case f.packages && f.strange[p.exe]: // somebody's own build, or not
					r.Level = detect.High
				}
			}
			r.Detail, r.Attack = r.Title, []string{"T1205.002", "T1040"}
			out = append(out, r)
		}
		if len(s.pids) == 0 {
			out = append(out, detect.Finding{Detection: "D53", What: detect.HiddenThing, Level: detect.Low, Rung: evidence.Effect, Title: "a socket that sees all packets belongs to no process that was seen", Mechanism: "port", Path: "packet socket", Detail: "the kernel's own, or of a process that ended just then", For: []evidence.Quote{s.quote}})
		}
	}
	return out
}

// forced tells how many processes a library of ld.so.preload is in: what stands in the file and is in none is a file that somebody just wrote.
func (f *fold) forced() (out []detect.Finding) {
	for _, lib := range slices.Sorted(maps.Keys(f.preloads)) {
		n, all := 0, 0
		var quotes []evidence.Quote
		for _, p := range f.order {
			if p.is("kernel") || len(p.mapped) == 0 {
				continue
			}
			all++
			if slices.Contains(p.mapped, lib) {
				if n++; len(quotes) < 3 {
					quotes = append(quotes, p.quote)
				}
			}
		}
		if n == 0 {
			continue
		}
		out = append(out, detect.Finding{Detection: "D50", What: detect.Process, Level: detect.High, Rung: evidence.Effect, Count: int64(n), Mechanism: "ld-preload", Path: lib, Attack: []string{"T1574.006"}, Account: "every user",
			Title: fmt.Sprintf("the library %s, which ld.so.preload forces upon programs, is in %d of %d processes", lib, n, all), Detail: fmt.Sprintf("in %d of %d processes", n, all), For: append(quotes, f.preloads[lib])})
	}
	return out
}
