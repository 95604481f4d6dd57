package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"i3bench/daemon"
)

// deployed reads a file of deploy/.
func deployed(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// loaded reads a configuration as a daemon does.
func loaded(t *testing.T, text string) daemon.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "node.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := daemon.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// understood checks that bench understands a command line.
func understood(t *testing.T, args []string) {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, kong.Name("bench"), simVars, kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("bench %v: %v", args, err)
	}
}

// The unit starts bench with flags that it has, waits longer than the node drains, and is one that systemd takes; the
// configuration beside it is one that a daemon takes.
func TestSystemdUnit(t *testing.T) {
	cfg := loaded(t, deployed(t, "systemd/node.toml"))
	if err := cfg.Check(); err != nil {
		t.Error(err)
	}
	unit := deployed(t, "systemd/i3-node.service")
	start := regexp.MustCompile(`(?m)^ExecStart=(\S+) (.*)$`).FindStringSubmatch(unit)
	stop := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindStringSubmatch(unit)
	if start == nil || stop == nil {
		t.Fatal("no ExecStart, or no TimeoutStopSec in seconds")
	}
	understood(t, strings.Fields(start[2]))
	if wait, _ := time.ParseDuration(stop[1] + "s"); wait <= time.Duration(cfg.Drain) {
		t.Errorf("systemd waits for %v, and the node may take %v", wait, time.Duration(cfg.Drain))
	}
	if cfg.SecretFile != "/run/credentials/i3-node.service/secret" || !strings.Contains(unit, "LoadCredential=secret:") {
		t.Errorf("secret_file is %q, which is not where the unit puts it", cfg.SecretFile)
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze, of the package systemd, is not in PATH: only what we know of units was checked")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "i3-node.service")
	unit = strings.Replace(unit, start[1], self, 1) // it must be there
	if err := os.WriteFile(name, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", name).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("i3-node.service:")) {
		t.Errorf("systemd-analyze: %v\n%s", err, out)
	}
}

// An object is one of a Kubernetes manifest, as far as it matters here.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Selector    any
		ServiceName string `yaml:"serviceName"`
		ClusterIP   string `yaml:"clusterIP"`
		Ports       []port
		Management  string `yaml:"podManagementPolicy"`
		Template    struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Grace    int `yaml:"terminationGracePeriodSeconds"`
				Security struct {
					User  int `yaml:"runAsUser"`
					Group int `yaml:"fsGroup"`
				} `yaml:"securityContext"`
				Containers []container
				Volumes    []volume
			}
		}
	}
}

type port struct {
	Name          string
	Port          int
	ContainerPort int `yaml:"containerPort"`
	Protocol      string
}

type container struct {
	Args  []string
	Ports []port
	Env   []struct {
		Name      string
		ValueFrom struct {
			FieldRef struct {
				FieldPath string `yaml:"fieldPath"`
			} `yaml:"fieldRef"`
		} `yaml:"valueFrom"`
	}
	Readiness    probe `yaml:"readinessProbe"`
	Liveness     probe `yaml:"livenessProbe"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	Get struct{ Path, Port string } `yaml:"httpGet"`
}

type volume struct {
	Name      string
	ConfigMap struct{ Name string } `yaml:"configMap"`
	Secret    struct {
		Name string `yaml:"secretName"`
	}
}

// objects decodes a manifest.
func objects(t *testing.T, text string) map[string]object {
	t.Helper()
	all := make(map[string]object)
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o object
		switch err := d.Decode(&o); err {
		case nil:
			all[o.Kind] = o
		case io.EOF:
			return all
		default:
			t.Fatal(err)
		}
	}
}

// The manifest's parts fit each other, and bench: flags, configuration, ports, probes, mounts, and the time to drain.
func TestKubernetesManifest(t *testing.T) {
	all := objects(t, deployed(t, "kubernetes/node.yaml"))
	cm, svc, set := all["ConfigMap"], all["Service"], all["StatefulSet"]
	pod := set.Spec.Template.Spec
	if len(pod.Containers) != 1 {
		t.Fatalf("%d containers", len(pod.Containers))
	}
	c := pod.Containers[0]
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		args[i] = strings.ReplaceAll(a, "$(POD_IP)", "10.0.0.7")
	}
	understood(t, args)
	cfg := loaded(t, cm.Data["node.toml"])
	cfg.Listen = "10.0.0.7:7000"
	if err := cfg.Check(); err != nil {
		t.Error(err)
	}
	grace := time.Duration(pod.Grace) * time.Second
	drain := time.Duration(cfg.Drain)
	mounts := fmt.Sprint(c.VolumeMounts)
	for what, ok := range map[string]bool{
		"the service has no address of its own": svc.Spec.ClusterIP == "None",
		"the set is behind the service":         set.Spec.ServiceName == svc.Metadata.Name,
		"nodes join by the service":             strings.Contains(fmt.Sprint(args), "--join="+svc.Metadata.Name+":7000"),
		"one pod after the other":               set.Spec.Management == "OrderedReady" && cfg.Alone,
		"the user may read the secret":          pod.Security.Group == pod.Security.User && pod.Security.User > 0,
		"pods may drain":                        grace > drain,
		"ports of the service": fmt.Sprint(svc.Spec.Ports) == "[{i3 7000 0 UDP} {http 9100 0 TCP}]" &&
			fmt.Sprint(c.Ports) == "[{i3 0 7000 UDP} {http 0 9100 TCP}]" && strings.HasSuffix(cfg.HTTP, ":9100"),
		"readiness": c.Readiness.Get.Path == "/readyz" && c.Readiness.Get.Port == "http",
		"liveness":  c.Liveness.Get.Path == "/healthz" && c.Liveness.Get.Port == "http",
		"the pod's address": len(c.Env) == 1 && c.Env[0].Name == "POD_IP" &&
			c.Env[0].ValueFrom.FieldRef.FieldPath == "status.podIP",
		"configuration mount": strings.Contains(mounts, "{config /etc/i3bench/node}"),
		"secret mount": strings.Contains(mounts, "{secret /etc/i3bench/secret}") &&
			strings.HasPrefix(cfg.SecretFile, "/etc/i3bench/secret/"),
		"volumes": len(pod.Volumes) == 2 && pod.Volumes[0].ConfigMap.Name == cm.Metadata.Name &&
			pod.Volumes[1].Secret.Name == "i3-node",
	} {
		if !ok {
			t.Errorf("not so: %s", what)
		}
	}
}

// Every metric that a rule looks at is one that a daemon has.
func TestPrometheusRules(t *testing.T) {
	text := deployed(t, "prometheus/rules.yaml")
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal([]byte(text), &rules); err != nil || len(rules.Groups) == 0 {
		t.Fatalf("%v, %+v", err, rules)
	}
	known := make(map[string]bool)
	for _, name := range daemon.Metrics() {
		known[name] = true
	}
	n := 0
	for _, r := range rules.Groups[0].Rules {
		for _, name := range regexp.MustCompile(`i3_[a-z_]+`).FindAllString(r.Expr, -1) {
			if n++; !known[name] {
				t.Errorf("%s looks at %s, which no daemon has", r.Alert, name)
			}
		}
	}
	if n < 4 {
		t.Errorf("%d metrics in all rules", n)
	}
}
