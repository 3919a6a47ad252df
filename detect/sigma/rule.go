package sigma

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// Rule is one rule, compiled.
type Rule struct {
	File    string // where it came from
	ID      string
	Name    string // by which correlations call it, beside its id
	Title   string
	Author  string
	Attack  []string // ATT&CK techniques: "T1190"
	Level   detect.Level
	Source  Source
	Samples Samples
	quiet   bool // only correlations speak

	kinds       kindSet
	program     string // whose log lines it looks at, "" for any
	service     string // whose other events, "" for any
	matches     expr
	correlation *correlation

	// Of our own rules: what a hit means to the story.
	what      detect.What
	detection string
	rung      evidence.Rung
	mechanism string
}

// somebodys stands for a row of the catalogue in the findings of rules that are not ours.
const somebodys = "rule"

// Source is a rule's logsource.
type Source struct{ Category, Product, Service string }

// String gives it as "linux/sudo", "webserver".
func (s Source) String() string {
	parts := slices.DeleteFunc([]string{s.Product, s.Category, s.Service}, func(p string) bool { return p == "" })
	if len(parts) == 0 {
		return "(any)"
	}
	return strings.Join(parts, "/")
}

// Samples are log lines that a rule of ours must and must not match.
type Samples struct {
	Path     string // of the log that they stand in
	Positive []string
	Negative []string
}

// ErrRule is what every refusal of a rule wraps.
var ErrRule = errors.New("rule not usable")

func refuse(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRule}, a...)...)
}

// document is a rule as it is written. Fields that only people read are left out.
type document struct {
	Title       string         `yaml:"title"`
	ID          string         `yaml:"id"`
	Name        string         `yaml:"name"`
	Author      string         `yaml:"author"`
	Status      string         `yaml:"status"`
	Level       string         `yaml:"level"`
	Tags        []string       `yaml:"tags"`
	Source      Source         `yaml:"logsource"`
	Detection   map[string]any `yaml:"detection"`
	Correlation map[string]any `yaml:"correlation"`
	Action      string         `yaml:"action"`
	Ours        struct {
		What      string   `yaml:"what"`
		Detection string   `yaml:"detection"`
		Rung      string   `yaml:"rung"`
		Mechanism string   `yaml:"mechanism"`
		Kinds     []string `yaml:"kinds"` // the only ones that it looks at: others cost time
		Path      string   `yaml:"path"`
		Positive  []string `yaml:"positive"`
		Negative  []string `yaml:"negative"`
	} `yaml:"telltale"`
}

// The bounds of one file.
const (
	maxDocuments = 1000
	maxNesting   = 100 // brackets within brackets
)

// parse reads the rules of one file. What cannot be used comes back as errors, one for each rule.
func parse(file string, content []byte) (rules []*Rule, bad []error) {
	if nesting(content) > maxNesting {
		return nil, []error{refuse("its brackets are nested more than %d deep", maxNesting)}
	}
	f, err := parser.ParseBytes(content, 0)
	if err != nil {
		return nil, []error{refuse("%s", firstLine(err))}
	}
	for i, doc := range f.Docs {
		if i >= maxDocuments {
			return rules, append(bad, refuse("more than %d rules in one file", maxDocuments))
		}
		if doc.Body == nil {
			continue
		}
		r, err := read(file, doc.Body)
		switch {
		case err != nil:
			bad = append(bad, err)
		case r != nil:
			rules = append(rules, r)
		}
	}
	return rules, bad
}

// read compiles one document; nil for one that is empty.
func read(file string, body ast.Node) (*Rule, error) {
	// References stand for what they name as often as they come: a few lines of them make gigabytes.
	if len(ast.Filter(ast.AliasType, body)) > 0 {
		return nil, refuse("it has YAML references")
	}
	var d document
	if err := yaml.NodeToValue(body, &d); err != nil {
		return nil, refuse("%s", firstLine(err))
	}
	if d.Detection == nil && d.Correlation == nil && d.Title == "" {
		return nil, nil
	}
	return compile(file, &d)
}

