package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The server's and the Internet's ends of the one cable.
const (
	serverIP  = "192.0.2.10"
	gatewayIP = "192.0.2.1"
)

// network makes the server's network and joins it with this process's, which plays the Internet: all addresses of the cast
// stand on its loopback. Neither has another way out.
func (m *Maker) network(ctx context.Context) error {
	m.holder = exec.Command("unshare", "--net", "sleep", "infinity")
	m.holder.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.holder.Start(); err != nil {
		return err
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	pid := fmt.Sprint(m.holder.Process.Pid)
	for range 100 { // until it has its own
		if other, err := os.Readlink("/proc/" + pid + "/ns/net"); err == nil && other != own {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, words := range []string{"link set lo up", "link add v0 type veth peer name eth0 netns " + pid, "addr add " + gatewayIP + "/24 dev v0", "link set v0 up"} {
		if err := run(ctx, "ip", strings.Fields(words)...); err != nil {
			return err
		}
	}
	for _, a := range m.play.Addresses() {
		if err := run(ctx, "ip", "addr", "replace", a.String()+"/32", "dev", "lo"); err != nil {
			return err
		}
	}
	for _, words := range []string{"link set lo up", "addr add " + serverIP + "/24 dev eth0", "link set eth0 up", "route add default via " + gatewayIP} {
		if err := run(ctx, "nsenter", append([]string{"--net=/proc/" + pid + "/ns/net", "ip"}, strings.Fields(words)...)...); err != nil {
			return err
		}
	}
	// The server sees the visitors of its own network beyond the gateway, as it sees all others.
	for _, a := range m.play.Addresses() {
		if err := run(ctx, "nsenter", "--net=/proc/"+pid+"/ns/net", "ip", "route", "replace", a.String()+"/32", "via", gatewayIP); err != nil {
			return err
		}
	}
	m.sinks, err = newSinks()
	return err
}

// boot starts the server and waits for its daemons.
func (m *Maker) boot(ctx context.Context) error {
	var err error
	if m.console, err = os.Create(filepath.Join(m.dir, "console")); err != nil {
		return err
	}
	m.server = exec.Command("systemd-nspawn", "-q", "-D", filepath.Join(m.dir, "mnt"), "--register=no", "--keep-unit", "--resolv-conf=off", "--timezone=off", "--link-journal=no",
		"--hostname="+m.setup.Hostname, "--network-namespace-path=/proc/"+fmt.Sprint(m.holder.Process.Pid)+"/ns/net", "--boot")
	if m.setup.Live {
		if err := m.stick(); err != nil {
			return err
		}
		m.server.Args = append(m.server.Args[:len(m.server.Args)-1], "--bind="+filepath.Join(m.dir, "stick")+":"+stickAt, "--boot")
	}
	m.server.Env = append(os.Environ(), "SYSTEMD_NSPAWN_TMPFS_TMP=0") // /tmp on the disk, as Debian 12 has it
	m.server.Stdout, m.server.Stderr = m.console, m.console
	m.server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.server.Start(); err != nil {
		return fmt.Errorf("start the container: %w", err)
	}
	for _, port := range m.ports() {
		if err := m.listens(ctx, port); err != nil {
			b, _ := os.ReadFile(m.console.Name()) // what there is of it
			return fmt.Errorf("%w: %s", err, tail(b))
		}
	}
	if err := m.lets(ctx); err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // what starts behind the ports
	return nil
}

// lets waits until the server lets people in: while it starts, pam_nologin turns away everybody but root.
func (m *Maker) lets(ctx context.Context) error {
	for range 600 {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", m.server.Process.Pid)) // none yet is no child
		for _, c := range strings.Fields(string(children)) {
			if _, err := os.Lstat("/proc/" + c + "/root/run/nologin"); errors.Is(err, os.ErrNotExist) {
				return nil
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("the server does not let anybody in")
}

// listens waits for a port, by asking the kernel and not the daemon, so that no log shows the question.
func (m *Maker) listens(ctx context.Context, port int) error {
	for range 300 {
		out, err := exec.CommandContext(ctx, "nsenter", "--net=/proc/"+fmt.Sprint(m.holder.Process.Pid)+"/ns/net", "ss", "-Hltn", fmt.Sprintf("( sport = :%d )", port)).Output()
		if err == nil && len(out) > 0 {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(200 * time.Millisecond)
	}
	return fmt.Errorf("the server does not listen on port %d", port)
}

// down switches the server off: systemd-nspawn hands the signal on.
func (m *Maker) down() error {
	if err := m.server.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- m.server.Wait() }()
	select {
	case <-done: // its status is that of its init
		m.server = nil
		return m.console.Close()
	case <-time.After(4 * time.Minute):
		b, _ := os.ReadFile(m.console.Name()) // what there is of it
		return fmt.Errorf("the server did not switch off: %s", tail(b))
	}
}

// kill ends a server that nobody needs any more: its init, and with it all its processes.
func (m *Maker) kill() {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", m.server.Process.Pid)) // none is no child
	for _, c := range strings.Fields(string(children)) {
		var pid int
		if _, err := fmt.Sscan(c, &pid); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone
		}
	}
	_ = m.server.Process.Kill()
	_ = m.server.Wait()
	_ = m.console.Close()
	m.server = nil
}

// from gives a dialer whose connections come from an address of the Internet's side.
func from(ip string) *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
}
