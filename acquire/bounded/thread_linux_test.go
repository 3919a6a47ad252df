package bounded_test

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
)

func TestThreadIsNeverTheFirst(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		tid, err := bounded.Thread(time.Second, func() (int, error) { return unix.Gettid(), nil })
		if err != nil || tid == os.Getpid() {
			t.Fatal(tid, err)
		}
		seen[tid] = true
	}
	if len(seen) < 2 {
		t.Error("the thread did not end")
	}
}
