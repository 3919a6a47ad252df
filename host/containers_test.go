package host_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"telltale/filesystem/overlay"
	"telltale/host"
)

const dockerID = "3f4e8a9c0b1d2e3f4a5b6c7d8e9f00112233445566778899aabbccddeeff0011"

// docked is a server with a container of Docker and one of Podman, as Docker 24 and Podman 4.3 leave them.
var docked = append(append([]file{}, server...), []file{
	{name: "var/lib/docker/containers/" + dockerID + "/config.v2.json", body: `{"StreamConfig":{},"State":{"Running":true,"Paused":false,"Restarting":false,"Pid":4242,"ExitCode":0,"StartedAt":"2024-01-02T03:04:06.5Z","FinishedAt":"0001-01-01T00:00:00Z"},"ID":"` + dockerID + `","Created":"2024-01-02T03:04:05.123456789Z","Path":"nginx","Config":{"Hostname":"3f4e8a9c0b1d","Image":"nginx:1.25"},"Image":"sha256:aa","Name":"/web","Driver":"overlay2"}`},
	{name: "var/lib/docker/image/overlay2/layerdb/mounts/" + dockerID + "/mount-id", body: "top"},
	{name: "var/lib/docker/overlay2/l/AAAA", link: "../base/diff"}, {name: "var/lib/docker/overlay2/l/BBBB", link: "../top-init/diff"},
	{name: "var/lib/docker/overlay2/top/lower", body: "l/BBBB:l/AAAA:l/GONE"},
	{name: "var/lib/docker/overlay2/top-init/diff/etc/hosts", body: ""},
	{name: "var/lib/docker/overlay2/base/diff/etc/os-release", body: "PRETTY_NAME=\"Alpine Linux v3.19\"\n"},
	{name: "var/lib/docker/overlay2/base/diff/etc/passwd", body: "root:x:0:0:root:/root:/bin/ash\n"},
	{name: "var/lib/docker/overlay2/top/diff/tmp/xmrig", body: "\x7fELF", mode: 0o755},
	{name: "var/lib/docker/overlay2/top/diff/etc/passwd", body: "root:x:0:0:root:/root:/bin/ash\nevil:x:0:0::/:/bin/sh\n"},
	{name: "var/lib/docker/overlay2/top/diff/var/log/nginx/access.log", body: "203.0.113.9 - - [02/Jan/2024:03:05:00 +0000] \"GET /x.php?cmd=id HTTP/1.1\" 200 5 \"-\" \"curl\"\n"},
	{name: "home/amy/.local/share/containers/storage/overlay-containers/containers.json", body: `[{"id":"beef00","names":["db"],"image":"cc","layer":"L1","metadata":"{\"image-name\":\"docker.io/library/redis:7\",\"name\":\"db\",\"created-at\":1704164645}","created":"2024-01-02T03:04:05Z"}]`},
	{name: "home/amy/.local/share/containers/storage/overlay/L1/lower", body: "l/X"},
	{name: "home/amy/.local/share/containers/storage/overlay/l/X", link: "../L0/diff"},
	{name: "home/amy/.local/share/containers/storage/overlay/L0/diff/etc/alpine-release", body: "3.18.4\n"},
	{name: "home/amy/.local/share/containers/storage/overlay/L0/diff/data/dump.rdb", body: "x"},
	{name: "home/amy/.local/share/containers/storage/overlay/L1/diff/data/.wh.dump.rdb", body: ""},
}...)

func TestContainersOfAHost(t *testing.T) {
	in, err := open(t, "x.tar", tarball(t, docked))
	if err != nil || len(in.Hosts) != 1 || len(in.Hosts[0].Containers) != 2 {
		t.Fatalf("%v %+v", err, in)
	}
	web, db := in.Hosts[0].Containers[0], in.Hosts[0].Containers[1]
	if got := web.Title(); got != "container web (nginx:1.25) on web1" {
		t.Errorf("title %q", got)
	}
	if c := web.Container; c.State != "running" || c.Started.String() != "2024-01-02T03:04:06.500000000Z" || c.Finished.Known() || c.Upper != "/var/lib/docker/overlay2/top/diff" || web.OS != "Alpine Linux v3.19" || len(web.Users) != 2 {
		t.Errorf("%+v %q %v", c, web.OS, web.Users)
	}
	if got := changes(t, web); got != "added /tmp;added /tmp/xmrig;added /var;added /var/log;added /var/log/nginx;added /var/log/nginx/access.log;changed /etc/passwd;" {
		t.Errorf("changes %s", got)
	}
	if got := db.Title(); got != "container db (docker.io/library/redis:7) on web1" || db.OS != "3.18.4" {
		t.Errorf("title %q %q", got, db.OS)
	}
	if got := changes(t, db); got != "deleted /data/dump.rdb;" {
		t.Errorf("changes %s", got)
	}
	if _, err := db.Lookup("/data/dump.rdb"); err == nil {
		t.Error("a deleted file is there")
	}
	if notes := strings.Join(in.Notes, "\n"); !strings.Contains(notes, "container web: 1 of its image's 3 layers are not there") {
		t.Errorf("notes %q", notes)
	}
}

