package transfer_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/transfer"
)

func TestUploads(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, transfer.New(), detecttest.Scene(), `
03:00:05 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/var/www/html/x.php
03:00:01 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/var/www/html/photo.jpg
03:00:09 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/var/www/html/x.php
03:00:10 file-removed service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/var/www/html/x.php`), detect.Upload)
	if len(got) != 2 || got[0].Level != detect.Info || got[1].Level != detect.Low || got[1].Count != 2 || got[1].Source != "203.0.113.6" || got[1].Account != "bob" {
		t.Errorf("%+v", got)
	}
}

func TestRewritten(t *testing.T) {
	for name, tc := range map[string]struct{ events, want string }{
		"fetched and put back":       {"03:00:01 file-downloaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/www/index.html\n03:00:03 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/www/index.html", "rewritten"},
		"edited":                     {"03:00:01 file-downloaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/www/index.html\n03:05:03 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/www/index.html", ""},
		"put there alone":            {"03:00:03 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/www/index.html", ""},
		"fetched by somebody else":   {"03:00:01 file-downloaded service.name=vsftpd user.name=bob source.ip=203.0.113.7 file.path=/www/index.html\n03:00:03 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/www/index.html", ""},
		"a picture that is replaced": {"03:00:01 file-downloaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/www/a.jpg\n03:00:03 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path=/www/a.jpg", ""},
	} {
		got := detecttest.Of(detecttest.Run(t, transfer.New(), detecttest.Scene(), tc.events), detect.Upload)
		if len(got) != 1 || got[0].Mechanism != tc.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestHiddenScript(t *testing.T) {
	for p, want := range map[string]detect.Level{
		"/www/images/.cache.php": detect.High, "/www/.env.php": detect.Low, "/www/images/.htaccess": detect.Low, "/www/images/.gitkeep": detect.Info, "/www/images/x.php": detect.Low,
	} {
		got := detecttest.Of(detecttest.Run(t, transfer.New(), detecttest.Scene(), "03:00:03 file-uploaded service.name=vsftpd user.name=bob source.ip=203.0.113.6 file.path="+p), detect.Upload)
		if len(got) != 1 || got[0].Level != want {
			t.Errorf("%s: %+v", p, got)
		}
	}
}
