package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"telltale/lab"
)

// insideMark is in the environment of a process that Inside began.
const insideMark = "TELLTALE_LAB_INSIDE"

// IsInside tells whether this process may make containers: it has its own mounts, network and process ids.
func IsInside() bool { return os.Getenv(insideMark) != "" && os.Getpid() == 1 }

// Inside makes what the tier's servers start from, if it is not there yet, then runs this program again, with these words, as the first process of
// namespaces of its own, and gives its exit status. If this process is killed, so is that one, and with it everything it made.
func Inside(ctx context.Context, tier lab.Tier, args []string, in io.Reader, out, errs io.Writer) (int, error) {
	if err := Ready(); err != nil {
		return 1, err
	}
	if err := base(ctx, New().work, tier); err != nil {
		return 1, err
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	c := exec.CommandContext(ctx, "unshare", append([]string{"--mount", "--propagation", "private", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--", self}, args...)...)
	c.Env = append(os.Environ(), insideMark+"=1")
	c.Stdin, c.Stdout, c.Stderr = in, out, errs
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	err = c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, fmt.Errorf("begin namespaces: %w", err)
	}
	return 0, nil
}
