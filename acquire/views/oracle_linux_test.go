package views

import (
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func testOracle(t testing.TB) *oracle {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	o, err := newOracle(os.Getpid())
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(o.close)
	return o
}

func TestOracleIsRightAndFast(t *testing.T) {
	o := testOracle(t)
	began := time.Now()
	count := 0
	for n := 1; n < 32768; n++ {
		taken, err := o.taken(n)
		if err != nil {
			t.Fatalf("%d: %v", n, err)
		}
		if taken {
			count++
		}
	}
	t.Logf("32767 numbers in %v, %d taken", time.Since(began), count)
	for _, n := range []int{1, os.Getpid(), unix.Gettid(), os.Getppid()} {
		if taken, err := o.taken(n); !taken || err != nil {
			t.Errorf("%d is free: %v", n, err)
		}
	}
	if _, err := o.taken(1 << 30); err == nil {
		t.Error("a number beyond pid_max was not refused")
	}
}
