package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"telltale/lab"
)

// stickAt is where the server mounts the administrator's stick.
const stickAt = "/mnt/stick"

// What is on the stick when the server was looked at.
const (
	collectionName = "collection.tar.zst"
	caseName       = "case"
)

// stick puts this program on a stick.
func (m *Maker) stick() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir := filepath.Join(m.dir, "stick")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// A short line to type, for a terminal shows a long one in parts.
	look := fmt.Sprintf("#!/bin/sh\ncd %s && exec ./telltale live -q --fast --to %s --case %s >answer.txt 2>&1\n", stickAt, collectionName, caseName)
	return errors.Join(copyFile(self, filepath.Join(dir, "telltale"), 0o755), os.WriteFile(filepath.Join(dir, "look"), []byte(look), 0o755))
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Look logs the administrator in and lets him run the program from the stick.
func (s *server) Look(ctx context.Context, by lab.Login, dir string) ([]string, error) {
	x, err := s.SSH(ctx, by)
	if err != nil {
		return nil, err
	}
	if t, ok := x.(*session); ok {
		t.more = lookTries
	}
	failed := x.Run(ctx, "sudo "+stickAt+"/look")
	if err := errors.Join(failed, x.Close(ctx)); err != nil {
		return nil, err
	}
	stick := filepath.Join(s.m.dir, "stick")
	if _, err := os.Stat(filepath.Join(stick, caseName, "report.json")); err != nil {
		b, _ := os.ReadFile(filepath.Join(stick, "answer.txt")) // what there is of it
		return nil, fmt.Errorf("the server gave no answer: %s", tail(b))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, n := range []string{collectionName, "answer.txt", caseName + "/report.json", caseName + "/report.html"} {
		if err := copyFile(filepath.Join(stick, n), filepath.Join(dir, "live-"+strings.TrimPrefix(n, caseName+"/")), 0o644); err != nil {
			return nil, err
		}
	}
	return []string{"live-" + collectionName}, nil
}

// Catch takes connections and keeps them.
func (s *server) Catch(from netip.Addr, port int) error {
	l, err := net.Listen("tcp", netip.AddrPortFrom(from, uint16(port)).String())
	if err != nil {
		return err
	}
	s.m.sinks.listeners = append(s.m.sinks.listeners, l)
	handle := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) } // until the other end is gone
	if port == 25 {
		handle = swallow
	}
	go serve(l, handle)
	return nil
}
