package proxmox_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/proxmox"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, proxmox.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, proxmox.New) }
