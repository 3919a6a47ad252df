package sink

import (
	"context"
	"fmt"
	"net"
	"time"
)

// How long the other side may be silent.
const (
	dialTime  = 30 * time.Second
	writeTime = time.Minute      // for one write to the connection
	readTime  = time.Minute      // for an answer, of ssh, which is asked for one every keepTime
	keepTime  = 15 * time.Second // between two questions whether it is still there
	loginTime = 5 * time.Minute  // for a password to be typed, three times
	lastTime  = 2 * time.Minute  // for the answer at the end: it may write to a disk before
)

// times are these, or a test's.
type times struct{ write, read, keep, last time.Duration }

func (o *Options) times() times {
	if o.wait == nil {
		return times{writeTime, readTime, keepTime, lastTime}
	}
	idle, keep, last := o.wait()
	return times{idle, idle, keep, last}
}

// patient is a connection whose reads and writes end in time. A time of 0 is no bound.
type patient struct {
	net.Conn
	read, write time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	if p.read > 0 {
		if err := p.Conn.SetReadDeadline(time.Now().Add(p.read)); err != nil {
			return 0, err
		}
	}
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	if p.write > 0 {
		if err := p.Conn.SetWriteDeadline(time.Now().Add(p.write)); err != nil {
			return 0, err
		}
	}
	return p.Conn.Write(b)
}

// dial connects. The name is looked up by the machine's resolvers, which may lie: the host key or the certificate shows it.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTime, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepTime, Interval: keepTime, Count: 4}}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, nil
}
