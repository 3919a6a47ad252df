package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Commands of bpf(2) that ask (enum bpf_cmd). No other is ever called.
const (
	cmdObjGet        = 7
	cmdProgNextID    = 11
	cmdMapNextID     = 12
	cmdProgFD        = 13
	cmdInfo          = 15
	cmdProgQuery     = 16
	cmdBTFNextID     = 23
	cmdLinkFD        = 30
	cmdLinkNextID    = 31
	maxIDs           = 100_000
	maxProgramBytes  = 8 << 20 // a million instructions: BPF_COMPLEXITY_LIMIT_INSNS
	maxFunctions     = 4096
	attachTypesAsked = 48 // of enum bpf_attach_type, from 0 on
)

// bpfCall is one call with a union bpf_attr; what the kernel writes is in attr after.
func bpfCall(cmd int, attr []byte) (int, error) {
	var pin runtime.Pinner
	pin.Pin(&attr[0])
	defer pin.Unpin()
	for try := 0; ; try++ {
		r, _, e := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(unsafe.Pointer(&attr[0])), uintptr(len(attr)))
		if (e == unix.EINTR || e == unix.EAGAIN) && try < 8 {
			continue
		}
		if e != 0 {
			return -1, e
		}
		return int(r), nil
	}
}

// ids gives all ids of a kind. Each is greater than the one before, or the kernel's list has no end.
func ids(cmd int) ([]uint32, error) {
	var all []uint32
	attr := make([]byte, 12) // start_id, next_id, open_flags
	for last := uint32(0); len(all) < maxIDs; {
		binary.NativeEndian.PutUint32(attr, last)
		if _, err := bpfCall(cmd, attr); errors.Is(err, unix.ENOENT) {
			return all, nil
		} else if err != nil {
			return all, err
		}
		next := binary.NativeEndian.Uint32(attr[4:])
		if next <= last {
			return all, fmt.Errorf("id %d follows %d", next, last)
		}
		last = next
		all = append(all, next)
	}
	return all, fmt.Errorf("more than %d", maxIDs)
}

// byID opens an object by its id.
func byID(cmd int, id uint32) (int, error) {
	attr := make([]byte, 12)
	binary.NativeEndian.PutUint32(attr, id)
	return bpfCall(cmd, attr)
}

// info fills in the description of an open object.
func info(fd int, out []byte) error {
	var pin runtime.Pinner
	pin.Pin(&out[0])
	defer pin.Unpin()
	attr := make([]byte, 16) // bpf_fd, info_len, info
	binary.NativeEndian.PutUint32(attr, uint32(fd))
	binary.NativeEndian.PutUint32(attr[4:], uint32(len(out)))
	binary.NativeEndian.PutUint64(attr[8:], uint64(uintptr(unsafe.Pointer(&out[0]))))
	_, err := bpfCall(cmdInfo, attr)
	return err
}

// program describes an open program, with its translated instructions and the addresses of its functions where the
// kernel gives them.
func program(fd int) (p progInfo, code []byte, functions []uint64, err error) {
	b := make([]byte, progInfoSize)
	if err := info(fd, b); err != nil {
		return p, nil, nil, err
	}
	p, _ = decodeProg(b)
	size, count := min(int(p.translated), maxProgramBytes), min(int(p.functions), maxFunctions)
	if size <= 0 && count == 0 {
		return p, nil, nil, nil
	}
	code, addrs := make([]byte, max(size, 8)), make([]byte, 8*max(count, 1))
	var pin runtime.Pinner
	pin.Pin(&code[0])
	pin.Pin(&addrs[0])
	defer pin.Unpin()
	b = make([]byte, progInfoSize)
	binary.NativeEndian.PutUint32(b[progXlatedLen:], uint32(size))
	binary.NativeEndian.PutUint64(b[progXlated:], uint64(uintptr(unsafe.Pointer(&code[0]))))
	binary.NativeEndian.PutUint32(b[progNrKsyms:], uint32(count))
	binary.NativeEndian.PutUint64(b[progKsyms:], uint64(uintptr(unsafe.Pointer(&addrs[0]))))
	if err := info(fd, b); err != nil {
		return p, nil, nil, nil // what was had without is enough
	}
	if binary.NativeEndian.Uint64(b[progXlated:]) == 0 { // the kernel takes the pointer away where it may not tell
		code = nil
	}
	if binary.NativeEndian.Uint64(b[progKsyms:]) != 0 {
		for i := range count {
			functions = append(functions, binary.NativeEndian.Uint64(addrs[8*i:]))
		}
	}
	return p, code, functions, nil
}

// link describes an open link.
func link(fd int) (linkInfo, error) {
	b, text := make([]byte, linkInfoSize), make([]byte, 256)
	if err := info(fd, b); err != nil {
		return linkInfo{}, err
	}
	if pointer, length := linkText(b); pointer != 0 {
		var pin runtime.Pinner
		pin.Pin(&text[0])
		defer pin.Unpin()
		named := make([]byte, linkInfoSize)
		binary.NativeEndian.PutUint64(named[pointer:], uint64(uintptr(unsafe.Pointer(&text[0]))))
		binary.NativeEndian.PutUint32(named[length:], uint32(len(text)))
		if info(fd, named) == nil {
			b = named
		}
	}
	l, _ := decodeLink(b, unix.ByteSliceToString(text))
	return l, nil
}

// attached gives the programs on a control group for one attach type.
func attached(group int, attach uint32) []uint32 {
	list := make([]byte, 4*64)
	var pin runtime.Pinner
	pin.Pin(&list[0])
	defer pin.Unpin()
	attr := make([]byte, 32) // target_fd, attach_type, query_flags, attach_flags, prog_ids, prog_cnt
	binary.NativeEndian.PutUint32(attr, uint32(group))
	binary.NativeEndian.PutUint32(attr[4:], attach)
	binary.NativeEndian.PutUint64(attr[16:], uint64(uintptr(unsafe.Pointer(&list[0]))))
	binary.NativeEndian.PutUint32(attr[24:], 64)
	if _, err := bpfCall(cmdProgQuery, attr); err != nil {
		return nil
	}
	var all []uint32
	for i := range min(int(binary.NativeEndian.Uint32(attr[24:])), 64) {
		all = append(all, binary.NativeEndian.Uint32(list[4*i:]))
	}
	return all
}

// pinned opens an object that is pinned at a path.
func pinned(path string) (int, error) {
	name := append([]byte(path), 0)
	var pin runtime.Pinner
	pin.Pin(&name[0])
	defer pin.Unpin()
	attr := make([]byte, 16) // pathname, bpf_fd, file_flags
	binary.NativeEndian.PutUint64(attr, uint64(uintptr(unsafe.Pointer(&name[0]))))
	binary.NativeEndian.PutUint32(attr[12:], unix.BPF_F_RDONLY)
	fd, err := bpfCall(cmdObjGet, attr)
	if errors.Is(err, unix.EINVAL) { // a link is not to be had for reading alone
		binary.NativeEndian.PutUint32(attr[12:], 0)
		fd, err = bpfCall(cmdObjGet, attr)
	}
	return fd, err
}
