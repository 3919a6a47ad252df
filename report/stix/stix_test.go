package stix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"telltale/internal/golden"
	"telltale/report"
	"telltale/report/reporttest"
	"telltale/story"
)

// required are the properties that the specification demands of each type, beside type and id. Domain and relationship objects have those of
// section 3.2, too.
var required = map[string]string{
	"identity": "name", "report": "name published object_refs", "observed-data": "first_observed last_observed number_observed object_refs",
	"indicator": "pattern pattern_type valid_from", "attack-pattern": "name", "malware": "is_family", "tool": "name", "vulnerability": "name",
	"relationship": "relationship_type source_ref target_ref", "note": "content object_refs",
	"ipv4-addr": "value", "ipv6-addr": "value", "domain-name": "value", "url": "value", "directory": "path", "network-traffic": "protocols dst_ref",
	"file": "", "user-account": "account_login", "process": "pid",
}

var scos = " ipv4-addr ipv6-addr domain-name url directory network-traffic file user-account process "

var (
	idForm   = regexp.MustCompile(`^([a-z0-9-]+)--[0-9a-f]{8}-[0-9a-f]{4}-([45])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	timeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

func render(t testing.TB, d *report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// check holds a bundle against the specification's rules that need no schema, and gives its objects by type.
func check(t testing.TB, raw []byte) map[string][]object {
	t.Helper()
	var bundle struct {
		Type, ID string
		Objects  []object
	}
	if err := json.Unmarshal(raw, &bundle); err != nil {
		t.Fatal(err)
	}
	if bundle.Type != "bundle" || !strings.HasPrefix(bundle.ID, "bundle--") {
		t.Errorf("no bundle: %s %s", bundle.Type, bundle.ID)
	}
	ids, by := map[string]bool{}, map[string][]object{}
	for _, o := range bundle.Objects {
		kind, id := fmt.Sprint(o["type"]), fmt.Sprint(o["id"])
		m := idForm.FindStringSubmatch(id)
		if m == nil || m[1] != kind || ids[id] || (m[2] == "4") != (kind == "process") {
			t.Errorf("the id %q of a %s is malformed, or stands twice", id, kind)
		}
		ids[id] = true
		by[kind] = append(by[kind], o)
		want, ok := required[kind]
		if !ok {
			t.Errorf("a type that nobody asked for: %s", kind)
		}
		if !strings.Contains(scos, " "+kind+" ") {
			want += " created modified"
			if o["modified"].(string) < o["created"].(string) {
				t.Errorf("%s was modified before it was made", id)
			}
		}
		for _, p := range strings.Fields(want + " spec_version") {
			if o[p] == nil || o[p] == "" {
				t.Errorf("%s has no %s", id, p)
			}
		}
	}
	for _, o := range bundle.Objects {
		references(t, o, ids)
	}
	return by
}

func references(t testing.TB, o object, ids map[string]bool) {
	for k, v := range o {
		var refs []any
		switch {
		case strings.HasSuffix(k, "_ref"):
			refs = []any{v}
		case strings.HasSuffix(k, "_refs"):
			if refs = v.([]any); len(refs) == 0 {
				t.Errorf("%s: %s is empty", o.id(), k)
			}
		case k == "created" || k == "modified" || k == "published" || k == "valid_from" || strings.HasSuffix(k, "_observed") && k != "number_observed" || k == "created_time":
			if !timeForm.MatchString(v.(string)) {
				t.Errorf("%s: %s is %q", o.id(), k, v)
			} else if _, err := time.Parse(time.RFC3339, v.(string)); err != nil {
				t.Error(err)
			}
		case k == "confidence":
			if c := v.(float64); c < 1 || c > 100 {
				t.Errorf("%s: confidence %v", o.id(), c)
			}
		}
		for _, r := range refs {
			if !ids[r.(string)] {
				t.Errorf("%s: %s leads to %v, which is not there", o.id(), k, r)
			}
		}
	}
}

func TestExample(t *testing.T) {
	raw := render(t, reporttest.Example(t))
	golden.Equal(t, "testdata/stix.json", raw)
	by := check(t, raw)
	for kind := range required {
		if kind != "ipv6-addr" && kind != "vulnerability" && len(by[kind]) == 0 {
			t.Errorf("the example gives no %s", kind)
		}
	}
	if !bytes.Equal(raw, render(t, reporttest.Example(t))) {
		t.Error("a second run gives another file")
	}
	for _, innocent := range []string{"backup-home", "backup.example", "db1.example", "10.0.0.9"} {
		if bytes.Contains(raw, []byte(innocent)) {
			t.Errorf("%s is named, and nothing is held against it", innocent)
		}
	}
}

// TestAnotherRunNamesTheSameObjects examines the same evidence a day later.
func TestAnotherRunNamesTheSameObjects(t *testing.T) {
	d := reporttest.Example(t)
	before := check(t, render(t, d))
	d.Made = "2024-03-21T09:30:00Z"
	for kind, list := range check(t, render(t, d)) {
		for i, o := range list {
			if x := before[kind][i]; x.id() != o.id() || x["created"] != o["created"] {
				t.Errorf("%s became %s", x.id(), o.id())
			}
		}
	}
}

func TestOnlyACompromiseAccuses(t *testing.T) {
	for status, addresses := range map[string]int{story.Attacked: 2, story.Clean: 0, string(story.CannotTell): 0, "": 0} {
		d := reporttest.Example(t)
		d.Verdict.Status = status
		by := check(t, render(t, d))
		if n := len(by["ipv4-addr"]); n != addresses {
			t.Errorf("%q: %d addresses, want %d", status, n, addresses)
		}
		for _, kind := range []string{"indicator", "attack-pattern", "malware", "tool", "process", "file", "user-account"} {
			if len(by[kind]) > 0 {
				t.Errorf("%q: a %s", status, kind)
			}
		}
		for _, o := range by["observed-data"] {
			if o["confidence"] != float64(confidence[story.Possible]) {
				t.Errorf("%q: observed with confidence %v", status, o["confidence"])
			}
		}
	}
}

func TestHostileTextStaysText(t *testing.T) {
	for _, words := range []string{reporttest.Words, "' OR file:name = 'x", `\'] OR [url:value = '`, "http://x/'] OR [a", "", "\u2028\x00", strings.Repeat("/../", 2000)} {
		d := reporttest.Compromised(words)
		d.Entry[0].Sources = []string{"203.0.113.6", "fe80::1%eth0", "2001:db8::7", words}
		d.Running[0].Sockets = []string{"tcp to 203.0.113.6:443 established", "tcp to [2001:db8::7]:80 x", "udp to :1", words}
		raw := render(t, d)
		if reporttest.Steers(string(raw)) {
			t.Errorf("%q: the bundle holds what steers a terminal", words)
		}
		for _, o := range check(t, raw)["indicator"] {
			comparisons(t, o["pattern"].(string))
		}
	}
	check(t, render(t, &report.Document{}))
	check(t, render(t, reporttest.Hostile()))
}

// comparisons reads a pattern and fails unless it is one observation, with every quote closed.
func comparisons(t testing.TB, p string) {
	quoted, depth := false, 0
	for i := 0; i < len(p); i++ {
		switch {
		case quoted && p[i] == '\\':
			i++
		case p[i] == '\'':
			quoted = !quoted
		case !quoted && p[i] == '[':
			depth++
		case !quoted && p[i] == ']' && i != len(p)-1:
			t.Errorf("a pattern goes on behind its end: %s", p)
		}
	}
	if quoted || depth != 1 {
		t.Errorf("a pattern is open, or more than one: %s", p)
	}
}

func TestAddressesHaveTheirIDsOfTheSpecification(t *testing.T) {
	// What the OASIS' own library, cti-python-stix2 3.0.2, gives for IPv4Address(value="198.51.100.3").
	if got, want := uuid(observables, canonical(object{"value": "198.51.100.3"})), "28bb3599-77cd-5a82-a950-b5bc3caf07c4"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
