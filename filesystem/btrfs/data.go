package btrfs

import (
	"errors"
)

const readPiece = 256 << 10 // bytes that are read and verified at once

// sumRun is a row of checksums for the sectors from an address on.
type sumRun struct {
	from int64
	sums []byte
}

// sumSource gives the checksums that there are between two addresses.
type sumSource func(from, end int64) []sumRun

// noSums is for content that has none.
func noSums(_, _ int64) []sumRun { return nil }

// liveSums reads the checksum tree. Where that is damaged content is read unverified;
// Info counts the tree's broken nodes.
func (v *volume) liveSums(from, end int64) (runs []sumRun) {
	root, ok := v.roots[treeCsum]
	if !ok {
		return nil
	}
	it, ok, err := v.before(root, key{csumObject, kindCsum, uint64(from)})
	if err == nil && ok {
		runs = appendSums(runs, it)
	}
	if len(runs) == 1 && v.covers(runs[0], end) {
		return runs
	}
	for it, err := range v.items(root, key{csumObject, kindCsum, uint64(from) + 1}, key{csumObject, kindCsum, uint64(end)}) {
		if err == nil {
			runs = appendSums(runs, it)
		}
	}
	return runs
}

func (v *volume) covers(r sumRun, end int64) bool {
	return end-r.from <= int64(len(r.sums)/v.sb.csum.size())*v.sb.sector
}

func appendSums(runs []sumRun, it item) []sumRun {
	if it.object != csumObject || it.kind != kindCsum || int64(it.offset) < 0 {
		return runs
	}
	return append(runs, sumRun{int64(it.offset), it.data})
}

// sum finds the checksum of one sector, nil if there is none.
func (v *volume) sum(runs []sumRun, logical int64) []byte {
	size := int64(v.sb.csum.size())
	for _, r := range runs {
		if logical < r.from {
			continue
		}
		if i := (logical - r.from) / v.sb.sector; i < int64(len(r.sums))/size {
			return r.sums[i*size : (i+1)*size]
		}
	}
	return nil
}

// content fills p from a logical address, verified as far as there are checksums, and
// gives how many bytes are right. Sectors are read whole because checksums are of those.
func (v *volume) content(p []byte, logical int64, sums sumSource) (int, error) {
	done, sector := 0, v.sb.sector
	for done < len(p) {
		at, rest := logical+int64(done), p[done:]
		skip := at % sector
		if skip == 0 && int64(len(rest)) >= sector {
			n := int(min(int64(len(rest)), readPiece) / sector * sector)
			good, err := v.sectors(rest[:n], at, sums)
			if done += good; err != nil {
				return done, err
			}
			continue
		}
		held := v.buffers.Get().(*[]byte)
		whole := (skip + int64(len(rest)) + sector - 1) / sector * sector
		b := (*held)[:min(whole, readPiece)]
		good, err := v.sectors(b, at-skip, sums)
		if int64(good) > skip {
			done += copy(rest, b[skip:good])
		}
		v.buffers.Put(held)
		if err != nil && (done < len(p)) {
			return done, err
		}
	}
	return done, nil
}

// sectors fills b, a row of whole sectors. One that is wrong in one mirror is taken
// from another.
func (v *volume) sectors(b []byte, logical int64, sums sumSource) (int, error) {
	sector := int(v.sb.sector)
	err := v.read(b, logical, 0)
	runs := sums(logical, logical+int64(len(b)))
	if err != nil && !errors.Is(err, errMissing) && v.mirrors(logical) == 1 && len(b) == sector {
		return 0, v.damage(logical, int64(len(b)), "content at logical address %d: %v", logical, err)
	}
	for off := 0; off < len(b); off += sector {
		p, at := b[off:off+sector], logical+int64(off)
		want := v.sum(runs, at)
		if err == nil && (want == nil || v.sb.csum.equal(want, p)) {
			continue
		}
		if e := v.sector(p, at, want, err != nil); e != nil {
			return off, e
		}
	}
	return len(b), nil
}

// sector reads one sector from whichever mirror has it right; the first is known to be
// wrong unless again says that it is only one of several whose reading failed.
func (v *volume) sector(p []byte, logical int64, want []byte, again bool) error {
	v.remember(v.spoilt, logical)
	first := 1
	if again {
		first = 0
	}
	reason := "does not match its checksum"
	for m := first; m < v.mirrors(logical); m++ {
		err := v.read(p, logical, m)
		if err == nil && (want == nil || v.sb.csum.equal(want, p)) {
			return nil
		}
		if err != nil {
			reason = err.Error()
		}
	}
	return v.damage(logical, int64(len(p)), "content at logical address %d: %s", logical, reason)
}

// sumsOf gives where the checksums of an inode's content are.
func (v *volume) sumsOf(in *inode) sumSource {
	if in.flags&inodeNoDataSum != 0 {
		return noSums
	}
	return v.liveSums
}
