package files

import (
	"path"
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
	"telltale/internal/marks"
)

// made tells programs by what they are made for. Where somebody keeps tools of the trade on purpose, they are told with less weight.
func (f *fold) made(e *event.Event, p, facts string, owned bool) bool {
	_, rest, ok := strings.Cut(facts, " does(")
	if !ok || owned {
		return false
	}
	mark, _, _ := strings.Cut(rest, ")")
	words, ok := marks.Words[mark]
	if !ok {
		return false
	}
	if mark == marks.Thief {
		if !detect.TokenThief(p) && !detect.InstallHook(p) { // a text about it
			return false
		}
		f.add(e, "D42", "T1195.001", detect.Critical, words+" ("+facts+")")
		return true
	}
	if detect.TokenThief(p) { // of which other marks say nothing: bundles hold code of all kinds
		return false
	}
	if detect.InstallHook(p) {
		f.add(e, "D42", "T1195.001", detect.High, "is run when a package is installed, and "+words+" ("+facts+")")
		return true
	}
	for _, dir := range []string{"/.git/", "/node_modules/", "/vendor/", "/testdata/", "/tests/", "/test/", "/site-packages/", "/go/pkg/mod/", "/usr/share/", "/usr/src/", "/doc/", "/docs/"} {
		if strings.Contains(p, dir) {
			return false
		}
	}
	if mark == marks.Ransom {
		if !detect.RansomName(p) { // a page about such notes
			return false
		}
		f.add(e, "D42", "T1486", detect.Critical, "is a note that "+words)
		return true
	}
	l := detect.Medium
	if volatile := detect.InVolatileDir(p) || detect.HiddenPath(p) != ""; (f.ofService(e) || volatile && e.Text(event.FileUID) == "0") && mark != marks.Loader || detect.HiddenPath(p) != "" || mark == marks.Miner && detect.TuckedSettings(p) { // owners mine, too, but do not hide it
		l = detect.Critical
	} else if volatile || f.ofService(e) || f.belowRoot(p) && mark != marks.Loader || mark == marks.Sender || mark == marks.Bomb || mark == marks.Loader && strings.HasPrefix(path.Base(p), ".") {
		l = detect.High
	}
	if strings.HasPrefix(facts, "text") {
		words = "holds the settings of a program that " + words
	} else {
		words = "is a program that " + words
	}
	f.add(e, "D42", "T1059", l, words+" ("+facts+")")
	return true
}

// ofService tells whether a file belongs to an account that a daemon runs as which strangers can reach.
func (f *fold) ofService(e *event.Event) bool {
	return detect.ServiceAccount(f.scene.UserByUID(e.Text(event.FileUID)))
}

// loadedOnly tells by its content a library, which programs load and nobody runs: it asks for other libraries and for no linker.
func loadedOnly(facts string) bool {
	return strings.Contains(facts, " library") || strings.Contains(facts, " shared") && !strings.Contains(facts, " interpreted") && !strings.Contains(facts, " static")
}

// library tells what Java and other run-time systems unpack into /tmp and load from there.
func library(p, facts string) bool {
	base := path.Base(p)
	return loadedOnly(facts) || strings.Contains(base, ".so") || strings.HasSuffix(base, ".node") || strings.HasSuffix(base, ".jnilib") || strings.HasPrefix(base, "jna") || strings.HasSuffix(base, ".dylib")
}

