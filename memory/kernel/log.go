package kernel

import (
	"fmt"
	"strings"

	"telltale/internal/state"
)

// Bounds of the kernel's log.
const (
	maxRecords = 1 << 20
	maxRecord  = 16 << 10 // bytes: PRINTKRB_RECORD_MAX is 1024
	maxLogBits = 30
	maxLog     = 64 << 20 // bytes of text in all: log_buf_len is 16 MiB at most on ordinary machines
	maxTainted = 100
)

// The ring buffer of 5.10 and later (kernel/printk/printk_ringbuffer.h).
const (
	flagShift   = 62 // DESC_FLAGS_SHIFT on 64 bits
	committed   = 1
	finalized   = 2
	reusable    = 3
	blockHeader = 8 // struct prb_data_block's id
)

// log tells what the kernel said, out of its ring buffer. What programs wrote there is left out: only the kernel itself is of facility 0.
func (k *Kernel) log(c clock, out *State) {
	var read func(func(ns uint64, facility uint8, text []byte)) (int, string)
	switch {
	case k.symbol("prb") != 0 && k.size("printk_ringbuffer") > 0:
		read = k.ring
	case k.symbol("log_buf") != 0 && k.size("printk_log") > 0:
		read = k.oldRing
	default:
		out.fail("the kernel's log", "the kernel does not tell where it is")
		return
	}
	kept := 0
	broken, why := read(func(ns uint64, facility uint8, text []byte) {
		if kept += 64 + len(text); facility != 0 || kept > maxLog {
			return
		}
		s := state.Said{At: c.since(ns), Text: state.Text(text, maxRecord)}
		if strings.Contains(s.Text, "aint") && len(out.Kernel.TaintedBy) < maxTainted {
			out.Kernel.TaintedBy = append(out.Kernel.TaintedBy, s.Text)
		}
		out.Said = append(out.Said, s)
	})
	if broken > 0 {
		out.fail("the kernel's log", fmt.Sprintf("%d of its records were just written, or are not in the dump", broken))
	}
	if kept > maxLog {
		why = fmt.Sprintf("it is longer than %d bytes: the rest is not told", maxLog)
	}
	if why != "" {
		out.fail("the kernel's log", why)
	}
}

// ring reads the ring buffer of descriptors and text.
func (k *Kernel) ring(each func(ns uint64, facility uint8, text []byte)) (broken int, why string) {
	at, _ := k.u64(k.symbol("prb"))
	rb := k.object("printk_ringbuffer", at)
	descs, data := rb.in("desc_ring"), rb.in("text_data_ring")
	bits, size := descs.u32("count_bits"), data.u32("size_bits")
	if !rb.there() || bits == 0 || bits > 20 || size == 0 || size > maxLogBits {
		return 0, "it is not in the dump"
	}
	count := uint64(1) << bits
	desc, info := k.size("prb_desc"), k.size("printk_info")
	head, tail := descs.uint("head_id.counter"), descs.uint("tail_id.counter")
	const ids = 1<<flagShift - 1
	for id := tail; ; id = (id + 1) & ids {
		i := id & (count - 1)
		d := object{k, "prb_desc", descs.uint("descs") + i*desc}
		x := object{k, "printk_info", descs.uint("infos") + i*info}
		sv := d.uint("state_var.counter")
		switch st := sv >> flagShift; {
		case st == reusable:
		case st != committed && st != finalized || sv&ids != id:
			broken++
		default:
			if text, ok := k.logText(d, x, data.uint("data"), size); !ok {
				broken++
			} else if len(text) > 0 {
				each(x.uint("ts_nsec"), uint8(x.u32("facility")), text)
			}
		}
		if id == head || (id-tail)&ids >= count {
			return broken, ""
		}
	}
}

// logText reads a record's text out of the ring of 1<<bits bytes.
func (k *Kernel) logText(desc, info object, data uint64, bits uint32) ([]byte, bool) {
	begin, next := desc.uint("text_blk_lpos.begin"), desc.uint("text_blk_lpos.next")
	mask := uint64(1)<<bits - 1
	n := min(uint64(info.u32("text_len")), maxRecord, mask)
	if begin&1 != 0 || n == 0 { // a record without text
		return nil, true
	}
	from := begin & mask
	if begin>>bits != (next-1)>>bits { // it did not fit behind, and stands at the beginning
		from = 0
	}
	text := make([]byte, n)
	return text, k.read(text, data+from+blockHeader) == nil
}

// oldRing reads the buffer of kernels before 5.10, of records behind each other.
func (k *Kernel) oldRing(each func(ns uint64, facility uint8, text []byte)) (broken int, why string) {
	buf, _ := k.u64(k.symbol("log_buf"))
	size, _ := k.word(k.symbol("log_buf_len"))
	at, ok1 := k.word(k.symbol("log_first_idx"))
	end, ok2 := k.word(k.symbol("log_next_idx"))
	head := k.size("printk_log")
	if buf < highHalf || !ok1 || !ok2 || size > 1<<maxLogBits {
		return 0, "it is not in the dump"
	}
	for range maxRecords {
		if at == end || at >= size {
			return broken, ""
		}
		r := k.object("printk_log", buf+uint64(at))
		n := r.u32("len")
		if n == 0 { // the rest of the buffer is empty
			if at == 0 {
				return broken + 1, ""
			}
			at = 0
			continue
		}
		text := make([]byte, min(r.u32("text_len"), n))
		if k.read(text, r.addr+head) != nil {
			broken++
		} else {
			each(r.uint("ts_nsec"), uint8(r.u32("facility")), text)
		}
		at += n
	}
	return broken, ""
}
