package webscript

import (
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	for page, want := range map[string]bool{
		`<% string cmd = request.getparameter("cmd"); process p = runtime.getruntime().exec(new string[]{"/bin/sh","-c",cmd}); %>`: true,
		"string c=request.getparameter(\"c\");\nnew processbuilder(\"sh\",\"-c\",c).start();":                                      true,
		"string c = request.getparameter(\"c\");\nstatement.exec(c);":                                                              false,
		"string c = request.getparameter(\"c\");\nruntime.getruntime().exec(\"convert \" + size);":                                 false,
		"int n = integer.parseint(request.getparameter(\"n\"));\nruntime.getruntime().exec(\"report \" + n);":                      false,
		"runtime.getruntime().exec(": false,
	} {
		v, got := parameters{}, false
		for _, l := range strings.Split(page, "\n") {
			_, rank := v.judge(l)
			got = got || rank > 0
		}
		if got != want {
			t.Errorf("%q: %v", page, got)
		}
	}
}
