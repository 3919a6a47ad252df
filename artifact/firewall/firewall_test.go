package firewall_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/firewall"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, firewall.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, firewall.New) }
