package kernel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"telltale/acquire/bounded"
	"telltale/internal/state"
)

// Limits of the kernel's log.
const (
	maxLog    = 64 << 20 // bytes: log_buf_len is 16 MiB at most on ordinary machines
	maxRecord = 16 << 10 // bytes of one record as /dev/kmsg gives it: PRINTKRB_RECORD_MAX is 1024 and may grow by escapes
	maxKept   = 100      // lines on taint
)

// kmsg keeps the whole ring buffer, as /dev/kmsg or else syslog(2) gives it. Reading takes nothing out of it.
func (f *facts) kmsg(ctx context.Context) error {
	raw, records, err := ringBuffer(ctx)
	if err != nil {
		f.out.Failed("the kernel's log by /dev/kmsg", err)
	}
	if len(raw) == 0 {
		if raw, err = bounded.Within(bounded.Patience, oldLog); err != nil {
			f.out.Failed("the kernel's log by syslog(2)", err)
			return nil
		}
	}
	f.log = records
	for _, r := range records {
		if r.facility == 0 {
			if err := f.out.Record(state.LogFile, &state.Said{At: f.box.Boot.Add(r.since).UTC().Format(time.RFC3339Nano), Text: state.Text([]byte(r.text), maxRecord)}); err != nil {
				return err
			}
		}
		if r.onTaint() && len(f.k.TaintedBy) < maxKept {
			f.k.TaintedBy = append(f.k.TaintedBy, r.text)
		}
	}
	return f.out.File("kernel/kmsg", int64(len(raw)), time.Time{}, bytes.NewReader(raw))
}

// ringBuffer reads records until there is none. Package os is not used, as it would wait for the next.
func ringBuffer(ctx context.Context) (raw []byte, records []record, err error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != unix.Mkdev(1, 11) {
		return nil, nil, errors.New("/dev/kmsg is not the device 1:11")
	}
	buf := make([]byte, maxRecord)
	for lost := 0; ; {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN), err == nil && n == 0:
			return raw, records, nil
		case errors.Is(err, unix.EPIPE) && lost < 1000: // overwritten while we read: go on behind it
			lost++
			continue
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return raw, records, err
		}
		raw = append(raw, buf[:n]...)
		if r, ok := parseRecord(buf[:n]); ok {
			records = append(records, r)
		}
		if len(raw) > maxLog || ctx.Err() != nil {
			return raw, records, fmt.Errorf("cut after %d bytes", len(raw))
		}
	}
}

// oldLog reads the ring buffer by syslog(2), which gives text alone.
func oldLog() ([]byte, error) {
	size, err := unix.Klogctl(unix.SYSLOG_ACTION_SIZE_BUFFER, nil)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, min(max(size, 0), maxLog))
	n, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, buf)
	if err != nil {
		return nil, err
	}
	return buf[:min(max(n, 0), len(buf))], nil
}
