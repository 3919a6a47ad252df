package sink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Of draft-ietf-secsh-filexfer-02 (version 3 of SFTP, which every server speaks): packet types, flags and codes.
const (
	fxpInit    = 1
	fxpVersion = 2
	fxpOpen    = 3
	fxpClose   = 4
	fxpWrite   = 6
	fxpFstat   = 8
	fxpStatus  = 101
	fxpHandle  = 102
	fxpAttrs   = 105

	fxfWrite = 0x02
	fxfCreat = 0x08
	fxfExcl  = 0x20

	attrSize        = 0x01
	attrPermissions = 0x04

	fxOK = 0
)

const (
	sftpVersion = 3
	maxHandle   = 256       // bytes
	maxReply    = 256 << 10 // bytes: the packet that OpenSSH takes at most; ours are short
	writeSize   = 32 << 10  // bytes of content in a packet: what every server takes
	inFlight    = 64        // packets that are not confirmed: 2 MiB, so that a far server is fast, too
)

// remote is a file on the other side that is being written.
type remote struct {
	ctx    context.Context
	client *ssh.Client
	in     io.WriteCloser
	handle string
	wait   times
	stop   func() bool // of the context's end
	once   sync.Once

	replies chan reply    // to all but writes
	ended   chan struct{} // nothing comes any more

	mu      sync.Mutex
	free    *sync.Cond
	pending map[uint32]int // bytes of writes that are not confirmed, by id
	id      uint32
	off     uint64
	taken   int64
	err     error
}

// reply is a packet of the server.
type reply struct {
	kind  byte
	id    uint32 // of fxpVersion the version
	code  uint32 // of fxpStatus
	text  string // of fxpStatus the message, of fxpHandle the handle
	size  uint64 // of fxpAttrs
	sized bool
}

func openSFTP(ctx context.Context, c *ssh.Client, name string, wait times) (*remote, error) {
	s, err := c.NewSession()
	if err != nil {
		return nil, fmt.Errorf("sftp: %w", err)
	}
	in, err := s.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.RequestSubsystem("sftp"); err != nil {
		return nil, fmt.Errorf("the server has no sftp: %w", err)
	}
	r := &remote{ctx: ctx, client: c, in: in, wait: wait, replies: make(chan reply, 4), ended: make(chan struct{}), pending: map[uint32]int{}}
	r.free = sync.NewCond(&r.mu)
	r.stop = context.AfterFunc(ctx, func() { r.fail(ctx.Err()) })
	go r.listen(out)
	go r.watch()
	if err := r.begin(name); err != nil {
		r.end(err)
		return nil, err
	}
	return r, nil
}

// begin makes the file: it must be new, and only its owner can read it.
func (r *remote) begin(name string) error {
	v, err := r.ask(packet(fxpInit, sftpVersion))
	if err != nil {
		return fmt.Errorf("sftp: %w", err)
	}
	if v.kind != fxpVersion || v.id < sftpVersion {
		return fmt.Errorf("sftp: the server speaks version %d", v.id)
	}
	p := binary.BigEndian.AppendUint32(text(packet(fxpOpen, 0), name), fxfWrite|fxfCreat|fxfExcl)
	p = binary.BigEndian.AppendUint32(p, attrPermissions)
	h, err := r.ask(binary.BigEndian.AppendUint32(p, 0o600))
	if err == nil && h.kind == fxpStatus {
		err = h.problem()
	}
	if err != nil {
		return fmt.Errorf("make the new file %q: %w", name, err)
	}
	if h.kind != fxpHandle {
		return fmt.Errorf("sftp: packet %d answers an open", h.kind)
	}
	r.handle = h.text
	return nil
}

// packet begins one, of which the length is put in when it is sent.
func packet(kind byte, id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0, kind}, id)
}

func text(p []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(p, uint32(len(s))), s...)
}

func (r *remote) send(p []byte) error {
	binary.BigEndian.PutUint32(p, uint32(len(p)-4))
	_, err := r.in.Write(p)
	if errors.Is(err, io.EOF) {
		err = errGone
	}
	if err != nil {
		return r.fail(err)
	}
	return nil
}

var errGone = errors.New("the other side ended the connection")

// ask sends a packet and waits for its reply.
func (r *remote) ask(p []byte) (reply, error) {
	if err := r.send(p); err != nil {
		return reply{}, err
	}
	t := time.NewTimer(r.wait.last)
	defer t.Stop()
	select {
	case x := <-r.replies:
		return x, nil
	case <-r.ended:
		return reply{}, r.failure()
	case <-t.C:
		return reply{}, r.fail(fmt.Errorf("no answer within %s", r.wait.last))
	}
}

// Write sends, and waits only when too much is not confirmed.
func (r *remote) Write(p []byte) (done int, err error) {
	for len(p) > 0 {
		n := min(len(p), writeSize)
		id, err := r.reserve(n)
		if err != nil {
			return done, err
		}
		b := binary.BigEndian.AppendUint64(text(packet(fxpWrite, id), r.handle), r.off)
		b = append(binary.BigEndian.AppendUint32(b, uint32(n)), p[:n]...)
		r.off += uint64(n)
		if err := r.send(b); err != nil {
			return done, err
		}
		done, p = done+n, p[n:]
	}
	return done, nil
}

