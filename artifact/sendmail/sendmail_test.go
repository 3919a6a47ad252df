package sendmail_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/sendmail"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, sendmail.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, sendmail.New) }
