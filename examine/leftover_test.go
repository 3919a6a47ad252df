package examine_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	artifacts "telltale/artifact/all"
	"telltale/detect"
	"telltale/event"
	"telltale/examine"
	"telltale/filesystem"
	"telltale/filesystem/ext4"
	"telltale/filesystem/fstest"
	"telltale/filesystem/xfs"
	"telltale/image/imagetest"
	"telltale/internal/limit"
)

// removedLines keeps what is told of removed lines.
type removedLines struct{ told *[]string }

func (f removedLines) Observe(e *event.Event) {
	*f.told = append(*f.told, e.Text(event.Message)+" | "+e.Text(event.Change)+" | "+e.Ref.Path)
}

func (f removedLines) Findings(context.Context) iter.Seq[detect.Finding] {
	return func(func(detect.Finding) bool) {}
}

// authLog gives a log of a day, without the lines of the intruder where he took them out.
func authLog(clean bool) []byte {
	var b bytes.Buffer
	for i := range 2000 {
		if i >= 900 && i < 903 {
			if !clean {
				fmt.Fprintf(&b, "2026-03-02T10:%02d:%02d.000000+00:00 web1 sshd[%d]: Accepted password for root from 203.0.113.66 port 4022 ssh2\n", i/60%60, i%60, i)
			}
			continue
		}
		fmt.Fprintf(&b, "2026-03-02T10:%02d:%02d.000000+00:00 web1 sshd[%d]: Failed password for root from 198.51.100.%d port %d ssh2\n", i/60%60, i%60, i, i%200, i)
	}
	return b.Bytes()
}

func examineRemoved(t *testing.T, image string) (told []string, res *examine.Result) {
	t.Helper()
	collect := &detect.Detection{ID: "collect", Wants: []event.Kind{event.LineRemoved}, New: func(detect.Scene) detect.Fold {
		told = nil
		return removedLines{&told}
	}}
	res, err := examine.Run(t.Context(), examine.Options{Evidence: []string{image}, Spool: t.TempDir(), Artifacts: artifacts.Artifacts(), Detections: []*detect.Detection{collect}})
	must(t, err)
	return told, res
}

// TestLinesInSpaceThatWasNeverWritten: the old log's blocks were set aside for another file, which never wrote to them.
func TestLinesInSpaceThatWasNeverWritten(t *testing.T) {
	imagetest.Need(t, "mke2fs", "debugfs")
	root := filepath.Join(t.TempDir(), "root")
	for p, b := range map[string][]byte{"etc/os-release": []byte("ID=debian\n"), "var/log/auth.log": authLog(true), "var/log/old": authLog(false), "srv/base": nil} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(root, p)), 0o755))
		must(t, os.WriteFile(filepath.Join(root, p), b, 0o644))
	}
	image := filepath.Join(t.TempDir(), "disk.img")
	command(t, "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", root, image, "16M")
	inode := strings.Fields(strings.SplitN(command(t, "debugfs", "-R", "stat /var/log/old", image), "Inode: ", 2)[1])[0]
	for _, c := range []string{"rm /var/log/old", "clri <" + inode + ">", "fallocate /srv/base 0 2999"} {
		command(t, "debugfs", "-w", "-R", c, image)
	}
	told, res := examineRemoved(t, image)
	if len(told) != 3 || !strings.Contains(told[0], "Accepted password for root from 203.0.113.66") || !strings.Contains(told[0], "found in space of /srv/base that was never written, at its offset ") || !strings.HasSuffix(told[0], "never written") {
		t.Errorf("%q, %+v, %+v", told, res.Removed, res.Damage)
	}
}

// TestSpaceThatTheKernelSetAside does the same by the kernel, on both filesystems.
func TestSpaceThatTheKernelSetAside(t *testing.T) {
	opens := map[string]func(io.ReaderAt, int64, *limit.Budget) (filesystem.FS, error){"ext4": ext4.Format().Open, "xfs": xfs.Format().Open}
	for kind, mkfs := range map[string][]string{"ext4": {"mkfs.ext4", "-q"}, "xfs": {"mkfs.xfs", "-q"}} {
		t.Run(kind, func(t *testing.T) {
			open := opens[kind]
			fstest.NeedKernel(t, mkfs[0])
			image := filepath.Join(t.TempDir(), "disk.img")
			must(t, os.WriteFile(image, nil, 0o600))
			must(t, os.Truncate(image, 320<<20))
			command(t, mkfs[0], append(mkfs[1:], image)...)
			dir, unmount := fstest.MountImage(t, image, "rw")
			for p, b := range map[string][]byte{"etc/os-release": []byte("ID=debian\n"), "var/log/auth.log": authLog(true), "old": authLog(false)} {
				must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o755))
				must(t, os.WriteFile(filepath.Join(dir, p), b, 0o644))
			}
			unmount()
			dir, unmount = fstest.MountImage(t, image, "rw")
			must(t, os.Remove(filepath.Join(dir, "old")))
			command(t, "sync", "-f", dir)
			for i := 0; ; i++ { // all the space that there is, small files first, which go where the old log lay
				size := "64K"
				if i > 100 {
					size = "4M"
				}
				if command(t, "sh", "-c", fmt.Sprintf("fallocate -l %s %s/base%d 2>&1 || echo full", size, dir, i)) != "" {
					break
				}
			}
			unmount()
			if told, res := examineRemoved(t, image); len(told) != 3 { // by the deleted file itself, before anything else
				t.Errorf("%q, %+v, %+v", told, res.Removed, res.Damage)
			}
			disk, err := os.Open(image)
			must(t, err)
			defer disk.Close()
			st, err := disk.Stat()
			must(t, err)
			f, err := open(disk, st.Size(), limit.New(1<<28))
			must(t, err)
			there := 0
			for l, err := range f.(filesystem.Leftoverer).Leftovers(t.Context()) {
				must(t, err)
				b := make([]byte, l.Length)
				_, err := disk.ReadAt(b, l.Physical)
				must(t, err)
				there += bytes.Count(b, []byte("Accepted password for root from 203.0.113.66"))
				if l.Behind && bytes.Count(b, []byte{0}) != len(b) {
					t.Errorf("the kernel left %d bytes behind an end", len(b))
				}
			}
			if there != 3 {
				t.Errorf("%d of the old log's lines lie in space that was never written", there)
			}
		})
	}
}
