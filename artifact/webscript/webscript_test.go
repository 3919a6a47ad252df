package webscript_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/webscript"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, webscript.New(), "shell.txt", "/var/www/html/uploads/x.php", "")
	artifacttest.GoldenAs(t, webscript.New(), "harmless.txt", "/var/www/html/index.php", "")
	artifacttest.GoldenAs(t, webscript.New(), "plain.txt", "/var/www/html/assets/php/form.php", "")
	artifacttest.GoldenAs(t, webscript.New(), "flow.txt", "/var/www/html/f.php", "")
	artifacttest.GoldenAs(t, webscript.New(), "harmless-flow.txt", "/var/www/html/g.php", "")
	artifacttest.GoldenAs(t, webscript.New(), "named.txt", "/var/www/html/n.php", "")
	artifacttest.GoldenAs(t, webscript.New(), "packed.txt", "/var/www/html/p.php", "")
	artifacttest.GoldenAs(t, webscript.New(), "htaccess.txt", "/var/www/html/uploads/.htaccess", "")
	for _, x := range []string{"phish", "cards", "cookie", "harmless-forms", "harmless-fields"} {
		artifacttest.GoldenAs(t, webscript.New(), x+".txt", "/var/www/html/"+x+".php", "")
	}
	artifacttest.GoldenAs(t, webscript.New(), "redirect.txt", "/var/www/html/.htaccess", "")
	artifacttest.GoldenAs(t, webscript.New(), "harmless-redirect.txt", "/var/www/html/.htaccess", "")
	for _, x := range []string{"hidden.js", "skimmer.js", "harmless-page.js", "harmless-vendors.js"} {
		artifacttest.GoldenAs(t, webscript.Pages(), x, "/var/www/html/"+x, "")
	}
}

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, webscript.New, "<?php system($_GET['x']);") }

func FuzzPages(f *testing.F) {
	artifacttest.Fuzz(f, webscript.Pages, `window.eval(String.fromCharCode(102,61)); unescape('%3Ciframe'); "\x3c"; btoa(d)`)
}
