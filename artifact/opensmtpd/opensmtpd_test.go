package opensmtpd_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/opensmtpd"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, opensmtpd.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, opensmtpd.New) }
