package journald_test

import (
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"telltale/artifact/journald"
)

// journal builds a journal file (systemd, JOURNAL_FILE_FORMAT) with an index of its entries, without hash tables.
type journal struct {
	b       []byte
	compact bool
	keyed   bool
	pack    string
	state   byte
	entries uint64
	number  uint64
	last    uint64 // time of the last entry
	boot    byte
	booted  uint64 // microseconds since 1970
	array   []int  // offsets of entries for the index
	cut     []int  // slots of the index that are left out
	wiped   []int  // slots of the index that are zeros
	first   bool   // the index names the first array only
}

func newJournal(compact bool, pack string) *journal {
	j := &journal{b: make([]byte, 264), compact: compact, pack: pack, keyed: pack == "keyed", boot: 0xb1}
	copy(j.b, "LPKSHHRH")
	if compact {
		j.b[12] |= 16
	}
	if j.keyed {
		j.b[12] |= 4
	}
	for i := range 16 {
		j.b[24+i], j.b[72+i] = byte(i*7+1), byte(0xa0+i)
	}
	binary.LittleEndian.PutUint64(j.b[88:], 264)
	return j
}

func (j *journal) object(kind, flags byte, body []byte) int {
	for len(j.b)%8 != 0 {
		j.b = append(j.b, 0)
	}
	at := len(j.b)
	j.b = append(j.b, kind, flags, 0, 0, 0, 0, 0, 0)
	j.b = binary.LittleEndian.AppendUint64(j.b, uint64(16+len(body)))
	j.b = append(j.b, body...)
	return at
}

func (j *journal) data(s string) int {
	head := 48
	if j.compact {
		head = 56
	}
	body, flags := []byte(s), byte(0)
	if len(s) > 30 {
		switch j.pack {
		case "zstd":
			e, _ := zstd.NewWriter(nil)
			body, flags = e.EncodeAll(body, nil), 4
		case "lz4":
			out := make([]byte, lz4.CompressBlockBound(len(s)))
			n, _ := lz4.CompressBlock(body, out, nil)
			body, flags = append(binary.LittleEndian.AppendUint64(nil, uint64(len(s))), out[:n]...), 2
		}
	}
	b := make([]byte, head)
	binary.LittleEndian.PutUint64(b, journald.HashOf(j.keyed, [16]byte(j.b[24:]), []byte(s)))
	return j.object(1, flags, append(b, body...))
}

func (j *journal) entry(us uint64, fields ...string) int {
	var items []byte
	var brought []int
	for _, f := range fields {
		at := j.data(f)
		brought = append(brought, at)
		if j.compact {
			items = binary.LittleEndian.AppendUint32(items, uint32(at))
		} else {
			items = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(items, uint64(at)), 0)
		}
	}
	if j.booted == 0 {
		j.booted = us - 5e6
	}
	j.entries++
	j.number++
	j.last = us
	body := binary.LittleEndian.AppendUint64(nil, j.number)
	body = binary.LittleEndian.AppendUint64(body, us)
	body = binary.LittleEndian.AppendUint64(body, us-j.booted)
	body = append(body, make([]byte, 24)...)
	body[24] = j.boot
	at := j.object(3, 0, append(body, items...))
	j.array = append(j.array, at)
	for _, d := range brought { // each names the first entry that has it
		binary.LittleEndian.PutUint64(j.b[d+40:], uint64(at))
	}
	return at
}

// index writes the chain of arrays, of four slots each.
func (j *journal) index() {
	prev := 0
	var kept []int
	for i, at := range j.array {
		if slices.Contains(j.wiped, i) {
			at = 0
		}
		if !slices.Contains(j.cut, i) {
			kept = append(kept, at)
		}
	}
	for n, part := range slices.Collect(slices.Chunk(kept, 4)) {
		body := make([]byte, 8)
		for k := range 4 {
			at := 0
			if k < len(part) {
				at = part[k]
			}
			if j.compact {
				body = binary.LittleEndian.AppendUint32(body, uint32(at))
			} else {
				body = binary.LittleEndian.AppendUint64(body, uint64(at))
			}
		}
		at := j.object(6, 0, body)
		switch {
		case prev == 0:
			binary.LittleEndian.PutUint64(j.b[176:], uint64(at))
		case n != 1 || !j.first:
			binary.LittleEndian.PutUint64(j.b[prev+16:], uint64(at))
		default:
			binary.LittleEndian.PutUint64(j.b[prev+16:], uint64(prev))
		}
		prev = at
	}
}

func (j *journal) done() []byte {
	j.index()
	j.b[16] = j.state
	binary.LittleEndian.PutUint64(j.b[152:], j.entries)
	binary.LittleEndian.PutUint64(j.b[160:], j.number)
	binary.LittleEndian.PutUint64(j.b[192:], j.last)
	return append(j.b, make([]byte, 4096)...)
}
