package detect

// Mechanism is a way in which a system runs or loads something by itself, or lets somebody in.
type Mechanism struct {
	ID     string // Finding.Mechanism; of a Hookup its record.type
	Words  string // "a cron entry"
	Attack string // technique of ATT&CK
	Row    string // of the catalogue of detections
}

// Mechanisms gives all mechanisms whose entries are read.
func Mechanisms() []Mechanism {
	return []Mechanism{
		{"cron", "a cron entry", "T1053.003", "D47"}, {"at-job", "a job of at", "T1053.002", "D47"}, {"job-script", "a script that a job of root's runs", "T1053.003", "D47"},
		{"systemd-unit", "a systemd unit", "T1543.002", "D48"}, {"systemd-timer", "a systemd timer", "T1053.006", "D48"}, {"systemd-generator", "a generator of systemd", "T1543.002", "D48"}, {"systemd-sleep", "a script at sleep or shutdown", "T1543.002", "D48"}, {"lingering", "an account whose services start at boot", "T1543.002", "D48"},
		{"supervised-program", "a program under supervisord", "T1543", "D48"}, {"container-unit", "a container that systemd starts", "T1543.005", "D48"}, {"static-pod", "a pod that the kubelet starts", "T1543.005", "D48"}, {"lxc-hook", "a hook of a container", "T1543.005", "D48"}, {"upstart-job", "a job of upstart", "T1543", "D48"},
		{"dbus-service", "a service of the message bus", "T1543.002", "D48"}, {"init-script", "a script of init", "T1037.004", "D49"}, {"cloud-script", "a script of cloud-init", "T1037", "D49"},
		{"ssh-key", "an ssh key", "T1098.004", "D46"}, {"sshd-setting", "a setting of sshd", "T1098.004", "D46"}, {"ssh-setting", "a setting of ssh", "T1546", "D49"}, {"trusted-host", "a trusted host", "T1098", "D46"},
		{"startup-file", "a start-up file", "T1546.004", "D49"}, {"motd", "a script of the greeting", "T1546", "D49"}, {"session-script", "a script of graphical logins", "T1547.013", "D49"}, {"desktop-entry", "an entry that a desktop starts", "T1547.013", "D49"}, {"completion", "code that shells load to complete words", "T1546.004", "D49"}, {"environment", "a variable of the environment", "T1574.006", "D50"},
		{"ld-preload", "a preloaded library", "T1574.006", "D50"}, {"library-path", "a directory of libraries", "T1574.006", "D50"}, {"name-service", "a library of the name service", "T1574.006", "D50"}, {"converter-module", "a library that converts characters", "T1574.006", "D50"},
		{"pam-rule", "a rule of PAM", "T1556.003", "D51"}, {"sudoers", "a sudo rule", "T1548.003", "D40"}, {"sudo-setting", "a setting of sudo", "T1548.003", "D40"}, {"doas-rule", "a rule of doas", "T1548.003", "D40"}, {"polkit-rule", "a rule of polkit", "T1548", "D40"},
		{"kernel-module", "a module loaded at boot", "T1547.006", "D53"}, {"modprobe-rule", "a command in place of a module", "T1547.006", "D53"}, {"kernel-helper", "a program that the kernel starts", "T1546", "D49"}, {"binary-format", "an interpreter of a file format", "T1546", "D49"}, {"udev-rule", "a rule of udev", "T1546.017", "D49"},
		{"boot-option", "an option of the boot loader", "T1542", "D49"}, {"bootloader-script", "a script of the boot loader", "T1542", "D49"}, {"initramfs-hook", "a script of the first root file system", "T1542", "D49"}, {"initramfs-content", "a file of the first root file system", "T1542", "D49"}, {"efi-file", "a boot loader of the firmware", "T1542.003", "D49"}, {"dracut-setting", "a setting of dracut", "T1542", "D49"}, {"kernel-hook", "a script at the installation of kernels", "T1546", "D49"}, {"tmpfiles-rule", "a file made at each boot", "T1543.002", "D48"}, {"sysusers-rule", "an account made at each boot", "T1136.001", "D44"},
		{"apt-hook", "a hook of apt", "T1546.016", "D49"}, {"package-script", "a script of a package", "T1546.016", "D49"}, {"package-plugin", "a plugin of the package manager", "T1546.016", "D49"}, {"package-source", "an unsigned source of packages", "T1195.002", "D33"}, {"package-runner", "a setting of a language's package manager", "T1546", "D49"},
		{"network-hook", "a script at changes of the network", "T1546", "D49"}, {"dhcp-hook", "a script of the DHCP client", "T1546", "D49"}, {"interface-hook", "a command at changes of the network", "T1546", "D49"}, {"vpn-script", "a script of OpenVPN", "T1546", "D49"},
		{"git-hook", "a hook of git", "T1546", "D49"}, {"git-setting", "a setting of git", "T1546", "D49"}, {"python-hook", "code that Python runs at each start", "T1546.018", "D49"}, {"python-path", "a line that Python runs at each start", "T1546.018", "D49"}, {"php-setting", "a setting of PHP", "T1505.003", "D49"}, {"php-user-ini", "a setting of PHP in a folder", "T1505.003", "D49"},
		{"web-module", "a setting of the web server", "T1505.004", "D49"}, {"web-handler", "a setting of a folder of the web server", "T1505.003", "D49"}, {"database-setting", "a setting of a database", "T1505.001", "D49"},
		{"inetd-service", "a service of inetd", "T1543", "D49"}, {"xinetd-service", "a service of xinetd", "T1543", "D49"}, {"tcp-wrapper", "a command at connections", "T1546", "D49"}, {"samba-command", "a command of Samba", "T1546", "D49"}, {"ftp-command", "a command of the FTP server", "T1546", "D49"},
		{"mail-pipe", "a program of the mail server", "T1546", "D49"}, {"mail-alias", "a program that gets mail", "T1546", "D49"}, {"mail-filter", "a program of a mailbox's filter", "T1546", "D49"}, {"printer-filter", "a command of a printer", "T1546", "D49"},
		{"log-program", "a program that gets log messages", "T1546", "D49"}, {"logrotate-script", "a command of logrotate", "T1546", "D49"}, {"audit-plugin", "a program that gets audit records", "T1546", "D49"}, {"monitor-command", "a command of a monitor's agent", "T1546", "D49"}, {"ban-action", "a command of fail2ban", "T1546", "D49"},
		{"alternative", "an alternative of a program", "T1574", "D52"}, {"remote-access", "a program for access from afar", "T1219", "D48"},
	}
}

// MechanismOf gives a mechanism by its ID; one that is not known has its ID for words.
func MechanismOf(id string) Mechanism {
	for _, m := range Mechanisms() {
		if m.ID == id {
			return m
		}
	}
	return Mechanism{ID: id, Words: id, Attack: "T1546", Row: "D49"}
}
