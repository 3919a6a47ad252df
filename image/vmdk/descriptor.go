package vmdk

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"telltale/image"
)

const (
	descriptorMark = "# Disk DescriptorFile"
	noParent       = "ffffffff" // parentCID of a disk that stands alone
	maxDescriptor  = 1 << 20    // bytes; a disk of 2,000 extents has 100 KB
	maxFields      = 200
	maxExtents     = 20_000
)

// descriptor is the text that describes a disk.
type descriptor struct {
	fields  []image.Fact
	extents []line
}

// line is an extent as the descriptor gives it: sectors of the disk, from offset of the file on.
type line struct {
	sectors, offset int64
	kind, name      string
}

func (d *descriptor) value(key string) string {
	for _, f := range d.fields {
		if strings.EqualFold(f.Name, key) {
			return f.Value
		}
	}
	return ""
}

func isDescriptor(head []byte) bool {
	h := bytes.TrimLeft(head[:min(len(head), sector)], " \t\r\n")
	return len(h) >= len(descriptorMark) && strings.EqualFold(string(h[:len(descriptorMark)]), descriptorMark)
}

// parse reads a descriptor: lines "key = value", and those of extents,
// "RW 4192256 SPARSE "disk-s001.vmdk"" with an offset for flat ones.
func parse(text []byte) (d descriptor, err error) {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	for l := range strings.Lines(string(text)) {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(l, " ")
		switch word {
		case "RW", "RDONLY", "NOACCESS":
			e, err := parseExtent(rest)
			if err != nil {
				return d, err
			}
			if len(d.extents) == maxExtents {
				return d, errors.New("too many extents")
			}
			d.extents = append(d.extents, e)
			continue
		}
		if k, v, ok := strings.Cut(l, "="); ok && len(d.fields) < maxFields {
			d.fields = append(d.fields, image.Fact{Name: strings.TrimSpace(k), Value: strings.Trim(strings.TrimSpace(v), `"`)})
		}
	}
	return d, nil
}

func parseExtent(s string) (l line, err error) {
	s = strings.TrimSpace(s)
	count, s, _ := strings.Cut(s, " ")
	if l.sectors, err = strconv.ParseInt(count, 10, 64); err != nil || l.sectors < 0 || l.sectors > maxSectors {
		return l, errors.New("an extent of " + strconv.Quote(count) + " sectors")
	}
	l.kind, s, _ = strings.Cut(strings.TrimSpace(s), " ")
	s = strings.TrimSpace(s)
	if l.kind == "ZERO" {
		return l, nil
	}
	if len(s) < 2 || s[0] != '"' {
		return l, errors.New("an extent without a name")
	}
	name, after, ok := strings.Cut(s[1:], `"`)
	if !ok {
		return l, errors.New("an extent without the end of its name")
	}
	l.name = name
	if f := strings.Fields(after); len(f) > 0 {
		if l.offset, err = strconv.ParseInt(f[0], 10, 64); err != nil || l.offset < 0 || l.offset > maxSectors {
			return l, errors.New("an extent at offset " + strconv.Quote(f[0]))
		}
	}
	return l, nil
}
