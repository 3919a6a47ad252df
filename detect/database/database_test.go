package database_test

import (
	"strings"
	"testing"

	"telltale/detect"
	"telltale/detect/database"
	"telltale/detect/detecttest"
	"telltale/evidence"
)

func TestJudge(t *testing.T) {
	for line, want := range map[string]detect.Level{
		`service.name=redis file.path=/root/.ssh/authorized_keys message="a redis dump stands where ssh or cron reads"`:                     detect.Critical,
		`service.name=redis file.path=/var/spool/cron/root message="Failed opening the RDB file root (in server root dir /var/spool/cron)"`: detect.Medium,
		`service.name=redis file.path=/tmp/x.so message="Module 'system' loaded from /tmp/x.so"`:                                            detect.High,
		`service.name=redis file.path=/usr/lib/redis/modules/json.so message="Module 'json' loaded from /usr/lib/redis/modules/json.so"`:    detect.Info,
		`service.name=redis message="DB saved on disk"`:                                                                                     detect.Info,
		`service.name=postgresql source.ip=203.0.113.5 message="COPY cmd FROM PROGRAM 'id';"`:                                               detect.High,
		`service.name=mysql file.path=/var/www/html/x.php message="SELECT '<?php' INTO OUTFILE '/var/www/html/x.php'"`:                      detect.High,
		`service.name=mysql file.path=/tmp/report.csv message="SELECT * FROM t INTO OUTFILE '/tmp/report.csv'"`:                             detect.Low,
		`service.name=mysql message="CREATE FUNCTION sys_exec RETURNS int SONAME 'udf.so'"`:                                                 detect.High,
		`service.name=mysql message="SELECT 1"`:                                                                                             detect.Info,
	} {
		got := detecttest.Of(detecttest.Run(t, database.New(), detecttest.Scene(), "03:00:05 database-command "+line), detect.DatabaseDid)
		switch {
		case want == detect.Info && len(got) == 0:
		case len(got) != 1 || got[0].Level != want:
			t.Errorf("%s: %+v", line, got)
		case want == detect.Medium && got[0].Rung != evidence.Attempt:
			t.Errorf("%s: what failed is an attempt: %+v", line, got)
		}
	}
}

func TestDemands(t *testing.T) {
	const (
		drop   = `03:00:05 database-command service.name=mongodb source.ip=203.0.113.7 message="dropDatabase shop"` + "\n"
		demand = `03:00:09 database-command service.name=mongodb source.ip=203.0.113.7 message="createCollection READ__ME_TO_RECOVER_YOUR_DATA.README"` + "\n"
	)
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"dropped, and a demand", drop + demand, detect.Critical, 1},
		{"an old log's names", drop + `03:00:09 database-command service.name=mongodb source.ip=203.0.113.7 message="createCollection WARNING.Readme"`, detect.Critical, 1},
		{"a name that may be an application's, where something was dropped", drop + `03:00:09 database-command service.name=mongodb source.ip=203.0.113.7 message="create README"`, detect.Medium, 1},
		{"a demand alone", demand, detect.Medium, 1},
		{"by mysql", "03:00:01 database-command service.name=mysql source.ip=203.0.113.7 message=\"DROP DATABASE `shop`\"\n03:00:02 database-command service.name=mysql source.ip=203.0.113.7 message=\"CREATE TABLE `README_TO_RECOVER_SHOP` (id int)\"", detect.Critical, 1},
		{"a test drops its database", strings.Repeat(drop, 5), detect.Info, 0},
		{"an application's own collection", `03:00:09 database-command service.name=mongodb source.ip=203.0.113.7 message="createCollection app.warnings"`, detect.Info, 0},
		{"a collection of texts", `03:00:09 database-command service.name=mongodb source.ip=203.0.113.7 message="createCollection README"`, detect.Info, 0},
		{"another client dropped, long before", `00:00:05 database-command service.name=mongodb source.ip=198.51.100.7 message="dropDatabase shop"` + "\n" + demand, detect.Medium, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, database.New(), detecttest.Scene(), tc.events), detect.Destroyed)
			if len(got) != tc.count || tc.count > 0 && (got[0].Level != tc.level || got[0].Rung != evidence.Effect || got[0].Source != "203.0.113.7") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestExposed(t *testing.T) {
	const (
		open    = "03:00:00 server-setting service.name=mongodb setting.name=security.authorization setting.value=disabled\n"
		all     = "03:00:00 server-setting service.name=mongodb setting.name=net.bindIp setting.value=127.0.0.1,0.0.0.0\n"
		local   = "03:00:00 server-setting service.name=mongodb setting.name=net.bindIp setting.value=127.0.0.1\n"
		outside = "03:10:00 connection-seen service.name=mongodb source.ip=203.0.113.7\n"
		inside  = "03:10:00 connection-seen service.name=mongodb source.ip=10.0.0.7\n"
	)
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"open, and somebody came", open + all + outside, detect.Medium, 1},
		{"open to all addresses", open + all + inside, detect.Low, 1},
		{"open to the host alone, as it is installed", open + local, detect.Info, 0},
		{"asks, and strangers knock", all + outside, detect.Info, 0},
		{"a web site's visitors", open + local + "03:10:00 connection-seen service.name=sshd source.ip=203.0.113.7", detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Of(detecttest.Run(t, database.New(), detecttest.Scene(), tc.events), detect.Exposed)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}
