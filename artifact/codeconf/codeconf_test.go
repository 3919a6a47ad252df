package codeconf_test

import (
	"testing"

	"telltale/artifact/codeconf"
	"telltale/artifact/internal/hooktest"
)

var cases = []hooktest.Case{
	{Mechanism: "environment", Path: "/etc/environment", Content: "PATH=/bin\nLD_PRELOAD=\"/tmp/x.so\"\n# LD_AUDIT=no\n", Want: []string{"everybody who logs in runs /tmp/x.so"}},
	{Mechanism: "environment", Path: "/home/amy/.pam_environment", Content: "LD_PRELOAD DEFAULT=/tmp/x.so\n", Want: []string{"amy runs /tmp/x.so"}},
	{Mechanism: "environment", Path: "/etc/systemd/system/a.service", Content: "[Service]\nEnvironment=\"A=b\" LD_PRELOAD=/tmp/x.so\n", Want: []string{"the unit's account runs /tmp/x.so"}},
	{Mechanism: "php-setting", Path: "/etc/php/8.2/fpm/php.ini", Content: "; extension=no\nauto_prepend_file =\nauto_append_file = /tmp/x\nextension=evil.so\nphp_admin_value[auto_prepend_file] = /y.php\n", Want: []string{"the web server's account runs /tmp/x", "the web server's account runs evil.so", "the web server's account runs /y.php"}},
	{Mechanism: "php-user-ini", Path: "/var/www/html/.user.ini", Content: "auto_prepend_file=logo.gif\n", Want: []string{"the web server's account runs logo.gif"}},
	{Mechanism: "python-path", Path: "/usr/lib/python3/dist-packages/a.pth", Content: "/opt/x\nimport os; os.system('x')\nimportant\n", Want: []string{"whoever runs Python runs import os; os.system('x')"}},
	{Mechanism: "git-setting", Path: "/home/amy/site/.git/config", Content: "[core]\n\thooksPath = /tmp/h\n\tbare = false\n[alias]\n\tst = status\n\tco = !/tmp/x\n[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n", Want: []string{"amy runs /tmp/h", "amy runs !/tmp/x", "amy runs git-lfs clean -- %f"}},
	{Mechanism: "desktop-entry", Path: "/home/amy/.config/autostart/a.desktop", Content: "[Desktop Entry]\nName=x\nExec=/tmp/x\n", Want: []string{"amy runs /tmp/x"}},
	{Mechanism: "converter-module", Path: "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.d/a.conf", Content: "module A// B// C 1\nmodule PAYLOAD// INTERNAL /tmp/p 2\n", Want: []string{"every user runs /tmp/p"}},
	{Mechanism: "package-runner", Path: "/home/amy/.npmrc", Content: "node-options=--require /tmp/x.js\nsave=true\n", Want: []string{"amy runs --require /tmp/x.js"}},
}

func TestReads(t *testing.T) { hooktest.Table(t, codeconf.All(), cases) }

func FuzzParse(f *testing.F) { hooktest.Fuzz(f, codeconf.All, cases) }