// rootkits are paths that well-known intruders' kits and worms use and nothing else does, with what they are of. A path that ends in "/" is a folder.
// They are facts that the kits' analyses and the lists of checkers (rkhunter, chkrootkit) agree on.
var rootkits = map[string]string{
	"/usr/lib/libsh/": "SHV4 and SHV5", "/lib/libsh.so/": "SHV4 and SHV5", "/usr/sbin/ttyload": "SHV5", "/sbin/ttyload": "SHV5", "/usr/sbin/ttymon": "SHV5", "/etc/sh.conf": "SHV5", "/dev/srd0": "SHV4", "/lib/lidps1.so": "SHV4", "/lib/ldd.so/": "SHV4", "/usr/include/file.h": "SHV4", "/usr/include/hosts.h": "SHV4", "/usr/include/log.h": "SHV4", "/usr/include/proc.h": "SHV4 and t0rn",
	"/usr/src/.puta/": "t0rn", "/usr/info/.t0rn/": "t0rn", "/etc/ttyhash": "t0rn", "/sbin/xlogin": "t0rn", "/lib/libext-2.so.7": "t0rn", "/usr/sbin/nscd.bak": "t0rn",
	"/usr/share/locale/sk/.sk12/": "SucKIT", "/sbin/initsk12": "SucKIT", "/sbin/initxrk": "SucKIT", "/dev/sdhu0/": "SucKIT", "/dev/.golf/": "SucKIT", "/dev/.kork/": "SucKIT", "/etc/.MG": "SucKIT",
	"/usr/lib/.fx/": "Adore", "/usr/lib/libt": "Adore", "/usr/bin/adore": "Adore", "/usr/include/rpcsvc/du": "Adore", "/dev/.shit/": "the Red worm and Adore", "/usr/secure": "Knark", "/dev/.pizda": "Knark", "/dev/ptyxx/": "OSRK", "/dev/ttyop": "the lrk kit", "/dev/ttyof": "the lrk kit", "/dev/ptyp/": "the lrk kit",
	"/usr/lib/.kinetic": "Kinetic", "/lib/.so": "Illogic", "/usr/lib/.boom": "Cb", "/usr/bin/mailrc": "Ramen", "/tmp/ramen.tgz": "Ramen", "/usr/src/.poop/": "Ramen", "/tmp/.bugtraq.c": "Slapper", "/tmp/.bugtraq": "Slapper", "/tmp/.cinik": "Slapper", "/tmp/.unlock.c": "Slapper", "/tmp/httpd": "Slapper's kin", "/tmp/.font-unix/.cinik": "Slapper", "/tmp/.../a": "the Kaiten bot", "/tmp/kaiten": "the Kaiten bot", "/tmp/.../r": "Ramen",
	"/var/run/nscd/ns.pid": "Kobalos", "/run/nscd/ns.pid": "Kobalos",
	"/var/run/haldrund.pid": "BPFDoor", "/run/haldrund.pid": "BPFDoor", "/dev/shm/kdmtmpflush": "BPFDoor",
	"/lib/libntpVnQE6mk/": "OrBit", "/dev/shm/ldx/": "OrBit", "/lib/libseconf/": "OrBit",
	"/root/.config/cron/perfcc": "perfctl", "/lib/libgcwrap.so": "perfctl", "/usr/bin/perfctl": "perfctl",
	"/usr/bin/kaudited":             "Skidmap",
	"/lib64/tls/libkeyutils.so.1.5": "Ebury", "/lib64/tls/libkeyutils.so.1": "Ebury", "/lib64/libpw5.so": "Ebury", "/lib64/libsbr.so": "Ebury", "/lib/x86_64-linux-gnu/libns2.so": "Ebury", "/lib/x86_64-linux-gnu/libns5.so": "Ebury", "/lib/x86_64-linux-gnu/libpw3.so": "Ebury", "/lib/x86_64-linux-gnu/libpw5.so": "Ebury", "/lib/x86_64-linux-gnu/libsbr.so": "Ebury", "/lib/x86_64-linux-gnu/libslr.so": "Ebury",
	"/lib/libudev.so": "XorDDoS", "/lib/libudev.so.6": "XorDDoS", "/etc/cron.hourly/gcc.sh": "XorDDoS", "/etc/cron.hourly/udev.sh": "XorDDoS", "/etc/cron.hourly/cron.sh": "XorDDoS",
	"/tmp/kdevtmpfsi": "Kinsing", "/var/tmp/kdevtmpfsi": "Kinsing", "/tmp/kinsing": "Kinsing", "/var/tmp/kinsing": "Kinsing", "/etc/kinsing": "Kinsing", "/etc/libsystem.so": "Kinsing", "/usr/lib/secure/libsystem.so": "Kinsing", "/tmp/zzz": "Kinsing",
	"/usr/local/lib/libprocesshider.so": "a process hider", "/usr/lib/libprocesshider.so": "a process hider", "/lib/libgh.math.so": "a process hider", "/usr/local/lib/dbus-collector/": "TeamTNT", "/usr/bin/bioset": "Rocke", "/usr/bin/kthrotlds": "Rocke", "/usr/sbin/netdns": "Rocke", "/usr/sbin/kerberods": "Rocke", "/tmp/watchdogs": "Watchdogs", "/usr/sbin/watchdogs": "Watchdogs", "/usr/local/lib/libioset.so": "Watchdogs",
	"/tmp/.X25-unix/": "Outlaw", "/tmp/.X19-unix/": "Outlaw", "/tmp/.X13-unix/": "Outlaw", "/tmp/dota.tar.gz": "Outlaw", "/tmp/dota3.tar.gz": "Outlaw", "/tmp/up.txt": "Outlaw", "/tmp/gates.lod": "BillGates", "/tmp/moni.lod": "BillGates", "/etc/init.d/DbSecuritySpt": "BillGates", "/usr/bin/bsd-port/": "BillGates", "/etc/init.d/selinux": "BillGates",
	"/lib64/libs.so": "Umbreon", "/usr/share/libc.so.1": "Umbreon", "/lib/libselinux.a": "Jynx", "/usr/bin/jynx2.so": "Jynx", "/xochikit": "Jynx", "/usr/bin/azazel.so": "Azazel", "/lib/libselinux.so": "Azazel", "/usr/lib/libkeystats.so": "Ebury", "/lib64/libkeystats.so": "Ebury", "/lib/libns2.so": "Ebury", "/lib64/libns2.so": "Ebury", "/lib/libns5.so": "Ebury", "/lib64/libns5.so": "Ebury", "/lib/libpw3.so": "Ebury", "/lib64/libpw3.so": "Ebury", "/lib/libslr.so": "Ebury", "/lib64/libslr.so": "Ebury", "/lib/libtsq.so": "Ebury", "/lib64/libtsq.so": "Ebury",
	"/usr/include/sslv3.h": "an sshd that writes passwords down", "/usr/include/netda.h": "an sshd that writes passwords down", "/usr/include/.sshlog": "an sshd that writes passwords down", "/usr/lib/libice.log": "an sshd that writes passwords down", "/usr/include/zaux.h": "an sshd that writes passwords down", "/var/opt/_so_log": "an sshd that writes passwords down", "/usr/include/pwd2.h": "an sshd that writes passwords down", "/usr/include/salt.h": "an sshd that writes passwords down",
	"/usr/man/.Ci/": "the kit of the Honeynet Project's challenge of 2001", "/etc/khubd.p2/": "Phalanx2", "/lib/libxselinux.so": "Winnti", "/usr/bin/systemd/systemd-daemon": "RotaJakiro", "/usr/lib/systemd/system/sys-temd-agent.service": "RotaJakiro",
	"/etc/intel_audio/": "Melofee", "/var/log/cross/auto-color": "Auto-color", "/etc/id.services.conf": "Kaiji and Chaos", "/usr/bin/(swapd)": "SucKIT's company", "/usr/bin/smbd -D": "SucKIT's company",
	"/reptile/": "Reptile", "/etc/.reptile": "Reptile", "/usr/lib/udev/reptile": "Reptile", "/lib/udev/rules.d/57-reptile.rules": "Reptile", "/usr/lib/modules/diamorphine.ko": "Diamorphine", "/usr/lib/libdiamorphine": "Diamorphine", "/etc/modules-load.d/diamorphine.conf": "Diamorphine",
}

