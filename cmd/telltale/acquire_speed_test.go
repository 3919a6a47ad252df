package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestAcquireSpeed measures copies of 2 GiB, half noise, half text, against the tools that are used for it, one after the other in each
// round. Both read what the kernel has in memory; dd is measured until its file is on the medium, as ours is.
func TestAcquireSpeed(t *testing.T) {
	if os.Getenv("TELLTALE_SPEED") == "" {
		t.Skip("TELLTALE_SPEED is not set: it copies 2 GiB many times")
	}
	dir := t.TempDir()
	tool, source := program(t), filepath.Join(dir, "disk.img")
	speedSource(t, source, 2<<30)
	run := func(out string, name string, args ...string) time.Duration {
		exec.Command("sync").Run()
		start := time.Now()
		if b, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, b)
		}
		d := time.Since(start)
		for _, ext := range []string{"raw", "dd", "E01", "E02", "json", "map"} {
			os.Remove(filepath.Join(dir, out+"."+ext))
		}
		return d
	}
	var dd, raw, none []time.Duration
	for range 5 {
		dd = append(dd, run("o", "dd", "bs=4M", "conv=fsync", "if="+source, "of="+filepath.Join(dir, "o.dd")))
		raw = append(raw, run("o", tool, "acquire", "disk", source, "-q", "--no-verify", "--to", filepath.Join(dir, "o.raw")))
		none = append(none, run("o", tool, "acquire", "disk", source, "-q", "--no-verify", "--to", filepath.Join(dir, "o.E01"), "--compression", "none"))
	}
	t.Logf("raw: %v, dd conv=fsync %v: %.0f %% of dd's speed (bar 90)", raw, dd, 100*mid(dd)/mid(raw))
	t.Logf("E01 without compression: %v", none)
	if _, err := exec.LookPath("ewfacquire"); err != nil {
		t.Skip("no ewfacquire: apt-get install ewf-tools")
	}
	var ewf, ours []time.Duration
	for range 3 {
		ewf = append(ewf, run("o", "ewfacquire", "-u", "-q", "-c", "fast", "-f", "encase6", "-S", "4GiB", "-t", filepath.Join(dir, "o"), source))
		ours = append(ours, run("o", tool, "acquire", "disk", source, "-q", "--no-verify", "--to", filepath.Join(dir, "o.E01")))
	}
	t.Logf("E01: %v, ewfacquire -c fast %v: %.1f times its speed (bar 2)", ours, ewf, mid(ewf)/mid(ours))
}

// mid gives the median in seconds.
func mid(d []time.Duration) float64 {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2].Seconds()
}

// speedSource writes noise and lines of a log, MiB by MiB.
func speedSource(t *testing.T, path string, size int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := rand.NewChaCha8([32]byte{1})
	r := rand.New(c)
	noise := make([]byte, 1<<20)
	for n := 0; n < size; n += 2 << 20 {
		c.Read(noise)
		var text []byte
		for len(text) < 1<<20 {
			text = fmt.Appendf(text, "Nov 26 %02d:%02d:%02d web1 sshd[%d]: Failed password for root from 203.0.113.%d port %d ssh2\n", r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(30000), r.IntN(256), r.IntN(65536))
		}
		if _, err := f.Write(append(noise, text[:1<<20]...)); err != nil {
			t.Fatal(err)
		}
		noise = noise[:1<<20]
	}
}
