// Runs the backup hooks of a Schedule in pods, by Velero's own code: it decides in which pods a hook
// runs, fills in what the Schedule leaves out, sends the command and judges how it ended. Played is
// what stands behind it: the API server's exec, by running the command on this machine.
//
// Takes from standard input {"schedule": text, "pods": [...], "phases": [...], "mounts": {from: to}};
// prints what was run, in order. The module's name lets it import what Velero keeps to itself.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"

	"github.com/sirupsen/logrus"
	"github.com/vmware-tanzu/velero/internal/hook"
	v1 "github.com/vmware-tanzu/velero/pkg/apis/velero/v1"
	"github.com/vmware-tanzu/velero/pkg/kuberesource"
	"github.com/vmware-tanzu/velero/pkg/podexec"
	"github.com/vmware-tanzu/velero/pkg/util/collections"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

type asked struct {
	Schedule string
	Pods     []map[string]any
	Phases   []hook.HookPhase
	Mounts   map[string]string
}

// Ran is one hook in one pod, as Velero says it in its log, and as it took its end.
type Ran struct {
	Pod       string         `json:"pod"`
	Phase     hook.HookPhase `json:"phase"`
	Source    any            `json:"source"`
	Container any            `json:"container"`
	Command   any            `json:"command"`
	OnError   any            `json:"onError"`
	Timeout   string         `json:"timeout"`
	Printed   string         `json:"printed"`
	// Failed is why Velero does not call the backup of this pod good; empty: it does.
	Failed string `json:"failed"`
}

func main() {
	var of asked
	must(json.NewDecoder(os.Stdin).Decode(&of))
	var schedule v1.Schedule
	must(yaml.UnmarshalStrict([]byte(of.Schedule), &schedule))
	hooks := resourceHooks(schedule.Spec.Template.Hooks.Resources)
	config, client := playedServer(of.Mounts)
	runs := &[]*Ran{}
	log := logrus.New()
	log.SetOutput(io.Discard)
	log.AddHook(&listener{runs})
	handler := hook.DefaultItemHookHandler{PodCommandExecutor: podexec.NewPodCommandExecutor(config, client)}
	for _, phase := range of.Phases {
		for _, pod := range of.Pods {
			thing := &unstructured.Unstructured{Object: pod}
			before := len(*runs)
			err := handler.HandleHooks(log, kuberesource.Pods, thing, hooks, phase, hook.NewHookTracker())
			if err != nil && len(*runs) == before {
				*runs = append(*runs, &Ran{})
			}
			for _, ran := range (*runs)[before:] {
				ran.Pod, ran.Phase = thing.GetName(), phase
				if err != nil {
					ran.Failed = err.Error()
				}
			}
		}
	}
	must(json.NewEncoder(os.Stdout).Encode(runs))
}

// What Velero's backupper does with a Schedule's hooks before it backs up; it asks the cluster for
// the names of resources, and hooks run in pods alone.
func resourceHooks(specs []v1.BackupResourceHookSpec) []hook.ResourceHook {
	var hooks []hook.ResourceHook
	for _, spec := range specs {
		one := hook.ResourceHook{Name: spec.Name, Pre: spec.PreHooks, Post: spec.PostHooks}
		one.Selector.Namespaces = collections.NewIncludesExcludes().
			Includes(spec.IncludedNamespaces...).Excludes(spec.ExcludedNamespaces...)
		one.Selector.Resources = collections.NewIncludesExcludes().
			Includes(spec.IncludedResources...).Excludes(spec.ExcludedResources...)
		if spec.LabelSelector != nil {
			selector, err := metav1.LabelSelectorAsSelector(spec.LabelSelector)
			must(err)
			one.Selector.LabelSelector = selector
		}
		hooks = append(hooks, one)
	}
	return hooks
}

// Reads of Velero's log what it runs, after its defaults, and what the command printed.
type listener struct{ runs *[]*Ran }

func (l *listener) Levels() []logrus.Level { return logrus.AllLevels }

func (l *listener) Fire(entry *logrus.Entry) error {
	if entry.Message == "running exec hook" {
		*l.runs = append(*l.runs, &Ran{
			Source:    entry.Data["hookSource"],
			Container: entry.Data["hookContainer"],
			Command:   entry.Data["hookCommand"],
			OnError:   entry.Data["hookOnError"],
			Timeout:   entry.Data["hookTimeout"].(metav1.Duration).Duration.String(),
		})
	}
	if printed, found := bytes.CutPrefix([]byte(entry.Message), []byte("stdout: ")); found {
		(*l.runs)[len(*l.runs)-1].Printed = string(printed)
	}
	return nil
}

func must(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
