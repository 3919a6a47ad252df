package vsftpd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/vsftpd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, vsftpd.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, vsftpd.New) }
