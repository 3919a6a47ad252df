package story

import (
	"strings"
	"testing"

	"telltale/detect"
)

// TestClosingFits: a way in is closed by the tool that it was, not by what is said of all forms.
func TestClosingFits(t *testing.T) {
	for name, tc := range map[string]struct {
		entry   Entry
		finding detect.Finding
		want    string
	}{
		"Tomcat's manager":  {Entry{Vector: "web-upload", Sources: []string{"203.0.113.6"}}, detect.Finding{What: detect.WebUpload, Level: detect.High, Source: "203.0.113.6", Detail: "it was born 1 s behind a POST of 203.0.113.6 to /manager/html/upload"}, "Undeploy"},
		"phpMyAdmin":        {Entry{Vector: "web-admin", Sources: []string{"203.0.113.6"}}, detect.Finding{What: detect.WebUpload, Level: detect.High, Source: "203.0.113.6", Detail: "it was born 1 s behind a POST of 203.0.113.6 to /phpmyadmin/import.php"}, "phpMyAdmin"},
		"injected SQL":      {Entry{Vector: "web-exploit", Sources: []string{"203.0.113.6"}}, detect.Finding{What: detect.WebUpload, Level: detect.High, Source: "203.0.113.6", Mechanism: bySQL}, "into SQL"},
		"a form":            {Entry{Vector: "web-upload", Sources: []string{"203.0.113.6"}}, detect.Finding{What: detect.WebUpload, Level: detect.High, Source: "203.0.113.6", Detail: "it was born 1 s behind a POST of 203.0.113.6 to /upload.php"}, ""},
		"another's manager": {Entry{Vector: "web-upload", Sources: []string{"203.0.113.7"}}, detect.Finding{What: detect.WebUpload, Level: detect.High, Source: "203.0.113.6", Detail: "it was born 1 s behind a POST of 203.0.113.6 to /manager/html/upload"}, ""},
		"rsync":             {Entry{Vector: "open-share", Service: rsyncd}, detect.Finding{}, "rsyncd.conf"},
	} {
		b := &builder{by: map[detect.What][]*detect.Finding{tc.finding.What: {&tc.finding}}}
		if c, ok := b.closingOf(&tc.entry); ok != (tc.want != "") || !strings.Contains(c.step, tc.want) {
			t.Errorf("%s: %q", name, c.step)
		}
	}
}
