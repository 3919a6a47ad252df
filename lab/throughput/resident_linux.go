package throughput

import (
	"os"
	"syscall"
)

// resident gives the most memory that a process, or one of its children, had at a time; getrusage(2) counts in KiB.
func resident(s *os.ProcessState) int64 {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return int64(u.Maxrss) << 10
	}
	return 0
}
