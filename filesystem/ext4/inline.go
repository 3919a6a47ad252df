package ext4

// inlineName is the attribute "system.data" in which inline content goes on behind
// the 60 bytes of i_block. It stands in the inode only.
const inlineName = "data"

// inline gives inline content up to the file's size: what stands in i_block, and the
// tail.
func (f *FS) inline(in *inode) (head, tail []byte) {
	head = in.iblock()[:min(in.size, iBlockSize)]
	if in.size > iBlockSize {
		_, tail = f.inlineTail(in)
		tail = tail[:min(int64(len(tail)), in.size-iBlockSize)]
	}
	return head, tail
}

// inlineTail gives the value of "system.data" and its offset in the record.
func (f *FS) inlineTail(in *inode) (off int, tail []byte) {
	a, ok := in.xattrArea()
	if !ok {
		return 0, nil
	}
	a.each(func(e attr) {
		if e.index != xattrSystem || string(e.name) != inlineName || e.inode != 0 || tail != nil {
			return
		}
		if v, err := a.value(e); err == nil {
			off, tail = int(a.at-in.off)+a.base+e.off, v
		}
	})
	return off, tail
}
