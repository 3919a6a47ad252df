package orders

import (
	"strings"

	"telltale/detect"
	"telltale/event"
	"telltale/evidence"
)

// nameless tells what a cluster of Kubernetes did for somebody who did not say who he is, by its audit log. Health checks ask without a name, too, and get an answer;
// nobody who is entitled makes or removes anything so.
func (f *fold) nameless(e *event.Event) bool {
	s := e.Text(event.Message)
	if !strings.Contains(s, `"username":"system:anonymous"`) || !strings.Contains(s, `"code":20`) {
		return false
	}
	verb, resource := value(s, "verb"), value(s, "resource")
	grave := verb == "create" || verb == "patch" || verb == "update" || verb == "delete"
	if !grave && !(resource == "secrets" && (verb == "list" || verb == "get")) || strings.HasPrefix(resource, "self") || strings.HasSuffix(resource, "reviews") || hooked(resource, value(s, "subresource")) {
		return true
	}
	k := "cluster\x00" + verb + resource + e.Text(event.SourceIP)
	r := f.by[k]
	if r == nil {
		if len(f.order) >= maxKinds {
			return true
		}
		r = &detect.Finding{Detection: "D79", What: detect.Container, Level: detect.High, Rung: evidence.Effect, Service: "kubernetes", Source: e.Text(event.SourceIP), First: e.At, Path: resource, Mechanism: verb, Attack: []string{"T1190", "T1610"},
			Title: "somebody without a name (" + e.Text(event.SourceIP) + ") had the cluster " + verb + " " + resource, Detail: "it takes orders from anybody"}
		if grave {
			r.Level = detect.Critical
		}
		f.by[k] = r
		f.order = append(f.order, r)
	}
	r.Count++
	r.First, r.Last = evidence.Min(r.First, e.At), evidence.Max(r.Last, e.At)
	if len(r.For) < maxQuotes {
		r.For = append(r.For, e.Quote())
	}
	return true
}

// value reads "name":"value" out of an object, the first of that name.
func value(s, name string) string {
	_, rest, _ := strings.Cut(s, `"`+name+`":"`)
	v, _, _ := strings.Cut(rest, `"`)
	return v
}

// hooked tells what is called without a name and checks who calls by itself: a forge starts a build by a secret in the address, and a service behind the cluster has a login of its own.
func hooked(resource, sub string) bool {
	return resource == "buildconfigs" && sub == "webhooks" || resource == "services" && sub == "proxy"
}
