package webscript

import "testing"

func TestMakesScripts(t *testing.T) {
	for line, want := range map[string]bool{
		"addtype application/x-httpd-php .jpg": true, "addhandler application/x-httpd-ea-php81 .php .php8 .phtml": false, "addtype application/x-httpd-php .html .htm": false,
		"addhandler application/x-httpd-php .php .png": true, "sethandler application/x-httpd-php": false, "# addtype application/x-httpd-php .jpg": false,
		"auto_prepend_file = /var/www/html/wordfence-waf.php": false, "php_value auto_prepend_file '/srv/www/wordfence-waf.php'": false, "auto_prepend_file = none": false,
		"auto_prepend_file = /var/www/html/img/logo.png": true, "auto_append_file=/tmp/a.php": true, "php_value auto_prepend_file .cache.php": true, "": false,
	} {
		if got := makesScripts(line, "/var/www/html/.htaccess"); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
	if !makesScripts("sethandler application/x-httpd-php", "/var/www/html/uploads/.htaccess") {
		t.Error("a folder for uploads")
	}
}

func TestEndsAtOnce(t *testing.T) {
	for line, want := range map[string]bool{
		"<?php exit('Access denied'); __halt_compiler(); ?>": true, "#<?php die('Forbidden.'); ?>": true, "<?php exit; ?>": true, "<?php die();": true,
		"<?php exit(eval($_POST['x']));": false, "<?php if ($x) exit;": false, "<?php exitus();": false, "": false,
	} {
		if got := endsAtOnce([]byte(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestFixed(t *testing.T) {
	for line, want := range map[string]bool{
		`if ($_get["k"] == k) { shell_exec("git pull 2>&1"); }`: true, `exec('convert a b', $out);`: true,
		`if ($_get["k"]) { shell_exec("git $x"); }`: false, `system($_get["c"]);`: false, `system("ls " . $_get["c"]);`: false, `eval('$_get["c"]');`: false, `exec("a"); exec($b);`: false,
		`$d = $_post["j"]; eval('');`: true, `$d = $_post["j"]; assert("a)" . $d);`: false, `eval($_post["a"]); eval('');`: false, `eval('f(1);$_post["a"]');`: false, `preg_replace("/.*/e", $_get["a"], "");`: false, "`$_get[a]`;": false,
	} {
		if got := fixed(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestIsVeiled(t *testing.T) {
	for line, want := range map[string]bool{
		"<?php": false, "// silence is golden.": false, `echo $x->tpl_vars["a"]->value;`: false, `echo stats($_get["id"]);`: false, `$o->run($a);`: false,
		`$f($_get["a"]);`: true, `$a["b"]($c);`: true, `$f{0}.$x;`: true, `include $_get["p"];`: true, `array_map("ass"."ert", $a);`: true, "$": false,
	} {
		if got := isVeiled(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