func (r *remote) reserve(n int) (uint32, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.pending) >= inFlight && r.err == nil {
		r.free.Wait()
	}
	r.id++
	r.pending[r.id] = n
	return r.id, r.err
}

// listen takes the replies until there are no more.
func (r *remote) listen(out io.Reader) {
	defer close(r.ended)
	var b [maxReply]byte
	for {
		x, err := readReply(out, b[:])
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errGone
			}
			r.fail(err)
			return
		}
		if r.confirm(x) {
			continue
		}
		select {
		case r.replies <- x:
		default:
			r.fail(errors.New("sftp: an answer that was not asked for"))
			return
		}
	}
}

// confirm tells whether a reply was to a write, and counts it.
func (r *remote) confirm(x reply) bool {
	r.mu.Lock()
	n, ok := r.pending[x.id]
	ok = ok && x.kind != fxpVersion
	if ok {
		delete(r.pending, x.id)
		if x.kind == fxpStatus && x.code == fxOK {
			r.taken += int64(n)
		}
		r.free.Broadcast()
	}
	r.mu.Unlock()
	if ok && (x.kind != fxpStatus || x.code != fxOK) {
		r.fail(x.problem())
	}
	return ok
}

// watch asks whether the other side is still there, and ends the connection if it does not answer.
func (r *remote) watch() {
	t := time.NewTicker(r.wait.keep)
	defer t.Stop()
	for {
		select {
		case <-r.ended:
			return
		case <-t.C:
		}
		answered := make(chan struct{})
		late := time.AfterFunc(r.wait.read, func() { r.fail(fmt.Errorf("the other side has not answered for %s", r.wait.read)) })
		go func() {
			r.client.SendRequest("keepalive@openssh.com", true, nil)
			close(answered)
		}()
		select {
		case <-answered:
		case <-r.ended:
		}
		late.Stop()
	}
}

// fail keeps the first error, and ends the connection, so that nobody waits any more.
func (r *remote) fail(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		if r.err = err; r.ctx.Err() != nil {
			r.err = r.ctx.Err() // what else is told follows from it
		}
		go r.client.Close()
	}
	r.free.Broadcast()
	return r.err
}

func (r *remote) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *remote) Taken() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

// Close waits until all is confirmed, and holds the file's size against what was sent.
func (r *remote) Close() error {
	err := r.finish()
	r.end(errors.New("closed"))
	return err
}

func (r *remote) finish() error {
	late := time.AfterFunc(r.wait.last, func() { r.fail(fmt.Errorf("not all was confirmed within %s", r.wait.last)) })
	defer late.Stop()
	r.mu.Lock()
	for len(r.pending) > 0 && r.err == nil {
		r.free.Wait()
	}
	err := r.err
	r.mu.Unlock()
	if err != nil {
		return err
	}
	x, err := r.ask(text(packet(fxpFstat, 0), r.handle))
	if err != nil {
		return err
	}
	if x.sized && x.size != r.off {
		return fmt.Errorf("the file has %d bytes there, %d were sent", x.size, r.off)
	}
	x, err = r.ask(text(packet(fxpClose, 0), r.handle))
	if err == nil && (x.kind != fxpStatus || x.code != fxOK) {
		err = x.problem()
	}
	return err
}

// end lets go of the connection.
func (r *remote) end(err error) {
	r.once.Do(func() {
		r.stop()
		r.fail(err)
	})
}

func (x reply) problem() error {
	if x.kind != fxpStatus {
		return fmt.Errorf("sftp: packet %d answers what asks for a status", x.kind)
	}
	return fmt.Errorf("the server says %q (SSH_FX %d)", x.text, x.code)
}

// readReply reads one packet; buf bounds it.
func readReply(r io.Reader, buf []byte) (reply, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return reply{}, err
	}
	n := int64(binary.BigEndian.Uint32(head[:]))
	if n < 5 || n > int64(len(buf)) {
		return reply{}, fmt.Errorf("sftp: a packet of %d bytes", n)
	}
	b := buf[:n]
	if _, err := io.ReadFull(r, b); err != nil {
		return reply{}, err
	}
	return parseReply(b)
}

var errShort = errors.New("sftp: a packet ends too early")

func parseReply(b []byte) (x reply, err error) {
	if len(b) < 5 {
		return x, errShort
	}
	x.kind, x.id = b[0], binary.BigEndian.Uint32(b[1:])
	b = b[5:]
	switch x.kind {
	case fxpStatus:
		if len(b) < 4 {
			return x, errShort
		}
		x.code = binary.BigEndian.Uint32(b)
		x.text, _ = str(b[4:], 500) // the message came with version 3; some servers send none
	case fxpHandle:
		x.text, err = str(b, maxHandle)
	case fxpAttrs:
		if len(b) < 4 {
			return x, errShort
		}
		if x.sized = binary.BigEndian.Uint32(b)&attrSize != 0; x.sized {
			if len(b) < 12 {
				return x, errShort
			}
			x.size = binary.BigEndian.Uint64(b[4:])
		}
	}
	return x, err
}

func str(b []byte, limit uint32) (string, error) {
	if len(b) < 4 {
		return "", errShort
	}
	n := binary.BigEndian.Uint32(b)
	if n > limit || int64(n) > int64(len(b)-4) {
		return "", fmt.Errorf("sftp: a string of %d bytes", n)
	}
	return string(b[4 : 4+n]), nil
}
