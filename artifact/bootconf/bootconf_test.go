package bootconf_test

import (
	"testing"

	"telltale/artifact/bootconf"
	"telltale/artifact/internal/hooktest"
)

var cases = []hooktest.Case{
	{Mechanism: "kernel-module", Path: "/etc/modules", Content: "# no\nloop\ndiamorphine\n", Want: []string{"the kernel runs loop", "the kernel runs diamorphine"}},
	{Mechanism: "modprobe-rule", Path: "/etc/modprobe.d/a.conf", Content: "blacklist x\ninstall cramfs /bin/true\ninstall usb-storage /tmp/x; /sbin/modprobe -i usb-storage\n", Want: []string{"root runs /tmp/x; /sbin/modprobe -i usb-storage"}},
	{Mechanism: "kernel-helper", Path: "/etc/sysctl.d/a.conf", Content: "net.ipv4.ip_forward=1\nkernel.core_pattern = |/tmp/x %p\nkernel/modprobe=/usr/bin/y\n", Want: []string{"root runs |/tmp/x %p", "root runs /usr/bin/y"}},
	{Mechanism: "binary-format", Path: "/etc/binfmt.d/a.conf", Content: ":x:M::MZ::/tmp/i:OC\n:short:M\n", Want: []string{"the account that runs the file runs /tmp/i"}},
	{Mechanism: "binary-format", Path: "/var/lib/binfmts/python3.11", Content: "python3.11\nmagic\n0\n\\xa7\n\n/usr/bin/python3.11\n\n", Want: []string{"root runs /usr/bin/python3.11"}},
	{Mechanism: "udev-rule", Path: "/etc/udev/rules.d/b.rules", Content: `ACTION=="add", ENV{MAJOR}=="1", ENV{MINOR}=="8", RUN+="x run:+"` + "\n" + `KERNEL=="randomly", RUN+="/bin/y"` + "\n", Want: []string{"root runs x run:+", "root runs /bin/y"}},
	{Mechanism: "udev-rule", Path: "/etc/udev/rules.d/a.rules", Content: `SUBSYSTEM=="net", ACTION=="add", RUN+="/bin/sh -c \"/tmp/x\"", PROGRAM="/bin/y", RUN{builtin}+="kmod load z"` + "\n" + `IMPORT{program}="/lib/z $x"` + "\n" + `IMPORT{db}="A"` + "\nRUN+=\"open\n", Want: []string{`root runs /bin/sh -c \"/tmp/x\"`, "root runs /bin/y", "root runs /lib/z $x", "root runs open"}},
	{Mechanism: "boot-option", Path: "/etc/default/grub", Content: "GRUB_CMDLINE_LINUX=\"quiet init=/tmp/x audit=0\"\nGRUB_TIMEOUT=5\n", Want: []string{"the kernel runs init=/tmp/x", "the kernel runs audit=0"}},
	{Mechanism: "library-path", Path: "/etc/ld.so.conf", Content: "include /etc/ld.so.conf.d/*.conf\n/usr/local/lib\n/tmp/.l\n", Want: []string{"every user runs /usr/local/lib", "every user runs /tmp/.l"}},
	{Mechanism: "tmpfiles-rule", Path: "/etc/tmpfiles.d/a.conf", Content: "d /run/x 0755 root root -\nf /etc/cron.d/x 0644 root root - * * * * * root /tmp/x\nx\n", Want: []string{"root runs /etc/cron.d/x"}},
	{Mechanism: "sysusers-rule", Path: "/etc/sysusers.d/a.conf", Content: "u toor 0 - /root /bin/bash\ng x -\n", Want: []string{"toor runs toor"}},
	{Mechanism: "apt-hook", Path: "/etc/apt/apt.conf.d/99", Content: "APT::Update::Pre-Invoke {\"/tmp/x\";};\nDPkg::Post-Invoke { \"a\"; \"b \\\"c\\\"\"; };\nDPkg::Pre-Install-Pkgs\n{\n\"/usr/bin/y\";\n};\nAPT::Install-Recommends \"false\";\nDPkg::Pre-Invoke:: \"z\";\n", Want: []string{"root runs /tmp/x", "root runs a", `root runs b "c"`, "root runs /usr/bin/y", "root runs z"}},
	{Mechanism: "apt-hook", Path: "/etc/apt/apt.conf.d/98", Content: "DPkg {\n  Pre-Invoke { \"/bin/q\"; };\n}\n# \"no\"\n// Pre-Invoke \"no\";\nUnattended-Upgrade::Allowed-Origins { \"x\"; };\n", Want: []string{"root runs /bin/q"}},
	{Mechanism: "apt-hook", Path: "/etc/dpkg/dpkg.cfg.d/a", Content: "no-debsig\npost-invoke=/tmp/x\nlog /var/log/dpkg.log\n", Want: []string{"root runs /tmp/x"}},
	{Mechanism: "package-source", Path: "/etc/apt/sources.list", Content: "deb http://mirror.example.org/debian bookworm main\ndeb [trusted=yes] http://203.0.113.7/ ./\n", Want: []string{"root runs deb [trusted=yes] http://203.0.113.7/ ./"}},
	{Mechanism: "package-source", Path: "/etc/yum.repos.d/a.repo", Content: "[evil]\nbaseurl=http://203.0.113.7/\ngpgcheck=0\n", Want: []string{"root runs packages of evil http://203.0.113.7/"}},
	{Mechanism: "interface-hook", Path: "/etc/network/interfaces", Content: "auto eth0\niface eth0 inet dhcp\n  post-up /tmp/x &\n", Want: []string{"root runs /tmp/x &"}},
	{Mechanism: "interface-hook", Path: "/etc/wireguard/wg0.conf", Content: "[Interface]\nPostUp = iptables -A FORWARD -j ACCEPT\n", Want: []string{"root runs iptables -A FORWARD -j ACCEPT"}},
	{Mechanism: "upstart-job", Path: "/etc/init/a.conf", Content: "start on runlevel [2345]\nexec /tmp/x\n", Want: []string{"root runs /tmp/x"}},
	{Mechanism: "dracut-setting", Path: "/etc/dracut.conf.d/a.conf", Content: "install_items+=\" /usr/bin/x \"\nhostonly=\"yes\"\n", Want: []string{"root runs /usr/bin/x"}},
}

func TestReads(t *testing.T) { hooktest.Table(t, bootconf.All(), cases) }

func FuzzParse(f *testing.F) { hooktest.Fuzz(f, bootconf.All, cases) }
