package container

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"telltale/lab"
)

// vmPackages are what a machine of its own has beside the container's: a kernel, and auditd, which containers cannot run.
const vmPackages = "linux-image-cloud-amd64,initramfs-tools,auditd,udev,kmod,zstd"

// vmNeeded is what making one takes beside Ready's.
var vmNeeded = [2]string{"qemu-system-x86_64", "qemu-system-x86"}

// ReadyVM tells whether this machine can make virtual machines. They run under software emulation: slow, but everywhere.
func ReadyVM() error {
	if err := Ready(); err != nil {
		return err
	}
	if _, err := exec.LookPath(vmNeeded[0]); err != nil {
		return fmt.Errorf("%w a virtual machine: apt-get install --no-install-recommends %s", ErrMissing, vmNeeded[1])
	}
	return nil
}

// NewVM gives a maker of virtual machines: the container's server with a kernel of its own, auditd, and a clock that is set back.
func NewVM() *Maker {
	m := New()
	m.machine = true
	return m
}

// vm is what a virtual machine has that a container has not.
type vm struct {
	behind time.Duration // how far its clock was set back
	serial string        // file with what its console said
	qmp    string        // socket of the emulator
}

func (v *vm) clock() string {
	return fmt.Sprintf("the virtual machine's own, set back by %s before it first started: everything since the boot happened at the time it shows. The days before are written: the rotated logs (*.1) and the older records of wtmp, btmp and lastlog; the installation's dates were set back by 45 and 30 days. "+
		"memory.elf.zst was taken a moment before it was switched off, the disk behind it", v.behind)
}

// eth0 gives the guest its address; there is no other machine on that cable.
const eth0 = "[Match]\nName=eth0\n[Network]\nAddress=" + serverIP + "/24\nGateway=" + gatewayIP + "\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"

// beginVM makes the server's disk, and starts it.
func (m *Maker) beginVM(ctx context.Context) (lab.Stage, error) {
	if err := ReadyVM(); err != nil {
		return nil, err
	}
	m.vm.behind = time.Duration(1+rand.New(rand.NewPCG(m.play.Seed, 77)).IntN(60*24)) * time.Hour
	if err := run(ctx, "cp", "-a", "--reflink=auto", filepath.Join(m.work, "base-vm"), m.tree("")); err != nil {
		return nil, fmt.Errorf("lay out the server: %w", err)
	}
	if err := os.Remove(m.tree(".complete")); err != nil {
		return nil, err
	}
	for _, f := range []string{"vmlinuz", "initrd.img"} {
		found, err := filepath.Glob(m.tree("boot/" + f + "-*"))
		if err != nil || len(found) != 1 {
			return nil, fmt.Errorf("the base has %d of %s", len(found), f)
		}
		if err := run(ctx, "cp", found[0], filepath.Join(m.dir, f)); err != nil {
			return nil, err
		}
	}
	if err := m.configure(ctx); err != nil {
		return nil, fmt.Errorf("set the server up: %w", err)
	}
	for _, f := range []setting{{"etc/systemd/network/10-eth0.network", eth0, 0o644}, {"etc/fstab", "/dev/vda / ext4 errors=remount-ro 0 1\n", 0o644}} {
		if err := m.put(f.path, []byte(f.text), f.mode, 0, 0); err != nil {
			return nil, err
		}
	}
	if err := m.inside(ctx, "systemctl -q enable systemd-networkd auditd"); err != nil {
		return nil, err
	}
	if err := m.past(); err != nil {
		return nil, fmt.Errorf("write the days before: %w", err)
	}
	if err := script(ctx, diskScript, m.work, m.dir, "2600", fmt.Sprint(m.now().Unix()), "base-vm", "nousr"); err != nil {
		return nil, fmt.Errorf("make the disk: %w", err)
	}
	if err := m.bootVM(ctx); err != nil {
		return nil, err
	}
	return &server{m: m}, nil
}