func changes(t *testing.T, h *host.Host) string {
	kinds := map[overlay.Kind][]string{}
	for c, err := range h.Changes().Changes(t.Context()) {
		if err != nil {
			t.Error(err)
			continue
		}
		kinds[c.Kind] = append(kinds[c.Kind], c.Path)
	}
	s := ""
	for k := overlay.Added; k <= overlay.Deleted; k++ {
		for _, p := range kinds[k] {
			s += fmt.Sprint(k, " ", p, ";")
		}
	}
	parts := strings.Split(strings.TrimSuffix(s, ";"), ";")
	slices.Sort(parts)
	return strings.Join(parts, ";") + ";"
}

func TestContainersWithoutSense(t *testing.T) {
	bad := append([]file{}, server...)
	for i := range 80 {
		id := fmt.Sprintf("%064d", i)
		bad = append(bad, file{name: "var/lib/docker/containers/" + id + "/config.v2.json", body: `{"ID":"` + id + `","Name":"/n","Driver":"overlay2"}`},
			file{name: "var/lib/docker/image/overlay2/layerdb/mounts/" + id + "/mount-id", body: "m"})
	}
	bad = append(bad, file{name: "var/lib/docker/overlay2/m/diff/x", body: "x"}, file{name: "var/lib/docker/overlay2/m/lower", body: strings.Repeat("../../../..:", 50)},
		file{name: "var/lib/docker/containers/broken/config.v2.json", body: "{"}, file{name: "var/lib/docker/containers/old/config.v2.json", body: `{"Name":"/old","Driver":"devicemapper"}`})
	in, err := open(t, "x.tar", tarball(t, bad))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(in.Hosts[0].Containers); n > 64 {
		t.Errorf("%d containers", n)
	}
	notes := strings.Join(in.Notes, "\n")
	for _, want := range []string{"16 more containers", "container broken: config.v2.json", `driver "devicemapper", which is not read`} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note of %q in %s", want, notes)
		}
	}
}

func TestContainersOfContainerd(t *testing.T) {
	const root = "var/lib/containerd/"
	files := append(append([]file{}, server...),
		file{name: root + "io.containerd.metadata.v1.bolt/meta.db", body: unzipped(t, "../internal/bolt/testdata/meta.db.gz")},
		file{name: root + "io.containerd.snapshotter.v1.overlayfs/metadata.db", body: unzipped(t, "../internal/bolt/testdata/metadata.db.gz")},
		file{name: root + "io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs/etc/debian_version", body: "12.4"},
		file{name: root + "io.containerd.snapshotter.v1.overlayfs/snapshots/2/fs/app/shop", body: "x"},
		file{name: root + "io.containerd.snapshotter.v1.overlayfs/snapshots/300/fs/app/shop", body: "y"},
		file{name: root + "io.containerd.snapshotter.v1.overlayfs/snapshots/301/fs/etc/debian_version", body: "13.0"},
		file{name: "var/lib/docker/containers/d0c4e4/config.v2.json", body: `{"ID":"d0c4e4","Name":"/new","Driver":"overlayfs","Config":{"Image":"debian:13"},"State":{"Running":true,"StartedAt":"2024-01-02T03:04:06Z"}}`},
		file{name: "var/lib/docker/containers/d0c4e5/config.v2.json", body: `{"ID":"d0c4e5","Name":"/lost","Driver":"overlayfs"}`})
	in, err := open(t, "x.tar", tarball(t, files))
	if err != nil || len(in.Hosts[0].Containers) != 2 {
		t.Fatalf("%v %+v", err, in)
	}
	if d := in.Hosts[0].Containers[0]; d.Title() != "container new (debian:13) on web1" || d.OS != "Debian 13.0" || d.Container.State != "running" {
		t.Errorf("%q %q %+v", d.Title(), d.OS, d.Container)
	}
	if notes := strings.Join(in.Notes, "\n"); !strings.Contains(notes, "container lost: containerd has no snapshot of it") {
		t.Errorf("notes %q", notes)
	}
	c := in.Hosts[0].Containers[1]
	if got := c.Title(); got != "container shop-0/shop (registry.example/shop:1) on web1" || c.OS != "Debian 12.4" || c.Container.Created.String() != "2024-01-02T03:04:05.000000005Z" {
		t.Errorf("%q %q %+v", got, c.OS, c.Container)
	}
	if got := changes(t, c); got != "changed /app/shop;" {
		t.Errorf("changes %s", got)
	}
}

func unzipped(t *testing.T, name string) string {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
