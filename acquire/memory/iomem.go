package memory

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

const (
	pageSize  = 4096      // bytes; ranges are cut to it even where pages are larger
	maxRanges = 1 << 12   // of System RAM; machines have tens
	maxPhys   = 1<<52 - 1 // the most that x86-64 and arm64 address
)

// ErrHidden says that the kernel shows zeros instead of addresses.
var ErrHidden = errors.New("the kernel shows no addresses: CAP_SYS_ADMIN is missing")

// Range is a range of physical memory, in bytes, whole pages.
type Range struct{ Start, End uint64 } // End is inclusive, as in iomem and LiME

// Len gives its bytes.
func (r Range) Len() uint64 { return r.End - r.Start + 1 }

// parseIomem gives the System RAM of /proc/iomem (kernel/resource.c, r_show): lines "start-end : name", indented by
// their depth. Memory that was added later ("System RAM (kmem)") stands below its device. Pages that are RAM in part are left out
// at the edges, for no source gives them; how many bytes that are is told.
func parseIomem(b []byte) (ranges []Range, cut uint64, err error) {
	zeros := 0
	for line := range strings.Lines(string(b)) {
		where, name, ok := strings.Cut(strings.TrimSpace(line), " : ")
		if !ok || !strings.HasPrefix(name, "System RAM") {
			continue
		}
		from, to, ok := strings.Cut(where, "-")
		start, err1 := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		switch {
		case !ok || err1 != nil || err2 != nil || end < start || end > maxPhys:
			return nil, 0, fmt.Errorf("iomem: %q", strings.TrimSpace(line))
		case end == 0:
			zeros++
			continue
		case len(ranges) == maxRanges:
			return nil, 0, fmt.Errorf("iomem: more than %d ranges", maxRanges)
		}
		r := Range{(start + pageSize - 1) &^ (pageSize - 1), (end+1)&^(pageSize-1) - 1}
		if end+1 < pageSize || r.Start > r.End {
			cut += end - start + 1
			continue
		}
		cut += (end - start + 1) - r.Len()
		ranges = append(ranges, r)
	}
	if len(ranges) == 0 && zeros > 0 {
		return nil, 0, fmt.Errorf("iomem: %w", ErrHidden)
	}
	if len(ranges) == 0 {
		return nil, 0, errors.New("iomem: no System RAM")
	}
	return merge(ranges), cut, nil
}

// merge sorts ranges and joins those that overlap or touch.
func merge(ranges []Range) []Range {
	sort.Slice(ranges, func(i, j int) bool { return ranges[i].Start < ranges[j].Start })
	out := ranges[:1]
	for _, r := range ranges[1:] {
		if last := &out[len(out)-1]; r.Start <= last.End+1 {
			last.End = max(last.End, r.End)
		} else {
			out = append(out, r)
		}
	}
	return out
}
