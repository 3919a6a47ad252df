package jsonline_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"telltale/artifact/internal/jsonline"
)

func TestMembers(t *testing.T) {
	for in, want := range map[string]string{
		`{}`: "|", `{"a":1}`: "a=1|", ` {"a" : "x\"}" , "b":{"c":[1,{"d":"]"}]},"e":null} tail`: `a="x\"}" b={"c":[1,{"d":"]"}]} e=null| tail`,
		``: "broken", `{`: "broken", `[1]`: "broken", `{"a"}`: "broken", `{"a":}`: "broken", `{"a":"x}`: `broken`, `{"a":1,}`: "broken", `{"a":[1}`: "broken", `{a:1}`: "broken", `{"a":1 "b":2}`: "broken",
	} {
		var got []string
		rest, whole := jsonline.Members([]byte(in), func(k, v []byte) { got = append(got, string(k)+"="+string(v)) })
		s := strings.Join(got, " ") + "|" + string(rest)
		if !whole {
			s = "broken"
		}
		if s != want {
			t.Errorf("%s: got %s, want %s", in, s, want)
		}
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		`""`: "", `"a"`: "a", `"\u001b[2J\n\t\"\\\/"`: "\x1b[2J\n\t\"\\/", `"\ud83d\ude00"`: "😀", `"\ud83d!"`: "\ufffd!", `"é"`: "é",
		`"\x"`: "none", `"\u12"`: "none", `"\"`: "none", `12`: "none", `"`: "none",
	} {
		got, _, ok := jsonline.Text(nil, []byte(in))
		if !ok {
			got = []byte("none")
		}
		if string(got) != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

// Whatever the standard library takes for an object of strings is read the same here.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(`{"log":"a\u001b\n","stream":"stdout"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := map[string]string{}
		_, whole := jsonline.Members(b, func(k, v []byte) {
			if s, _, ok := jsonline.Text(nil, v); ok {
				got[string(k)] = string(s)
			}
		})
		want := map[string]string{}
		if !utf8.Valid(b) || strings.ContainsAny(string(b), "\r\n") || json.Unmarshal(b, &want) != nil || strings.TrimSpace(string(b)) == "null" {
			return
		}
		if !whole {
			t.Fatalf("%q is not taken", b)
		}
		for k, v := range want {
			if x, ok := got[k]; ok && x != v && strings.Count(string(b), `"`+k+`"`) == 1 {
				t.Fatalf("%q: %s is %q, want %q", b, k, x, v)
			}
		}
	})
}
