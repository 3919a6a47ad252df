package examine_test

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	artall "telltale/artifact/all"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
)

type containerTold struct{ lines *[]string }

func (f containerTold) Observe(e *event.Event) {
	p := e.Text(event.FilePath)
	if e.Kind == event.HTTPRequest {
		p = e.At.String() + " " + e.Text(event.URL)
	}
	*f.lines = append(*f.lines, strings.Join([]string{e.Kind.String(), p, e.Text(event.Change), e.Text(event.ContainerName), e.Text(event.FileContent)}, "|"))
}

func (f containerTold) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

// TestChangesOfContainers: what a container changed is shown once, with the host's own paths and the container's id, and
// its web server's log with its own zone; what it says of logins to itself is not the host's.
func TestChangesOfContainers(t *testing.T) {
	dir := t.TempDir()
	const docker = "var/lib/docker/"
	for p, text := range map[string]string{
		"etc/os-release": "ID=debian\n", "etc/timezone": "America/New_York\n", "etc/hostname": "web1\n",
		docker + "containers/89a04170593a/config.v2.json":              `{"ID":"89a04170593a","Name":"/shop","Driver":"overlay2","Config":{"Image":"php:8"},"State":{"StartedAt":"2024-03-02T08:00:00Z"}}`,
		docker + "image/overlay2/layerdb/mounts/89a04170593a/mount-id": "top",
		docker + "overlay2/top/lower":                                  "base/diff",
		docker + "overlay2/base/diff/etc/passwd":                       "root:x:0:0:root:/root:/bin/ash\n",
		docker + "overlay2/base/diff/var/www/html/index.php":           "<?php echo 1;",
		docker + "overlay2/top/diff/var/www/html/x.php":                "<?php system($_GET['c']);",
		docker + "overlay2/top/diff/etc/passwd":                        "root::0:0:root:/root:/bin/ash\n",
		docker + "overlay2/top/diff/var/log/apache2/access.log":        `203.0.113.7 - - [02/Mar/2024:08:00:05 +0000] "GET /x.php?c=id HTTP/1.1" 200 612 "-" "curl/8.0"` + "\n",
		docker + "overlay2/top/diff/var/log/auth.log":                  "Mar  2 08:00:05 web1 sshd[12]: Accepted password for root from 203.0.113.7 port 40022 ssh2\n",
		docker + "overlay2/top/merged/etc/passwd":                      "root::0:0:root:/root:/bin/ash\n",
		"var/log/auth.log": "Mar  2 08:00:06 web1 sshd[12]: Connection closed by 203.0.113.8 port 40022 [preauth]\n",
	} {
		p = filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	d := &detect.Detection{ID: "told", Wants: []event.Kind{event.File, event.HTTPRequest, event.AuthAccepted, event.Account},
		New: func(detect.Scene) detect.Fold { return containerTold{&lines} }}
	res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{dir}, Spool: t.TempDir(), Artifacts: artall.Artifacts(), Detections: []*detect.Detection{d}})
	if err != nil {
		t.Fatal(err)
	}
	const upper = "/var/lib/docker/overlay2/top/diff"
	for _, want := range []string{
		"file|" + upper + "/etc/passwd|changed|shop|", "file|" + upper + "/var/www/html/x.php|added|shop|", "http-request|2024-03-02T08:00:05Z /x.php?c=id||shop|",
	} {
		if n := count(lines, want); n != 1 {
			t.Errorf("%d of %q in\n%s", n, want, strings.Join(lines, "\n"))
		}
	}
	for _, l := range lines {
		if strings.HasPrefix(l, "auth-accepted") || strings.HasPrefix(l, "account") || strings.Contains(l, "/merged/") {
			t.Errorf("the host is told %q", l)
		}
		if strings.Contains(l, upper+"/") && !strings.Contains(l, "|shop|") {
			t.Errorf("no container: %q", l)
		}
	}
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "file|"+upper+"/var/www/html/x.php||shop|") }) {
		t.Errorf("the script was not looked into:\n%s", strings.Join(lines, "\n"))
	}
	if len(res.Hosts) != 2 || res.Hosts[1].Hostname != "container shop (php:8) on web1" || res.Hosts[1].Parent != "h1" || res.Hosts[1].Container.Started != "2024-03-02T08:00:00.000000000Z" {
		t.Errorf("hosts %+v", res.Hosts)
	}
}

func count(lines []string, want string) (n int) {
	for _, l := range lines {
		if l == want {
			n++
		}
	}
	return n
}
