package lvm

import (
	"errors"
	"fmt"
	"time"

	"telltale/evidence"
)

const (
	maxExtent = 1 << 40 // bytes of one extent; LVM's default is 4 MiB
	maxBytes  = 1 << 60 // bytes of any volume
)

// group is a volume group as one metadata text describes it.
type group struct {
	name, id    string
	seqno       int64
	written     evidence.Time
	description string // the command that wrote it
	extent      int64  // bytes
	devices     map[string]*device
	lvs         map[string]*logical
	order       []string // of lvs
}

// device is a physical volume as its group knows it: pv0, pv1...
type device struct {
	name, id, path string
	start          int64 // bytes to the first extent
	away           bool  // it was missing when the group last changed
}

// logical is a logical volume.
type logical struct {
	name     string
	visible  bool // others are parts of some volume: images, pools' data
	created  evidence.Time
	segments []segment
}

// segment is a run of extents of one type.
type segment struct {
	start, count int64 // extents
	kind         string
	conf         *section
}

// parseGroup reads a metadata text.
func parseGroup(text []byte) (*group, error) {
	top, err := parseText(text)
	if err != nil {
		return nil, err
	}
	for _, name := range top.names {
		if s := top.sub(name); s.text("id") != "" {
			g := &group{name: name, id: s.text("id"), seqno: s.number("seqno"), description: top.text("description"), written: when(top.number("creation_time"))}
			return g, g.fill(s)
		}
	}
	return nil, fmt.Errorf("%w: it has no volume group", errText)
}

func when(sec int64) evidence.Time {
	if sec <= 0 || sec > 1<<40 {
		return evidence.Time{}
	}
	return evidence.Unix(sec, 0, time.Second)
}

func (g *group) fill(s *section) error {
	size := s.number("extent_size")
	if size <= 0 || size > maxExtent/sector {
		return fmt.Errorf("group %q has extents of %d sectors", g.name, size)
	}
	g.extent = size * sector
	g.devices, g.lvs = map[string]*device{}, map[string]*logical{}
	if pvs := s.sub("physical_volumes"); pvs != nil {
		for _, n := range pvs.names {
			p := pvs.sub(n)
			d := &device{name: n, id: plain(p.text("id")), path: p.text("device"), away: p.has("flags", "MISSING")}
			if at := p.number("pe_start"); at >= 0 && at <= maxBytes/sector {
				d.start = at * sector
			} else {
				return fmt.Errorf("physical volume %q begins at sector %d", n, at)
			}
			g.devices[n] = d
		}
	}
	lvs := s.sub("logical_volumes")
	if lvs == nil {
		return nil
	}
	for _, n := range lvs.names {
		l, err := parseLogical(n, lvs.sub(n))
		if err != nil {
			return err
		}
		g.lvs[n] = l
	}
	g.order = lvs.names
	return nil
}

func parseLogical(name string, s *section) (*logical, error) {
	l := &logical{name: name, visible: s.has("status", "VISIBLE"), created: when(s.number("creation_time"))}
	for _, n := range s.names {
		c := s.sub(n)
		seg := segment{start: c.number("start_extent"), count: c.number("extent_count"), kind: kindOf(c.text("type")), conf: c}
		if seg.kind == "" {
			continue // no segment: tags and the like have no type
		}
		if seg.start < 0 || seg.count <= 0 {
			return nil, fmt.Errorf("volume %q: segment %q has %d extents from %d on", name, n, seg.count, seg.start)
		}
		l.segments = append(l.segments, seg)
	}
	return l, nil
}

// kindOf takes the flags off a type: "raid0+FLAG".
func kindOf(s string) string {
	for i := range len(s) {
		if s[i] == '+' {
			return s[:i]
		}
	}
	return s
}

// plain gives an id without the hyphens that the text has and the label has not.
func plain(id string) string {
	b := make([]byte, 0, len(id))
	for i := range len(id) {
		if id[i] != '-' {
			b = append(b, id[i])
		}
	}
	return string(b)
}

// bytes gives a count of extents in bytes.
func (g *group) bytes(extents int64) (int64, error) {
	if extents < 0 || extents > maxBytes/g.extent {
		return 0, fmt.Errorf("%d extents of %d bytes: %w", extents, g.extent, errTooBig)
	}
	return extents * g.extent, nil
}

var errTooBig = errors.New("more than any volume has")
