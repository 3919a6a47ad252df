package sigma

import (
	"bytes"
	"strings"

	"telltale/event"
)

// attr gives the field of one attribute or, where the first is absent, the next.
func attr(keys ...event.Key) field {
	return field{get: func(r *record) [][]byte {
		for _, k := range keys {
			if v := r.e.Get(k); len(v) > 0 {
				return r.one(v)
			}
		}
		return nil
	}}
}

// aside is attr for what stands in a request's line beside the URL and what the client says of itself: words of it are not looked for beforehand.
func aside(keys ...event.Key) field {
	f := attr(keys...)
	f.hidden = true
	return f
}

func constant(v string, when func(r *record) bool) field {
	b := []byte(v)
	return field{hidden: true, get: func(r *record) [][]byte {
		if when != nil && !when(r) {
			return nil
		}
		return r.one(b)
	}}
}

// merge joins tables of names. A name is also known in lower case, unless that is a name of its own: sudo's USER is not the user.
func merge(maps ...map[string]field) map[string]field {
	out := map[string]field{}
	for _, m := range maps {
		for k, v := range m {
			out[k] = v
		}
	}
	for k, v := range maps[len(maps)-1] {
		if low := strings.ToLower(k); low != k {
			if _, ok := out[low]; !ok {
				out[low] = v
			}
		}
	}
	return out
}

// common are names that fields have in several sources.
var common = map[string]field{
	"user": attr(event.UserName, event.UserID), "username": attr(event.UserName), "user_name": attr(event.UserName), "src_ip": attr(event.SourceIP), "client_ip": attr(event.SourceIP), "c-ip": attr(event.SourceIP), "source_ip": attr(event.SourceIP), "src_port": attr(event.SourcePort),
	"dst_ip": attr(event.DestinationIP), "dst_port": attr(event.DestinationPort), "pid": attr(event.ProcessPID), "processid": attr(event.ProcessPID), "message": attr(event.Message), "host": constant("", nil), "hostname": constant("", nil), "computer": constant("", nil),
}

var textFields = merge(common, map[string]field{
	"pam_message": constant("authentication failure", func(r *record) bool { return r.e.Kind == event.AuthFailed }), "pam_user": attr(event.UserName), "pam_rhost": attr(event.SourceIP, event.SourceHost),
	"USER": attr(event.UserEffective), "COMMAND": attr(event.CommandLine), "CommandLine": attr(event.CommandLine), "PWD": attr(event.WorkingDirectory), "TTY": attr(event.Terminal), "deviceProcessName": attr(event.ServiceName), "process": attr(event.ServiceName), "program": attr(event.ServiceName), "filename": attr(event.FilePath),
})

var processFields = merge(common, map[string]field{
	"Image": {get: (*record).image, end: true}, "CommandLine": {get: (*record).commandLine}, "CurrentDirectory": attr(event.WorkingDirectory), "ParentProcessId": attr(event.ParentPID), "User": attr(event.UserName, event.UserID),
	"LogonId": attr(event.LoginUID), "ParentImage": {hidden: true, get: func(r *record) [][]byte { return r.one(r.parent().image) }}, "ParentCommandLine": {hidden: true, get: func(r *record) [][]byte { return r.one(r.parent().command) }},
	"ProcessName": {get: (*record).image, end: true}, "comm": attr(event.ProcessName),
})

// parent gives the process that started the one looked at, if its own start was logged.
func (r *record) parent() process {
	if r.e.Kind != event.ProcessStarted || r.parents == nil {
		return process{}
	}
	return r.parents.by[string(r.e.Get(event.ParentPID))]
}

// whole gives a request's URL as it was logged and decoded.
func whole(r *record) [][]byte {
	out := r.one(r.e.Get(event.URL))
	if r.url != nil {
		out = append(out, r.url)
	}
	r.values = out
	return out
}

// cut gives parts of the URL, as logged and decoded.
func cut(part func(u []byte) []byte) field {
	return field{get: func(r *record) [][]byte {
		out := r.one(part(r.e.Get(event.URL)))
		if v := part(r.url); len(v) > 0 {
			out = append(out, v)
		}
		r.values = out
		return out
	}}
}

func stem(u []byte) []byte {
	if i := bytes.IndexByte(u, '?'); i >= 0 {
		return u[:i]
	}
	return u
}

// webFields know that authors of rules write "cs-uri-query" for the whole URL: it gives that and what stands behind the question mark.
var webFields = merge(map[string]field{
	"c-ip": aside(event.SourceIP), "client_ip": aside(event.SourceIP), "src_ip": aside(event.SourceIP), "source_ip": aside(event.SourceIP), "host": constant("", nil),
	"cs-method": aside(event.HTTPMethod), "c-uri": {get: whole}, "cs-uri": {get: whole}, "c-uri-query": {get: whole}, "url": {get: whole}, "request": {get: whole}, "cs-uri-stem": cut(stem), "c-uri-stem": cut(stem), "uri_path": cut(stem),
	"cs-uri-query": {get: func(r *record) [][]byte {
		out := whole(r)
		for _, u := range [][]byte{r.e.Get(event.URL), r.url} {
			if i := bytes.IndexByte(u, '?'); i >= 0 {
				out = append(out, u[i+1:])
			}
		}
		r.values = out
		return out
	}},
	"c-uri-extension": cut(func(u []byte) []byte {
		u = stem(u)
		if i := bytes.LastIndexByte(u, '.'); i >= 0 && bytes.IndexByte(u[i:], '/') < 0 {
			return u[i+1:]
		}
		return nil
	}),
	"cs-user-agent": attr(event.UserAgent), "c-useragent": attr(event.UserAgent), "cs(User-Agent)": attr(event.UserAgent), "user_agent": attr(event.UserAgent), "cs-referer": attr(event.HTTPReferrer), "cs-referrer": attr(event.HTTPReferrer), "cs(Referer)": attr(event.HTTPReferrer),
	"sc-status": aside(event.HTTPStatus), "response": aside(event.HTTPStatus), "sc-bytes": aside(event.HTTPBytes), "cs-username": aside(event.UserName), "cs-host": aside(event.URLDomain), "vhost": aside(event.URLDomain), "cs-version": aside(event.HTTPVersion),
})

// fileFields are of files that a transfer wrote, and of those that the kernel's audit saw being made or renamed.
var fileFields = merge(common, map[string]field{
	"TargetFilename": {get: func(r *record) [][]byte {
		if r.e.Kind != event.AuditRecord {
			return r.one(r.e.Get(event.FilePath))
		}
		if t := r.field("nametype"); string(t) != "CREATE" {
			return nil
		}
		return r.one(r.field("name"))
	}},
})

var packetFields = merge(common, map[string]field{
	"DestinationIp": attr(event.DestinationIP), "DestinationPort": attr(event.DestinationPort), "SourceIp": attr(event.SourceIP), "SourcePort": attr(event.SourcePort), "Protocol": attr(event.NetworkTransport), "action": attr(event.Change),
	"Initiated": constant("true", func(r *record) bool { return string(r.e.Get(event.NetworkDirection)) == "outbound" }),
})

var dnsFields = merge(common, map[string]field{"query": attr(event.DNSName), "QueryName": attr(event.DNSName), "record_type": attr(event.DNSType)})

var alarmFields = merge(common, map[string]field{"Signature": attr(event.Message), "Filename": attr(event.FilePath), "TargetFilename": attr(event.FilePath)})

var auditFields = merge(map[string]field{"type": attr(event.RecordType), "syscall": {get: (*record).syscall, hidden: true}})
