package haproxy_test

import (
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/haproxy"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, haproxy.New()) }

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, haproxy.New) }
