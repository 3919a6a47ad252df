// Package sysmon reads what Sysmon for Linux tells in syslog: each program that started, with its command line, account and parent. An event is one line of
// XML, whose values have the five entities of XML in them. Of its other events (connections, files) nothing is read.
package sysmon

import (
	"bytes"
	"strings"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// New gives the artefact.
func New() *artifact.Artifact {
	return &artifact.Artifact{
		Name: "sysmon", Doc: "programs that Sysmon for Linux saw start", Spec: "SysmonForLinux 1.0 to 1.3: manifest.xml, linuxMain.c (syslog)",
		Programs: []string{"sysmon"}, Decode: decode, Kinds: []event.Kind{event.ProcessStarted},
	}
}

var processCreate = []byte("<EventID>1</EventID>")

func decode(m *artifact.Message, yield func(*event.Event)) bool {
	if !bytes.HasPrefix(m.Text, []byte("<Event>")) {
		return false
	}
	if !bytes.Contains(m.Text, processCreate) {
		return true
	}
	data := m.Text
	if _, rest, ok := said.Cut(data, "<EventData>"); ok {
		data = rest
	}
	m.PID = nil
	e := m.Event(event.ProcessStarted)
	e.Add(event.ProcessPID, said.Number(value(data, "ProcessId")))
	e.Add(event.ParentPID, said.Number(value(data, "ParentProcessId")))
	e.Add(event.UserName, value(data, "User"))
	image := value(data, "Image")
	e.Add(event.Executable, image)
	e.Add(event.ProcessName, image[bytes.LastIndexByte(image, '/')+1:])
	e.Add(event.CommandLine, value(data, "CommandLine"))
	e.Add(event.WorkingDirectory, value(data, "CurrentDirectory"))
	yield(e)
	return true
}

// entities are XML's own five; "&amp;" stands last, so that "&amp;lt;" is read as "&lt;".
var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")

// value gives what stands in <Data Name="name">; "-" stands for nothing.
func value(data []byte, name string) []byte {
	_, rest, ok := said.Cut(data, `<Data Name="`+name+`">`)
	v, _, closed := said.Cut(rest, "</Data>")
	if !ok || !closed || string(v) == "-" {
		return nil
	}
	if bytes.IndexByte(v, '&') >= 0 {
		return []byte(entities.Replace(string(v)))
	}
	return v
}
