package privilege_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/detecttest"
	"telltale/detect/privilege"
)

func TestSudoToldTwiceIsOneCommand(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, privilege.New(), detecttest.Scene(), `
03:00:00 sudo-command user.name=bob user.effective.name=root terminal=pts/0 process.command_line=/usr/bin/id
03:00:00 sudo-command user.name=bob user.effective.name=root terminal=pts/0 process.command_line=/usr/bin/id transport=journal @/j
03:00:09 sudo-command user.name=bob user.effective.name=root terminal=pts/0 process.command_line=/usr/bin/id`), detect.BecameRoot)
	if len(got) != 1 || got[0].Count != 2 || got[0].As != "root" {
		t.Errorf("%+v", got)
	}
}

func TestRefusedIsNotRoot(t *testing.T) {
	if got := detecttest.Of(detecttest.Run(t, privilege.New(), detecttest.Scene(), `03:00:00 sudo-denied user.name=bob user.effective.name=root process.command_line=/bin/sh "auth.reason=user NOT in sudoers"`), detect.BecameRoot); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestAskingIsNotRoot: "sudo -l" and "sudo -v" are logged like commands, and run nothing.
func TestAskingIsNotRoot(t *testing.T) {
	got := detecttest.Run(t, privilege.New(), detecttest.Scene(), `
03:00:00 sudo-command service.name=sudo user.name=bob user.effective.name=root process.command_line=list
03:00:01 sudo-command service.name=sudo user.name=bob user.effective.name=root process.command_line=validate
03:00:02 sudo-command service.name=sudo user.name=bob user.effective.name=root process.command_line=/opt/list`)
	if root := detecttest.Of(got, detect.BecameRoot); len(root) != 1 || root[0].Runs != "/opt/list" || len(detecttest.Of(got, detect.Command)) != 2 {
		t.Errorf("%+v", got)
	}
}

// TestPwnKit: the complaint stands before the library that makes root runs; one about another setting, or of another program, is a refusal.
func TestPwnKit(t *testing.T) {
	const shell = `"auth.reason=The value for the SHELL variable was not found the /etc/shells file"`
	for line, want := range map[string]bool{
		"service.name=pkexec user.name=www-data " + shell + ` "process.command_line=GCONV_PATH=./pwnkit.so:. PATH=GCONV_PATH=."`: true,
		"service.name=pkexec user.name=www-data " + shell + " process.command_line=/usr/bin/id":                                  false,
		"service.name=sudo user.name=www-data " + shell + " process.command_line=GCONV_PATH=./x":                                 false,
	} {
		got := detecttest.Of(detecttest.Run(t, privilege.New(), detecttest.Scene(), "03:00:00 sudo-denied user.effective.name=root "+line), detect.BecameRoot)
		if len(got) == 1 != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestOddAccounts(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, privilege.New(), detecttest.Scene(), `
- account user.name=root user.id=0 file.path=/etc/passwd
- account user.name=sysbak user.id=0 file.path=/etc/passwd file.mtime=2024-01-02T03:00:00Z
- account user.name=amy user.id=1000 file.path=/etc/passwd
- account-secret user.name=amy user.password_state=set file.path=/etc/shadow
- account-secret user.name=daemon user.password_state=locked file.path=/etc/shadow
- account-secret user.name=open user.password_state=empty file.path=/etc/shadow`), detect.AccountOdd)
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	for _, f := range got {
		if f.Account != "sysbak" && f.Account != "open" || f.Level != detect.High {
			t.Errorf("%+v", f)
		}
	}
}

func TestAnAccountIsMade(t *testing.T) {
	got := detecttest.Of(detecttest.Run(t, privilege.New(), detecttest.Scene(), `
03:00:00 account-created user.name=eve user.id=1002
03:00:00 account-created user.name=eve user.id=1002 transport=journal @/j
03:00:05 group-changed user.name=eve group.name=sudo`), detect.AccountMade)
	if len(got) != 2 || got[0].Account != "eve" || got[1].Path != "sudo" {
		t.Errorf("%+v", got)
	}
}

// TestASecondRootIsMade: a log that tells of one is enough, also where no list of accounts was read.
func TestASecondRootIsMade(t *testing.T) {
	for line, want := range map[string]detect.Level{"user.name=support user.id=0": detect.High, "user.name=toor user.id=0": detect.Info, "user.name=root user.id=0": detect.Info, "user.name=support user.id=1004": detect.Info, "user.name=support": detect.Info} {
		got := detecttest.Of(detecttest.Run(t, privilege.New(), detect.Scene{}, "03:00:00 account-created "+line), detect.AccountMade)
		if len(got) != 1 || got[0].Level != want {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