// rootkit tells a path that only a known kit uses.
func (f *fold) rootkit(e *event.Event, p string, owned bool) bool {
	if owned {
		return false
	}
	dir := e.Text(event.FileType) == "dir"
	key, of := p, kit(p, dir)
	if other := merged(p); of == "" && other != "" && (f.packages || !weak[other]) {
		key, of = other, kit(other, dir)
	}
	if of == "" {
		return false
	}
	l := detect.Critical
	if strings.HasPrefix(p, "/usr/include/") && !f.packages || weak[key] {
		l = detect.High // names that somebody else could choose
	}
	f.add(e, "D42", "T1014", l, "is where "+of+" lies, and nothing else that is known")
	return true
}

// kit gives whose path it is, "" where of none.
func kit(p string, dir bool) string {
	if of := rootkits[p]; of != "" || !dir {
		return of
	}
	return rootkits[p+"/"]
}

// merged gives the other path of a file where /bin, /sbin and /lib are links into /usr, or are not.
func merged(p string) string {
	for _, dir := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(p, dir) {
			return "/usr" + p
		}
		if strings.HasPrefix(p, "/usr") && strings.HasPrefix(p[len("/usr"):], dir) {
			return p[len("/usr"):]
		}
	}
	return ""
}

// weak are paths of the table that others could take by chance: alone they are no proof.
var weak = map[string]bool{"/tmp/httpd": true, "/tmp/up.txt": true, "/tmp/zzz": true, "/usr/secure": true, "/etc/init.d/selinux": true, "/usr/include/file.h": true, "/usr/include/hosts.h": true, "/usr/include/log.h": true, "/usr/include/proc.h": true, "/usr/include/salt.h": true, "/usr/bin/mailrc": true, "/usr/share/libc.so.1": true, "/etc/sh.conf": true, "/lib/libudev.so": true, "/lib/libselinux.so": true, "/lib/libselinux.a": true, "/etc/cron.hourly/cron.sh": true, "/etc/cron.hourly/udev.sh": true, "/lib64/libs.so": true}

// withinKit gives a kit's folder the time of the first file in it, where an archive holds no times of folders.
func (f *fold) withinKit(e *event.Event, p string) {
	for dir, i := range f.kits {
		if !strings.HasPrefix(p, dir+"/") {
			continue
		}
		at := detect.ParseTime(e.Text(event.FileCrtime))
		if !at.Known() {
			at = detect.ParseTime(e.Text(event.FileMtime))
		}
		f.found[i].First = evidence.Min(f.found[i].First, at)
	}
}
