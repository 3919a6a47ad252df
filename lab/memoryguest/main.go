//go:build linux

// Command memoryguest is what runs in the guest of memory-image.sh: programs that do what intruders' programs do, each by one
// word of the command line. Nothing in it does harm; all of it ends with the guest.
package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("what to do is missing"))
	}
	switch os.Args[1] {
	case "stay":
	case "memfd": // runs itself from memory, by a name of a thread of the kernel
		memfd()
	case "as": // as UID PROGRAM ARGUMENTS
		uid, err := strconv.Atoi(os.Args[2])
		fail(err)
		fail(unix.Setgid(uid))
		fail(unix.Setuid(uid))
		fail(unix.Exec(os.Args[3], os.Args[3:], os.Environ()))
	case "rwx":
		rwx()
	case "listen":
		l, err := net.Listen("tcp", os.Args[2])
		fail(err)
		go accept(l)
	case "connect":
		c, err := net.Dial("tcp", os.Args[2])
		fail(err)
		defer c.Close()
	case "udp":
		c, err := net.ListenPacket("udp", os.Args[2])
		fail(err)
		defer c.Close()
	case "packet": // all packets, and ICMP
		_, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, unix.ETH_P_ALL<<8)
		fail(err)
		_, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
		fail(err)
	case "bpf": // a program that could write into others' memory; it is attached to nothing
		bpf()
	case "held": // a file that is open and gone
		f, err := os.Create(os.Args[2])
		fail(err)
		_, err = f.WriteString("what was in it\n")
		fail(err)
		fail(os.Remove(os.Args[2]))
	default:
		fail(fmt.Errorf("%q is not known", os.Args[1]))
	}
	for {
		time.Sleep(time.Hour)
	}
}

func accept(l net.Listener) {
	var held []net.Conn
	for {
		c, err := l.Accept()
		fail(err)
		held = append(held, c)
	}
}

func memfd() {
	fd, err := unix.MemfdCreate("upd", unix.MFD_CLOEXEC)
	fail(err)
	b, err := os.ReadFile("/proc/self/exe")
	fail(err)
	_, err = unix.Write(fd, b)
	fail(err)
	fail(unix.Exec(fmt.Sprintf("/proc/self/fd/%d", fd), []string{"[kworker/9:9]", "stay"}, os.Environ()))
}

// rwx makes memory that can be written and run.
func rwx() {
	b, err := unix.Mmap(-1, 0, 4*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	fail(err)
	copy(b, "telltale-rwx-mark")
}

// bpf loads a program of type kprobe that calls bpf_probe_write_user.
func bpf() {
	code := []byte{
		0x7a, 0x0a, 0xf8, 0xff, 0, 0, 0, 0, // *(u64 *)(r10 - 8) = 0
		0xb7, 0x01, 0, 0, 0, 0, 0, 0, // r1 = 0
		0xbf, 0xa2, 0, 0, 0, 0, 0, 0, // r2 = r10
		0x07, 0x02, 0, 0, 0xf8, 0xff, 0xff, 0xff, // r2 += -8
		0xb7, 0x03, 0, 0, 8, 0, 0, 0, // r3 = 8
		0x85, 0, 0, 0, 36, 0, 0, 0, // call bpf_probe_write_user
		0xb7, 0, 0, 0, 0, 0, 0, 0, // r0 = 0
		0x95, 0, 0, 0, 0, 0, 0, 0, // exit
	}
	license := []byte("GPL\x00")
	attr := make([]byte, 128) // union bpf_attr, BPF_PROG_LOAD
	binary.LittleEndian.PutUint32(attr, 2)
	binary.LittleEndian.PutUint32(attr[4:], uint32(len(code)/8))
	binary.LittleEndian.PutUint64(attr[8:], uint64(uintptr(unsafe.Pointer(&code[0]))))
	binary.LittleEndian.PutUint64(attr[16:], uint64(uintptr(unsafe.Pointer(&license[0]))))
	copy(attr[48:], "telltale_mark")
	const load = 5
	fd, _, errno := unix.Syscall(unix.SYS_BPF, load, uintptr(unsafe.Pointer(&attr[0])), uintptr(len(attr)))
	if errno != 0 {
		fail(errno)
	}
	kept = int(fd)
	runtime.KeepAlive(code)
	runtime.KeepAlive(license)
}

var kept int // the descriptor, for the program lives as long as it is open

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL", err)
		os.Exit(1)
	}
}
