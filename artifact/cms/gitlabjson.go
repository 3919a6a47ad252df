package cms

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"

	"telltale/artifact"
	"telltale/artifact/internal/said"
	"telltale/event"
)

// GitLabJSON gives the artefact of the logs that GitLab writes as objects: its application's, its requests' and its guard's. Of the requests only those that log in are told: the web server
// before it has a log of all.
func GitLabJSON() *artifact.Artifact {
	return &artifact.Artifact{Name: "gitlab-json", Doc: GitLab().Doc + ", in its logs of objects", Spec: "GitLab 12 to 17 lib/gitlab/app_json_logger.rb, lib/gitlab/auth/activity.rb, config/initializers/{lograge,rack_attack_logging}.rb",
		Files: []string{"/var/log/gitlab/gitlab-rails/{application,auth}_json*.log", "/home/git/gitlab/log/{application,auth}_json*.log"}, Log: true, Sniff: gitlabJSONSniff, Parse: gitlabJSONParse,
		Kinds: []event.Kind{event.AuthAccepted, event.AuthFailed, event.ConnectionSeen}}
}

// gitlabRecord is a line of any of these logs.
type gitlabRecord struct {
	Time     string  `json:"time"`
	Severity string  `json:"severity"`
	Message  string  `json:"message"`
	Env      string  `json:"env"`
	RemoteIP string  `json:"remote_ip"`
	Method   string  `json:"method"`
	Path     string  `json:"path"`
	Status   *int64  `json:"status"`
	Request  string  `json:"correlation_id"`
	Params   []param `json:"params"`
}

type param struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

var unreadGitlab = []byte("gitlab line")

func gitlabJSONParse(ctx context.Context, in *artifact.Input) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		m := artifact.Message{Repeat: 1, Program: gitlabName}
		going := true
		out := func(e *event.Event) { going = going && yield(*e, nil) }
		for ref, t := range artifact.EachLine(ctx, in, yield) {
			var x gitlabRecord
			if len(t) > maxLine || t[0] != '{' || json.Unmarshal(t, &x) != nil {
				in.Seen.Unknown(unreadGitlab)
				continue
			}
			m.At, _ = in.Clock.ISO([]byte(x.Time))
			m.Ref, m.Raw = ref, t
			in.Seen.Record(m.At)
			x.tell(&m, out)
			if !going {
				return
			}
		}
	}
}

// tell makes events of a record. A request to log in that has the status 0 was left to what answers those who are refused.
func (x *gitlabRecord) tell(m *artifact.Message, out func(*event.Event)) {
	switch {
	case x.Message == "Rack_Attack" && (x.Env == "blocklist" || x.Env == "throttle" && x.enters()): // programs that ask too often are slowed down, too
		gitlabSeen(m, x.RemoteIP, "", "Rack_Attack "+x.Env, out)
	case said.BeginsAny([]byte(x.Message), []string{"Failed Login: ", "Successful Login: "}):
		m.Text = []byte(x.Message)
		gitlab(m, out)
	case x.Method == "POST" && x.Path == "/users/sign_in" && x.Status != nil && (*x.Status == 0 || *x.Status == 401 || *x.Status == 422):
		gitlabSeen(m, x.RemoteIP, x.login(), "POST /users/sign_in", out)
	}
}

// enters tells a request by which somebody would get in.
func (x *gitlabRecord) enters() bool {
	return x.Path == "/users/sign_in" || x.Path == "/users/password" || x.Path == "/oauth/token"
}

// login gives the name that was asked for.
func (x *gitlabRecord) login() string {
	for _, p := range x.Params {
		var user struct {
			Login string `json:"login"`
		}
		if p.Key == "user" && json.Unmarshal(p.Value, &user) == nil {
			return user.Login
		}
	}
	return ""
}

func gitlabSeen(m *artifact.Message, from, name, why string, out func(*event.Event)) {
	ip := said.Address([]byte(from))
	if ip == nil {
		return
	}
	e := m.Event(event.ConnectionSeen)
	e.Add(event.ServiceName, gitlabName)
	e.AddText(event.UserName, name)
	e.Add(event.SourceIP, ip)
	e.AddText(event.AuthReason, why)
	out(e)
}

func gitlabJSONSniff(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	var x gitlabRecord
	return len(line) > 2 && len(line) <= maxLine && line[0] == '{' && json.Unmarshal(line, &x) == nil && x.Request != "" && len(x.Time) > 18 && (x.Severity != "" && x.Message != "" || x.Method != "" && x.Status != nil)
}
