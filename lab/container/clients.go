package container

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"telltale/lab"
)

// server is the stage: the running server, and the clients of the Internet around it.
type server struct {
	m    *Maker
	jars map[netip.Addr]*cookiejar.Jar
}

// Now gives the server's clock: the machine's own, or, of a virtual machine, one that was set.
func (s *server) Now() time.Time { return s.m.now() }

// Written tells that the clock is real.
func (s *server) Written() bool { return false }

// longestWait is how long a real stage waits where a written one would jump.
const longestWait = 1500 * time.Millisecond

// Wait waits a little.
func (s *server) Wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(d, longestWait)):
		return nil
	}
}

// Cron waits for the server's cron to run once more.
func (s *server) Cron(ctx context.Context) error {
	t := s.m.now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(t.Truncate(time.Minute).Add(62 * time.Second).Sub(t)):
		return nil
	}
}

// HTTP asks the web server; redirections are told, not followed, and cookies are kept by address.
func (s *server) HTTP(ctx context.Context, r lab.Request) (int, error) {
	var body io.Reader
	kind := ""
	switch {
	case r.Upload != nil:
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"; filename="%s"`, r.Upload.Field, r.Upload.Name)}, "Content-Type": {r.Upload.Type}})
		if err != nil {
			return 0, err
		}
		if _, err := part.Write(r.Upload.Data); err != nil {
			return 0, err
		}
		if err := w.Close(); err != nil {
			return 0, err
		}
		body, kind = &b, w.FormDataContentType()
	case len(r.Form) > 0:
		v := url.Values{}
		for k, x := range r.Form {
			v.Set(k, x)
		}
		body, kind = strings.NewReader(v.Encode()), "application/x-www-form-urlencoded"
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://"+serverIP+"/", body)
	if err != nil {
		return 0, err
	}
	q.URL.Opaque = r.Path // as it is
	q.Header.Set("User-Agent", r.Agent)
	if r.Referer != "" {
		q.Header.Set("Referer", r.Referer)
	}
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	jar, err := s.jar(r.From)
	if err != nil {
		return 0, err
	}
	home := &url.URL{Scheme: "http", Host: serverIP, Path: "/"}
	for _, c := range jar.Cookies(home) {
		q.AddCookie(c)
	}
	t := &http.Transport{DialContext: from(r.From.String()).DialContext, DisableKeepAlives: true}
	defer t.CloseIdleConnections()
	res, err := (&http.Client{Transport: t, Timeout: 90 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(q)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	jar.SetCookies(home, res.Cookies())
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<24))
	return res.StatusCode, err
}

func (s *server) jar(ip netip.Addr) (*cookiejar.Jar, error) {
	if s.jars == nil {
		s.jars = map[netip.Addr]*cookiejar.Jar{}
	}
	if s.jars[ip] == nil {
		j, err := cookiejar.New(nil)
		if err != nil {
			return nil, err
		}
		s.jars[ip] = j
	}
	return s.jars[ip], nil
}

// FTP logs in and stores a file, or lets the stand-in copy one.
func (s *server) FTP(ctx context.Context, t lab.Transfer) error {
	conn, err := from(t.From.String()).DialContext(ctx, "tcp", serverIP+":21")
	if err != nil {
		return err
	}
	c := textproto.NewConn(conn)
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		return err
	}
	ask := func(code int, format string, a ...any) (string, error) {
		if err := c.PrintfLine(format, a...); err != nil {
			return "", err
		}
		_, text, err := c.ReadResponse(code)
		return text, err
	}
	if t.CopyTo != "" {
		if _, err := ask(350, "SITE CPFR %s", t.CopyFrom); err != nil {
			return err
		}
		if _, err := ask(250, "SITE CPTO %s %s", t.CopyTo, hex.EncodeToString(t.Data)); err != nil {
			return err
		}
		_, err := ask(221, "QUIT")
		return err
	}
	if _, err := ask(331, "USER %s", t.Account); err != nil {
		return err
	}
	if _, err := ask(230, "PASS %s", t.Password); err != nil {
		var told *textproto.Error
		if errors.As(err, &told) && told.Code == 530 {
			return lab.ErrRefused
		}
		return err
	}
	if t.Path != "" {
		if err := store(ctx, c, ask, t); err != nil {
			return err
		}
	}
	_, err = ask(221, "QUIT")
	return err
}

