package bounded

import (
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Thread gives what f gives, as Within does, on a thread that ends with f: what f does to the thread's namespaces
// touches nothing else. It is never the first thread, for that one does not end, and /proc/self is what it sees.
func Thread[T any](d time.Duration, f func() (T, error)) (T, error) {
	return Within(d, func() (T, error) {
		runtime.LockOSThread()
		if unix.Gettid() != os.Getpid() {
			return f()
		}
		defer runtime.UnlockOSThread() // until then no other goroutine comes upon it
		return Thread(d, f)
	})
}
