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
}

func FuzzParse(f *testing.F) { artifacttest.Fuzz(f, webscript.New, "<?php system($_GET['x']);") }
