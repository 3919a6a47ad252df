package webscript

import (
	"strings"
	"testing"
)

func TestOneWord(t *testing.T) {
	for line, want := range map[string]bool{
		`$out=shell_exec('fwconsole backup '.escapeshellarg($_request['id']));`: true, `exec("/usr/bin/convert " . escapeshellarg($_post['a']) . ' -resize ' . intval($_get['w']));`: true,
		`system('sh -c '.escapeshellarg($_get['c']));`: false, `system(escapeshellarg($_get['c']));`: false, `shell_exec('/usr/bin/env '.escapeshellarg($_get['c']));`: false,
		`system('ls '.escapeshellarg($_get['a']).$_get['b']);`: false, `system('ls '.escapeshellcmd($_get['a']));`: false, `system("$x ".escapeshellarg($_get['a']));`: false,
		`exec('ls '.escapeshellarg($_get['a'])); eval($_get['b']);`: false, `eval('ls '.escapeshellarg($_get['a']));`: false, `system('ls '.escapeshellarg(f($_get['a'])));`: false,
		`if(isset($_get["run"])) exec("/usr/bin/php /srv/import/run.php ".escapeshellarg($f)." > /tmp/import.log 2>&1 &");`: true, `exec("php -r ".escapeshellarg($_get['a']));`: false,
		`if(isset($_get["c"])) exec("ls ".$f);`: false, `exec("php /tmp/".escapeshellarg($_get['a']));`: false, `if(isset($_get["c"])) exec("sh /srv/a.sh ".escapeshellarg($f));`: false, `if(isset($_get["c"]`: false,
		`system('python3.11 -c '.escapeshellarg($_get['a']));`: false, `echo escapeshellarg($_get['a']);`: false, `system(`: false, ``: false,
	} {
		if got := oneWord(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestClosing(t *testing.T) {
	for settings, want := range map[string]bool{
		"<ifmodule mod_authz_core.c>\n  require all denied\n</ifmodule>\n<ifmodule !mod_authz_core.c>\n  deny from all\n</ifmodule>": true,
		"<files x>\nrequire all denied\n</files>": false, "deny from all\nallow from 203.0.113.9": false, "order deny,allow": false, "# deny from all": false, "deny from all\n<files x.php>": false,
		"<filesmatch php>\ndeny from all\n</filesmatch>\ndeny from all\n<files a>\nrequire all granted\n</files>": false, "": false,
	} {
		c := closing{}
		for _, l := range strings.Split(settings, "\n") {
			c.line(l)
		}
		if c.all() != want {
			t.Errorf("%q: %v", settings, c)
		}
	}
}
