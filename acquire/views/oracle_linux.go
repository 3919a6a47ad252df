package views

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"telltale/acquire/namespace"
)

// The oracle asks the kernel's allocator of process numbers whether a number is taken: it wants a new process with that
// number (clone3 with set_tid) and gives a place for the process' pidfd that cannot be written. kernel_clone() does
//
//	alloc_pid(set_tid)          EEXIST: the number is taken
//	put_user(pidfd, args.pidfd) EFAULT: it was free, and is given back
//
// in this order within copy_process(), before the new task is put into any list or ever runs. So each try fails, and
// which way it fails is the answer. Root-kits that filter lists and system calls by number do not reach it.
//
// That no child can run:
//   - Kernels before 5.3 have no clone3: ENOSYS. Those before 5.5 know no set_tid and refuse a structure of this size:
//     E2BIG. All that know set_tid know CLONE_PIDFD, which is from 5.2.
//   - The page that the pidfd would be written to is mapped by us with no rights at all and stays so during the
//     calls, so that nothing else can come to lie there.
//   - The first call asks for our own number, which is taken: it cannot succeed whatever the kernel makes of the rest.
//     Only if it says EEXIST are others asked for.
//   - Should a kernel that was tampered with make a child all the same: its stack lies in pages without rights, so that
//     it dies as it returns from the call; CLONE_VFORK holds us until it has. We then stop for good and say so.
//
// Without the flags that share memory, files and signal handlers each try copies our page tables, which takes ten times
// as long. last_pid does not move, as numbers by set_tid are not drawn from it; forks are not counted.
type oracle struct {
	mem []byte // pages: arguments | nothing | nothing | nothing
}

// Values of include/uapi/linux/sched.h; the structure is clone_args as of Linux 5.5.
const (
	cloneArgsSizeVer1 = 80
	cloneFlags        = unix.CLONE_PIDFD | unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND |
		unix.CLONE_SYSVSEM | unix.CLONE_IO | unix.CLONE_VFORK
	offTID = 128 // where set_tid lies in our page, behind the structure
)

var (
	errMadeChild = errors.New("the kernel made a process where none can be made")
	errUntaken   = errors.New("the kernel says that our own number is free")
)

// newOracle makes the oracle and asks for self, our own number, which must be taken.
func newOracle(self int) (*oracle, error) {
	if mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); err == nil && mode != 0 {
		return nil, errors.New("we run under a seccomp filter, which may kill for an unusual call")
	}
	own, children := namespace.ID("/proc/self/ns/pid"), namespace.ID("/proc/self/ns/pid_for_children")
	if own != children && children != 0 { // older than Linux 4.12 has no such file
		return nil, errors.New("our children would be in another pid namespace")
	}
	page := unix.Getpagesize()
	mem, err := unix.Mmap(-1, 0, 4*page, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("map pages: %w", err)
	}
	o := &oracle{mem: mem}
	if err := unix.Mprotect(mem[:page], unix.PROT_READ|unix.PROT_WRITE); err != nil {
		o.close()
		return nil, fmt.Errorf("map pages: %w", err)
	}
	at := func(off int) uint64 { return uint64(uintptr(unsafe.Pointer(&mem[off]))) }
	for i, v := range []uint64{
		cloneFlags,
		at(3 * page), // pidfd: cannot be written
		0, 0, 0,      // child_tid, parent_tid, exit_signal
		at(page), uint64(page), // stack, its size: cannot be read
		0,             // tls
		at(offTID), 1, // set_tid, set_tid_size
	} {
		binary.NativeEndian.PutUint64(mem[8*i:], v)
	}
	taken, err := o.taken(self)
	if err == nil && !taken {
		err = errUntaken
	}
	if err != nil {
		o.close()
		return nil, fmt.Errorf("ask for our own number: %w", cannot(err))
	}
	return o, nil
}

func (o *oracle) close() { unix.Munmap(o.mem) }

// taken tells whether a process, a thread, a process group or a session has the number.
func (o *oracle) taken(n int) (bool, error) {
	binary.NativeEndian.PutUint32(o.mem[offTID:], uint32(n))
	for range 3 {
		r, _, e := unix.Syscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&o.mem[0])), cloneArgsSizeVer1, 0)
		switch e {
		case unix.EEXIST:
			return true, nil
		case unix.EFAULT:
			return false, nil
		case 0:
			unix.Wait4(int(r), nil, unix.WALL, nil)
			return false, errMadeChild
		case unix.EAGAIN, unix.ENOMEM, unix.EINTR:
			runtime.Gosched()
		default:
			return false, e
		}
	}
	return false, unix.EAGAIN
}

// cannot puts an error of clone3 into words.
func cannot(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.E2BIG), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("this kernel cannot give numbers to processes (Linux 5.5 can): %w", err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("only root of the machine may choose numbers: %w", err)
	}
	return err
}
