package openvpn_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/openvpn"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, openvpn.New()) }

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, openvpn.New) }