// bootVM makes the cable and starts the machine; it is up when its console asks for a login.
func (m *Maker) bootVM(ctx context.Context) error {
	for _, words := range []string{"link set lo up", "tuntap add v0 mode tap", "addr add " + gatewayIP + "/24 dev v0", "link set v0 up"} {
		if err := run(ctx, "ip", strings.Fields(words)...); err != nil {
			return err
		}
	}
	for _, a := range m.play.Addresses() {
		if err := run(ctx, "ip", "addr", "replace", a.String()+"/32", "dev", "lo"); err != nil {
			return err
		}
	}
	var err error
	if m.sinks, err = newSinks(); err != nil {
		return err
	}
	m.vm.serial, m.vm.qmp = filepath.Join(m.dir, "serial"), filepath.Join(m.dir, "qmp")
	if m.console, err = os.Create(filepath.Join(m.dir, "console")); err != nil {
		return err
	}
	m.server = exec.Command(vmNeeded[0], "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-m", "768", "-smp", "2", "-machine", "q35",
		"-drive", "file="+filepath.Join(m.dir, "disk.img")+",format=raw,if=virtio,cache=unsafe", "-netdev", "tap,id=n0,ifname=v0,script=no,downscript=no", "-device", "virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56",
		"-kernel", filepath.Join(m.dir, "vmlinuz"), "-initrd", filepath.Join(m.dir, "initrd.img"), "-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off quiet",
		"-rtc", "base="+m.now().Format("2006-01-02T15:04:05"), "-display", "none", "-serial", "file:"+m.vm.serial, "-qmp", "unix:"+m.vm.qmp+",server=on,wait=off", "-device", "virtio-rng-pci", "-no-reboot")
	m.server.Stdout, m.server.Stderr = m.console, m.console
	m.server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.server.Start(); err != nil {
		return fmt.Errorf("start the machine: %w", err)
	}
	for range 1200 {
		b, err := os.ReadFile(m.vm.serial)
		if err == nil && strings.Contains(string(b), m.setup.Hostname+" login:") {
			time.Sleep(15 * time.Second) // what starts behind it
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(250 * time.Millisecond)
	}
	b, _ := os.ReadFile(m.vm.serial) // what there is of it
	return fmt.Errorf("the machine did not start: %s", tail(b))
}

// ask has the emulator do something, by its own protocol (QMP).
func (m *Maker) ask(ctx context.Context, commands ...string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", m.vm.qmp)
	if err != nil {
		return err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for _, command := range append([]string{""}, append([]string{`{"execute":"qmp_capabilities"}`}, commands...)...) {
		if command != "" {
			if _, err := fmt.Fprintln(c, command); err != nil {
				return err
			}
		}
		for {
			line, err := r.ReadBytes('\n')
			if err != nil {
				return err
			}
			var answer struct {
				Return, Event, QMP json.RawMessage
				Error              *struct{ Desc string }
			}
			if err := json.Unmarshal(line, &answer); err != nil {
				return err
			}
			if answer.Error != nil {
				return errors.New(answer.Error.Desc)
			}
			if answer.Return != nil || answer.QMP != nil {
				break
			}
		}
	}
	return nil
}

// endVM takes the memory, switches the machine off in order, and writes both into a folder.
func (m *Maker) endVM(ctx context.Context, dir string) ([]string, error) {
	dump := filepath.Join(m.dir, "memory.elf")
	q, err := json.Marshal(map[string]any{"execute": "dump-guest-memory", "arguments": map[string]any{"paging": false, "protocol": "file:" + dump}})
	if err != nil {
		return nil, err
	}
	if err := m.ask(ctx, string(q), `{"execute":"system_powerdown"}`); err != nil {
		return nil, fmt.Errorf("take the memory: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- m.server.Wait() }()
	select {
	case <-done:
		m.server = nil
		if err := m.console.Close(); err != nil {
			return nil, err
		}
	case <-time.After(4 * time.Minute):
		b, _ := os.ReadFile(m.vm.serial) // what there is of it
		return nil, fmt.Errorf("the machine did not switch off: %s", tail(b))
	}
	img, mnt := filepath.Join(m.dir, "disk.img"), filepath.Join(m.dir, "mnt")
	if err := run(ctx, "e2fsck", "-fn", img); err != nil {
		return nil, err
	}
	if err := run(ctx, "mount", "-o", "loop,ro,noload", img, mnt); err != nil {
		return nil, err
	}
	m.look(mnt)
	if err := unmount(mnt); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if m.setup.RemoteLogs {
		m.play.Truth.Remote = "remote"
		if err := m.sinks.keep(filepath.Join(dir, "remote"), m.setup.Hostname); err != nil {
			return nil, err
		}
	}
	m.play.Truth.Memory = "memory.elf.zst"
	if err := run(ctx, "zstd", "-q", "-3", "-T0", "-f", dump, "-o", filepath.Join(dir, m.play.Truth.Memory)); err != nil {
		return nil, err
	}
	return []string{"evidence.img.zst"}, run(ctx, "zstd", "-q", "-3", "--long=27", "-T0", "-f", img, "-o", filepath.Join(dir, "evidence.img.zst"))
}
