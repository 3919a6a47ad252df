package navigator

import (
	"bytes"
	"encoding/json"
	"testing"

	"telltale/internal/golden"
	"telltale/report"
	"telltale/report/internal/held"
	"telltale/report/reporttest"
	"telltale/story"
)

func render(t testing.TB, d *report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExample(t *testing.T) {
	golden.Equal(t, "testdata/navigator.json", render(t, reporttest.Example(t)))
}

// TestTheLayerIsOne checks what format 4.5 demands.
func TestTheLayerIsOne(t *testing.T) {
	hostile := reporttest.Compromised(reporttest.Words)
	hostile.Actions[0].Attack, hostile.Actions[1].Attack = "T1059.004", "T1059.0044"
	for name, d := range map[string]*report.Document{"example": reporttest.Example(t), "hostile": hostile, "empty": {}} {
		raw := render(t, d)
		if reporttest.Steers(string(raw)) {
			t.Errorf("%s: the layer steers a terminal", name)
		}
		var l layer
		if err := json.Unmarshal(raw, &l); err != nil {
			t.Fatal(err)
		}
		if l.Name == "" || l.Domain != "enterprise-attack" || l.Versions.Layer != "4.5" || len(l.Gradient.Colors) < 2 || l.Gradient.Max <= l.Gradient.Min || l.Technique == nil {
			t.Errorf("%s: %+v", name, l)
		}
		seen := map[string]bool{}
		for _, x := range l.Technique {
			if !held.IsTechnique(x.ID) || seen[x.ID] || x.Score <= 0 || x.Score > 100 {
				t.Errorf("%s: %+v", name, x)
			}
			seen[x.ID] = true
			for _, m := range x.Metadata {
				if m.Name == "" || m.Value == "" {
					t.Errorf("%s: %s has metadata without a value", name, x.ID)
				}
			}
		}
		if name == "hostile" && len(l.Technique) != 1 {
			t.Errorf("%d techniques of one that has the form of one", len(l.Technique))
		}
	}
}

func TestOnlyACompromiseMarksTechniques(t *testing.T) {
	for _, status := range []string{story.Attacked, story.Clean, string(story.CannotTell)} {
		d := reporttest.Example(t)
		d.Verdict.Status = status
		var l layer
		if err := json.Unmarshal(render(t, d), &l); err != nil || len(l.Technique) > 0 {
			t.Errorf("%s: %v %v", status, l.Technique, err)
		}
	}
}
