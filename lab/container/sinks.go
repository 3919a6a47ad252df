package container

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// sinks are the machines of the Internet that the server talks to: one that takes all mail, a log server, and the
// intruders' own web servers.
type sinks struct {
	mu        sync.Mutex
	offers    map[string][]byte // by address and path
	web       map[string]*http.Server
	listeners []net.Listener
	packets   net.PacketConn
	log       []byte
}

// maxLog bounds the log server's copy.
const maxLog = 64 << 20

func newSinks() (*sinks, error) {
	s := &sinks{offers: map[string][]byte{}, web: map[string]*http.Server{}}
	mail, err := net.Listen("tcp", gatewayIP+":2525")
	if err != nil {
		return nil, err
	}
	s.listeners = append(s.listeners, mail)
	go serve(mail, swallow)
	if s.packets, err = net.ListenPacket("udp", gatewayIP+":5514"); err != nil {
		return nil, errors.Join(err, mail.Close())
	}
	go s.collect()
	return s, nil
}

func serve(l net.Listener, handle func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go handle(c)
	}
}

// swallow takes mail by SMTP and forgets it.
func swallow(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	say := func(s string) { _, _ = c.Write([]byte(s + "\r\n")) } // a client that is gone ends the loop below
	say("220 sink")
	data := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case data && line == ".":
			data = false
			say("250 2.0.0 Ok: queued as SINK")
		case data:
		case strings.HasPrefix(strings.ToUpper(line), "DATA"):
			data = true
			say("354 go on")
		case strings.HasPrefix(strings.ToUpper(line), "QUIT"):
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// collect keeps what the server's log daemon sends, without the priority before it.
func (s *sinks) collect() {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := s.packets.ReadFrom(buf)
		if err != nil {
			return
		}
		line := string(buf[:n])
		if i := strings.IndexByte(line, '>'); strings.HasPrefix(line, "<") && i > 0 && i < 5 {
			line = line[i+1:]
		}
		s.mu.Lock()
		if len(s.log) < maxLog {
			s.log = append(s.log, strings.TrimRight(line, "\n")+"\n"...)
		}
		s.mu.Unlock()
	}
}

// keep writes the log server's copy into a folder.
func (s *sinks) keep(dir, host string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return os.WriteFile(filepath.Join(dir, host+".log"), s.log, 0o644)
}

// offer lets an address serve a file by HTTP.
func (s *sinks) offer(ip, path string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offers[ip+path] = data
	if s.web[ip] != nil {
		return nil
	}
	l, err := net.Listen("tcp", ip+":80")
	if err != nil {
		return err
	}
	s.web[ip] = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		data, ok := s.offers[ip+r.URL.Path]
		s.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data) // a client that is gone needs none
	})}
	go func() { _ = s.web[ip].Serve(l) }() // ends when it is closed
	return nil
}

func (s *sinks) close() {
	for _, l := range s.listeners {
		_ = l.Close() // nothing is lost
	}
	_ = s.packets.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.web {
		_ = w.Close()
	}
}
