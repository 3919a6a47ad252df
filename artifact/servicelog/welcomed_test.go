package servicelog

import (
	"testing"

	"telltale/event"
)

// TestLogins: only a line that a service must have meant so is a login.
func TestLogins(t *testing.T) {
	r := newRefusals()
	for line, want := range map[string]string{
		"Login successful for user bob from 192.0.2.1":                                                                         "bob 192.0.2.1",
		"2024-05-01 10:11:12 INFO User 'bob' logged in successfully from 192.0.2.1":                                            "bob 192.0.2.1",
		"[2024-05-01 10:11:12.123] INFO: [Auth] User \"bob smith\" logged in from ip 192.0.2.1":                                "bob smith 192.0.2.1",
		"2024-05-01 10:11:12.3|Info|Auth|Auth-Success ip 192.0.2.1 username 'bob'":                                             "bob 192.0.2.1",
		"user=bob ip=192.0.2.1 login success":                                                                                  "bob 192.0.2.1",
		`{"level":"info","ts":"2024-05-01T10:11:12Z","msg":"login successful","username":"bob","remote_ip":"192.0.2.1"}`:       "bob 192.0.2.1",
		"[2024-05-01 10:11:12.000][vault::identity][INFO] Successful login. IP: 192.0.2.1. Username: bob@example.org.":         "bob@example.org 192.0.2.1",
		"2024-05-01T10:11:12.123Z|0a1b|[ACCEPTED LOGIN]  for client : bob / 192.0.2.1 [token]":                                 "bob 192.0.2.1",
		"SOGoRootPage successful login from '192.0.2.1' for user 'bob' - expire = -1  grace = -1":                              "bob 192.0.2.1",
		"[info] <0.4.0>@ejabberd_c2s:result:277 (tls|<0.4.0>) Accepted c2s PLAIN authentication for bob from ::ffff:192.0.2.1": "bob 192.0.2.1",
		// What a stranger may have written, or what tells of something else.
		"Unknown user login successful for user root from 192.0.2.1":                               "",
		"User 'x logged in from 192.0.2.1' does not exist":                                         "",
		"User 'x' logged in from 192.0.2.1' is gone":                                               "",
		"No account: login successful for user root from 192.0.2.1":                                "",
		"search: login successful for user root from 192.0.2.1":                                    "",
		"GET /?q=login successful for user root from 192.0.2.1":                                    "",
		"Login successful for user root from 192.0.2.1 from 192.0.2.2":                             "",
		"connecting to 192.0.2.1 as bob: login successful":                                         "",
		"last login of bob was successful, logged in from 192.0.2.1":                               "",
		"User bob last logged in from 192.0.2.1":                                                   "",
		"logout successful for user bob from 192.0.2.1":                                            "",
		"unsuccessful login: user bob from 192.0.2.1":                                              "",
		"bob is not logged in from 192.0.2.1":                                                      "",
		`{"level":"info","agent":"\"msg\":\"login successful","username":"root","ip":"192.0.2.1"}`: "",
		"Login successful from 192.0.2.1":                                                          "",
		"Login successful for user bob":                                                            "",
		"Login successful for user bob, upstream 192.0.2.1":                                        "",
	} {
		kind, from, ok := r.find([]byte(line))
		got := ""
		if ok && kind == event.AuthAccepted {
			got = string(account([]byte(line))) + " " + string(from)
		}
		if got != want {
			t.Errorf("%s: %q, not %q", line, got, want)
		}
	}
}

// TestRefused: who was refused, by which name.
func TestRefused(t *testing.T) {
	r := newRefusals()
	for line, want := range map[string]string{
		"block(1): tcp/accept ]: 192.0.2.1.50550 198.51.100.4.1080: error: system password authentication failed for user \"bob\"": "bob 192.0.2.1",
		"Login attempt or request with invalid authentication from h.example.net (192.0.2.1). (Browser/128.0.0.0)":                 " 192.0.2.1",
		"login failure for user bob smith from 192.0.2.1 via ssh":                                                                  "bob smith 192.0.2.1",
		"[AUTH] Failed attempted login to bob from host (h.example.net) 192.0.2.1":                                                 "bob 192.0.2.1",
		"192.0.2.1,198.51.100.7 /login.jsp The user 'bob' has FAILED authentication.":                                              "bob 192.0.2.1",
		"Registration from '\"x\" <sip:104@198.51.100.4:5060>' failed for '192.0.2.1:5065' - Wrong password":                       "104 192.0.2.1",
		"EAP method EAP_MSCHAPV2 failed for peer 192.0.2.1, user bob authentication failed":                                        "bob 192.0.2.1",
		"Login failed for user `bob` from private IP `192.0.2.1`.":                                                                 "bob 192.0.2.1",
		"main[bob]:192.0.2.1:51234 authentication failed for user 'bob'":                                                           "bob 192.0.2.1",
		"WARNING Failed connection attempt from '192.0.2.1' as user 'bob'":                                                         "bob 192.0.2.1",
		`level=warning msg="HTTP: POST http://h/auth/login" t=8ms httpStatus=401 remoteAddr="192.0.2.1" userAgent="x"`:             " 192.0.2.1",
		`level=info msg="HTTP: POST http://h/auth/login" t=8ms httpStatus=200 remoteAddr="192.0.2.1" userAgent="x"`:                "",
		"WARN: AUTH failure for ::ffff:192.0.2.1":                                                                                  " 192.0.2.1",
		"authentication failed for user bob, connection 192.0.2.1:4000 -> 198.51.100.7:25":                                         "",
		"authentication failed for user bob at 0.0.0.0":                                                                            "",
	} {
		kind, from, ok := r.find([]byte(line))
		got := ""
		if ok && kind == event.AuthFailed {
			got = string(account([]byte(line))) + " " + string(from)
		}
		if got != want {
			t.Errorf("%s: %q, not %q", line, got, want)
		}
	}
}
