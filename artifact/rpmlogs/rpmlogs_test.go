package rpmlogs_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/rpmlogs"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, rpmlogs.Yum(), "yum.txt", "/var/log/yum.log", "")
	artifacttest.GoldenAs(t, rpmlogs.Zypper(), "zypp.txt", "/var/log/zypp/history", "")
}

func FuzzYum(f *testing.F) {
	artifacttest.Fuzz(f, rpmlogs.Yum, "Jul 09 03:00:00 Installed: nmap-2:6.40-19.el7.x86_64\n")
}

func FuzzZypper(f *testing.F) {
	artifacttest.Fuzz(f, rpmlogs.Zypper, "2024-07-09 03:00:40|install|nmap|7.92-1|x86_64|root@web1|repo-oss|0123abcd|\n")
}
