package corpora

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// readWhyscream reads the tests of postfix-grok-patterns: a pattern, the words of a daemon of Postfix, and the fields in them. Patterns that stand
// for a part of a line are passed over.
func readWhyscream(dir string) (out []Sample, err error) {
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".yaml" && filepath.Ext(p) != ".yml" {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if s, ok, err := grokTest(filepath.Base(p), b); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		} else if ok {
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

// postfixDaemons are the patterns that stand for all that a daemon says, in lower case behind "POSTFIX_".
var postfixDaemons = map[string]bool{"anvil": true, "bounce": true, "cleanup": true, "discard": true, "dnsblog": true, "error": true, "local": true, "lmtp": true, "master": true, "pickup": true, "pipe": true,
	"postdrop": true, "postmap": true, "postscreen": true, "postsuper": true, "qmgr": true, "relay": true, "scache": true, "sendmail": true, "smtp": true, "smtpd": true, "tlsmgr": true, "tlsproxy": true, "trivial_rewrite": true, "verify": true, "virtual": true}

// bare takes a pattern's name out of "^%{NAME}$", as newer tests write it, or out of "%{NAME:field}".
func bare(pattern string) string {
	pattern = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(pattern), "^"), "$")
	if in, ok := strings.CutPrefix(pattern, "%{"); ok {
		if in, ok = strings.CutSuffix(in, "}"); ok {
			pattern, _, _ = strings.Cut(in, ":")
		}
	}
	return pattern
}

func grokTest(name string, b []byte) (s Sample, ok bool, err error) {
	var t struct {
		Pattern, Data, Logline string
		Results                map[string]any
	}
	if err := yaml.Unmarshal(b, &t); err != nil {
		return s, false, err
	}
	daemon := strings.ToLower(strings.TrimPrefix(bare(t.Pattern), "POSTFIX_"))
	if t.Data == "" {
		t.Data = t.Logline // as older tests call it
	}
	if !postfixDaemons[daemon] || t.Data == "" {
		return s, false, nil
	}
	daemon = strings.ReplaceAll(daemon, "_", "-")
	escaped := strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`) // as Postfix writes what a client sent: never as an end of line
	s = Sample{Service: "postfix-" + daemon, From: name, Want: Nothing, NoLogin: true, Zone: time.UTC, Time: "2024-05-06T07:08:09", Guessed: true,
		Text: "May  6 07:08:09 mail postfix/" + daemon + "[1234]: " + escaped.Replace(t.Data)}
	field := func(k string) string {
		v, ok := t.Results[k]
		if !ok || v == nil {
			return ""
		}
		return fmt.Sprint(v)
	}
	s.Host = field("postfix_client_ip")
	if a := field("postfix_action"); a == "reject" || a == "milter-reject" || field("postfix_postscreen_violation") != "" || strings.Contains(t.Data, "authentication failed") {
		s.Want = Failure // else the fields of a line are told, and no judgement of it
	}
	if s.Host == "" {
		s.Want = Nothing
	}
	return s, true, nil
}
