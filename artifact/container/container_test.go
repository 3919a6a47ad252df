package container_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"telltale/artifact"
	"telltale/artifact/accesslog"
	"telltale/artifact/artifacttest"
	"telltale/artifact/container"
	"telltale/artifact/errorlog"
	"telltale/artifact/mongodb"
	"telltale/artifact/postgresql"
	"telltale/artifact/redis"
	"telltale/artifact/sshd"
	"telltale/artifact/syslogfile"
	"telltale/internal/golden"
)

// input wraps b as the runner would, with some of the members that know what programs write.
func input(b []byte, path string) *artifact.Input {
	in := artifacttest.Input(b)
	in.Path = path
	in.Messages = artifact.NewDecoders([]*artifact.Artifact{sshd.New()})
	in.Inner = func(head []byte) *artifact.Artifact {
		for _, a := range []*artifact.Artifact{accesslog.New(), errorlog.New(), redis.New(), mongodb.New(), postgresql.New(), syslogfile.New()} {
			if a.Sniff(head) {
				return a
			}
		}
		return nil
	}
	return in
}

func TestLogs(t *testing.T) {
	for sample, path := range map[string]string{
		"docker-json.txt": "/var/lib/docker/containers/89a04170593a/89a04170593a-json.log", "cri-redis.txt": "/var/log/pods/shop_redis-0_755b8973/redis/0.log",
		"podman-sshd.txt": "/var/lib/containers/storage/overlay-containers/89a04170593a/userdata/ctr.log",
	} {
		t.Run(sample, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", sample))
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, filepath.Join("testdata", strings.TrimSuffix(sample, ".txt")+".golden"), artifacttest.Run(t, container.Logs(), input(b, path)))
		})
	}
}

func line(text string) string {
	return `{"log":"` + text + `\n","stream":"stdout","time":"2024-03-02T08:00:00Z"}` + "\n"
}

// A record of several lines points to all lines that wrap it, and a server that starts late is found.
func TestALateServerIsFound(t *testing.T) {
	sample := strings.Repeat(line("creating configuration files ... ok"), 500) + strings.Repeat(line("2024-03-02 08:00:00.000 UTC [1] LOG:  database system is ready to accept connections"), 3)
	got := string(artifacttest.Run(t, container.Logs(), input([]byte(sample), "/x")))
	if !strings.Contains(got, "service-started 2024-03-02T08:00:00.000Z") || !strings.Contains(got, "line 501") {
		t.Error(got)
	}
}

// Whoever stops reading gets nothing more, and what reads within stops, too.
func TestStopping(t *testing.T) {
	sample := []byte(strings.Repeat(line(`203.0.113.7 - - [02/Mar/2024:08:00:05 +0000] \"GET / HTTP/1.1\" 200 612 \"-\" \"-\"`), 1000))
	n := 0
	for range container.Logs().Parse(t.Context(), input(sample, "/x")) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d events", n)
	}
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, line("x"): true, "2024-03-02T08:00:00.1Z stdout F x": true, "2024-03-02T08:00:00.1 stdout F x": false, "2024-03-02T08:00:00.1Z host sshd[1]: x": false, `{"log":"x"}`: false, "{}": false,
	} {
		if container.Logs().Sniff([]byte(in)) != want {
			t.Errorf("%q: want %v", in, want)
		}
	}
}

func FuzzLogs(f *testing.F) {
	samples, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range samples {
		b, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		for l := range bytes.Lines(b) {
			f.Add(l)
		}
	}
	f.Add([]byte(line("812:M 23 Nov 2023 13:01:42.123 * DB saved on disk") + line("a\\u0000b\\nc")))
	f.Fuzz(func(t *testing.T, b []byte) { artifacttest.Run(t, container.Logs(), input(b, "/x")) })
}

func TestEngine(t *testing.T) { artifacttest.Golden(t, container.New()) }

func TestEngineFile(t *testing.T) {
	artifacttest.GoldenAs(t, container.File(), "docker-own.txt", "/var/log/docker.log", "")
}

func FuzzEngine(f *testing.F) { artifacttest.Fuzz(f, container.New) }

func FuzzEngineFile(f *testing.F) {
	artifacttest.Fuzz(f, container.File, "INFO[2024-03-02T08:00:01.430850526Z] x  host=\"a\\\"b\"\n")
}

// A line whose parts are without end is cut, told as damage, and the next one is read.
func TestALineWithoutEnd(t *testing.T) {
	part := "2024-03-02T08:00:00Z stdout P " + strings.Repeat("x", 16<<10) + "\n"
	sample := strings.Repeat(part, 100) + "2024-03-02T08:00:01Z stdout F \n2024-03-02T08:00:02Z stdout F Accepted password for root from 203.0.113.7 port 1 ssh2\n"
	got := string(artifacttest.Run(t, container.Logs(), input([]byte(sample), "/x")))
	if strings.Count(got, "damage ") != 1 || !strings.Contains(got, "auth-accepted 2024-03-02T08:00:02Z") {
		t.Errorf("%.500s", got)
	}
}
