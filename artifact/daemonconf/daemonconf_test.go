package daemonconf_test

import (
	"testing"

	"telltale/artifact/daemonconf"
	"telltale/artifact/internal/hooktest"
)

var cases = []hooktest.Case{
	{Mechanism: "inetd-service", Path: "/etc/inetd.conf", Content: "# no\nfido stream tcp nowait root.wheel /bin/sh sh -i\ntime stream tcp nowait root internal\n", Want: []string{"root runs /bin/sh -i"}},
	{Mechanism: "xinetd-service", Path: "/etc/xinetd.d/x", Content: "service x\n{\n  server_args = -i\n  server = /bin/bash\n  user = bob\n  port = 9\n}\ndefaults\n{\n}\n", Want: []string{"bob runs /bin/bash -i"}},
	{Mechanism: "tcp-wrapper", Path: "/etc/hosts.allow", Content: "sshd: 203.0.113.7: spawn (/tmp/x %h) &\nALL: ALL\n", Want: []string{"root runs /tmp/x %h) &"}},
	{Mechanism: "trusted-host", Path: "/home/amy/.rhosts", Content: "+ +\n# no\n", Want: []string{"amy runs a login of + +"}},
	{Mechanism: "supervised-program", Path: "/etc/supervisor/conf.d/a.conf", Content: "[program:x]\ncommand=/tmp/x --y\nuser=bob\n", Want: []string{"root runs /tmp/x --y"}},
	{Mechanism: "container-unit", Path: "/etc/containers/systemd/a.container", Content: "[Container]\nImage=evil:latest\nVolume=/:/host\nPublishPort=80\n", Want: []string{"root runs evil:latest", "root runs /:/host"}},
	{Mechanism: "lxc-hook", Path: "/var/lib/lxc/a/config", Content: "lxc.hook.version = 1\nlxc.hook.start-host = /tmp/x\nlxc.rootfs.path = dir:/x\n", Want: []string{"root runs /tmp/x"}},
	{Mechanism: "mail-pipe", Path: "/etc/postfix/master.cf", Content: "smtp inet n - y - - smtpd\nevil unix - n n - - pipe\n  flags=F user=bob:bob argv=/tmp/x ${sender}\n", Want: []string{"bob runs /tmp/x ${sender}"}},
	{Mechanism: "mail-pipe", Path: "/etc/exim4/exim4.conf", Content: "  data = ${run{/bin/sh -c x}}\n  command = /usr/bin/procmail\n  driver = pipe\n", Want: []string{"root runs /bin/sh -c x}}", "root runs /usr/bin/procmail"}},
	{Mechanism: "mail-alias", Path: "/etc/aliases", Content: "root: amy\nevil: \"|/tmp/x -y\"\n", Want: []string{"root runs /tmp/x -y"}},
	{Mechanism: "mail-alias", Path: "/home/amy/.procmailrc", Content: "SHELL=/bin/sh\n:0\n* ^Subject: a|b\n| /tmp/x\n", Want: []string{"amy runs /tmp/x"}},
	{Mechanism: "mail-filter", Path: "/home/amy/.dovecot.sieve", Content: "require [\"vnd.dovecot.execute\"];\nexecute \"x.sh\";\nkeep;\n", Want: []string{`amy runs "x.sh"`}},
	{Mechanism: "samba-command", Path: "/etc/samba/smb.conf", Content: "[global]\n workgroup = A\n; preexec = no\n[pub]\n root preexec = /tmp/x %u\n magic script = m.sh\n", Want: []string{"root runs /tmp/x %u", "the user who connects runs m.sh"}},
	{Mechanism: "ftp-command", Path: "/etc/proftpd/proftpd.conf", Content: "ExecOnConnect /tmp/x\nPort 21\n", Want: []string{"root runs /tmp/x"}},
	{Mechanism: "web-module", Path: "/etc/apache2/mods-enabled/a.load", Content: "LoadModule evil_module /tmp/mod_evil.so\nCustomLog \"|/tmp/x\" combined\nCustomLog /var/log/a combined\nphp_admin_value auto_prepend_file /tmp/p\n", Want: []string{"root, then the web server's account runs /tmp/mod_evil.so", "root runs /tmp/x\" combined", "the web server's account runs /tmp/p"}},
	{Mechanism: "web-module", Path: "/etc/nginx/nginx.conf", Content: "load_module modules/ngx_evil.so;\nserver {\n", Want: []string{"root, then the web server's account runs modules/ngx_evil.so"}},
	{Mechanism: "web-handler", Path: "/var/www/html/.htaccess", Content: "RewriteEngine On\nAddType application/x-httpd-php .jpg\nphp_value auto_prepend_file none\n", Want: []string{"the web server's account runs application/x-httpd-php .jpg"}},
	{Mechanism: "database-setting", Path: "/etc/mysql/my.cnf", Content: "[mysqld]\ninit-file = /tmp/x.sql\nport=3306\nloose-plugin_load_add='a.so'\n", Want: []string{"the database's account runs /tmp/x.sql", "the database's account runs a.so"}},
	{Mechanism: "database-setting", Path: "/etc/redis/redis.conf", Content: "loadmodule /tmp/m.so\nport 6379\n", Want: []string{"the database's account runs /tmp/m.so"}},
	{Mechanism: "printer-filter", Path: "/etc/cups/ppd/a.ppd", Content: "*PPD-Adobe: \"4.3\"\n*FoomaticRIPCommandLine: \"gs -q -sOutputFile=- - &amp;&amp;\n x &quot;y&quot;\"\n*FoomaticRIPOption: a\n", Want: []string{"lp runs gs -q -sOutputFile=- - &&", `lp runs x "y"`}},
	{Mechanism: "vpn-script", Path: "/etc/openvpn/a.conf", Content: "remote a 1194\nup \"/tmp/x y\"\n", Want: []string{"root runs /tmp/x y"}},
	{Mechanism: "log-program", Path: "/etc/rsyslog.d/a.conf", Content: "action(type=\"omprog\" binary=\"/tmp/x y\")\n*.* ^/tmp/z\n*.* /var/log/all\n", Want: []string{"root runs /tmp/x y", "root runs /tmp/z"}},
	{Mechanism: "logrotate-script", Path: "/etc/logrotate.d/a", Content: "/var/log/x {\n weekly\n postrotate\n  /tmp/x\n endscript\n}\n", Want: []string{"root runs /tmp/x"}},
	{Mechanism: "audit-plugin", Path: "/etc/audit/plugins.d/a.conf", Content: "active = yes\npath = /tmp/x\n", Want: []string{"root runs /tmp/x"}},
	{Mechanism: "monitor-command", Path: "/etc/zabbix/zabbix_agentd.conf", Content: "UserParameter=a[*],/tmp/x $1\nServer=b\n", Want: []string{"the agent's account runs /tmp/x $1"}},
	{Mechanism: "monitor-command", Path: "/etc/nagios/nrpe.cfg", Content: "command[a]=/tmp/x -w 5\n", Want: []string{"the agent's account runs /tmp/x -w 5"}},
	{Mechanism: "monitor-command", Path: "/etc/monit/monitrc", Content: "check file a with path /a\n if changed then exec \"/tmp/x\"\n", Want: []string{"root runs /tmp/x"}},
	{Mechanism: "ban-action", Path: "/etc/fail2ban/action.d/a.local", Content: "[Definition]\nactionban = /tmp/x <ip>\nactionunban =\n", Want: []string{"root runs /tmp/x <ip>"}},
}

func TestReads(t *testing.T) { hooktest.Table(t, daemonconf.All(), cases) }

func FuzzParse(f *testing.F) { hooktest.Fuzz(f, daemonconf.All, cases) }
