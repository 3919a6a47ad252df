// Package hookscript reads the scripts and programs that run because of the directory they lie in: dropped there, they need no
// line anywhere that names them. Each directory's file is one Hookup, and each line of a script one more, so that what it does can be judged. What
// the shells read at login is package startup's, cron's directories are package crontab's.
package hookscript

import (
	"telltale/artifact"
	"telltale/artifact/internal/hook"
)

// systemdDirs are the places of systemd's own directories, strongest first: systemd.unit(5), UNIT FILE LOAD PATH.
const systemdDirs = "/{etc,run,usr/local/lib,usr/lib,lib}/systemd/"

// All gives the artefacts.
func All() []*artifact.Artifact {
	return append(append(append(boot(), network()...), sessions()...), jobs())
}

// jobs are scripts where administrators put what their jobs run; which of them one runs, the jobs say.
func jobs() *artifact.Artifact {
	const code = "{sh,bash,py,pl,rb,php}"
	return hook.Script("job-script", "scripts that jobs may run, where administrators put theirs", "crontab(5), systemd.service(5)", "when a job runs it", false,
		"/{opt,srv,root}/*."+code, "/{opt,srv,root}/*/*."+code, "/opt/*/{bin,scripts}/*", "/root/{bin,scripts}/*", "/usr/local/{bin,sbin}/*", "/usr/local/*."+code, "/usr/local/scripts/*", "/scripts/*", "{home}/*."+code, "{home}/{bin,scripts,backup}/*", "/var/{backups,scripts}/*."+code, "/etc/*."+code)
}

func boot() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Script("systemd-generator", "programs that systemd runs before any unit, to make units", "systemd.generator(7), systemd.environment-generator(7)", "at boot and at each reload of systemd, before all units", true,
			systemdDirs+"{system,user}-{generators,environment-generators}/*"),
		hook.Script("systemd-sleep", "programs that systemd runs around sleep and at the end", "systemd-sleep(8), systemd-shutdown(8)", "when the machine sleeps, wakes or shuts down", true, systemdDirs+"system-{sleep,shutdown}/*", "/etc/pm/{sleep.d,power.d}/*"),
		hook.Script("init-script", "scripts of System V, OpenRC and runit that run at boot", "init-d-script(5), openrc-run(8), runsvdir(8)", "at boot", true,
			"/etc/init.d/*", "/etc/rc.d/init.d/*", "/etc/rc.d/rc.*", "/etc/rc{0,1,2,3,4,5,6,S}.d/*", "/etc/local.d/*.{start,stop}", "/etc/{sv,service,runit/runsvdir/default}/*/run", "/etc/services.d/*/run", "/etc/boot.d/*", "/config/scripts/{pre,post}-config.d/*", "/config/scripts/vyos-{pre,post}config-bootup.script", "/opt/vyatta/etc/config/scripts/*", "/opt/vyatta/etc/config/scripts/*.d/*", "/usr/local/etc/rc.d/*", "/tmp/config/autorun.sh", "/mnt/HDA_ROOT/autorun.sh", "/jffs/scripts/{*-start,*-stop,*-event,*-end,*-mount,unmount}", "!/etc/rc.d/rc.local"),
		hook.Script("initramfs-hook", "scripts that go into the first root file system or make it", "initramfs-tools(7), dracut.modules(7)", "in the first root file system, before the machine's own, or when it is made", false,
			"/{etc,usr/share}/initramfs-tools/{hooks,scripts}/*", "/{etc,usr/share}/initramfs-tools/scripts/*/*", "/usr/{lib,share}/dracut/modules.d/*/*.sh", "/etc/initramfs/post-update.d/*", "/etc/mkinitcpio.d/*", "/{etc,usr/lib}/initcpio/{hooks,install}/*"),
		hook.Script("kernel-hook", "scripts that run when a kernel is installed or removed", "kernel-install(8), kernel-img.conf(5)", "when a kernel is installed or removed", true,
			"/{etc,usr/share}/kernel/{preinst.d,postinst.d,prerm.d,postrm.d,install.d,header_postinst.d}/*", "/usr/lib/kernel/install.d/*", "/etc/kernel/*.d/*/*"),
		hook.Script("bootloader-script", "scripts that write the boot loader's configuration", "grub-mkconfig(8)", "when the boot loader's configuration is written", true, "/etc/grub.d/*"),
		hook.Script("package-script", "scripts of packages that ran when they were installed and run when they are changed or removed", "deb-postinst(5), dpkg(1)", "when the package is configured, upgraded or removed", false, "/var/lib/dpkg/info/*.{preinst,postinst,prerm,postrm,config}"),
		hook.Script("package-plugin", "code that dnf, yum and zypper load", "dnf.conf(5), yum.conf(5), zypper(8)", "at each run of the package manager", false,
			"/usr/lib/python*/site-packages/dnf-plugins/*.py", "/usr/{lib,share}/yum-plugins/*.py", "/usr/lib/zypp/plugins/*/*", "/etc/needrestart/{hook,notify,restart}.d/*", "/etc/needrestart/conf.d/*", "/etc/etckeeper/*.d/*"),
		hook.Script("cloud-script", "scripts that cloud-init runs", "cloud-init, module Scripts", "at the first boot, or at each", false, "/var/lib/cloud/scripts/{per-boot,per-instance,per-once,vendor}/*", "/var/lib/cloud/instances/*/scripts/*", "/var/lib/cloud/instances/*/{user-data.txt,vendor-data.txt}", "/var/lib/waagent/custom-script/download/*/*"),
		hook.Script("static-pod", "pods that the kubelet starts without asking a cluster", "kubelet, staticPodPath", "whenever the kubelet runs", false, "/etc/kubernetes/manifests/*"),
	}
}

