package contain

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"telltale/acquire/internal/procread"
)

// resolverFiles are where resolvers are named, after resolv.conf(5), systemd-resolved(8), NetworkManager(8), resolvconf(8).
// /etc's is often a link to one of the others, and is not followed.
var resolverFiles = []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/NetworkManager/resolv.conf", "/run/resolvconf/resolv.conf"}

// maxResolvers is twice what the C library asks (MAXNS is 3).
const maxResolvers = 6

// Resolvers gives the name servers that the machine's files name. Whoever is root may have put his own there, so they are
// to be shown before they are allowed; a resolver carries a tunnel, too.
func Resolvers() ([]netip.Addr, error) {
	var out []netip.Addr
	var errs error
	for _, f := range resolverFiles {
		b, err := procread.File(f, procread.SmallFile)
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ELOOP) {
			errs = procread.Join(errs, err)
		}
		out = append(out, nameservers(b)...)
	}
	slices.SortFunc(out, netip.Addr.Compare)
	out = slices.Compact(out)
	if len(out) > maxResolvers {
		return nil, errors.New("more name servers are named than a machine has")
	}
	if len(out) == 0 && errs == nil {
		errs = errors.New("no name server but the machine itself is named in its files")
	}
	return out, errs
}

// nameservers reads resolv.conf(5). What runs on the machine itself is reached by loopback.
func nameservers(b []byte) (out []netip.Addr) {
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(f[1]); err == nil && !a.Unmap().IsLoopback() && !a.IsUnspecified() {
			out = append(out, a.Unmap().WithZone(""))
		}
	}
	return out
}
