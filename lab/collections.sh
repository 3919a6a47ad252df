#!/bin/sh
# Writes what UAC and CatScale write of a running machine, by the commands that their recipes name (tclahr/uac artifacts/live_response/*.yaml,
# WithSecureLabs/LinuxCatScale Cat-Scale.sh), in their layouts. The scripts themselves are not had: this is for the forms of their files, not for a test of them.
# A program is planted that runs from /dev/shm and whose file is deleted; it ends with the script. Files of the machine are those of the folder
# that is given. Nothing of the machine is changed.
# Needs procps, iproute2, lsof, binutils and coreutils.
#
#   lab/collections.sh files directory
#   TELLTALE_COLLECTIONS=directory go test ./cmd/telltale -run Collections
set -eu

files=$(cd "${1:?usage: collections.sh files directory}" && pwd)
to=${2:?usage: collections.sh files directory}
mkdir -p "$to"
to=$(cd "$to" && pwd)

cp "$(command -v sleep)" /dev/shm/.x11-cache
/dev/shm/.x11-cache 600 &
planted=$!
trap 'kill $planted' EXIT
sleep 0.2
rm /dev/shm/.x11-cache
host=$(uname -n)

uac() {
	d=$to/uac-$host-linux-$(date +%Y%m%d%H%M%S)
	p=$d/live_response/process
	mkdir -p "$p" "$d/live_response/network" "$d/live_response/system" "$d/live_response/storage" "$d/bodyfile"
	echo "$(date '+%Y-%m-%d %H:%M:%S %z') INF UAC-3.1.0" >"$d/uac.log"
	cp -a "$files" "$d/[root]"
	ps auxwww >"$p/ps_auxwww.txt"
	ps -ef >"$p/ps_-ef.txt"
	ps -axo pid,user,lstart,args >"$p/ps_-axo_pid_user_lstart_args.txt"
	ps -axo pid,user,cgroup >"$p/ps_-axo_pid_user_cgroup.txt"
	lsof -nPl >"$p/lsof_-nPl.txt" 2>/dev/null || true
	ls -l /proc/[0-9]*/exe >"$p/running_processes_full_paths.txt" 2>/dev/null || true
	ls -l /proc/[0-9]*/cwd >"$p/ls_-l_proc_pid_cwd.txt" 2>/dev/null || true
	sha256sum /proc/[0-9]*/exe >"$p/hash_running_processes.sha256" 2>/dev/null || true
	for pid in $(ls /proc | grep '^[0-9]'); do
		mkdir -p "$p/proc/$pid"
		cat "/proc/$pid/comm" >"$p/proc/$pid/comm.txt" 2>/dev/null || true
		strings "/proc/$pid/cmdline" >"$p/proc/$pid/cmdline.txt" 2>/dev/null || true
		strings "/proc/$pid/environ" >"$p/proc/$pid/environ.txt" 2>/dev/null || true
		cat "/proc/$pid/maps" >"$p/proc/$pid/maps.txt" 2>/dev/null || true
		cat "/proc/$pid/status" >"$p/proc/$pid/status.txt" 2>/dev/null || true
		ls -la "/proc/$pid/fd" >"$p/proc/$pid/fd.txt" 2>/dev/null || true
		if ps ax | awk '{print $1}' | grep -q "$pid"; then true; else echo "$pid"; fi
	done >"$p/hidden_pids_for_ps_command.txt"
	ss -anp >"$d/live_response/network/ss_-anp.txt"
	netstat -anp >"$d/live_response/network/netstat_-anp.txt" 2>/dev/null || rm "$d/live_response/network/netstat_-anp.txt"
	for n in tcp tcp6 udp udp6; do cat /proc/net/$n >"$d/live_response/network/proc_net_$n.txt"; done
	hostname >"$d/live_response/network/hostname.txt" 2>/dev/null || uname -n >"$d/live_response/network/hostname.txt"
	uname -a >"$d/live_response/system/uname_-a.txt"
	lsmod >"$d/live_response/system/lsmod.txt" 2>/dev/null || true
	cat /proc/sys/kernel/tainted >"$d/live_response/system/cat_proc_sys_kernel_tainted.txt"
	mount >"$d/live_response/storage/mount.txt"
	(cd "$files" && find . -exec stat -c '0|%N|%i|%A|%u|%g|%s|%X|%Y|%Z|%W' {} + | sed -e "s/^0|'\.\/*/0|\//" -e "s/'|/|/" -e "s/' -> '/ -> /") >"$d/bodyfile/bodyfile.txt"
	echo "$(date '+%Y-%m-%d %H:%M:%S %z') ERR nothing listed: lastb" >>"$d/uac.log"
	tar -C "$d" -czf "$d.tar.gz" .
}

catscale() {
	x=$host-$(date +%Y%m%d-%H%M)
	d=$to/catscale_out
	p=$d/Process_and_Network/$x
	mkdir -p "$d/Process_and_Network" "$d/Logs" "$d/System_Info" "$d/Persistence" "$d/User_Files" "$d/Misc"
	echo "oscheck: $(cat /etc/*release* | tr '[:upper:]' '[:lower:]' | tr '\n' ' ')" >"$d/$x-console-error-log.txt"
	ps axwwSo user,pid,ppid,vsz,rss,tname,stat,stime,time,args >"$p-processes-axwwSo.txt"
	find /proc -maxdepth 2 -wholename '/proc/[0-9]*/status' | xargs cat >"$p-process-details.txt" 2>/dev/null || true
	find /proc/[0-9]*/exe -print0 2>/dev/null | xargs -0 ls -lh >"$p-process-exe-links.txt" 2>/dev/null || true
	find /proc/[0-9]*/fd -print0 2>/dev/null | xargs -0 ls -lh >"$p-process-fd-links.txt" 2>/dev/null || true
	find /proc/[0-9]*/cmdline | xargs head >"$p-process-cmdline.txt" 2>/dev/null || true
	find /proc/[0-9]*/environ | xargs head >"$p-process-environment.txt" 2>/dev/null || true
	lsof +c0 -M -R -V -w -n -P >"$p-lsof-list-open-files.txt" 2>/dev/null || true
	ss -anepo >"$p-ss-anepo.txt"
	mount >"$d/System_Info/$x-mount.txt"
	lsmod >"$d/System_Info/$x-lsmod.txt" 2>/dev/null || true
	printf 'KERNELVERSION(uname -r)=%s\n' "$(uname -r)" >"$d/System_Info/$x-release.txt"
	tar -C "$files" -czf "$d/Logs/$x-var-log.tar.gz" var/log
	tar -C "$files" -czf "$d/System_Info/$x-etc-key-files.tar.gz" etc
	{
		echo "Inode,Hard link Count,Full Path,Last Access,Last Modification,Last Status Change,File Creation,User,Group,File Permissions,File Size(bytes)"
		(cd "$files" && find . -mindepth 1 -print0 | xargs -0 stat --printf='%i,%h,%n,%x,%y,%z,%w,%U,%G,%A,%s\n') | sed 's/,\.\//,\//'
	} >"$d/Misc/$x-full-timeline.csv"
	tar -C "$to" -czf "$to/catscale_$x.tar.gz" ./catscale_out
}

uac
catscale
