package container

import (
	"bytes"
	"net/url"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// tell makes events of a message of dockerd or containerd. Quotes within it stand as \".
func (x *entry) tell(m *artifact.Message, service []byte, yield func(*event.Event)) {
	t := x.text
	switch {
	case bytes.HasPrefix(t, []byte("API listen on ")):
		if address := t[len("API listen on "):]; len(address) > 0 && address[0] != '/' && address[0] != '@' {
			setting(m, service, "api.listen", address, yield)
		}
	case said.BeginsAny(t, []string{"Binding to IP address without --tlsverify", "[!] DON'T BIND ON ANY IP ADDRESS WITHOUT setting --tlsverify"}):
		host := x.host
		if host == nil {
			host = []byte("tcp")
		}
		setting(m, service, "api.unprotected", host, yield)
	case bytes.HasPrefix(t, []byte("[DEPRECATION NOTICE]: API is accessible on ")):
		address, _ := said.FirstWord(t[len("[DEPRECATION NOTICE]: API is accessible on "):])
		setting(m, service, "api.unprotected", address, yield)
	case string(t) == "Daemon has completed initialization", bytes.HasPrefix(t, []byte("containerd successfully booted")):
		life(m, event.ServiceStarted, service, nil, yield)
	case string(t) == "Daemon shutdown complete":
		life(m, event.ServiceStopped, service, nil, yield)
	case bytes.HasPrefix(t, []byte("Processing signal ")), bytes.HasPrefix(t, []byte("Stop CRI service")):
		life(m, event.ProgramSaid, service, t, yield)
	case string(t) == "ignoring event" && string(x.topic) == "/tasks/delete", string(t) == "shim disconnected":
		id := x.container
		if id == nil {
			id = x.id
		}
		change(m, service, "died", id, nil, nil, yield)
	case string(t) == "image pulled":
		change(m, service, "image pulled", nil, nil, x.remote, yield)
	default:
		if !asked(m, service, t, yield) {
			ordered(m, service, t, yield)
		}
	}
}

// asked reads what a client asked of the API, "Calling POST /v1.41/containers/ID/exec": at level debug since Docker 1.10, at info before it, without "Calling".
func asked(m *artifact.Message, service, t []byte, yield func(*event.Event)) bool {
	t, _ = said.Rest(t, "Calling ")
	method, path := said.FirstWord(t)
	if s := string(method); s != "POST" && s != "DELETE" || len(path) == 0 || path[0] != '/' {
		return false
	}
	path, query, _ := said.Cut(path, "?")
	if rest, ok := said.Rest(path, "/v"); ok { // the version
		if i := bytes.IndexByte(rest, '/'); i > 0 && rest[0] <= '9' {
			path = rest[i:]
		}
	}
	if rest, ok := said.Rest(path, "/containers/"); ok {
		id, verb, deeper := said.Cut(rest, "/")
		switch {
		case string(method) == "DELETE":
			change(m, service, "remove", id, nil, nil, yield)
		case string(rest) == "create":
			change(m, service, "create", nil, value(query, "name="), nil, yield)
		case deeper:
			for _, v := range [...]string{"exec", "start", "stop", "restart", "kill", "update", "attach", "pause", "rename"} {
				if string(verb) == v {
					change(m, service, v, id, nil, nil, yield)
				}
			}
		}
		return true
	}
	switch string(path) {
	case "/images/create":
		change(m, service, "image pulled", nil, nil, value(query, "fromImage="), yield)
	case "/images/load", "/build":
		change(m, service, "image built", nil, nil, value(query, "t="), yield)
	}
	return true
}

// value gives a query's value.
func value(query []byte, name string) []byte {
	for len(query) > 0 {
		pair, rest, _ := said.Cut(query, "&")
		if v, ok := said.Rest(pair, name); ok {
			if plain, err := url.QueryUnescape(string(v)); err == nil {
				v = []byte(plain)
			}
			return v
		}
		query = rest
	}
	return nil
}

// ordered reads what Kubernetes had containerd do:
//
//	CreateContainer within sandbox \"ID\" for &ContainerMetadata{Name:web,Attempt:0,} returns container id \"ID\"
//	StartContainer for \"ID\" returns successfully
//	PullImage \"docker.io/library/alpine:3\" returns image reference \"sha256:...\"
func ordered(m *artifact.Message, service, t []byte, yield func(*event.Event)) {
	const q = `\"`
	first := func(t []byte) []byte {
		_, rest, _ := said.Cut(t, q)
		id, _, _ := said.Cut(rest, q)
		return id
	}
	switch {
	case bytes.HasPrefix(t, []byte("CreateContainer within sandbox ")):
		before, id, ok := said.CutLast(t, " returns container id ")
		_, name, _ := said.CutLast(before, "{Name:")
		name, _, _ = said.Cut(name, ",")
		if ok {
			change(m, service, "create", first(id), name, nil, yield)
		}
	case bytes.HasPrefix(t, []byte("StartContainer for ")) && bytes.HasSuffix(t, []byte(" returns successfully")):
		change(m, service, "start", first(t), nil, nil, yield)
	case bytes.HasPrefix(t, []byte("RemoveContainer for ")) && bytes.HasSuffix(t, []byte(" returns successfully")):
		change(m, service, "remove", first(t), nil, nil, yield)
	case bytes.HasPrefix(t, []byte("PullImage ")) && bytes.Contains(t, []byte(" returns image reference ")):
		change(m, service, "image pulled", nil, nil, first(t), yield)
	}
}

// happened reads podman's events, "[STAMP m=+0.1 ]container create ID (image=IMAGE, name=NAME, LABEL=...)". Image and name stand before the labels, which
// an image brings along, and can hold no comma.
func happened(m *artifact.Message, yield func(*event.Event)) bool {
	t := m.Text
	if i := bytes.Index(t[:min(len(t), 100)], []byte(" m=+")); i > 0 {
		_, t = said.FirstWord(t[i+1:])
	}
	what, rest := said.FirstWord(t)
	status, rest := said.FirstWord(rest)
	id, rest := said.FirstWord(rest)
	switch string(what) {
	case "container", "pod":
	case "image":
		if string(status) == "pull" {
			name, _ := said.FirstWord(rest)
			change(m, podman, "image pulled", nil, nil, name, yield)
		}
		return true
	case "volume", "network", "system", "secret":
		return true
	default:
		return false
	}
	for _, s := range [...]string{"create", "start", "exec", "died", "kill", "stop", "remove", "restart", "attach", "commit", "export", "checkpoint", "restore", "rename"} {
		if string(status) != s {
			continue
		}
		inner, _ := said.Rest(rest, "(image=")
		image, after, _ := said.Cut(inner, ", name=")
		name, _, _ := said.Cut(after, ",")
		if bytes.IndexByte(image, ',') >= 0 {
			image, name = nil, nil
		}
		change(m, podman, s, id, bytes.TrimSuffix(name, []byte(")")), image, yield)
		return true
	}
	return len(id) > 0 // "init", "sync", "cleanup", "health_status" ...
}

func change(m *artifact.Message, service []byte, what string, id, name, image []byte, yield func(*event.Event)) {
	e := m.Event(event.ContainerChange)
	e.Add(event.ServiceName, service)
	e.Add(event.ContainerID, id)
	e.Add(event.ContainerName, name)
	e.Add(event.ContainerImage, image)
	e.AddText(event.Change, what)
	yield(e)
}

func setting(m *artifact.Message, service []byte, name string, value []byte, yield func(*event.Event)) {
	e := m.Event(event.ServerSetting)
	e.Add(event.ServiceName, service)
	e.AddText(event.SettingName, name)
	e.Add(event.SettingValue, value)
	yield(e)
}

func life(m *artifact.Message, k event.Kind, service, text []byte, yield func(*event.Event)) {
	e := m.Event(k)
	e.Add(event.ServiceName, service)
	e.Add(event.Message, text)
	yield(e)
}