func store(ctx context.Context, c *textproto.Conn, ask func(int, string, ...any) (string, error), t lab.Transfer) error {
	if _, err := ask(200, "TYPE I"); err != nil {
		return err
	}
	text, err := ask(229, "EPSV")
	if err != nil {
		return err
	}
	_, rest, ok := strings.Cut(text, "|||")
	port, _, ok2 := strings.Cut(rest, "|")
	if !ok || !ok2 {
		return fmt.Errorf("EPSV: %q", text)
	}
	data, err := from(t.From.String()).DialContext(ctx, "tcp", serverIP+":"+port)
	if err != nil {
		return err
	}
	if _, err := ask(150, "STOR %s", t.Path); err != nil {
		return errors.Join(err, data.Close())
	}
	_, err = data.Write(t.Data)
	if err := errors.Join(err, data.Close()); err != nil {
		return err
	}
	_, _, err = c.ReadResponse(226)
	return err
}

// plain is SMTP's AUTH PLAIN; the library's own refuses to send a password without TLS.
type plain struct{ name, password string }

// Start gives the first words.
func (p plain) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "PLAIN", []byte("\x00" + p.name + "\x00" + p.password), nil
}

// Next has nothing more to say.
func (p plain) Next([]byte, bool) ([]byte, error) { return nil, nil }

// Submit hands in mail.
func (s *server) Submit(ctx context.Context, m lab.Submission) error { return s.submit(ctx, m, 1) }

func (s *server) submit(ctx context.Context, m lab.Submission, tries int) error {
	port := "25"
	if m.Account != "" {
		port = "587"
	}
	ip := m.From.String()
	if !s.m.isOurs(m.From) { // another mail server
		ip = gatewayIP
	}
	conn, err := from(ip).DialContext(ctx, "tcp", net.JoinHostPort(serverIP, port))
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, serverIP)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer c.Close()
	if err := c.Hello("client.example.net"); err != nil {
		return err
	}
	if m.Account != "" {
		if err := c.Auth(plain{m.Account, m.Password}); err != nil {
			var told *textproto.Error
			if errors.As(err, &told) && told.Code == 535 {
				return errors.Join(lab.ErrRefused, quit(c))
			}
			if errors.As(err, &told) && told.Code == 454 && tries < 5 { // dovecot is busy with its pauses
				return errors.Join(quit(c), s.Wait(ctx, longestWait), s.submit(ctx, m, tries+1))
			}
			return err
		}
	}
	for _, to := range m.Recipients {
		if err := c.Mail(m.Sender); err != nil {
			return err
		}
		if err := c.Rcpt(to); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\nHello.\r\n", m.Sender, to, m.Subject); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return c.Quit()
}

func quit(c *smtp.Client) error { _ = c.Quit(); return nil } // it was refused already

func (m *Maker) isOurs(a netip.Addr) bool {
	for _, x := range m.play.Addresses() {
		if x == a {
			return true
		}
	}
	return false
}

// Redis sends commands by its own protocol (RESP).
func (s *server) Redis(ctx context.Context, ip netip.Addr, commands ...[]string) error {
	conn, err := from(ip.String()).DialContext(ctx, "tcp", serverIP+":6379")
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for _, c := range commands {
		var b bytes.Buffer
		fmt.Fprintf(&b, "*%d\r\n", len(c))
		for _, w := range c {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
		}
		if _, err := conn.Write(b.Bytes()); err != nil {
			return err
		}
		reply, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.HasPrefix(reply, "-") {
			return fmt.Errorf("%s: %s", c[0], strings.TrimSpace(reply))
		}
	}
	return nil
}

// Share stores a file on the share as a guest. smbclient takes no address to come from, so the route names it meanwhile.
func (s *server) Share(ctx context.Context, x lab.Share) error {
	local := filepath.Join(s.m.dir, "share")
	if err := os.WriteFile(local, x.Data, 0o600); err != nil {
		return err
	}
	if err := run(ctx, "ip", "route", "replace", serverIP+"/32", "dev", "v0", "src", x.From.String()); err != nil {
		return err
	}
	err := run(ctx, "smbclient", "//"+serverIP+"/www", "-N", "-s", "/dev/null", "--netbiosname", x.Machine, "-c", fmt.Sprintf("put \"%s\" \"%s\"", local, x.Path))
	return errors.Join(err, run(ctx, "ip", "route", "del", serverIP+"/32"))
}

// Serve offers a file on an address of the Internet.
func (s *server) Serve(ip netip.Addr, path string, data []byte) error {
	return s.m.sinks.offer(ip.String(), path, data)
}