func network() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Script("network-hook", "scripts that run when an interface goes up or down", "interfaces(5), NetworkManager-dispatcher(8), networkd-dispatcher(8), pppd(8), resolvconf(8)", "when a network interface changes", true,
			"/etc/network/if-{pre-up,up,down,post-down}.d/*", "/{etc,usr/lib,lib}/NetworkManager/dispatcher.d/*", "/{etc,usr/lib,lib}/NetworkManager/dispatcher.d/{pre-up,pre-down,no-wait}.d/*", "/{etc,usr/lib,lib}/networkd-dispatcher/*.d/*",
			"/etc/ppp/{ip-up,ip-down,ipv6-up,ipv6-down,auth-up,auth-down}", "/etc/ppp/*.d/*", "/etc/resolvconf/update.d/*", "/etc/resolvconf/update-libc.d/*", "/etc/openvpn/*.sh", "/etc/openvpn/update-resolv-conf", "/etc/sysconfig/network-scripts/{ifup,ifdown}*", "/sbin/{ifup,ifdown}-local"),
		hook.Script("dhcp-hook", "scripts that the DHCP client reads", "dhclient-script(8), dhcpcd-run-hooks(8)", "at each lease of the DHCP client", false, "/etc/dhcp/dhclient-*-hooks.d/*", "/etc/dhcp/dhclient-{enter,exit}-hooks", "/etc/dhcp/dhclient.d/*.sh", "/{usr/lib,lib,libexec,usr/libexec}/dhcpcd/dhcpcd-hooks/*", "/usr/libexec/dhcpcd-hooks/*", "/etc/dhcpcd.{enter,exit}-hook", "/etc/udhcpc/*"),
	}
}

func sessions() []*artifact.Artifact {
	return []*artifact.Artifact{
		hook.Script("motd", "scripts that PAM runs at each login to greet", "update-motd(5)", "at each login, before the shell", true, "/{etc,usr/lib}/update-motd.d/*"),
		hook.Script("session-script", "scripts that graphical logins run", "Xsession(5), gdm(8)", "at each graphical login", false,
			"/etc/X11/Xsession.d/*", "/etc/X11/xinit/xinitrc.d/*", "/etc/gdm*/{Init,PostLogin,PreSession,PostSession}/*", "/etc/sddm/*", "/usr/share/sddm/scripts/*", "{home}/.config/autostart-scripts/*", "{home}/.config/plasma-workspace/{env,shutdown}/*", "{home}/.{xprofile,xsessionrc,xsession,xinitrc}"),
		hook.Script("completion", "code that interactive shells load to complete words", "bash-completion", "in each interactive shell, at once or when a word is completed", false, "/etc/bash_completion.d/*", "/usr/share/bash-completion/completions/*", "{home}/.bash_completion", "{home}/.local/share/bash-completion/completions/*"),
		hook.Script("git-hook", "scripts that git runs in a repository", "githooks(5)", "when somebody works with git in that repository", true, "{home}/**/.git/hooks/*", "/{srv,opt,etc,var/www}/**/.git/hooks/*", "/{etc,opt,srv}/.git/hooks/*", "{webroot}/**/.git/hooks/*", "{webroot}/.git/hooks/*", "/{home,srv,data,opt,var/lib,var/opt,repositories}/**/*.git/{hooks,custom_hooks}/*", "/{home,srv,data,opt,var/lib}/**/*.git/{hooks,custom_hooks}/*.d/*", "/usr/share/git-core/templates/hooks/*", "!/**/*.sample"),
		hook.Script("python-hook", "modules that every start of Python imports", "Python's module site", "at each start of Python", false,
			"/usr/lib/python*/**/{sitecustomize,usercustomize}.py", "/usr/lib/python*/{sitecustomize,usercustomize}.py", "/usr/local/lib/python*/**/{sitecustomize,usercustomize}.py", "/etc/python*/sitecustomize.py", "{home}/.local/lib/python*/site-packages/{sitecustomize,usercustomize}.py"),
	}
}
