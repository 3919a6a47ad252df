package webscript

import (
	"strings"
	"testing"
)

// TestLongLine: what is packed into one line is read statement by statement, and flows through variables as over lines.
func TestLongLine(t *testing.T) {
	pad := strings.Repeat("function f($a){return $a+1;}", 100)
	for line, want := range map[string]bool{
		`$x=$_post['a'];` + pad + `exec($cmd,$out);`: false, pad + `system($_get['c']);`: true, pad + `eval($_post['c']);` + pad: true, `if($_post)echo 1; exec('convert');`: false,
		`$c=$_post['c']; system($c);`: true, pad: false,
	} {
		what, _ := judge(line, "/var/www/html/x.php")
		if got := what == "it runs what a request carries"; got != want {
			t.Errorf("%.60q: %q", line, what)
		}
	}
	v, found := variables{}, false
	for st := range statements(pad + `$c=$_post['c'];` + pad + `eval($c);`) {
		if _, n := v.judge(st); n == 5 {
			found = true
		}
	}
	if !found {
		t.Error("a flow within a long line is lost")
	}
}
