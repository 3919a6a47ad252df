package netlink

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestLinksOfThisMachine(t *testing.T) {
	names := map[string]bool{}
	err := Dump(unix.NETLINK_ROUTE, unix.RTM_GETLINK, make([]byte, unix.SizeofIfInfomsg), func(typ uint16, body []byte) error {
		if typ == unix.RTM_NEWLINK && len(body) > unix.SizeofIfInfomsg {
			Attrs(body[unix.SizeofIfInfomsg:], func(typ uint16, v []byte) {
				if typ == unix.IFLA_IFNAME {
					names[Text(v)] = true
				}
			})
		}
		return nil
	})
	if err != nil || !names["lo"] {
		t.Errorf("%v %v", names, err)
	}
	if err := Dump(unix.NETLINK_ROUTE, 0xfff0, nil, func(uint16, []byte) error { return nil }); err == nil {
		t.Error("an unknown request was answered")
	}
}
