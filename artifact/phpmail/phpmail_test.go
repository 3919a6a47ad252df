package phpmail_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/phpmail"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, phpmail.New()) }

func TestOwnLog(t *testing.T) {
	artifacttest.GoldenAs(t, phpmail.File(), "own.txt", "/var/log/phpmail.log", "")
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, phpmail.New) }

func FuzzFile(f *testing.F) {
	artifacttest.Fuzz(f, phpmail.File, "[09-Jul-2024 03:00:01 UTC] mail() on [/var/www/html/contact.php:7]: To: office@example.org -- Headers:\n")
}
