package sink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
)

// request is one request whose body is the collection.
type request struct {
	body  *io.PipeWriter
	taken atomic.Int64
	done  chan struct{} // closed when the answer, or what went wrong, is known
	err   error
	stop  context.CancelFunc
}

// maxAnswer is how much of a server's words are told, bytes.
const maxAnswer = 500

func openHTTP(ctx context.Context, u *url.URL, o Options) (destination, error) {
	if u.Scheme == "http" && !o.InsecureHTTP {
		return nil, fmt.Errorf("%w: http would let everybody on the way read and change it", ErrDestination)
	}
	t, err := o.transport(u)
	if err != nil {
		return nil, err
	}
	r := &request{done: make(chan struct{})}
	ctx, r.stop = context.WithCancel(ctx)
	read, write := io.Pipe()
	r.body = write
	ready := make(chan struct{})
	var once sync.Once
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { once.Do(func() { close(ready) }) }})
	q, err := o.request(ctx, u, read)
	if err != nil {
		r.stop()
		return nil, err
	}
	go r.send(t, q, read)
	select { // a wrong certificate is an error of the beginning, not of the first step
	case <-ready:
	case <-r.done:
		r.stop()
		return nil, r.err
	}
	return r, nil
}

func (o *Options) request(ctx context.Context, u *url.URL, body io.Reader) (*http.Request, error) {
	method := http.MethodPut
	if o.Post {
		method = http.MethodPost
	}
	q, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDestination, err)
	}
	q.ContentLength = -1 // not known: chunked, and flushed with each chunk
	q.Header.Set("Content-Type", "application/octet-stream")
	q.Header.Set("User-Agent", "telltale")
	for _, h := range o.Headers {
		name, value, found := strings.Cut(h, ":")
		if name = textproto.TrimString(name); !found || name == "" {
			return nil, fmt.Errorf("%w: a header is written \"Name: value\"", ErrDestination) // not shown: it may be a secret
		}
		q.Header.Set(name, textproto.TrimString(value))
	}
	return q, nil
}

func (o *Options) transport(u *url.URL) (*http.Transport, error) {
	wait := o.times()
	t := &http.Transport{
		// No proxy of the environment: it is the hacked machine's.
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   dialTime,
		ResponseHeaderTimeout: wait.last, // counted from when all was sent
		DisableKeepAlives:     true,
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			c, err := dial(ctx, addr)
			if err != nil {
				return nil, err
			}
			return &patient{Conn: c, write: wait.write}, nil
		},
	}
	switch {
	case o.CA != "":
		b, err := readKey(o.CA)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("%w: --ca %q holds no certificate", ErrDestination, o.CA)
		}
	case u.Scheme == "https":
		o.Note("the server's certificate is judged by this machine's own list of authorities, to which an intruder can add: --ca FILE names one")
	}
	return t, nil
}

// send runs until the server has answered.
func (r *request) send(t *http.Transport, q *http.Request, body *io.PipeReader) {
	c := http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := c.Do(q)
	var sent *url.Error
	if errors.As(err, &sent) {
		err = sent.Err // its words hold the whole URL, and with it what may be a secret
	}
	if err == nil {
		err = answer(a)
		a.Body.Close()
	}
	r.err = err
	close(r.done)
	if err == nil {
		err = errEarly
	}
	body.CloseWithError(err)
}

var errEarly = errors.New("the server answered before it had all")

// answer judges what the server says.
func answer(a *http.Response) error {
	switch a.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return nil
	}
	if to := a.Header.Get("Location"); to != "" && a.StatusCode >= 300 && a.StatusCode < 400 {
		return fmt.Errorf("the server answers %q and names another place, which is not followed: %.200q", a.Status, to)
	}
	b := make([]byte, maxAnswer)
	n, _ := io.ReadFull(a.Body, b)
	return fmt.Errorf("the server answers %q: %q", a.Status, strings.TrimSpace(string(b[:n])))
}

func (r *request) Taken() int64 { return r.taken.Load() }

func (r *request) Write(p []byte) (int, error) {
	n, err := r.body.Write(p)
	r.taken.Add(int64(n))
	if errors.Is(err, io.ErrClosedPipe) { // the transport lets go of the body before it says why
		err = r.result()
	}
	return n, err
}

// result waits for the end, for which the transport has a time, and gives it for a body that did not come to its own.
func (r *request) result() error {
	<-r.done
	if r.err == nil {
		return errEarly
	}
	return r.err
}

// Close ends the body and waits for the server's word that it has it.
func (r *request) Close() error {
	defer r.stop()
	select {
	case <-r.done:
		return r.result()
	default:
	}
	r.body.Close()
	<-r.done
	return r.err
}

// maxKey bounds a file of keys or certificates, bytes.
const maxKey = 1 << 20

// readKey reads a small file.
func readKey(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, maxKey+1)
	n, err := io.ReadFull(f, b)
	if err == nil {
		return nil, fmt.Errorf("%q is longer than %d bytes", name, maxKey)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:n], nil
}
