package sink

import (
	"crypto/sha256"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func short() (idle, keep, last time.Duration) {
	return time.Second, 100 * time.Millisecond, time.Second
}

// served runs a server with a certificate of its own, and gives its address and the file of its certificate.
func served(t *testing.T, h http.HandlerFunc) (string, string) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections) // before
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.URL, ca
}

func TestHTTPS(t *testing.T) {
	var got [32]byte
	var method, header string
	to, ca := served(t, func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		io.Copy(h, r.Body)
		h.Sum(got[:0])
		method, header = r.Method, r.Header.Get("Authorization")
		w.WriteHeader(http.StatusCreated)
	})
	for _, post := range []bool{false, true} {
		s, err := Open(t.Context(), to+"/x?token=secret", Options{CA: ca, Post: post, Headers: []string{"Authorization: Bearer x"}, wait: short})
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 5<<20)
		b[1<<20] = 1
		if n, err := s.Write(b); n != len(b) || err != nil || s.Taken() != int64(n) {
			t.Error(n, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if got != sha256.Sum256(b) || header != "Bearer x" || (method == "POST") != post {
			t.Error(method, header)
		}
		if strings.Contains(s.String(), "secret") {
			t.Error(s)
		}
	}
}

// TestHTTPSRefused is each way in which a server does not take it; what went wrong must be in the error.
func TestHTTPSRefused(t *testing.T) {
	drop := func(w http.ResponseWriter, r *http.Request) {
		io.CopyN(io.Discard, r.Body, 1<<20)
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			c.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}
	answer := func(code int, whole bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if whole {
				io.Copy(io.Discard, r.Body)
			}
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(code)
			io.WriteString(w, "because\x1b[31m")
		}
	}
	for _, c := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"dies in the middle", drop, "bytes and no more"},
		{"4xx at once", answer(403, false), `"403 Forbidden": "because\x1b[31m"`},
		{"4xx at the end", answer(413, true), `"413 Request Entity Too Large"`},
		{"5xx at the end", answer(507, true), `"507 Insufficient Storage"`},
		{"redirect", answer(307, true), `names another place, which is not followed: "https://elsewhere.example/"`},
		{"content that was not asked for", answer(206, true), `"206 Partial Content"`},
		{"200 before all", answer(200, false), "before it had all"},
		{"never answers", func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }, "timeout awaiting response headers"},
		{"never reads", func(http.ResponseWriter, *http.Request) { time.Sleep(2500 * time.Millisecond) }, "i/o timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to, ca := served(t, c.h)
			s, err := Open(t.Context(), to, Options{CA: ca, wait: short})
			if err != nil {
				t.Fatal(err)
			}
			for range 32 {
				if _, err = s.Write(make([]byte, 1<<20)); err != nil {
					break
				}
			}
			if err == nil {
				err = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%v", err)
			}
			if s.Close() == nil {
				t.Error("closed without an error")
			}
		})
	}
}

func TestHTTPSTrust(t *testing.T) {
	to, ca := served(t, func(http.ResponseWriter, *http.Request) {})
	var notes []string
	if _, err := Open(t.Context(), to, Options{wait: short, Note: func(s string) { notes = append(notes, s) }}); err == nil || !strings.Contains(err.Error(), "certificate") || len(notes) != 1 {
		t.Error(err, notes)
	}
	if _, err := Open(t.Context(), to, Options{CA: os.Args[0] + "-none"}); err == nil {
		t.Error("a list of authorities that is not there passes")
	}
	if _, err := Open(t.Context(), to, Options{CA: ca, Headers: []string{"nonsense secret"}}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer plain.Close()
	s, err := Open(t.Context(), plain.URL, Options{InsecureHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(s, "x")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), "https://127.0.0.1:1/x", Options{CA: ca, wait: short}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}
