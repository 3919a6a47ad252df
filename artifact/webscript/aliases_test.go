package webscript

import (
	"strings"
	"testing"
)

func TestAliases(t *testing.T) {
	for script, want := range map[string]bool{
		"$c=$_cookie; $f=base64_decode($c['a']); $g=$c['b']; $f($g($c['c']));": true,
		"$c = $_post;\n$f = $c['f'];\n$f($c['a']);":                            true,
		"$r = $_request;\n$x = base64_decode($r['x']);\neval($x);":             true,
		"$p = $_post;\n$action = $p['action'];\n$this->$action($p);":           false,
		"$p = $_post;\n$n = intval($p['n']);\neval($n);":                       false,
		"$f = 'trim';\n$p = $_post;\n$x = $f($p['a']);":                        false,
		"$p = $_post;\necho htmlspecialchars($p['name']);":                     false,
	} {
		v, got := variables{}, false
		for _, l := range strings.Split(script, "\n") {
			_, rank := v.judge(l)
			got = got || rank > 0
		}
		if got != want {
			t.Errorf("%q: %v", script, got)
		}
	}
}

func TestShellTicks(t *testing.T) {
	for line, want := range map[string]bool{
		"die(`{$_get[\"z\"]}`);": true, "echo `$_post[c]`;": true, "$x = `$_request[c] 2>&1`;": true, `<?=` + "`$_get[0]`" + `?>`: true,
		"$q = \"select * from `{$_get['t']}`\";": false, "mysql_query('delete from `'.$_get['t'].'`');": false, "echo `date`;": false, "`": false, "from `{$_get['t']}` where": false,
	} {
		if got := shellTicks(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
