package samba_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"telltale/artifact/artifacttest"
	"telltale/artifact/samba"
)

func TestGolden(t *testing.T) { artifacttest.Golden(t, samba.New()) }

func TestLogOfAClient(t *testing.T) {
	artifacttest.GoldenAs(t, samba.New(), "client.txt", "/var/log/samba/log.win-7-1.old", "")
	artifacttest.GoldenAs(t, samba.New(), "client.debian12.txt", "/var/log/samba/log.192.0.2.10", "")
}

func TestAddressInTheName(t *testing.T) {
	for path, want := range map[string]string{
		"/var/log/samba/log.192.0.2.7": "source.ip=192.0.2.7 ", "/var/log/samba/log.192.0.2.7.1.gz": "source.ip=192.0.2.7 ", "/var/log/samba/log.192.0.2.7.old": "source.ip=192.0.2.7 ",
		"/var/log/samba/pc.log": "source.host=pc ", "/var/log/samba/pc.log.2": "source.host=pc ", "/var/log/samba/log.smbd.1": "WRONG_PASSWORD @",
	} {
		in := artifacttest.Input([]byte("[2010/09/14 12:01:50,  2] auth/auth.c:320(check_ntlm_password)\n  check_ntlm_password:  Authentication for user [a] -> [a] FAILED with error NT_STATUS_WRONG_PASSWORD\n"))
		in.Path = path
		if got := string(artifacttest.Run(t, samba.New(), in)); !strings.Contains(got, want) {
			t.Errorf("%s: %q is missing in %.300s", path, want, got)
		}
	}
}

func TestSniff(t *testing.T) {
	sniff := samba.New().Sniff
	if !sniff([]byte("[2024/03/14 02:11:09.123456,  2, pid=812, effective(0, 0), real(0, 0)] ../../source3/smbd/service.c:853(make_connection_snum)\n")) || sniff(nil) ||
		sniff([]byte("[2024/03/14 02:11:09] [error] x\n")) || sniff([]byte("[2024/03/14 02:11:09, 1] words\n")) {
		t.Error("a log of samba is not told from others")
	}
}

func FuzzRead(f *testing.F) { artifacttest.Fuzz(f, samba.New) }

func BenchmarkParse(b *testing.B) {
	data := bytes.Repeat([]byte(`[2024/03/14 02:11:09.123456,  2, pid=812, effective(0, 0), real(0, 0)] ../../source3/auth/auth.c:344(auth_check_ntlm_password)
  check_ntlm_password:  Authentication for user [alice] -> [alice] FAILED with error NT_STATUS_WRONG_PASSWORD, authoritative=1
[2024/03/14 02:11:09.123470,  2, pid=812, effective(0, 0), real(0, 0)] ../../auth/auth_log.c:635(log_authentication_event_human_readable)
  Auth: [SMB2,(null)] user [WORKGROUP]\[alice] at [Thu, 14 Mar 2024 02:11:09.123465 UTC] with [NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [PC] remote host [ipv4:203.0.113.5:50306] mapped to [WORKGROUP]\[alice]. local host [ipv4:192.0.2.1:445]
[2024/03/14 02:11:10.000001,  3, pid=812, effective(0, 0), real(0, 0)] ../../source3/smbd/sec_ctx.c:310(set_sec_ctx)
  setting sec ctx (0, 0) - sec_ctx_stack_ndx = 0
`), 2000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for range samba.New().Parse(context.Background(), artifacttest.Input(data)) {
		}
	}
}
