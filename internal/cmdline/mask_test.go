package cmdline_test

import (
	"strings"
	"testing"

	"telltale/internal/cmdline"
)

func TestMask(t *testing.T) {
	for _, line := range []string{
		"sshpass -p hunter2 ssh db1", "sshpass -phunter2 ssh db1", "sshpass -p 'hun hunter2 x' ssh db1", "mysql -u root -phunter2 shop", "/usr/bin/mysqldump -phunter2 --all-databases", "mysql --password=hunter2", "mysql --password hunter2", "PGPASSWORD=hunter2 psql -h db1", "export MYSQL_PWD='hunter2 x'; mysql",
		"curl -u amy:hunter2 http://x.example", "curl https://amy:hunter2@x.example/a", "psql postgres://amy:hunter2@db1/x", "lftp -u amy,hunter2 ftp.example", "redis-cli -a hunter2 -h db1", "smbclient //x/y -U amy%hunter2", "curl -H 'Authorization: Bearer hunter2' http://x.example", "restic --password-command=hunter2", "AWS_SECRET_ACCESS_KEY=hunter2 aws s3 ls", "sudo mysql -phunter2",
	} {
		got := cmdline.Mask(line)
		if strings.Contains(got, "hunter2") || !strings.Contains(got, "***") {
			t.Errorf("%s: %s", line, got)
		}
	}
	for _, line := range []string{"ssh -p 22 amy@db1", "cat /etc/passwd", "tar -pczf x.tgz /etc", "psql -p 5432 -h db1", "mysql -u root -p shop", "scp -P 22 a b@c:", "curl http://x.example/a@b", "grep password= f", "", " "} {
		if got := cmdline.Mask(line); got != line {
			t.Errorf("%q: %q", line, got)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("sshpass -p 'a b' ssh x")
	f.Add("curl https://a:b@c/ -u x:y")
	f.Add("A_TOKEN=\"")
	f.Fuzz(func(t *testing.T, line string) { cmdline.Mask(line) })
}
