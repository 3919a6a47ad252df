package wuftpd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/wuftpd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, wuftpd.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, wuftpd.New) }
