package proxmox_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/proxmox"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, proxmox.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, proxmox.New) }

func TestAccess(t *testing.T) {
	artifacttest.GoldenAs(t, proxmox.Access(), "access.txt", "/var/log/pveproxy/access.log", "")
}

func FuzzAccess(f *testing.F) {
	artifacttest.Fuzz(f, proxmox.Access, `::ffff:203.0.113.50 - - [03/Jun/2023:06:39:08 +0200] "POST /api2/json/access/ticket HTTP/1.1" 200 724`)
}
