package acquire

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// keptFiles are what the kernel says beside processes and sockets: neighbours, routes, tracked connections, timers; proc(5).
var keptFiles = []string{"net/arp", "net/route", "net/ipv6_route", "net/if_inet6", "net/dev", "net/snmp", "net/netstat", "net/nf_conntrack", "net/ip_tables_names", "net/ip6_tables_names", "net/wireless", "net/igmp", "net/sockstat", "net/sockstat6", "net/protocols",
	"timer_list", "uptime", "loadavg", "interrupts", "swaps", "diskstats", "cmdline", "version", "mounts", "keys", "crypto"}

// Kept gives the step that keeps files of the kernel as they are, for people and other programs to read.
func Kept() Step {
	return Step{Name: "kept", Doc: "neighbours, routes, tracked connections, timers, as the kernel writes them", Quick: true, Take: func(ctx context.Context, b *Box, out Out) error {
		for _, name := range keptFiles {
			if err := ctx.Err(); err != nil {
				return err
			}
			f, err := os.OpenFile(b.Proc+"/"+name, os.O_RDONLY|unix.O_NONBLOCK, 0)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err == nil {
				err = out.File("proc/"+name, -1, time.Now(), io.LimitReader(f, maxKept))
				f.Close()
			}
			if err != nil {
				out.Failed("/proc/"+name, err)
			}
		}
		return nil
	}}
}

// maxKept bounds one of these files, bytes.
const maxKept = 32 << 20
