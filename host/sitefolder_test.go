package host

import "testing"

func TestIsSite(t *testing.T) {
	for _, tc := range []struct {
		name   string
		folder string
		names  []string
		want   bool
	}{
		{"wordpress", "site", []string{"index.php", "wp-includes"}, true},
		{"wordpress without its front page", "site", []string{"wp-config.php", "wp-includes"}, true},
		{"a panel's folder", "public_html", []string{"mail.php", "logo.png"}, true},
		{"java", "ROOT", []string{"WEB-INF", "x.jsp"}, true},
		{"logs", "logs", []string{"auth.log", "syslog"}, false},
		{"a script beside logs", "case", []string{"auth.log", "notes.php"}, false},
		{"pictures", "html", []string{"a.png"}, false},
	} {
		if got := isSite(tc.folder, tc.names); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
