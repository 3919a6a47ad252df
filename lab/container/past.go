package container

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"telltale/lab"
	"telltale/lab/tree"
)

// now gives the server's clock.
func (m *Maker) now() time.Time { return time.Now().UTC().Add(-m.vm.behind) }

// past gives the server the logs of ordinary days, written as the tree tier writes them, and lists what their times have to be
// set to for disk.sh.
func (m *Maker) past() error {
	now := m.now()
	logs, err := tree.History(m.play, m.setup, now, lab.PastDays, m.play.Past)
	if err != nil {
		return err
	}
	var times strings.Builder
	for _, l := range logs {
		if strings.Contains(l.Path, ".log.") && !m.logged(path.Dir(l.Path)) {
			continue
		}
		if err := m.put(l.Path, l.Data, os.FileMode(l.Mode), l.UID, l.GID); err != nil {
			return err
		}
		for name, t := range map[string]time.Time{"mtime": l.Last, "crtime": l.Born, "ctime": l.Last} {
			fmt.Fprintf(&times, "sif %s %s @%d\n", l.Path, name, t.Unix())
		}
	}
	return os.WriteFile(filepath.Join(m.dir, "times"), []byte(times.String()), 0o600)
}

// logged tells whether the server has a folder for logs.
func (m *Maker) logged(dir string) bool {
	_, err := os.Stat(m.tree(dir))
	return err == nil
}
