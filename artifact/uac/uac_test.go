package uac_test

import (
	"os"
	"path/filepath"
	"testing"

	"telltale/artifact"
	"telltale/artifact/artifacttest"
	"telltale/artifact/uac"
)

// samples are the files beside, by the artefacts that read them.
var samples = map[string][]string{
	"uac-ps": {"ps_auxwww.txt", "ps_-axo_pid_user_lstart_args.txt", "ps_-axo_pid_user_cgroup.txt"}, "uac-links": {"running_processes_full_paths.txt", "ls_-l_proc_pid_cwd.txt", "fd.txt"},
	"uac-status": {"status.txt"}, "uac-maps": {"maps.txt"}, "uac-comm": {"comm.txt"}, "uac-strings": {"cmdline.txt", "environ.txt"}, "uac-hashes": {"hash_running_processes.sha256"}, "uac-lsof": {"lsof_-nPl.txt"},
	"uac-hidden": {"hidden_pids_for_ps_command.txt"}, "uac-ss": {"ss_-anp.txt"}, "uac-netstat": {"netstat_-anp.txt"}, "uac-net": {"proc_net_tcp.txt"}, "uac-lsmod": {"lsmod.txt"}, "uac-modules": {"modules.txt"},
	"uac-taint": {"cat_proc_sys_kernel_tainted.txt"}, "uac-mounts": {"mount.txt"},
}

func TestGolden(t *testing.T) {
	for _, a := range uac.All() {
		if len(samples[a.Name]) == 0 {
			t.Errorf("%s has no sample", a.Name)
		}
		for _, s := range samples[a.Name] {
			artifacttest.GoldenAs(t, a, s, "/live_response/process/proc/4711/"+s, "")
		}
	}
}

// Every form is given every sample of the others, and what is made of it.
func FuzzAll(f *testing.F) {
	all := uac.All()
	for i, a := range all {
		for _, s := range samples[a.Name] {
			b, err := os.ReadFile(filepath.Join("testdata", s))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		artifacttest.Run(t, all[int(i)%len(all)], input(b))
	})
}

func input(b []byte) *artifact.Input {
	in := artifacttest.Input(b)
	in.Path = "/live_response/process/proc/4711/cmdline.txt"
	in.Host.Stands = func(p string) bool { return len(p)%2 == 0 }
	return in
}
