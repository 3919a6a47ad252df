package jsonreport

import (
	"bytes"
	"reflect"
	"testing"

	"telltale/report"
	"telltale/story"
)

func TestRoundTrip(t *testing.T) {
	d := &report.Document{Schema: report.Schema, Tool: report.Tool{Name: "telltale", Version: "1"}}
	d.Verdict = story.Verdict{Status: story.Attacked, Summary: "<b>&"}
	d.Claims = []story.Claim{{ID: "c1", Text: "x", For: []story.Quotation{{Path: "p", Quote: "</script>"}}}}
	var b bytes.Buffer
	if err := New().Write(&b, d); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("</script>")) {
		t.Error("the document ends a script that holds it")
	}
	got, err := Parse(b.Bytes())
	if err != nil || !reflect.DeepEqual(got, d) {
		t.Errorf("%v\n%+v\n%+v", err, got, d)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "{}", "[]", `{"schema":"telltale-report/9"}`, "\x00"} {
		if _, err := Parse([]byte(s)); err == nil {
			t.Errorf("%q was read", s)
		}
	}
}
