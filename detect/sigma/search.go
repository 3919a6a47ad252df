package sigma

import (
	"slices"
	"strings"
)

// search compiles one search of a rule: a map of fields, a list of maps, or words.
func (v *view) search(s any, depth int) (expr, error) {
	if depth > maxDepth {
		return nil, refuse("its searches are nested more than %d deep", maxDepth)
	}
	switch x := s.(type) {
	case map[string]any:
		var list andExpr
		names := make([]string, 0, len(x))
		for name := range x {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			e, err := v.item(name, x[name])
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		if len(list) == 0 {
			return nil, refuse("an empty search")
		}
		return list, nil
	case []any:
		var list orExpr
		for _, y := range x {
			e, err := v.search(y, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		if len(list) == 0 {
			return nil, refuse("an empty search")
		}
		return list, nil
	case nil:
		return nil, refuse("an empty search")
	}
	return keywords([]any{s}, modifiers{})
}

// item compiles "Field|modifier: value".
func (v *view) item(key string, value any) (expr, error) {
	parts := strings.Split(key, "|")
	m, err := readModifiers(parts[1:])
	if err != nil {
		return nil, err
	}
	values, isList := value.([]any)
	if !isList {
		values = []any{value}
	}
	if parts[0] == "" {
		return keywords(values, m)
	}
	f, known := v.fieldOf(parts[0])
	if !known {
		return unknownField{parts[0]}, nil
	}
	e, err := m.on(v, f, values)
	if m.neq && err == nil {
		e = notExpr{e}
	}
	return e, err
}

// written tells a value that a rule may write: text, a number, true or false.
func written(x any) bool {
	switch x.(type) {
	case string, bool, int, int64, uint64, float64:
		return true
	}
	return false
}

// join makes one expression of those of a list's values: all of them must hold, or any.
func (m modifiers) join(list []expr) expr {
	switch {
	case len(list) == 1:
		return list[0]
	case m.all:
		return andExpr(list)
	}
	return orExpr(list)
}

// on compiles what a field's values are compared with.
func (m modifiers) on(v *view, f field, values []any) (expr, error) {
	var list []expr
	for _, x := range values {
		e, err := m.one(v, f, x)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return nil, refuse("a field with an empty list")
	}
	return m.join(list), nil
}

// one compiles the comparison with one value.
func (m modifiers) one(v *view, f field, x any) (expr, error) {
	switch {
	case m.exists:
		yes, ok := x.(bool)
		if !ok {
			return nil, refuse("exists: %v", x)
		}
		if !yes {
			return notExpr{presentExpr{f}}, nil
		}
		return presentExpr{f}, nil
	case m.fieldref:
		name, _ := x.(string)
		other, ok := v.fieldOf(name)
		if !ok {
			return unknownField{name}, nil
		}
		return sameExpr{f, other}, nil
	case x == nil, x == "" && !m.contains && !m.startswith && !m.endswith:
		return notExpr{presentExpr{f}}, nil
	case !written(x):
		return nil, refuse("a value that is neither text nor number")
	}
	forms, err := m.compile(x)
	return fieldExpr{f, forms}, err
}

// keywords compiles words that stand anywhere in the log's line.
func keywords(values []any, m modifiers) (expr, error) {
	m.contains = !m.re
	var list []expr
	for _, x := range values {
		if !written(x) {
			return nil, refuse("a keyword that is neither text nor number")
		}
		forms, err := m.compile(x)
		if err != nil {
			return nil, err
		}
		list = append(list, keywordExpr{forms})
	}
	if len(list) == 0 {
		return nil, refuse("an empty list of keywords")
	}
	return m.join(list), nil
}
