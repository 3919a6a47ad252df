package startup_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/startup"
)

func TestGolden(t *testing.T) {
	artifacttest.GoldenAs(t, startup.Preload(), "preload.txt", "/etc/ld.so.preload", "")
	artifacttest.GoldenAs(t, startup.Commands(), "rclocal.txt", "/etc/rc.local", "")
	artifacttest.GoldenAs(t, startup.Commands(), "inittab.txt", "/etc/inittab", "")
	artifacttest.GoldenAs(t, startup.Sudoers(), "sudoers.txt", "/etc/sudoers", "")
}

func FuzzPreload(f *testing.F) { artifacttest.Fuzz(f, startup.Preload, "/a.so /b.so") }

func FuzzCommands(f *testing.F) { artifacttest.Fuzz(f, startup.Commands, "/bin/x &\n") }

func FuzzSudoers(f *testing.F) { artifacttest.Fuzz(f, startup.Sudoers, "a ALL=(ALL) ALL\n") }
