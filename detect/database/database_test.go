package database_test

import (
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
