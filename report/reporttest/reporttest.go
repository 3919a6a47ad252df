// Package reporttest gives the formats' tests the documents that all of them must bear: the example, and one in which every word is an
// intruder's.
package reporttest

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"telltale/report"
	"telltale/story"
)

// Words is text that would do something in one medium or another: HTML, an escape sequence of terminals, writing that turns about, a
// link, bytes that are not UTF-8.
const Words = "<script>alert(1)</script>\"'><img src=x onerror=1> \x1b[31m \u202egnp.exe javascript:alert(2) \xff"

// Example gives the example that lies beside package html. Every test has its own.
func Example(t testing.TB) *report.Document {
	t.Helper()
	b, err := os.ReadFile("../html/testdata/document.json")
	if err != nil { // a test one folder deeper
		b, err = os.ReadFile("../../html/testdata/document.json")
	}
	if err != nil {
		t.Fatal(err)
	}
	var d report.Document
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// Hostile gives a document with Words in every string, and two entries in every list.
func Hostile() *report.Document {
	var d report.Document
	Poison(&d, Words)
	return &d
}

// Compromised gives a document of a break-in in which each text that comes from evidence is words, and what telltale itself writes -
// statuses, ids, times - is right.
func Compromised(words string) *report.Document {
	var d report.Document
	Poison(&d, words)
	d.Schema, d.Made, d.Goal = report.Schema, "2024-03-20T09:30:00Z", report.RootCause
	d.Verdict.Status, d.Verdict.Confidence = story.Compromised, story.Confirmed
	walk(reflect.ValueOf(&d).Elem(), func(name string, v reflect.Value) {
		switch {
		case v.Type() == reflect.TypeFor[story.Status]():
			v.SetString(string(story.Likely))
		case v.Kind() == reflect.Slice && name == "Claims" && v.Type().Elem().Kind() == reflect.String:
			v.Set(reflect.ValueOf([]string{"c1", "c2"}))
		}
	})
	for i := range d.Claims {
		d.Claims[i].ID = []string{"c1", "c2"}[i]
	}
	return &d
}

// Poison fills every string of a document with words, and makes every list two long.
func Poison(d *report.Document, words string) { fill(reflect.ValueOf(d).Elem(), words) }

func fill(v reflect.Value, words string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(words)
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 2, 2)
		for i := range 2 {
			fill(s.Index(i), words)
		}
		v.Set(s)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), words)
		}
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.ValueOf(words).Convert(v.Type().Key()), reflect.ValueOf(int64(3)).Convert(v.Type().Elem()))
		v.Set(m)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	}
}

// walk calls f for each field below v, with its name.
func walk(v reflect.Value, f func(name string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f(v.Type().Field(i).Name, v.Field(i))
			walk(v.Field(i), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), f)
		}
	}
}

// Steers tells whether a text holds what moves a cursor, turns writing about, or is not UTF-8; line ends are allowed.
func Steers(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0xfffd
	})
}
