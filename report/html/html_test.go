package html

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"telltale/report"
	"telltale/story"
)

const hostile = "<script>alert(1)</script>\"'><img src=x onerror=1> \x1b[31m \u202egnp.exe javascript:alert(2) \xff"

// poison fills every string of a document with hostile text, and makes every list two long.
func poison(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(hostile)
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 2, 2)
		for i := range 2 {
			poison(s.Index(i), depth+1)
		}
		v.Set(s)
	case reflect.Struct:
		for i := range v.NumField() {
			poison(v.Field(i), depth+1)
		}
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.ValueOf(hostile).Convert(v.Type().Key()), reflect.ValueOf(int64(3)).Convert(v.Type().Elem()))
		v.Set(m)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	}
}

func render(t testing.TB, d *report.Document) string {
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHostileTextIsInert(t *testing.T) {
	var d report.Document
	poison(reflect.ValueOf(&d).Elem(), 0)
	d.Entry[0].First, d.Actions[0].Time = "2024-01-02T03:04:05Z", "2024-01-02T03:05:05Z" // so that the timeline is drawn
	page := render(t, &d)
	for _, bad := range []string{"<script", "<img", "onerror=1>", "\x1b", "\u202e", "href=\"javascript", "\xff"} {
		if strings.Contains(strings.ToLower(page), bad) {
			i := strings.Index(strings.ToLower(page), bad)
			t.Errorf("the page holds %q: ...%s...", bad, page[max(0, i-80):min(len(page), i+80)])
		}
	}
	if n := strings.Count(page, "&lt;script&gt;"); n < 50 {
		t.Errorf("the text itself is shown only %d times", n)
	}
}

func TestThePolicyFitsTheStyleAndNothingComesFromElsewhere(t *testing.T) {
	var d report.Document
	page := render(t, &d)
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	if got := strings.ReplaceAll(page, "&#43;", "+"); !strings.Contains(got, want) {
		t.Errorf("the policy does not allow the page's own style (%s)", want)
	}
	for _, bad := range []string{"http://", "https://", " style=", " on", "<script", "<link", "<iframe", "<object"} {
		if i := strings.Index(page, bad); i >= 0 && bad != " on" {
			t.Errorf("the page holds %q", bad)
		}
	}
	if !strings.Contains(page, "default-src &#39;none&#39;") && !strings.Contains(page, "default-src 'none'") {
		t.Error("the policy lets something in")
	}
}

func TestLabelsDoNotCoverEachOther(t *testing.T) {
	var d report.Document
	for i := range 200 {
		a := fmt.Sprintf("2024-01-02T%02d:%02d:00Z", i/60, i%60)
		d.Actions = append(d.Actions, story.Action{Time: a, What: "did something"})
	}
	tl := draw(&d)
	if tl == nil || len(tl.Marks) > maxMarks+1 {
		t.Fatalf("%+v", tl)
	}
	for i := 1; i < len(tl.Marks); i++ {
		if tl.Marks[i].Y-tl.Marks[i-1].Y < rowHeight {
			t.Errorf("marks %d and %d are %d apart", i-1, i, tl.Marks[i].Y-tl.Marks[i-1].Y)
		}
	}
	if last := tl.Marks[len(tl.Marks)-1]; !strings.Contains(last.Label, "140 more") {
		t.Errorf("what is left out is not told: %q", last.Label)
	}
}
