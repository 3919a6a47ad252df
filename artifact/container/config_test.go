package container_test

import (
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/container"
)

const of = "/var/lib/docker/containers/89a04170593a665f114c9a1c207d64590aea68e70cb0802783f27dd22e67c921/"

func TestConfig(t *testing.T) {
	for sample, name := range map[string]string{"config.v2.json": "config.v2.json", "hostconfig.json": "hostconfig.json", "hostconfig-plain.json": "hostconfig.json"} {
		artifacttest.GoldenAs(t, container.Config(), sample, of+name, "")
	}
}

// What is no configuration is damage and no event, however deep or long it is.
func TestBrokenConfig(t *testing.T) {
	for breaks, in := range map[string]string{
		"empty": "", "cut off": `{"ID":"x`, "of another type": `{"Args":"x"}`, "deep": strings.Repeat(`{"a":`, 100000), "deep lists": `{"Binds":` + strings.Repeat("[", 100000), "an array": "[]",
		"longer than is read": `{"ID":"` + strings.Repeat("x", 5<<20) + `"}`,
	} {
		got := string(artifacttest.Run(t, container.Config(), artifacttest.Input([]byte(in))))
		if !strings.HasPrefix(got, "damage ") || !strings.Contains(got, "seen 0 records, 1 unparsed") {
			t.Errorf("%s: %.200s", breaks, got)
		}
	}
}

func TestPodman(t *testing.T) {
	const of = "/var/lib/containers/storage/overlay-containers/"
	artifacttest.GoldenAs(t, container.Podman(), "podman-containers.json", of+"containers.json", "")
	artifacttest.GoldenAs(t, container.Podman(), "podman-config.json", of+"848d54f5a2b21d1302dcc167e4ca683a9a851689ec8a8c51046e69fd2e8ac1e5/userdata/config.json", "")
}

func FuzzPodman(f *testing.F) {
	f.Add([]byte(`{"process":{"args":["/bin/sh"],"capabilities":{"bounding":["CAP_SYS_ADMIN"]}},"mounts":[{"type":"bind","source":"/etc","destination":"/e","options":["ro"]}],"linux":{"namespaces":[{"type":"pid"}]}}`))
	f.Add([]byte(`[{"id":"848d54f5a2b2","names":["web"],"created":"2026-11-25T14:44:39.03717762Z","metadata":"{\"image-name\":\"x\"}"}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range []string{"containers.json", "848d54f5a2b21/userdata/config.json"} {
			in := artifacttest.Input(b)
			in.Path = "/var/lib/containers/storage/overlay-containers/" + name
			artifacttest.Run(t, container.Podman(), in)
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"Binds":["/:/mnt:ro"],"CapAdd":["ALL"],"Privileged":true}`))
	f.Add([]byte(`{"ID":"x","Created":"2024-03-02T08:00:02Z","MountPoints":{"/m":{"Source":"/","Type":"bind"}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range []string{"config.v2.json", "hostconfig.json"} {
			in := artifacttest.Input(b)
			in.Path = of + name
			artifacttest.Run(t, container.Config(), in)
		}
	})
}
