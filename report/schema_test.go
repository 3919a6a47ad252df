package report_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"telltale/internal/golden"
	"telltale/report"
)

// enums are the fields whose words are a closed list.
var enums = map[string][]string{
	"Verdict.status":           {"compromised", "attacked", "clean", "cannot-tell"},
	"Verdict.confidence":       {"confirmed", "likely", "possible"},
	"Entry.status":             {"confirmed", "likely", "possible", "cannot-tell"},
	"Entry.vector":             {"ssh-password-guessed", "ssh-password-known", "ssh-key", "ftp-password", "web-exploit", "web-upload", "web-admin", "mail-account", "open-relay", "database-exposed", "daemon-exploit", "insider", "supply-chain", "local-script", "open-share", "unknown"},
	"Hypothesis.status":        {"confirmed", "likely", "possible", "ruled-out", "cannot-tell"},
	"Exposure.kind":            {"password-hashes", "private-key", "certificate-key", "token", "service-password", "data"},
	"Exposure.status":          {"confirmed", "likely", "possible"},
	"Contact.status":           {"confirmed", "likely", "possible"},
	"Contact.how":              {"ssh", "scan", "download", "upload", "mail", "connection", "known-host"},
	"Patch.status":             {"exposed", "exploited"},
	"Complaint.status":         {"confirmed", "likely", "possible", "cannot-tell"},
	"Actor.origin":             {"external", "internal", "near", "local"},
	"Claim.rung":               {"", "a", "b", "c", "d"},
	"Claim.status":             {"confirmed", "likely", "possible", "ruled-out", "cannot-tell"},
	"Finding.level":            {"info", "low", "medium", "high", "critical"},
	"Coverage.covers_incident": {"", "yes", "no", "partly"},
	"Document.schema":          {report.Schema},
	"Document.goal":            report.Goals(),
}

// TestSchema keeps report/schema.json, which others may check reports with, true to the types. Run with -update to
// write it anew.
func TestSchema(t *testing.T) {
	root := schema(reflect.TypeFor[report.Document]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "report.json of telltale"
	b, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "schema.json", append(b, '\n'))
}

func schema(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		inner := schema(t.Elem())
		return map[string]any{"anyOf": []any{inner, map[string]any{"type": "null"}}}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schema(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schema(t.Elem())}
	}
	props, required := map[string]any{}, []string{}
	fields(t, func(name string, f reflect.StructField) {
		s := schema(f.Type)
		if words, ok := enums[t.Name()+"."+name]; ok {
			s["enum"] = words
		}
		props[name] = s
		required = append(required, name)
	})
	return map[string]any{"type": "object", "properties": props, "required": required, "additionalProperties": false}
}

// fields calls f for each field by its JSON name, those of embedded structs among them.
func fields(t reflect.Type, f func(string, reflect.StructField)) {
	for i := range t.NumField() {
		x := t.Field(i)
		if x.Anonymous {
			fields(x.Type, f)
			continue
		}
		name, _, _ := strings.Cut(x.Tag.Get("json"), ",")
		f(name, x)
	}
}