// nesting gives how many brackets stand open at most; in quoted text they count, too, and are few.
func nesting(content []byte) (most int) {
	depth := 0
	for _, c := range content {
		switch c {
		case '[', '{':
			depth++
			most = max(most, depth)
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	return most
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

func compile(file string, d *document) (*Rule, error) {
	r := &Rule{File: file, ID: d.ID, Name: d.Name, Title: d.Title, Author: d.Author, Source: d.Source, what: detect.RuleHit, detection: somebodys, rung: evidence.Attempt}
	if r.Title == "" {
		return nil, refuse("it has no title")
	}
	if d.Action != "" {
		return nil, refuse("action %q: collections of rules in this old form are not read", d.Action)
	}
	switch d.Status {
	case "deprecated", "unsupported":
		return nil, refuse("its author calls it %s", d.Status)
	}
	var err error
	if r.Level, err = level(d.Level); err != nil {
		return nil, err
	}
	for _, t := range d.Tags {
		if id, ok := strings.CutPrefix(strings.ToLower(t), "attack.t"); ok && id != "" && id[0] >= '0' && id[0] <= '9' {
			r.Attack = append(r.Attack, "T"+id)
		}
	}
	if err := r.ours(d); err != nil {
		return nil, err
	}
	if d.Correlation != nil {
		r.correlation, err = correlate(d.Correlation)
		return r, err
	}
	v, err := viewOf(d.Source)
	if err != nil {
		return nil, err
	}
	if r.kinds = v.kinds; len(d.Ours.Kinds) > 0 {
		if r.kinds, err = narrowed(v.kinds, d.Ours.Kinds); err != nil {
			return nil, err
		}
	}
	r.program, r.service = v.program, v.program
	if v.word != "" {
		r.program = v.word
	}
	return r, r.compile(d.Detection, v)
}

// narrowed leaves of a set the kinds that are named.
func narrowed(all kindSet, names []string) (out kindSet, err error) {
	for _, n := range names {
		found := false
		for k := range all {
			if all[k] && event.Kind(k).String() == n {
				out[k], found = true, true
			}
		}
		if !found {
			return out, refuse("its log source has no events of the kind %q", n)
		}
	}
	return out, nil
}

func level(s string) (detect.Level, error) {
	switch s {
	case "", "informational":
		return detect.Info, nil
	case "low":
		return detect.Low, nil
	case "medium":
		return detect.Medium, nil
	case "high":
		return detect.High, nil
	case "critical":
		return detect.Critical, nil
	}
	return 0, refuse("there is no level %q", s)
}

// ours reads what only our own rules say.
func (r *Rule) ours(d *document) error {
	o := &d.Ours
	r.Samples = Samples{o.Path, o.Positive, o.Negative}
	r.mechanism = o.Mechanism
	if o.What != "" {
		r.what = detect.What(o.What)
	}
	if o.Detection != "" {
		r.detection = o.Detection
	}
	switch o.Rung {
	case "", "a":
	case "b":
		r.rung = evidence.Accepted
	case "c":
		r.rung = evidence.Effect
	default:
		return refuse("there is no rung %q for a rule", o.Rung)
	}
	return nil
}

// compile reads the detection: named searches, and a condition over them.
func (r *Rule) compile(det map[string]any, v *view) error {
	searches := map[string]expr{}
	for name, s := range det {
		if name == "condition" || name == "timeframe" || name == "fields" {
			continue
		}
		e, err := v.search(s, 0)
		if err != nil {
			return fmt.Errorf("%w (in %s)", err, name)
		}
		searches[name] = e
	}
	var conditions []string
	switch c := det["condition"].(type) {
	case string:
		conditions = []string{c}
	case []any:
		for _, x := range c {
			s, ok := x.(string)
			if !ok {
				return refuse("a condition that is no text")
			}
			conditions = append(conditions, s)
		}
	}
	if len(conditions) == 0 {
		return refuse("it has no condition")
	}
	var any_ orExpr
	for _, c := range conditions {
		c, aggregate, old := strings.Cut(c, "|")
		e, err := condition(c, searches)
		if err != nil {
			return err
		}
		if old {
			if len(conditions) > 1 {
				return refuse("several conditions, one of which counts")
			}
			if r.correlation, err = aggregation(aggregate, det["timeframe"]); err != nil {
				return err
			}
		}
		any_ = append(any_, e)
	}
	r.matches = any_
	if len(any_) == 1 {
		r.matches = any_[0]
	}
	if v.word != "" {
		r.matches = andExpr{r.matches, serviceExpr{v.word, newGlob("*"+v.word+"*", false)}}
	}
	return nil
}
