package views

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"telltale/acquire"
	"telltale/acquire/netlink"
)

// auditArches are the machines as the rules name them: AUDIT_ARCH_* of include/uapi/linux/audit.h.
var auditArches = map[string]uint32{"amd64": 0xC000003E, "arm64": 0xC00000B7, "386": 0x40000003}

// auditRules are the machine's rules of audit. A sweep makes a hundred thousand calls in a second: where each would be
// logged, older records would be pushed out of the log, and with them evidence. Such calls are left out, and it is told.
type auditRules []auditRule

// readAuditRules asks the kernel for its rules. Where there is no audit, it is not asked, since it would run modprobe.
func readAuditRules(b *acquire.Box) (auditRules, error) {
	if _, err := os.Lstat(filepath.Join(b.Proc, "self/loginuid")); err != nil {
		return nil, nil
	}
	var rules auditRules
	err := netlink.Dump(unix.NETLINK_AUDIT, auditListRules, nil, func(typ uint16, body []byte) error {
		if r, ok := parseAuditRule(body); ok && typ == auditListRules && len(rules) < most {
			rules = append(rules, r)
		}
		return nil
	})
	if err != nil {
		return rules, fmt.Errorf("whether audit logs our calls cannot be told: %w", err)
	}
	return rules, nil
}

// log tells whether a rule may log one of the calls.
func (rules auditRules) log(calls ...int) error {
	for _, r := range rules {
		for _, c := range calls {
			if r.covers(auditArches[runtime.GOARCH], c) {
				return fmt.Errorf("the machine's audit logs each such call (number %d): so many would push older records out of its log", c)
			}
		}
	}
	return nil
}
