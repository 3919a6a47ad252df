package lvm

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestText(t *testing.T) {
	s, err := parseText([]byte("# a comment\nvg {\n\tid = \"a-b\" # one more\n\tn = -5\n\tlist = [\"x\", 3, \"q\\\"\\\\\"]\n\tempty = []\n\tf = 1.5\nsub{a=1}}\nversion = 1 #"))
	if err != nil {
		t.Fatal(err)
	}
	vg := s.sub("vg")
	if vg.text("id") != "a-b" || vg.number("n") != -5 || vg.sub("sub").number("a") != 1 || s.number("version") != 1 {
		t.Errorf("%+v", vg)
	}
	if l := vg.list("list"); len(l) != 3 || l[0].text != "x" || l[1].number != 3 || l[2].text != `q"\` {
		t.Errorf("%+v", vg.list("list"))
	}
	for _, bad := range []string{"a", "a =", "a = [", "a = \"", "a {", "}", "a = }", "a b", "=", "a = [\"", strings.Repeat("a {", 100)} {
		if _, err := parseText([]byte(bad)); !errors.Is(err, errText) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestChain: a volume on a volume on a volume... each laid out before the next, must end all the same.
func TestChain(t *testing.T) {
	var b strings.Builder
	b.WriteString("vg {\nid = \"x\"\nextent_size = 1\nphysical_volumes {\n}\nlogical_volumes {\nv0 {\nstatus=[\"VISIBLE\"]\ns {\nextent_count = 1\ntype = \"zero\"\n}\n}\n")
	for i := range 2000 {
		n, last := string(rune('a'+i%26))+strings.Repeat("x", i/26), "v0"
		if i > 0 {
			last = string(rune('a'+(i-1)%26)) + strings.Repeat("x", (i-1)/26)
		}
		b.WriteString(n + " {\nstatus=[\"VISIBLE\"]\ns {\nextent_count = 1\ntype = \"mirror\"\nmirrors = [\"" + last + "\", 0, \"" + last + "\", 0]\n}\n}\n")
	}
	b.WriteString("}\n}\n")
	g, err := parseGroup([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	k := &maker{members: map[string]*physical{}}
	vs := k.volumes(g)
	if len(vs) < 5 || len(vs) > 30 {
		t.Errorf("%d volumes of the chain were made: %q", len(vs), k.notes[:min(3, len(k.notes))])
	}
	for _, v := range vs {
		if _, err := v.ReadAt(make([]byte, 10), 0); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

// TestCraftedRing: a ring full of texts that never end is looked at in bounded time.
func TestCraftedRing(t *testing.T) {
	r := &ring{b: bytes.Repeat([]byte("vg {\nid = \"x\"\n"+strings.Repeat("#", sector-15)), 8<<20/sector)}
	start := time.Now()
	if texts := r.older(); len(texts) > 0 {
		t.Errorf("%d texts", len(texts))
	}
	r.b[len(r.b)-1] = 0
	if n := len(r.older()); n == 0 || n > 10 {
		t.Errorf("%d texts", n)
	}
	if took := time.Since(start); took > maxRun {
		t.Errorf("took %v", took)
	}
}
