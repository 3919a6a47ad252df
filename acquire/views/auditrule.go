package views

import "encoding/binary"

// Values of include/uapi/linux/audit.h.
const (
	auditListRules  = 1013
	auditFilterExit = 4
	auditAlways     = 2
	auditArch       = 11
	auditInode      = 102
	auditWatch      = 105
	auditPerm       = 106
	auditDir        = 107
	auditMaskWords  = 64 // AUDIT_BITMASK_SIZE
	auditMaxFields  = 64 // AUDIT_MAX_FIELDS
	auditRuleSize   = 4 * (3 + auditMaskWords + 3*auditMaxFields + 1)
)

// auditRule is what is taken of struct audit_rule_data: flags, action, field_count, mask, fields, values, fieldflags.
type auditRule struct {
	mask [auditMaskWords]uint32
	arch uint32 // 0: any
}

// parseAuditRule gives a rule that writes a record at the end of a call, whatever files it is about. ok is false for all
// others. Further conditions (users, programs) are not judged: the rule is taken as one that may fit us.
func parseAuditRule(b []byte) (r auditRule, ok bool) {
	if len(b) < auditRuleSize {
		return r, false
	}
	word := func(i int) uint32 { return binary.NativeEndian.Uint32(b[4*i:]) }
	if word(0)&0x7 != auditFilterExit || word(1) != auditAlways {
		return r, false
	}
	for i := range r.mask {
		r.mask[i] = word(3 + i)
	}
	const fields, values = 3 + auditMaskWords, 3 + auditMaskWords + auditMaxFields
	for i := range min(int(word(2)&0xff), auditMaxFields) {
		switch word(fields + i) {
		case auditInode, auditWatch, auditPerm, auditDir: // of files: no call of ours is
			return r, false
		case auditArch:
			r.arch = word(values + i)
		}
	}
	return r, true
}

// covers tells whether the rule logs a call of a machine.
func (r auditRule) covers(arch uint32, call int) bool {
	return (r.arch == 0 || r.arch == arch) && call >= 0 && call/32 < len(r.mask) && r.mask[call/32]>>(call%32)&1 == 1
}
