package all

import (
	"bytes"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"telltale/report"
	"telltale/report/reporttest"
)

// TestEachFormatHasItsOwnNameAndFile also finds a format that writes over another's file.
func TestEachFormatHasItsOwnNameAndFile(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Formats() {
		if f.Name == "" || f.Doc == "" || seen[f.Name] || seen[f.File] || strings.Trim(f.File, "abcdefghijklmnopqrstuvwxyz.") != "" {
			t.Errorf("%+v", f)
		}
		seen[f.Name], seen[f.File] = true, true
	}
}

// TestEachClaimThatIsNamedIsThere reads what every format writes for every goal, and the document itself.
func TestEachClaimThatIsNamedIsThere(t *testing.T) {
	named := regexp.MustCompile(`(?:^|[ (,>"])(c[0-9]+)(?:$|[ ),.;:<"])`)
	d := reporttest.Example(t)
	there := map[string]bool{}
	for _, c := range d.Claims {
		there[c.ID] = true
	}
	claims(reflect.ValueOf(d).Elem(), func(id string) {
		if !there[id] {
			t.Errorf("the document names %s", id)
		}
	})
	for _, goal := range report.Goals() {
		d.Goal = goal
		for _, f := range Formats() {
			var b bytes.Buffer
			if err := f.Write(&b, d); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, m := range named.FindAllStringSubmatch(b.String(), -1) {
				if n++; !there[m[1]] {
					t.Errorf("%s for %s names %s, which is not there", f.Name, goal, m[1])
				}
			}
			if n == 0 && f.Name != "abuse" {
				t.Errorf("%s for %s names no claim", f.Name, goal)
			}
		}
	}
}

// claims calls f for each claim that a document refers to.
func claims(v reflect.Value, f func(id string)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name, x := v.Type().Field(i).Name, v.Field(i)
			switch {
			case name == "Claims" && x.Type() == reflect.TypeFor[[]string](), (name == "For" || name == "Against") && x.Type() == reflect.TypeFor[[]string]():
				for j := range x.Len() {
					f(x.Index(j).String())
				}
			case name == "Claim" && x.Kind() == reflect.String:
				f(x.String())
			default:
				claims(x, f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			claims(v.Index(i), f)
		}
	}
}

// TestNothingIsWrittenWithoutEnd gives every list three thousand entries. The document itself and its text in full hold all of them.
func TestNothingIsWrittenWithoutEnd(t *testing.T) {
	d := reporttest.Compromised("some words of an intruder")
	grow(reflect.ValueOf(d).Elem(), 3000)
	d.Goal = report.Legal
	for _, f := range Formats() {
		var b bytes.Buffer
		if err := f.Write(&b, d); err != nil {
			t.Fatal(err)
		}
		if f.Name != "json" && f.Name != "text" && b.Len() > 24<<20 {
			t.Errorf("%s wrote %d bytes", f.Name, b.Len())
		}
	}
}

// grow makes the document's own lists n long.
func grow(v reflect.Value, n int) {
	for i := range v.NumField() {
		switch x := v.Field(i); x.Kind() {
		case reflect.Struct:
			if v.Type().Field(i).Anonymous {
				grow(x, n)
			}
		case reflect.Slice:
			s := reflect.MakeSlice(x.Type(), n, n)
			for j := range n {
				s.Index(j).Set(x.Index(j % x.Len()))
			}
			x.Set(s)
		}
	}
}
