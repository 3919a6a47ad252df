package mailqueue

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"telltale/acquire"
	"telltale/internal/state"
)

type kept struct {
	queues map[string]*state.Queue
	fails  []string
}

func (k *kept) Record(file string, v any) error {
	if q, ok := v.(*state.Queue); ok && file == state.QueueFile {
		k.queues[q.Name] = q
	}
	return nil
}
func (k *kept) File(string, int64, time.Time, io.Reader) error { return nil }
func (k *kept) Failed(what string, err error)                  { k.fails = append(k.fails, fmt.Sprint(what, err)) }

func write(t *testing.T, root, name, content string) string {
	t.Helper()
	p := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestQueues(t *testing.T) {
	root := t.TempDir()
	for i := range 30 {
		p := write(t, root, fmt.Sprintf("var/spool/postfix/maildrop/A1B2C3D4%02d", i), "")
		if os.Geteuid() == 0 {
			os.Chown(p, 33, 33)
		}
		p = write(t, root, fmt.Sprintf("var/spool/postfix/deferred/A/A1B2C3D4%02d", i), "")
		if later := time.Now().Add(time.Hour); os.Chtimes(p, later, later) != nil { // when it will be tried again
			t.Fatal(p)
		}
	}
	write(t, root, "var/spool/exim4/input/1rXyZa-0000Ab-2C-H", "1rXyZa-0000Ab-2C-H\nbob 1000 1000\n")
	write(t, root, "var/spool/exim4/input/1rXyZa-0000Ab-2C-D", "")
	os.Symlink("/proc", filepath.Join(root, "var/spool/postfix/hold"))
	k := &kept{queues: map[string]*state.Queue{}}
	if err := New("x").Take(t.Context(), &acquire.Box{Root: root}, k); err != nil {
		t.Fatal(err)
	}
	drop, later, exim := k.queues["postfix maildrop"], k.queues["postfix deferred"], k.queues["exim4"]
	if drop == nil || later == nil || exim == nil || k.queues["postfix hold"] != nil {
		t.Fatalf("%+v %v", k.queues, k.fails)
	}
	if drop.Mails != 30 || drop.Last != 30 || drop.Hour != 30 || len(drop.Senders) != 1 || os.Geteuid() == 0 && drop.Senders[0].UID != 33 {
		t.Errorf("%+v", drop)
	}
	if later.Mails != 30 || later.Hour != 30 || len(later.Senders) != 0 {
		t.Errorf("%+v", later)
	}
	if exim.Mails != 1 || exim.Hour != 0 || len(exim.Senders) != 1 || exim.Senders[0].UID != 1000 {
		t.Errorf("%+v", exim)
	}
}
