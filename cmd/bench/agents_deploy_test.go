package main

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// A job is an object of the load's manifest, as far as it matters here.
type job struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Selector    map[string]string
		Ports       []port
		Mode        string `yaml:"completionMode"`
		Completions int
		Parallelism int
		Retries     *int `yaml:"backoffLimit"`
		Template    struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Restart    string `yaml:"restartPolicy"`
				Containers []container
				Volumes    []struct {
					Name   string
					Secret struct {
						Name  string `yaml:"secretName"`
						Items []struct{ Key string }
					}
					Claim struct {
						Name string `yaml:"claimName"`
					} `yaml:"persistentVolumeClaim"`
				}
			}
		}
	}
}

// files returns the values of flags that name files.
func (j job) files() (names []string) {
	for _, a := range j.Spec.Template.Spec.Containers[0].Args {
		if _, value, _ := strings.Cut(a, "="); strings.HasPrefix(value, "/") {
			names = append(names, value)
		}
	}
	return names
}

// mounted reports whether a file lies in a directory where a secret or a claim is mounted.
func (j job) mounted(file string) bool {
	pod := j.Spec.Template.Spec
	for _, m := range pod.Containers[0].VolumeMounts {
		for _, v := range pod.Volumes {
			if v.Name == m.Name && m.MountPath == path.Dir(file) && v.Secret.Name != "" {
				return v.Secret.Items == nil || slices.Contains(v.Secret.Items, struct{ Key string }{path.Base(file)})
			}
		}
	}
	return false
}

// flag returns the value of a flag.
func (j job) flag(name string) string {
	for _, a := range j.Spec.Template.Spec.Containers[0].Args {
		if value, ok := strings.CutPrefix(a, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

// The parts of the load's manifest fit each other, and bench: as many agents as the coordinator waits for,
// all at a time and none twice; its name, port, certificate and token; and the coordinator's flags are safe
// ones.
func TestKubernetesLoad(t *testing.T) {
	all := make(map[string]job)
	for d := yaml.NewDecoder(strings.NewReader(deployed(t, "kubernetes/load.yaml"))); ; {
		var j job
		if err := d.Decode(&j); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[j.Kind+" "+j.Metadata.Name] = j
	}
	service, lead, agents := all["Service i3-load"], all["Job i3-load"], all["Job i3-load-agents"]
	for _, j := range []job{lead, agents} {
		pod := j.Spec.Template.Spec
		if len(pod.Containers) != 1 || j.Spec.Retries == nil || *j.Spec.Retries != 0 || pod.Restart != "Never" {
			t.Fatalf("%s: %+v", j.Metadata.Name, j)
		}
		args := slices.Clone(pod.Containers[0].Args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "$(POD_IP)", "10.0.0.7")
		}
		understood(t, args)
		for _, file := range j.files() {
			if !j.mounted(file) {
				t.Errorf("%s: %s is in no secret that is mounted", j.Metadata.Name, file)
			}
		}
	}
	n := strconv.Itoa(agents.Spec.Completions)
	_, port, _ := strings.Cut(lead.flag("listen"), ":")
	for what, ok := range map[string]bool{
		"as many agents as are wanted":   lead.flag("agents") == n,
		"all at a time":                  agents.Spec.Completions == agents.Spec.Parallelism,
		"each has a number":              agents.Spec.Mode == "Indexed",
		"agents go to the service":       agents.flag("nats") == "tls://i3-load:"+port,
		"the service has that port":      strconv.Itoa(service.Spec.Ports[0].Port) == port,
		"which is the coordinator's":     service.Spec.Selector["app"] == lead.Spec.Template.Metadata.Labels["app"],
		"and no agent's":                 service.Spec.Selector["app"] != agents.Spec.Template.Metadata.Labels["app"],
		"one token":                      lead.flag("token-file") == agents.flag("token-file"),
		"nodes are at the pod's address": lead.flag("host") == "$(POD_IP)",
		"results are kept":               len(all) == 4 && all["PersistentVolumeClaim i3-load-results"].Kind != "",
	} {
		if !ok {
			t.Errorf("not so: %s", what)
		}
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("bench"), simVars)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(lead.Spec.Template.Spec.Containers[0].Args); err != nil {
		t.Fatal(err)
	}
	c.Load.TokenFile = tokenFile(t)
	if err := c.Load.checkBus(); err != nil {
		t.Error(err)
	}
}

// Every command of docs/agents.md is one that bench understands.
func TestAgentsDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "agents.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^(?:ssh \S+ \./)?bench (.*)$`).FindAllStringSubmatch(string(text), -1)
	for _, m := range found {
		understood(t, strings.Fields(m[1]))
	}
	if len(found) < 7 {
		t.Errorf("%d commands", len(found))
	}
}
