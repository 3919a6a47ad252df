package cms_test

import (
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/cms"
	"telltale/event"
)

// syslog is all members that decode messages, in one.
func syslog() *artifact.Artifact {
	members := []*artifact.Artifact{cms.WordPress(), cms.Drupal(), cms.Nextcloud(), cms.GiteaSaid()}
	d := artifact.NewDecoders(members)
	a := &artifact.Artifact{Name: "cms", Decode: func(m *artifact.Message, yield func(*event.Event)) bool {
		_, understood := d.Decode(m, yield)
		return understood
	}}
	for _, x := range members {
		a.Programs = append(a.Programs, x.Programs...)
		a.Kinds = append(a.Kinds, x.Kinds...)
	}
	return a
}

func TestGolden(t *testing.T) { artifacttest.Golden(t, syslog()) }

func TestOwnLogs(t *testing.T) {
	artifacttest.GoldenAs(t, cms.Joomla(), "joomla.txt", "/var/www/html/administrator/logs/error.php", "")
	artifacttest.GoldenAs(t, cms.NextcloudFile(), "nextcloud.txt", "/var/www/nextcloud/data/nextcloud.log", "")
	artifacttest.GoldenAs(t, cms.NextcloudFile(), "nextcloud-worded.txt", "/var/www/nextcloud/data/nextcloud.log", "")
	artifacttest.GoldenAs(t, cms.Gitea(), "gitea.txt", "/var/lib/gitea/log/gitea.log", "")
	artifacttest.GoldenAs(t, cms.GitLab(), "gitlab.txt", "/var/log/gitlab/gitlab-rails/application.log", "")
	artifacttest.GoldenAs(t, cms.GitLabJSON(), "gitlab-json.txt", "/var/log/gitlab/gitlab-rails/application_json.log", "")
	artifacttest.GoldenAs(t, cms.Odoo(), "odoo.txt", "/var/log/odoo/odoo-server.log", "")
}

func FuzzDecode(f *testing.F) { artifacttest.Fuzz(f, syslog) }

func FuzzJoomla(f *testing.F) {
	artifacttest.Fuzz(f, cms.Joomla, "2024-01-02T03:04:05+00:00\tINFO 203.0.113.5\tjoomlafailure\tno\n")
}

func FuzzGitLabJSON(f *testing.F) {
	artifacttest.Fuzz(f, cms.GitLabJSON, `{"message":"Failed Login: username=a ip=192.0.2.1","time":"2024-05-31T14:32:44.108Z"}`, `{"method":"POST","path":"/users/sign_in","status":0,"params":[{"key":"user","value":{"login":"a"}}],"remote_ip":"192.0.2.1"}`)
}

func FuzzNextcloud(f *testing.F) {
	artifacttest.Fuzz(f, cms.NextcloudFile, `{"reqId":"x","time":"2024-01-02T03:04:05+00:00","remoteAddr":"203.0.113.5","message":"Login failed: x (Remote IP: 203.0.113.5)"}`+"\n")
}

func FuzzForges(f *testing.F) {
	f.Add([]byte("2024/01/02 03:04:05 a.go:1:f() [I] Failed authentication attempt for x from 203.0.113.5:1: y\n"))
	f.Add([]byte("2024-01-02T03:04:05.667Z: Failed Login: username=x ip=203.0.113.5\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		artifacttest.Run(t, cms.Gitea(), artifacttest.Input(b))
		artifacttest.Run(t, cms.GitLab(), artifacttest.Input(b))
	})
}

func FuzzOdoo(f *testing.F) {
	artifacttest.Fuzz(f, cms.Odoo, "2024-01-02 03:04:05,644 1 INFO shop odoo.addons.base.models.res_users: Login failed for db:shop login:x from 203.0.113.5\n")
}
