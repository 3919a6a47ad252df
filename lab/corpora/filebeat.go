package corpora

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// filebeatServices are Filebeat's filesets, as "module/fileset", whose logs this program reads.
var filebeatServices = map[string]string{"system/auth": "sshd", "apache/access": "apache", "apache/error": "apache", "nginx/access": "nginx", "nginx/error": "nginx", "nginx/ingress_controller": "nginx",
	"haproxy/log": "haproxy", "traefik/access": "traefik", "mongodb/log": "mongodb", "mysql/error": "mysql", "postgresql/log": "postgresql", "auditd/log": "auditd", "tomcat/log": "tomcat"}

// filebeatLabel is one event that Filebeat's authors expect of a log: as much of it as speaks of who, when and whether.
type filebeatLabel struct {
	Offset   *int     `json:"log.offset"`
	Time     string   `json:"@timestamp"`
	Category any      `json:"event.category"` // a word or a list of words
	Outcome  string   `json:"event.outcome"`
	Source   string   `json:"source.ip"`
	Flags    []string `json:"log.flags"` // "multiline"
}

// readFilebeat reads the samples of Filebeat's modules: a log, and beside it what its authors expect of its lines, by their offsets.
func readFilebeat(dir string) (out []Sample, err error) {
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		log, ok := strings.CutSuffix(p, "-expected.json")
		if err != nil || d.IsDir() || !ok {
			return err
		}
		fileset := filepath.Dir(filepath.Dir(p))
		service := filebeatServices[filepath.Base(filepath.Dir(fileset))+"/"+filepath.Base(fileset)]
		if service == "" {
			return nil
		}
		text, err := os.ReadFile(log)
		if os.IsNotExist(err) {
			return nil // what is expected of the input's other forms
		} else if err != nil {
			return err
		}
		expected, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		var labels []filebeatLabel
		if err := json.Unmarshal(expected, &labels); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		for _, l := range labels {
			if s, ok := l.sample(string(text), service, filepath.Base(log)); ok {
				out = append(out, s)
			}
		}
		return nil
	})
	return out, err
}

// sample makes the label of one line; lines that are only the beginning of an entry of several are left out, for where it ends is not said.
func (l *filebeatLabel) sample(text, service, name string) (s Sample, ok bool) {
	if l.Offset == nil || *l.Offset < 0 || *l.Offset >= len(text) || slices.Contains(l.Flags, "multiline") {
		return s, false
	}
	line, _, _ := strings.Cut(text[*l.Offset:], "\n")
	s = Sample{Service: service, Text: strings.TrimSuffix(line, "\r"), From: fmt.Sprintf("%s:%d", name, 1+strings.Count(text[:*l.Offset], "\n")), Host: l.Source, Zone: time.UTC, Want: Nothing}
	asked := strings.Contains(fmt.Sprint(l.Category), "authentication")
	switch {
	case asked && l.Outcome == "failure" && l.Source != "":
		s.Want, s.NoLogin = Failure, true
	case asked && l.Outcome == "success" && l.Source != "":
		s.Want = Login
	case !asked && l.Source != "" && service != "auditd": // whose labels tell of hosts, tunnels and keys
		s.Want = Seen
	case !asked:
		s.NoLogin = service == "sshd" // the others do not judge who is let in
	}
	s.Time = l.Time
	if strings.HasSuffix(l.Time, "-02:00") { // where the tests were run: a line that names no zone is read as of there
		s.Zone = time.FixedZone("-02:00", -2*60*60)
	}
	return s, strings.TrimSpace(s.Text) != ""
}
