package installs_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/installs"
)

func TestSpans(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, installs.New(), detecttest.Scene(), `
03:00:00 package-changed package.name=a package.version=1 change=install
03:00:01 package-changed package.name=b package.version=2 change=install
03:00:02 package-changed package.name=a package.version=1 change=configure
03:00:04 package-changed package.name=a package.version=1 change=installed
03:00:09 package-changed package.name=b package.version=2 change=installed
03:10:00 package-changed package.name=a package.version=1.1 change=upgrade
03:10:05 package-changed package.name=a package.version=1.1 change=installed
04:00:00 package-changed package.name=c package.version=1 change=remove`), detect.Installed)
	if len(got) != 3 || got[0].Path != "a" || got[0].Last.Sub(got[0].First) != 4e9 || got[1].Path != "b" || got[1].Last.Sub(got[1].First) != 8e9 || got[2].Detail != "1.1" || got[2].Last.Sub(got[2].First) != 5e9 {
		t.Errorf("%+v", got)
	}
}
